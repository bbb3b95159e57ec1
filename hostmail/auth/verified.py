"""A short-lived record of passwords found right, so that polling costs microseconds and not a hash each time (A8)."""

from __future__ import annotations

import hmac
import os
from collections import OrderedDict
from collections.abc import Callable

from hostmail.auth.passwords import octets
from hostmail.interfaces.events import DirectoryChanged, IEvents

TTL_SECONDS = 300.0
ENTRIES = 10_000


class VerifiedCredentials:
    """Remembers, per account, a keyed digest of stored hash and password.

    The key is made at start and never leaves the process, so the record is worthless to whoever reads it later. Because the stored
    hash is part of the digest, a changed password misses even where its announcement has not arrived. Entries end after
    `ttl_seconds`, however often they are used. `now` should be a clock that never jumps.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        events: IEvents | None = None,
        ttl_seconds: float = TTL_SECONDS,
        entries: int = ENTRIES,
    ) -> None:
        self._now = now
        self._ttl = ttl_seconds
        self._limit = entries
        self._key = os.urandom(32)
        self._entries: OrderedDict[int, tuple[bytes, float]] = OrderedDict()
        if events is not None:
            events.subscribe(DirectoryChanged, self._directory_changed)

    def __len__(self) -> int:
        return len(self._entries)

    def remember(self, account_id: int, stored: str, password: str) -> None:
        """This password was just found right for this hash."""
        self._entries[account_id] = (self._digest(stored, password), self._now() + self._ttl)
        self._entries.move_to_end(account_id)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def knows(self, account_id: int, stored: str, password: str) -> bool:
        """True if exactly this was found right a short while ago. False says nothing."""
        entry = self._entries.get(account_id)
        if entry is None:
            return False
        if entry[1] <= self._now():
            del self._entries[account_id]
            return False
        return hmac.compare_digest(entry[0], self._digest(stored, password))

    def forget(self, account_id: int) -> None:
        """Hash again next time."""
        self._entries.pop(account_id, None)

    def _digest(self, stored: str, password: str) -> bytes:
        # No stored hash contains NUL, so the two cannot run into each other.
        return hmac.digest(self._key, stored.encode() + b"\0" + octets(password), "sha256")

    def _directory_changed(self, event: DirectoryChanged) -> None:
        if event.credentials or event.removed:
            self.forget(event.account_id)


class RecentFailures:
    """The password that last failed, per client and login, as a keyed digest: sending it again is no guessing."""

    def __init__(self, *, entries: int = ENTRIES) -> None:
        self._limit = entries
        self._key = os.urandom(32)
        self._last: OrderedDict[bytes, bytes] = OrderedDict()

    def is_repeated(self, client: str, login: str, password: str) -> bool:
        """True if the last failure of this login from this client was the same password; remembers this one."""
        who = hmac.digest(self._key, client.encode() + b"\0" + octets(login), "sha256")
        what = hmac.digest(self._key, who + octets(password), "sha256")
        repeated = self._last.pop(who, None) == what
        self._last[who] = what
        if len(self._last) > self._limit:
            self._last.popitem(last=False)
        return repeated
