"""The maildrop: an account's INBOX as one POP3 session sees it (RFC 1939), locked and frozen at login."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

from twisted.mail.pop3 import IMailbox
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.interfaces.admin import ISessions
from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import IMailStore, Snapshot

LOCK_WAIT_SECONDS = 10.0
IDLE_HOLDER_SECONDS = 30.0
AHEAD_OCTETS, AHEAD_MESSAGES = 256 * 1024, 100
HOLDER = "holder"
"""Where a session that holds its maildrop puts itself among the facts of `ISessions`."""


@implementer(IMailbox)
class Maildrop:
    """A frozen list of messages with marks for deletion; nothing is deleted before `update`.

    It is the avatar behind `pop3.IMailbox`. Messages are counted from 0 here, from 1 on the wire.
    """

    def __init__(self, store: Any, folder: Any, lock: Any, snapshot: Snapshot) -> None:
        self._store = store
        self._folder = folder
        self._lock = lock
        self._uids = list(snapshot.uids)
        self._sizes = list(snapshot.sizes)
        self._uidvalidity = snapshot.uidvalidity
        self._uidls: list[str] | None = None
        self._deleted: set[int] = set()
        self._ahead: dict[int, bytes] = {}
        self._fetched = -2

    @classmethod
    async def open(
        cls,
        mail: IMailStore,
        account: Account,
        peer: Peer,
        take_over: Callable[[], bool],
        wait_seconds: float = LOCK_WAIT_SECONDS,
    ) -> Maildrop:
        """Lock, then list INBOX and nothing else (D7, D10); raises MaildropInUse."""
        store = await mail.open(account)
        lock = None
        try:
            lock = await store.lock_maildrop(wait_seconds, peer, take_over)
            folder = await store.folder("INBOX")
            snapshot = await folder.snapshot()
        except BaseException:
            if lock is not None:
                lock.release()
            store.close()
            raise
        return cls(store, folder, lock, snapshot)

    def close(self) -> None:
        """Give the lock back, whatever ended the session; twice is fine."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
            self._ahead.clear()
            self._folder.close()
            self._store.close()

    def remaining(self) -> list[tuple[int, int]]:
        """(index, octets) of the messages not marked deleted (P6)."""
        return [(i, size) for i, size in enumerate(self._sizes) if i not in self._deleted]

    def totals(self) -> tuple[int, int]:
        """Messages and octets as STAT counts them."""
        left = self.remaining()
        return len(left), sum(size for _, size in left)

    def exists(self, index: int) -> bool:
        """True if there is such a message and it is not marked deleted."""
        return 0 <= index < len(self._uids) and index not in self._deleted

    def size(self, index: int) -> int:
        """Octets on the wire."""
        return self._sizes[index]

    async def uidls(self) -> list[str]:
        """All unique-ids, by index (D9), also where other programs have removed messages since we listed them."""
        if self._uidls is None:
            self._uidls = await self._uidls_of(self._uids)
        return self._uidls

    async def _uidls_of(self, uids: list[int]) -> list[str]:
        """The store passes over what is gone, so an answer that is too short is asked for again by halves."""
        found: list[str] = await self._folder.uidls(uids)
        if len(found) == len(uids):
            return found
        if len(uids) == 1:
            return [f"gone-{self._uidvalidity:x}-{uids[0]:x}"]
        half = len(uids) // 2
        return await self._uidls_of(uids[:half]) + await self._uidls_of(uids[half:])

    async def open_message(self, index: int) -> Any:
        """An IMessage; raises MessageGone."""
        return await self._folder.open(self._uids[index])

    def at_hand(self, index: int) -> bytes | None:
        """All of a message that was read ahead."""
        ready = self._ahead.pop(index, None)
        if ready is not None:
            self._fetched = index
        return ready

    async def whole(self, index: int) -> bytes | None:
        """All of a small message for a client that fetches one after the other; None where it has to be opened.

        The second in a row is read together with those that follow, as many as `AHEAD_OCTETS` hold: asking a thread for each costs
        more than reading it.
        """
        in_order, self._fetched = index == self._fetched + 1, index
        self._ahead.clear()
        if not in_order or self._sizes[index] > AHEAD_OCTETS:
            return None
        wanted = [i for i in range(index, min(index + AHEAD_MESSAGES, len(self._uids))) if i not in self._deleted]
        found = await self._folder.read_many([self._uids[i] for i in wanted], AHEAD_OCTETS)
        self._ahead = {i: content for i, content in zip(wanted, found, strict=False) if content is not None}
        return self._ahead.pop(index, None)

    async def update(self) -> int:
        """Delete what is marked, durably: the UPDATE state (RFC 1939 section 6); how many."""
        if not self._deleted:
            return 0
        gone = await self._folder.expunge(sorted(self._uids[i] for i in self._deleted), only_deleted=False)
        self._deleted.clear()
        return len(gone)

    # The stock interface, for those who know only that.

    def listMessages(self, i: int | None = None) -> Any:
        """Sizes; 0 for what is marked deleted."""
        sizes = [0 if n in self._deleted else size for n, size in enumerate(self._sizes)]
        return sizes if i is None else sizes[i]

    async def getMessage(self, index: int) -> IO[bytes]:
        """The whole message as a file."""
        message = await self.open_message(index)
        try:
            return BytesIO(await message.read(0, message.size))
        finally:
            message.close()

    async def getUidl(self, index: int) -> bytes:
        """One unique-id."""
        return (await self.uidls())[index].encode("ascii")

    def deleteMessage(self, index: int) -> None:
        """Mark it."""
        self._deleted.add(index)

    def undeleteMessages(self) -> None:
        """Take all marks back."""
        self._deleted.clear()

    async def sync(self) -> None:
        """As `update`."""
        await self.update()


def take_over_idle(sessions: ISessions, mine: Peer, account_id: int) -> Callable[[], bool]:
    """The probe of D10: drops other POP3 sessions of the account whose client has vanished, or has said nothing for a while.

    A mail program that fetches never pauses; one that was silent for half a minute is asleep, and one whose kernel does not answer is
    gone. Only a live and busy one stays. It is asked several times a second while somebody waits for the maildrop.
    """

    def probe() -> bool:
        taken = False
        for other in list(sessions.all()):
            if other.peer is mine or other.peer.account_id != account_id:
                continue
            holder = other.state.get(HOLDER)
            if holder is None:
                continue
            if holder.seems_gone():
                taken = True
            elif holder.quiet_seconds() >= IDLE_HOLDER_SECONDS:
                other.kick("another mail program is fetching this mailbox now")
                taken = True
        return taken

    return probe
