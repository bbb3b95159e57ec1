"""Body sections: what BODY[...] names, as octet ranges of the message (RFC 3501 6.4.5).

A range can be read with one pread, so that a large attachment is never loaded for one of its neighbours. Header fields come out as they
went in: order, case, repetition and folding unchanged.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from hostmail.message.scan import Part


class What(Enum):
    """What of the addressed part is meant."""

    BODY = ""
    HEADER = "HEADER"
    TEXT = "TEXT"
    MIME = "MIME"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"


class Section(Struct, frozen=True):
    """A parsed section: part numbers, what of that part, and field names in lower case."""

    path: tuple[int, ...] = ()
    what: What = What.BODY
    names: frozenset[bytes] = frozenset()


class Extract(Struct, frozen=True):
    """A section's octets: ranges of the message in order, then `closing` (a blank line that the message does not have there)."""

    ranges: tuple[tuple[int, int], ...]
    closing: bytes = b""

    @property
    def size(self) -> int:
        return sum([end - start for start, end in self.ranges]) + len(self.closing)

    def read(self, data: bytes) -> bytes:
        """The octets, from the message they were found in."""
        return b"".join([data[start:end] for start, end in self.ranges]) + self.closing

    def window(self, offset: int, length: int) -> Extract:
        """The part of it that `<offset.length>` asks for; empty beyond the end."""
        ranges: list[tuple[int, int]] = []
        for start, end in self.ranges:
            if offset >= end - start:
                offset -= end - start
                continue
            first, offset = start + offset, 0
            last = min(end, first + length)
            if last > first:
                ranges.append((first, last))
                length -= last - first
        return Extract(tuple(ranges), self.closing[offset : offset + length])


def find_section(message: Part, section: Section) -> Extract | None:
    """Where the section's octets are, or None if the message has no such part."""
    if not section.path:
        return _of_message(message, section)
    part = find_part(message, section.path)
    if part is None:
        return None
    if section.what is What.BODY:
        return _range(part.body_start, part.end)
    if section.what is What.MIME:
        return _range(part.start, part.body_start)
    return None if part.embedded is None else _of_message(part.embedded, section)


def find_part(message: Part, path: tuple[int, ...]) -> Part | None:
    """The part that the numbers lead to. Part 1 of a message without parts is the message itself."""
    part: Part | None = message
    may_be_itself = True
    for number in path:
        if part is None:
            return None
        if not may_be_itself and part.embedded is not None:
            part, may_be_itself = part.embedded, True
        if part.is_multipart:
            part = part.children[number - 1] if 0 < number <= len(part.children) else None
        elif number != 1 or not may_be_itself:
            return None
        may_be_itself = False
    return part


def _of_message(message: Part, section: Section) -> Extract:
    if section.what is What.BODY:
        return _range(message.start, message.end)
    if section.what is What.HEADER:
        return _range(message.start, message.body_start)
    if section.what is What.TEXT:
        return _range(message.body_start, message.end)
    return _fields(message, section.names, section.what is What.FIELDS)


def _range(start: int, end: int) -> Extract:
    return Extract(((start, end),))


def _fields(message: Part, names: frozenset[bytes], wanted: bool) -> Extract:
    """The fields (not) named, merged into as few ranges as possible, and the closing blank line."""
    ranges: list[tuple[int, int]] = []
    for field in message.fields:
        if (field.name in names and field.name != b"") is not wanted:
            continue
        if ranges and ranges[-1][1] == field.start:
            ranges[-1] = (ranges[-1][0], field.end)
        else:
            ranges.append((field.start, field.end))
    unended = message.header_unended and bool(ranges) and ranges[-1][1] == message.header_end
    return Extract(tuple(ranges), b"\r\n\r\n" if unended else b"\r\n")
