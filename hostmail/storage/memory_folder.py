"""A folder that lives in memory: rows, modseqs, quota, and everything `IFolder` promises except a disk."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from hostmail.errors import MessageGone, MessageTooBig, NoSuchFolder, TooMany
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import (
    FIRST_KEYWORD_BIT,
    CachedMessage,
    Changes,
    FolderStatus,
    IFolder,
    Placed,
    Snapshot,
)
from hostmail.message.scan import header_extent
from hostmail.message.searchable import header_part, header_text, whole_body_text
from hostmail.storage.facts import facts_of
from hostmail.storage.memory_incoming import MemoryIncoming, commit_all
from hostmail.storage.message import MemoryMessage

if TYPE_CHECKING:
    from hostmail.storage.memory_account import AccountState

SHORTEST = 3
SYSTEM_FLAGS = (1 << FIRST_KEYWORD_BIT) - 1
SEEN, DELETED = 1, 8
MAX_KEYWORDS, MAX_KEYWORD = 1_000, 100


@dataclass(slots=True)
class Row:
    """One message."""

    uid: int
    flags: int
    date: int
    modseq: int
    content: bytes
    saved: int


@dataclass(slots=True)
class FolderState:
    """One folder as all its openers see it. `rows` are ascending by UID, as they were added."""

    name: str
    uidvalidity: int
    special_use: str = ""
    uidnext: int = 1
    highestmodseq: int = 1
    first_recent: int = 1
    gone: bool = False
    keywords: list[str] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)
    expunged: list[tuple[int, int]] = field(default_factory=list)

    def usage(self) -> Usage:
        """What its messages occupy."""
        return Usage(sum(len(row.content) for row in self.rows.values()), len(self.rows))

    def next_modseq(self) -> int:
        """One more change."""
        self.highestmodseq += 1
        return self.highestmodseq

    def keyword_mask(self, keywords: Iterable[str], make: bool = True) -> int:
        """The flag bits of keywords, compared without case; unknown ones are made or passed over. Raises TooMany."""
        known = {keyword.lower(): bit for bit, keyword in enumerate(self.keywords, FIRST_KEYWORD_BIT)}
        new: list[str] = []
        mask = 0
        for keyword in keywords:
            bit = known.get(keyword.lower())
            if bit is None and make:
                bit = known[keyword.lower()] = FIRST_KEYWORD_BIT + len(self.keywords) + len(new)
                new.append(keyword)
            if bit is not None:
                mask |= 1 << bit
        if any(len(keyword.encode()) > MAX_KEYWORD for keyword in new):
            raise TooMany(f"keywords can have {MAX_KEYWORD} octets")
        if len(self.keywords) + len(new) > MAX_KEYWORDS:
            raise TooMany(f"a folder can have {MAX_KEYWORDS} keywords")
        self.keywords += new
        return mask

    def keywords_of(self, flags: int) -> list[str]:
        """The names of the keyword bits in `flags`."""
        return [name for bit, name in enumerate(self.keywords, FIRST_KEYWORD_BIT) if flags >> bit & 1]

    def add(self, content: bytes, flags: int, date: int, modseq: int, saved: int) -> int:
        """A new message; its UID."""
        uid = self.uidnext
        self.uidnext += 1
        self.rows[uid] = Row(uid, flags, date, modseq, content, saved)
        return uid

    def remove(self, uids: Iterable[int]) -> None:
        """Expunge those in one change."""
        modseq = self.next_modseq()
        for uid in uids:
            del self.rows[uid]
            self.expunged.append((modseq, uid))

    def present(self, uids: Iterable[int]) -> list[int]:
        """Those of `uids` that are there, ascending, each once."""
        return sorted(set(uids) & self.rows.keys())

    def recent(self) -> list[int]:
        """UIDs that no session has been told of as \\Recent."""
        return [uid for uid in self.rows if uid >= self.first_recent]


def row_values(row: Row) -> tuple[int, int, int, int, int]:
    """A row as `Changes.changed` has it."""
    return row.uid, row.flags, len(row.content), row.date, row.modseq


@implementer(IFolder)
class MemoryFolder:
    """One opening of a folder; all openings share the state."""

    def __init__(self, account: AccountState, state: FolderState) -> None:
        self._account = account
        self._shared = state
        self.name = state.name

    @property
    def _state(self) -> FolderState:
        if self._shared.gone:
            raise NoSuchFolder
        return self._shared

    async def snapshot(self, claim_recent: bool = False) -> Snapshot:
        """All messages now."""
        state = self._state
        recent = state.recent()
        if claim_recent:
            state.first_recent = state.uidnext
        rows = state.rows.values()
        return Snapshot(
            uidvalidity=state.uidvalidity,
            uidnext=state.uidnext,
            highestmodseq=state.highestmodseq,
            keywords=list(state.keywords),
            uids=array("I", state.rows),
            flags=[row.flags for row in rows],
            sizes=array("Q", [len(row.content) for row in rows]),
            dates=array("q", [row.date for row in rows]),
            modseqs=array("Q", [row.modseq for row in rows]),
            first_recent=recent[0] if recent else 0,
        )

    async def changes(self, since_modseq: int, look: bool = True) -> Changes:
        """What changed after `since_modseq`."""
        state = self._state
        rows = [row_values(row) for row in state.rows.values() if row.modseq > since_modseq]
        return self._changes(rows, sorted(uid for modseq, uid in state.expunged if modseq > since_modseq))

    def _changes(self, rows: list[tuple[int, int, int, int, int]], expunged: list[int]) -> Changes:
        state = self._state
        return Changes(state.uidnext, state.highestmodseq, list(state.keywords), rows, expunged)

    async def status(self) -> FolderStatus:
        """The counts."""
        state = self._state
        used = state.usage()
        return FolderStatus(
            messages=used.messages,
            unseen=sum(1 for row in state.rows.values() if not row.flags & SEEN),
            recent=len(state.recent()),
            uidnext=state.uidnext,
            uidvalidity=state.uidvalidity,
            highestmodseq=state.highestmodseq,
            size=used.bytes,
            deleted=sum(1 for row in state.rows.values() if row.flags & DELETED),
        )

    async def saved_dates(self, uids: Sequence[int]) -> dict[int, int]:
        """When each was put here."""
        return {uid: self._state.rows[uid].saved for uid in self._state.present(uids)}

    async def uidls(self, uids: Sequence[int]) -> list[str]:
        """UID and UIDVALIDITY in hexadecimal, as Dovecot makes them by default."""
        state = self._state
        return [f"{uid:08x}{state.uidvalidity:08x}" for uid in uids if uid in state.rows]

    async def set_flags(
        self, uids: Sequence[int], how: str, flags: int, keywords: Sequence[str], unchanged_since: int | None = None
    ) -> Changes:
        """The rows whose flags are others now; what was so already keeps its modseq."""
        state = self._state
        change = _CHANGES[how]
        mask = int(flags) & SYSTEM_FLAGS | state.keyword_mask(keywords, make=how != "remove")
        touched = [state.rows[uid] for uid in state.present(uids)]
        modified = [row.uid for row in touched if unchanged_since is not None and row.modseq > unchanged_since]
        touched = [row for row in touched if row.uid not in modified]
        touched = [row for row in touched if change(row.flags, mask) != row.flags]
        since = state.highestmodseq
        if touched:
            modseq = state.next_modseq()
            for row in touched:
                row.flags, row.modseq = change(row.flags, mask), modseq
            self._account.changed(state.name)
        changes = self._changes([row_values(row) for row in touched], [])
        changes.modified, changes.since = modified, since
        return changes

    async def expunge(self, uids: Sequence[int], only_deleted: bool = True) -> list[int]:
        """Remove those (with \\Deleted)."""
        state = self._state
        doomed = [uid for uid in state.present(uids) if not only_deleted or state.rows[uid].flags & DELETED]
        if doomed:
            with self._account.shrinking():
                state.remove(doomed)
            self._account.changed(state.name)
        return doomed

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """All or none."""
        sources, other = self._sources(uids, target)
        self._account.charge(Usage(sum(len(row.content) for row in sources), len(sources)))
        return self._place(sources, other)

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """As copy, without ever needing room."""
        sources, other = self._sources(uids, target)
        placed = self._place(sources, other)
        if sources:
            self._state.remove(row.uid for row in sources)
            self._account.changed(self._state.name)
        return placed

    def _sources(self, uids: Sequence[int], target: str) -> tuple[list[Row], FolderState]:
        """What is to be copied and where to: with all keywords made there, so that nothing can fail half-way."""
        state, other = self._state, self._account.selectable(target)
        sources = [state.rows[uid] for uid in state.present(uids)]
        other.keyword_mask({name: None for row in sources for name in state.keywords_of(row.flags)})
        return sources, other

    def _place(self, sources: list[Row], other: FolderState) -> Placed:
        if not sources:
            return Placed(other.uidvalidity, [], [])
        modseq = other.next_modseq()
        targets = []
        for row in sources:
            flags = row.flags & SYSTEM_FLAGS | other.keyword_mask(self._state.keywords_of(row.flags))
            targets.append(other.add(row.content, flags, row.date, modseq, self._account.now()))
        self._account.changed(other.name)
        return Placed(other.uidvalidity, [row.uid for row in sources], targets)

    async def open(self, uid: int) -> MemoryMessage:
        """Its octets; raises MessageGone."""
        row = self._state.rows.get(uid)
        if row is None:
            raise MessageGone
        return MemoryMessage(row.content)

    async def read_many(self, uids: Sequence[int], limit: int) -> list[bytes | None]:
        """The first of `uids` that hold together."""
        found: list[bytes | None] = []
        for uid in uids:
            row = self._state.rows.get(uid)
            limit -= 0 if row is None else len(row.content)
            if limit < 0:
                break
            found.append(None if row is None else row.content)
        return found

    async def read_headers(self, uids: Sequence[int], limit: int) -> list[bytes | None]:
        """Header blocks; at least one."""
        found: list[bytes | None] = []
        for uid in uids:
            row = self._state.rows.get(uid)
            header = None if row is None else row.content[: header_extent(row.content)[1]]
            limit -= 0 if header is None else len(header)
            if limit < 0 and found:
                break
            found.append(header)
        return found

    async def cached_columns(self, uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Some facts of each, ascending."""
        facts = await self.cached(sorted(set(uids)))
        return [(each.uid, *(getattr(each, column) for column in columns)) for each in facts]

    async def sent_days(self, uids: Sequence[int]) -> Sequence[int]:
        """Of the Date fields."""
        days = {each.uid: each.sent_day or 0 for each in await self.cached(uids)}
        return [days.get(uid, -1) for uid in uids]

    async def candidates(self, needle: str, uids: Sequence[int], in_header: bool = False) -> list[int] | None:
        """Read now, for there is no index; short strings are nowhere indexed."""
        rows = self._state.rows
        return None if len(needle) < SHORTEST else [uid for uid in uids if uid in rows and _may_hold(rows[uid], needle)]

    async def cached(self, uids: Sequence[int]) -> list[CachedMessage]:
        """Summaries, made when asked."""
        rows = self._state.rows
        return [facts_of(uid, rows[uid].content) for uid in uids if uid in rows]

    async def begin_append(
        self, size: int, flags: int = 0, keywords: Sequence[str] = (), date: int | None = None
    ) -> MemoryIncoming:
        """A message on its way in; raises OverQuota, MessageTooBig, TooMany at once."""
        state, account = self._state, self._account
        if size > account.message_size_limit:
            raise MessageTooBig
        account.check(Usage(size, 1))
        mask = int(flags) & SYSTEM_FLAGS | state.keyword_mask(keywords)
        return MemoryIncoming(account, state, mask, date)

    def watch(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Nobody else can reach it."""
        return lambda: None

    async def commit_all(
        self, incoming: Sequence[MemoryIncoming], replaced: tuple[MemoryFolder, int] | None = None
    ) -> Placed:
        """All or none."""
        return commit_all(self._account, self._state, incoming, replaced)

    @property
    def state(self) -> FolderState:
        """What all openings share."""
        return self._state

    def close(self) -> None:
        """Nothing is held."""


_CHANGES: dict[str, Callable[[int, int], int]] = {
    "add": lambda old, mask: old | mask,
    "remove": lambda old, mask: old & ~mask,
    "replace": lambda old, mask: mask,
}


def _may_hold(row: Row, needle: str) -> bool:
    """In header or body: whoever asks looks closer."""
    return needle in header_text(row.content, header_part(row.content)) or needle in whole_body_text(row.content)
