"""Carries out a FETCH: rows in batches, straight from the flat columns where nothing else is needed.

Items that the index knows make whole columns, put together by one format for the whole batch; only sections of messages need files, small
ones many at a time. Rows go out in batches, and wait while the client does not read (I20); what was read without PEEK
is marked as seen by one STORE at the end (I7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from hostmail.errors import Refusal
from hostmail.protocols.imap import fetchatts
from hostmail.protocols.imap.dates import format_date_time
from hostmail.protocols.imap.fetchatts import FetchRequest
from hostmail.protocols.imap.fetchsections import SectionWriter
from hostmail.protocols.imap.flags import SEEN
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import Range

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

INDEX_ROWS = 2000
CACHED_ROWS = 500

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
# Which of the facts in `CachedMessage` an item is.
_FACTS = {
    fetchatts.ENVELOPE: "envelope",
    fetchatts.BODYSTRUCTURE: "bodystructure",
    fetchatts.BODY: "body",
    fetchatts.EMAILID: "digest",
}


class Fetch:
    """One FETCH under way."""

    def __init__(self, session: HostmailIMAP4, selected: Selected, request: FetchRequest, by_uid: bool) -> None:
        self._session = session
        self._selected = selected
        self._items = [item for item in request.items if isinstance(item, bytes)]
        self._facts = [item for item in self._items if item in _FACTS]
        self._marks_seen = request.marks_seen and not selected.read_only
        self._by_uid = by_uid
        self._saved: dict[int, int] = {}
        self._gone = False
        self._row = b"* %d FETCH (" + b" ".join([_FORMATS[item] for item in self._items])
        sections = [item for item in request.items if not isinstance(item, bytes)]
        self._sections = SectionWriter(session, selected, sections, b" " if self._items else b"") if sections else None
        if self._sections is None:
            self._row += b")\r\n"

    @property
    def missing(self) -> bool:
        """Whether some of the messages are no longer there."""
        return self._gone or (self._sections is not None and self._sections.missing)

    @property
    def refusal(self) -> Refusal | None:
        """Why something could not be shown, if so."""
        return None if self._sections is None else self._sections.refusal

    async def run(self, parts: Iterable[Range]) -> None:
        """Write all rows."""
        step = CACHED_ROWS if self._facts or self._sections else INDEX_ROWS
        for start, stop in parts:
            for first in range(start, stop, step):
                await self._batch(first, min(first + step, stop))
        if self._marks_seen and self._sections is not None:
            await self._mark_seen(self._sections.read)

    async def _batch(self, start: int, stop: int) -> None:
        chosen: Sequence[int] = range(start, stop)
        if fetchatts.SAVEDATE in self._items:
            self._saved = await self._selected.folder.saved_dates(self._selected.uids[start:stop])
        facts: dict[bytes, Sequence[bytes]] = {}
        if self._facts:
            chosen, facts = await self._known(start, stop)
        values = zip(*self._columns(chosen, start, stop, facts), strict=True)
        if self._sections is not None:
            await self._sections.write(chosen, [self._row % row for row in values])
            return
        self._session.write(self._row * len(chosen) % tuple(chain.from_iterable(values)))
        await self._session.written()

    async def _known(self, start: int, stop: int) -> tuple[Sequence[int], dict[bytes, Sequence[bytes]]]:
        """What the index has made ready; messages that are gone drop out of the batch."""
        selected = self._selected
        rows = await selected.folder.cached_columns(selected.uids[start:stop], [_FACTS[item] for item in self._facts])
        uids, *facts = list(zip(*rows, strict=True)) if rows else [()] * (len(self._facts) + 1)
        columns: dict[bytes, Sequence[bytes]] = dict(zip(self._facts, facts, strict=True))
        if fetchatts.EMAILID in columns:
            columns[fetchatts.EMAILID] = [digest.hex().encode("ascii") for digest in columns[fetchatts.EMAILID]]
        if len(uids) == stop - start:
            return range(start, stop), columns
        self._gone = True
        return [index for uid in uids if (index := selected.index_of(uid)) is not None], columns

    def _columns(
        self, chosen: Sequence[int], start: int, stop: int, facts: dict[bytes, Sequence[bytes]]
    ) -> list[Sequence[Any]]:
        whole = isinstance(chosen, range)
        columns: list[Sequence[Any]] = [[index + 1 for index in chosen]]
        for item in self._items:
            if item in facts:
                columns.append(facts[item])
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

    async def _mark_seen(self, read: Iterable[int]) -> None:
        r"""One STORE for all that has been read; that it fails does not undo the reading."""
        selected = self._selected
        unseen = [selected.uids[index] for index in read if not selected.flags[index] & SEEN]
        if not unseen:
            return
        self._session.tells_modseqs()
        try:
            changes = await selected.folder.set_flags(unseen, "add", SEEN, ())
        except Refusal as refusal:
            self._session.note(refusal)
            return
        self._session.write(selected.learn_keywords(changes.keywords))
        await self._session.tell_flags(selected, selected.changed_flags(changes), self._by_uid)
        selected.knows_all(changes)
