"""One opening of a folder. Questions whose answer is at hand are answered on the reactor; everything else goes to a thread."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import apsw
from zope.interface import implementer

from hostmail.errors import MessageGone, MessageTooBig, Refusal
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import CachedMessage, Changes, FolderStatus, IFolder, Placed, Snapshot
from hostmail.storage import batch, copying, flagging, keywords, looking, quota, reading, removing
from hostmail.storage.arriving import Arrival
from hostmail.storage.boxes import Box, BoxRef
from hostmail.storage.content import Source
from hostmail.storage.incoming import Incoming
from hostmail.storage.index import Index
from hostmail.storage.mailbox import Mailbox

if TYPE_CHECKING:
    from hostmail.storage.store import MaildirStore

T = TypeVar("T")
SMALL = 1000


@implementer(IFolder)
class Folder:
    """See `IFolder`. It knows its box by number, so that a rename by somebody else does not lose it."""

    def __init__(self, store: MaildirStore, mailbox: Mailbox, ref: BoxRef, name: str) -> None:
        self.name = name
        self._store = store
        self._mailbox = mailbox
        self._ref = ref

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await self._store.run_in_thread(self._mailbox.call, work, self._mailbox, self._ref, *args)

    def _at_once(self, answer: Callable[[Index, Box], T | None], fresh: bool = True) -> T | None:
        """The answer if nobody changed the folder (unless that does not matter), and no thread has the mailbox.

        None to ask in a thread, where there is time for whatever is the matter.
        """
        try:
            with self._mailbox.glance() as index:
                if index is None:
                    return None
                box = self._mailbox.box(self._ref)
                return answer(index, box) if not fresh or self._mailbox.is_fresh(box) else None
        except (apsw.Error, OSError):
            return None

    async def snapshot(self, claim_recent: bool = False) -> Snapshot:
        """All messages now."""

        def answer(index: Index, box: Box) -> Snapshot | None:
            view = self._mailbox.view(box, only_small=True)
            if view is None:
                return None
            recent = view.first_at_least(box.first_recent)
            return None if recent and claim_recent else view.snapshot(box, recent)

        found = self._at_once(answer)
        return found if found is not None else await self._in_thread(looking.snapshot, claim_recent)

    async def changes(self, since_modseq: int, look: bool = True) -> Changes:
        """What changed after `since_modseq`."""

        def answer(index: Index, box: Box) -> Changes | None:
            if not box.checked:
                return None
            if since_modseq < box.modseq and (since_modseq < box.floor or box.modseq - since_modseq > SMALL):
                return None
            return looking.changes_now(self._mailbox, box, since_modseq)

        found = self._at_once(answer, fresh=look)
        return found if found is not None else await self._in_thread(looking.changes, since_modseq)

    async def status(self) -> FolderStatus:
        """The counts."""

        def answer(index: Index, box: Box) -> FolderStatus | None:
            return looking.status_now(self._mailbox, box) if box.id in self._mailbox.views else None

        found = self._at_once(answer)
        return found if found is not None else await self._in_thread(looking.status)

    async def uidls(self, uids: Sequence[int]) -> list[str]:
        """POP3 unique-ids."""

        def answer(index: Index, box: Box) -> list[str] | None:
            return looking.uidls_now(self._mailbox, box, uids) if len(uids) <= SMALL else None

        found = self._at_once(answer)
        return found if found is not None else await self._in_thread(looking.uidls, uids)

    async def set_flags(
        self, uids: Sequence[int], how: str, flags: int, keywords: Sequence[str], unchanged_since: int | None = None
    ) -> Changes:
        """Add, remove or replace."""
        return await self._in_thread(flagging.set_flags, uids, how, int(flags), keywords, unchanged_since)

    async def expunge(self, uids: Sequence[int], only_deleted: bool = True) -> list[int]:
        """Remove those (with \\Deleted)."""
        removed = await self._in_thread(removing.expunge, uids, only_deleted)
        if removed:
            self._store.filler.expunged(self._mailbox, self._ref)
        return removed

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """All or none."""
        return await self._in_thread(copying.copy, uids, target)

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """As copy, without ever needing room."""
        placed = await self._in_thread(copying.move, uids, target)
        self._store.filler.expunged(self._mailbox, self._ref)
        return placed

    async def open(self, uid: int) -> Any:
        """An IMessage; raises MessageGone."""

        def answer(index: Index, box: Box) -> Any:
            row = index.row(box, uid)
            return None if row is None else looking.open_plain(self._mailbox, box, row, self._store.run_in_thread)

        message = self._at_once(answer, fresh=False)
        if message is None:
            message = await self._in_thread(looking.open_message, uid, self._store.run_in_thread)
        if message is None:
            raise MessageGone
        return message

    async def read_many(self, uids: Sequence[int], limit: int) -> list[bytes | None]:
        """Whole small messages."""
        return await self._in_thread(reading.read_many, uids, limit)

    async def read_headers(self, uids: Sequence[int], limit: int) -> list[bytes | None]:
        """Header blocks."""
        return await self._in_thread(reading.read_headers, uids, limit)

    async def cached_columns(self, uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some of the cached facts; built where missing."""

        def answer(index: Index, box: Box) -> list[tuple[Any, ...]] | None:
            found = index.cached_columns(box, uids, columns) if len(uids) <= SMALL else []
            return found if len(found) == len(uids) else None

        found = self._at_once(answer, fresh=False)
        return found if found is not None else await self._in_thread(reading.cached_columns, uids, columns)

    async def sent_days(self, uids: Sequence[int]) -> Sequence[int]:
        """Of the Date fields; kept in memory once they have been asked for."""
        wanted = array("I", uids)

        def answer(index: Index, box: Box) -> Sequence[int] | None:
            view = self._mailbox.views.get(box.id)
            return None if view is None else view.sent_days_of(wanted)

        found = self._at_once(answer, fresh=False)
        return found if found is not None else await self._in_thread(reading.sent_days, wanted)

    async def candidates(self, needle: str, uids: Sequence[int], in_header: bool = False) -> list[int] | None:
        """From the index of texts, if there is one."""
        return await self._store.filler.candidates(self._mailbox, self._ref, needle, uids, in_header)

    async def cached(self, uids: Sequence[int]) -> list[CachedMessage]:
        """Cached header facts; built where missing."""

        def answer(index: Index, box: Box) -> list[CachedMessage] | None:
            known = index.cached(box, uids) if len(uids) <= SMALL else {}
            return [known[uid] for uid in uids] if all(uid in known for uid in uids) else None

        found = self._at_once(answer, fresh=False)
        if found is not None:
            return found
        return await self._in_thread(looking.cached, uids)

    async def saved_dates(self, uids: Sequence[int]) -> dict[int, int]:
        """When each was put here."""
        return await self._in_thread(looking.saved_dates, uids)

    async def begin_append(
        self, size: int, flags: int = 0, keywords: Sequence[str] = (), date: int | None = None
    ) -> Incoming:
        """An IIncoming; raises OverQuota, MessageTooBig, TooMany at once."""
        if size > self._mailbox.tools.message_size_limit:
            raise MessageTooBig

        if not check_at_once(self._mailbox, self._ref, size, keywords):
            await self._in_thread(check_append, size, keywords)
        spooled = self._store.spool.create(b"")
        return Incoming(self._store, self._mailbox, self._ref, spooled, int(flags), keywords, date)

    def watch(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Hear of other programs' changes."""
        return self._store.lookout.watch(self._mailbox, self._ref, self.name, heard)

    async def commit_all(self, incoming: Sequence[Incoming], replaced: tuple[Folder, int] | None = None) -> Placed:
        """All or none."""
        old = None if replaced is None else (replaced[0]._ref, replaced[1])
        sealed: list[tuple[Arrival, Source, int]] = []
        try:
            for message in incoming:
                sealed.append(await message.seal())
            spool = self._store.spool.directory
            return await self._store.run_in_thread(batch.commit_all, self._mailbox, spool, sealed, old)
        finally:
            for _, source, _ in sealed:
                source.close()
            for message in incoming:
                message.abort()

    def close(self) -> None:
        """The caller needs it no more."""


def check_at_once(mailbox: Mailbox, ref: BoxRef, size: int, words: Sequence[str]) -> bool:
    """What this process knows says yes: enough to go on, for the transaction asks again. False to look closer."""
    index = mailbox.index_at_hand
    box = index.boxes.get(ref.id) if index is not None else None
    if index is None or box is None or box.uidvalidity != ref.uidvalidity:
        return False
    try:
        return check_now(mailbox, index, box, size, words)
    except Refusal:
        return False


def check_append(mailbox: Mailbox, ref: BoxRef, size: int, words: Sequence[str]) -> None:
    """Would it be taken as things stand?"""
    with mailbox.reading() as index:
        check_now(mailbox, index, mailbox.box(ref), size, words)


def check_now(mailbox: Mailbox, index: Index, box: Box, size: int, words: Sequence[str]) -> bool:
    """The same under the lock."""
    keywords.check(box, words)
    quota.check(mailbox.account, index.used, Usage(size, 1))
    return True
