"""Finds sections in a stored message, reading no more of it than they need (RFC 3501 section 6.4.5).

Header sections read the beginning of the file, BODY[] nothing beforehand; only part numbers need the whole message
scanned, and the structure found is kept for the next part of the same message. Large messages are scanned in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hostmail.message import sections
from hostmail.message.mimefields import TEXT_PLAIN
from hostmail.message.scan import MAX_HEADER, Part, header_extent, header_fields, scan
from hostmail.message.sections import Extract, What
from hostmail.protocols.imap import fetchatts
from hostmail.protocols.imap.fetchatts import Section
from hostmail.protocols.imap.selected import Selected

T = TypeVar("T")
SMALL = 64 * 1024
LARGE = 128 * 1024
FIRST_READ = 8 * 1024
STRUCTURES_KEPT = 4

_WHAT = {
    fetchatts.WHOLE: What.BODY,
    fetchatts.HEADER: What.HEADER,
    fetchatts.TEXT: What.TEXT,
    fetchatts.MIME: What.MIME,
    fetchatts.FIELDS: What.FIELDS,
    fetchatts.FIELDS_NOT: What.FIELDS_NOT,
}


class MessageReader:
    """One open message, for one answer. `decoded` is the last part that was asked for without its transfer encoding."""

    def __init__(self, selected: Selected, uid: int, message: Any, size: int) -> None:
        self._selected = selected
        self._uid = uid
        self._message = message
        self._head = b""
        self._header: Part | None = None
        self.size = size
        self.decoded: tuple[tuple[int, ...], bytes | None] | None = None

    @classmethod
    async def open(cls, selected: Selected, uid: int) -> MessageReader:
        """Raises MessageGone."""
        message = await selected.folder.open(uid)
        return cls(selected, uid, message, message.size)

    @classmethod
    def of(cls, selected: Selected, uid: int, content: bytes) -> MessageReader:
        """For a message that is in memory."""
        reader = cls(selected, uid, None, len(content))
        reader._head = content
        return reader

    def close(self) -> None:
        """Let go of the file."""
        if self._message is not None:
            self._message.close()

    async def octets(self, start: int, end: int) -> bytes:
        """Exactly these octets; a file that has become shorter is filled up with blanks, for the size is told already."""
        if end <= len(self._head):
            return self._head[start:end]
        data: bytes | None = self._message.read_now(start, end - start)
        if data is None:
            data = await self._message.read(start, end - start)
        return data if len(data) == end - start else data.ljust(end - start)

    async def find(self, section: Section) -> Extract | None:
        """Where the section's octets are; None if the message has no such part."""
        if not section.parts and section.text == fetchatts.WHOLE:
            if self.size <= SMALL:
                await self._read_head(self.size)
            found: Extract | None = Extract(((0, self.size),))
        else:
            part = await self.structure() if section.parts else await self.header()
            what = sections.Section(section.parts, _WHAT[section.text], frozenset(section.fields))
            found = sections.find_section(part, what)
        if found is not None and section.start is not None:
            return found.window(section.start, section.count)
        return found

    async def header(self) -> Part:
        """The message as one part whose body has not been looked at."""
        if self._header is None:
            self._header = await self._scan_header()
        return self._header

    async def structure(self) -> Part:
        """The whole message, scanned."""
        known: Part | None = self._selected.structures.get(self._uid)
        if known is None:
            known = await self.examine(scan)
            self._selected.remember_structure(self._uid, known, STRUCTURES_KEPT)
        elif self.size <= SMALL:
            await self._read_head(self.size)
        return known

    async def examine(self, look: Callable[[bytes], T]) -> T:
        """What `look` makes of all octets; of a large message in a thread, and nothing of it stays in memory."""
        if self.size <= LARGE:
            return look(await self.whole())
        found: T = await self._message.examine(look)
        return found

    async def whole(self) -> bytes:
        """All octets."""
        if self.size > LARGE and len(self._head) < self.size:
            self._head = await self._message.examine(bytes)
        await self._read_head(self.size)
        return self._head

    async def _read_head(self, size: int) -> None:
        if len(self._head) < size:
            head, self._head = self._head, b""
            self._head = head + await self.octets(len(head), size)

    async def _scan_header(self) -> Part:
        size = min(self.size, FIRST_READ)
        while True:
            await self._read_head(size)
            header_end, body_start = header_extent(self._head)
            if body_start < size or size == self.size or size > MAX_HEADER:
                break
            size = min(self.size, size * 4)
        fields = header_fields(self._head, 0, header_end)
        part = Part(0, header_end, body_start, self.size, fields, TEXT_PLAIN)
        if header_end == body_start > 0:
            part.header_unended = self._head[header_end - 1 : header_end] != b"\n"
        return part
