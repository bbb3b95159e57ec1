"""Carries out a FETCH: rows in batches, straight from the flat columns where nothing else is needed.

Items that the index knows make whole columns, joined by one format per request; only sections of messages open files,
one after the other. Rows go out in batches, and wait while the client does not read (I20); what was read without PEEK
is marked as seen by one STORE at the end (I7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hostmail.errors import MessageGone, Refusal
from hostmail.interfaces import CachedMessage
from hostmail.protocols.imap import fetchatts
from hostmail.protocols.imap.bodies import MessageReader
from hostmail.protocols.imap.dates import format_date_time
from hostmail.protocols.imap.fetchatts import FetchRequest, Made
from hostmail.protocols.imap.flags import SEEN
from hostmail.protocols.imap.made import make
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import Range

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

INDEX_ROWS = 2000
CACHED_ROWS = 500
BLOCK = 128 * 1024

_FORMATS = {
    fetchatts.FLAGS: b"FLAGS (%b)",
    fetchatts.UID: b"UID %d",
    fetchatts.SIZE: b"RFC822.SIZE %d",
    fetchatts.MODSEQ: b"MODSEQ (%d)",
    fetchatts.EMAILID: b"EMAILID (M%b)",
    fetchatts.THREADID: b"THREADID %b",
    fetchatts.SAVEDATE: b"SAVEDATE %b",
    fetchatts.INTERNALDATE: b"INTERNALDATE %b",
    fetchatts.ENVELOPE: b"ENVELOPE %b",
    fetchatts.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    fetchatts.BODY: b"BODY %b",
}
_CACHED: dict[bytes, Callable[[CachedMessage], bytes]] = {
    fetchatts.ENVELOPE: lambda cached: cached.envelope,
    fetchatts.BODYSTRUCTURE: lambda cached: cached.bodystructure,
    fetchatts.BODY: lambda cached: cached.body,
    fetchatts.EMAILID: lambda cached: cached.digest.hex().encode("ascii"),
}


class Fetch:
    """One FETCH under way."""

    def __init__(self, session: HostmailIMAP4, selected: Selected, request: FetchRequest, by_uid: bool) -> None:
        self._session = session
        self._selected = selected
        self._items = [item for item in request.items if isinstance(item, bytes)]
        self._sections = [item for item in request.items if not isinstance(item, bytes)]
        self._needs_cache = any(item in _CACHED for item in self._items)
        self._marks_seen = request.marks_seen and not selected.read_only
        self._by_uid = by_uid
        self._read: list[int] = []
        self._saved: dict[int, int] = {}
        self.missing = False
        pieces = b" ".join([_FORMATS[item] for item in self._items])
        self._row = b"* %d FETCH (" + pieces + (b"" if self._sections else b")\r\n")

    async def run(self, parts: Iterable[Range]) -> None:
        """Write all rows."""
        step = CACHED_ROWS if self._needs_cache or self._sections else INDEX_ROWS
        for start, stop in parts:
            for first in range(start, stop, step):
                await self._batch(first, min(first + step, stop))
        if self._read:
            await self._mark_seen()

    async def _batch(self, start: int, stop: int) -> None:
        chosen: Sequence[int] = range(start, stop)
        if fetchatts.SAVEDATE in self._items:
            self._saved = await self._selected.folder.saved_dates(self._selected.uids[start:stop])
        cached: list[CachedMessage] = []
        if self._needs_cache:
            chosen, cached = await self._cached(start, stop)
        rows = [self._row % values for values in zip(*self._columns(chosen, start, stop, cached), strict=True)]
        if not self._sections:
            self._session.write(b"".join(rows))
            await self._session.written()
            return
        for index, row in zip(chosen, rows, strict=True):
            await self._message(index, row)

    async def _cached(self, start: int, stop: int) -> tuple[Sequence[int], list[CachedMessage]]:
        """What the index has made ready; messages that are gone drop out of the batch."""
        uids = self._selected.uids[start:stop]
        cached: list[CachedMessage] = await self._selected.folder.cached(uids)
        if len(cached) == len(uids):
            return range(start, stop), cached
        self.missing = True
        known = {entry.uid: entry for entry in cached}
        here = [(index, known[uid]) for index, uid in enumerate(uids, start) if uid in known]
        return [index for index, _ in here], [entry for _, entry in here]

    def _columns(
        self, chosen: Sequence[int], start: int, stop: int, cached: list[CachedMessage]
    ) -> list[Iterable[Any]]:
        whole = isinstance(chosen, range)
        columns: list[Iterable[Any]] = [[index + 1 for index in chosen]]
        for item in self._items:
            if item in _CACHED:
                columns.append(map(_CACHED[item], cached))
                continue
            column = self._index_column(item, start, stop)
            columns.append(column if whole else [column[index - start] for index in chosen])
        return columns

    def _index_column(self, item: bytes, start: int, stop: int) -> Sequence[Any]:
        selected = self._selected
        if item == fetchatts.FLAGS:
            return selected.flag_texts(start, stop)
        if item == fetchatts.UID:
            return selected.uids[start:stop]
        if item == fetchatts.SIZE:
            return selected.sizes[start:stop]
        if item == fetchatts.MODSEQ:
            return selected.modseqs[start:stop]
        if item == fetchatts.THREADID:
            return [b"NIL"] * (stop - start)
        if item == fetchatts.SAVEDATE:
            saved = (self._saved.get(uid) for uid in selected.uids[start:stop])
            return [b"NIL" if date is None else format_date_time(date) for date in saved]
        return [format_date_time(date) for date in selected.dates[start:stop]]

    async def _message(self, index: int, row: bytes) -> None:
        """A row that has sections in it; a message that is gone has no row."""
        selected = self._selected
        uid = selected.uids[index]
        try:
            reader = await MessageReader.open(selected, uid)
        except MessageGone:
            self.missing = True
            return
        try:
            await self._write_sections(reader, row)
        finally:
            reader.close()
        if self._marks_seen and not selected.flags[index] & SEEN:
            self._read.append(uid)
        await self._session.written()

    async def _write_sections(self, reader: MessageReader, row: bytes) -> None:
        """Nothing is written before the first section has been read, so that a failure until then costs no connection."""
        session = self._session
        pieces = [row]
        gap = b" " if self._items else b""
        held = 0
        for section in self._sections:
            if held >= BLOCK:
                await self._sent_on(pieces)
                held = 0
            if isinstance(section, Made):
                pieces.append(gap + await make(reader, section))
                held += len(pieces[-1])
                gap = b" "
                continue
            extract = await reader.find(section)
            if extract is None:
                pieces.append(gap + section.label + b" NIL")
            else:
                pieces.append(b"%b%b {%d}\r\n" % (gap, section.label, extract.size))
                for start, end in extract.ranges:
                    while end - start > BLOCK:
                        pieces.append(await reader.octets(start, start + BLOCK))
                        start += BLOCK
                        await self._sent_on(pieces)
                        held = 0
                    pieces.append(await reader.octets(start, end))
                    held += end - start
                pieces.append(extract.closing)
            gap = b" "
        pieces.append(b")\r\n")
        session.write(b"".join(pieces))
        session.mid_answer = False

    async def _sent_on(self, pieces: list[bytes]) -> None:
        """Part of a row, at the client's pace: however many sections are asked for, few are in memory."""
        self._session.mid_answer = True
        self._session.write(b"".join(pieces))
        pieces.clear()
        await self._session.written()

    async def _mark_seen(self) -> None:
        r"""One STORE for all of it; that it fails does not undo the reading."""
        selected = self._selected
        try:
            changes = await selected.folder.set_flags(self._read, "add", SEEN, ())
        except Refusal as refusal:
            self._session.note(refusal)
            return
        self._session.write(selected.learn_keywords(changes.keywords))
        rows = [selected.flag_row(index, self._by_uid) for index in selected.changed_flags(changes)]
        self._session.write(b"".join(rows))
