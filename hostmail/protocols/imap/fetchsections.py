"""The part of a FETCH that needs the messages themselves: small ones are read many at a time, large ones piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from hostmail.errors import MessageGone, Refusal
from hostmail.message.keptfields import is_kept, picker
from hostmail.protocols.imap import fetchatts
from hostmail.protocols.imap.bodies import SMALL, MessageReader
from hostmail.protocols.imap.fetchatts import Made, Section
from hostmail.protocols.imap.made import UnknownEncoding, make, nothing
from hostmail.protocols.imap.selected import Selected

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

Picker = tuple[bytes, Callable[[bytes], bytes]]

BLOCK = 128 * 1024
MANY_OCTETS = 512 * 1024


class SectionWriter:
    """Writes rows whose beginning is there already. `read` are the indices of the messages that have been written.

    `missing` and `refusal` say what could not be shown of some of them: the other rows come all the same.
    `gap` is what stands between a row's beginning and its first section.
    """

    def __init__(
        self, session: HostmailIMAP4, selected: Selected, sections: Sequence[Section | Made], gap: bytes
    ) -> None:
        self._session = session
        self._selected = selected
        self._sections = sections
        self._gap = gap
        self._whole = gap + sections[0].label + b" {%d}\r\n" if _is_whole(sections) else None
        self._pickers = _pickers(sections, gap)
        self.read: list[int] = []
        self.missing = False
        self.refusal: Refusal | None = None

    async def write(self, chosen: Sequence[int], rows: Sequence[bytes]) -> None:
        """One row for each index."""
        if self._pickers and await self._from_index(self._pickers, chosen, rows):
            return
        selected, at, count = self._selected, 0, len(chosen)
        while at < count:
            end, room = at, MANY_OCTETS
            while end < count and (size := selected.sizes[chosen[end]]) <= min(SMALL, room):
                end, room = end + 1, room - size
            contents: list[bytes | None] = []
            if end > at:
                uids = [selected.uids[index] for index in chosen[at:end]]
                contents = await selected.folder.read_many(uids, MANY_OCTETS)
            if not contents:
                await self._large(chosen[at], rows[at])
                at += 1
                continue
            end = at + len(contents)
            await self._small(chosen[at:end], rows[at:end], contents)
            at = end

    async def _from_index(self, pickers: Sequence[Picker], chosen: Sequence[int], rows: Sequence[bytes]) -> bool:
        """Header fields that the index keeps; False, and nothing written, if it does not keep those of all these messages."""
        uids = [self._selected.uids[index] for index in chosen]
        kept = await self._selected.folder.cached_columns(uids, ["fields"])
        blocks = [block for _, block in kept]
        if None in blocks:
            return False
        if len(kept) < len(uids):
            self.missing = True
            there = {uid for uid, _ in kept}
            rows = [row for uid, row in zip(uids, rows, strict=True) if uid in there]
            chosen = [index for uid, index in zip(uids, chosen, strict=True) if uid in there]
        self.read.extend(chosen)
        form = b"%b"
        columns: list[Iterable[Any]] = [rows]
        for beginning, pick in pickers:
            form += beginning + b"%b"
            fields = [pick(block) for block in blocks]
            columns += [map(len, fields), fields]
        form += b")\r\n"
        self._session.write(form * len(rows) % tuple(chain.from_iterable(zip(*columns, strict=True))))
        await self._session.written()
        return True

    async def _small(self, chosen: Sequence[int], rows: Sequence[bytes], contents: Sequence[bytes | None]) -> None:
        """Messages that are in memory; one that is gone has no row."""
        session, whole = self._session, self._whole
        pieces: list[bytes] = []
        for index, row, content in zip(chosen, rows, contents, strict=True):
            if content is None:
                self.missing = True
                continue
            self.read.append(index)
            if whole is not None:
                pieces += (row, whole % len(content), content, b")\r\n")
                continue
            reader = MessageReader.of(self._selected, self._selected.uids[index], content)
            await self._row(reader, row)
            await session.written()
        if pieces:
            session.write(b"".join(pieces))
            await session.written()

    async def _large(self, index: int, row: bytes) -> None:
        """A message that stays on the disk; one that is gone has no row."""
        try:
            reader = await MessageReader.open(self._selected, self._selected.uids[index])
        except MessageGone:
            self.missing = True
            return
        try:
            await self._row(reader, row)
        finally:
            reader.close()
        self.read.append(index)
        await self._session.written()

    async def _row(self, reader: MessageReader, row: bytes) -> None:
        """Nothing is written before the first section has been read, so that a failure until then costs no connection."""
        session = self._session
        pieces = [row]
        gap = self._gap
        held = 0
        for section in self._sections:
            if held >= BLOCK:
                await self._sent_on(pieces)
                held = 0
            if isinstance(section, Made):
                pieces.append(gap)
                held += await self._made(reader, section, pieces)
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

    async def _made(self, reader: MessageReader, item: Made, pieces: list[bytes]) -> int:
        """Something that is made from the message; how much of it is in `pieces` still."""
        try:
            head, content = await make(self._session, reader, item)
        except UnknownEncoding as refusal:
            self.refusal = refusal
            head, content = nothing(item), b""
        pieces.append(head)
        start = 0
        while len(content) - start > BLOCK:
            pieces.append(content[start : start + BLOCK])
            start += BLOCK
            await self._sent_on(pieces)
        pieces.append(content[start:])
        await self._session.pause()
        return len(head) + len(content) - start

    async def _sent_on(self, pieces: list[bytes]) -> None:
        """Part of a row, at the client's pace: however many sections are asked for, few are in memory."""
        self._session.mid_answer = True
        self._session.write(b"".join(pieces))
        pieces.clear()
        await self._session.written()


def _is_whole(sections: Sequence[Section | Made]) -> bool:
    """Whether nothing but the whole message is wanted."""
    (first, *others) = sections
    return (
        not others
        and isinstance(first, Section)
        and not first.parts
        and first.text == fetchatts.WHOLE
        and first.start is None
    )


def _pickers(sections: Sequence[Section | Made], gap: bytes) -> list[Picker]:
    """For a FETCH of nothing but header fields that the index keeps: what each begins with, and who cuts it out; else nothing."""
    found: list[Picker] = []
    for section in sections:
        if not isinstance(section, Section) or section.text != fetchatts.FIELDS or section.parts:
            return []
        if section.start is not None or not all(map(is_kept, section.fields)):
            return []
        beginning = (gap or b" " * bool(found)) + section.label.replace(b"%", b"%%") + b" {%d}\r\n"
        found.append((beginning, picker(section.fields)))
    return found
