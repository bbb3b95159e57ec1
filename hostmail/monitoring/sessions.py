"""Who is connected: all open sessions, how many there may be, and the way to end one (D10, LIMITS Connections)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import client_network
from hostmail.envelope import Peer
from hostmail.errors import TooMany
from hostmail.interfaces.admin import ISessions, SessionInfo
from hostmail.interfaces.events import DirectoryChanged, IEvents

UNAUTHENTICATED_PER_NETWORK = 50
AUTHENTICATED_PER_ACCOUNT_AND_NETWORK = 50
SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class _Place:
    """What a session is counted under: `account_id` None before login; `network` "" is local and not limited."""

    network: str
    account_id: int | None = None


@implementer(ISessions)
class Sessions:
    """Counts sessions in and out of this process.

    A full house makes room by dropping whoever has waited longest without logging in; somebody who has logged in is never
    dropped for a newcomer. What is dropped counts as gone at once, however long its connection takes to close.
    """

    log = Logger()

    def __init__(
        self,
        *,
        now: Callable[[], float],
        events: IEvents | None = None,
        unauthenticated: int = UNAUTHENTICATED_PER_NETWORK,
        authenticated: int = AUTHENTICATED_PER_ACCOUNT_AND_NETWORK,
        total: int = SESSIONS,
    ) -> None:
        self._now = now
        self._unauthenticated = unauthenticated
        self._authenticated = authenticated
        self._total = total
        self._ids = count(1)
        self._open: dict[int, SessionInfo] = {}
        self._waiting: dict[int, SessionInfo] = {}
        self._of_account: dict[int, dict[int, SessionInfo]] = {}
        self._places: dict[int, _Place] = {}
        self._counts: Counter[_Place] = Counter()
        if events is not None:
            events.subscribe(DirectoryChanged, self._directory_changed)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, peer: Peer, kick: Callable[[str], None]) -> SessionInfo:
        """Count a new session in; `kick(words)` is how to end it. Raises TooMany (421)."""
        place = _Place(client_network(peer.ip))
        if place.network and self._counts[place] >= self._unauthenticated:
            raise _too_many("too many connections from your address", f"{place.network} has {self._counts[place]}")
        if len(self._open) >= self._total:
            self._make_room()
        session = SessionInfo(next(self._ids), peer, self._now(), kick)
        self._open[session.id] = self._waiting[session.id] = session
        self._count_in(session, place)
        return session

    def logged_in(self, session: SessionInfo) -> None:
        """Count the session under its account from now on; raises TooMany and leaves it where it was."""
        if session.id not in self._open:
            return
        place = _Place(client_network(session.peer.ip), session.peer.account_id)
        if place == self._places[session.id]:
            return
        if place.network and self._counts[place] >= self._authenticated:
            raise _too_many("too many connections for this account", f"account {place.account_id} at {place.network}")
        self._count_out(session)
        self._count_in(session, place)
        self._waiting.pop(session.id, None)

    def leave(self, session: SessionInfo) -> None:
        """The session is over."""
        if self._open.pop(session.id, None) is not None:
            self._waiting.pop(session.id, None)
            self._count_out(session)

    def all(self) -> Iterable[SessionInfo]:
        """Every open session, the oldest first."""
        return list(self._open.values())

    def kick(self, words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        """Disconnect by account, by id, or all; how many."""
        among = self._open if account_id is None else self._of_account.get(account_id, {})
        chosen = [session for session in among.values() if session_id in (None, session.id)]
        for session in chosen:
            self._drop(session, words)
        return len(chosen)

    def _make_room(self) -> None:
        """End the session that has been unauthenticated for longest; raises TooMany if all have logged in."""
        oldest = next(iter(self._waiting.values()), None)
        if oldest is None:
            raise _too_many("too many connections, please try again later", f"{len(self._open)} sessions are open")
        self.log.warn("session_dropped_for_room: {session.id} of {session.peer.ip}", session=oldest)
        self._drop(oldest, "too many connections, please try again later")

    def _drop(self, session: SessionInfo, words: str) -> None:
        self.leave(session)
        with self.log.failuresHandled("session_not_kicked: {session.id}", session=session):
            session.kick(words)

    def _count_in(self, session: SessionInfo, place: _Place) -> None:
        self._places[session.id] = place
        self._counts[place] += 1
        if place.account_id is not None:
            self._of_account.setdefault(place.account_id, {})[session.id] = session

    def _count_out(self, session: SessionInfo) -> None:
        place = self._places.pop(session.id)
        self._counts[place] -= 1
        if self._counts[place] <= 0:
            del self._counts[place]
        if place.account_id is not None:
            sessions = self._of_account[place.account_id]
            del sessions[session.id]
            if not sessions:
                del self._of_account[place.account_id]

    def _directory_changed(self, event: DirectoryChanged) -> None:
        """A removed account's sessions end at once (D13)."""
        if event.removed and event.account_id:
            self.kick("this account has been removed", account_id=event.account_id)


def _too_many(public: str, private: str) -> TooMany:
    return TooMany(public, private, code=421, enhanced="4.7.0")
