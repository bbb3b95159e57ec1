"""Where things are in a message: header fields and MIME parts as octet offsets, found without copying bodies.

Sections, BODYSTRUCTURE, ENVELOPE, SEARCH and preads of single parts all rest on these offsets. The scan never raises, and its cost is
bounded (LIMITS.md, Messages): what lies beyond a limit stays in the message and is served whole, it is just not looked into.
Lines may end in CRLF or LF; a bare CR is an ordinary octet.
"""

from __future__ import annotations

import re

from msgspec import Struct

from hostmail.message.mimefields import (
    EMBEDDED_MESSAGE,
    OPAQUE,
    TEXT_PLAIN,
    ContentType,
    parse_content_type,
)

MAX_HEADER = 256 * 1024
MAX_FIELDS = 1000
MAX_PARTS = 1000
MAX_DEPTH = 50
# What follows keeps the whole scan, and all that is made from its fields, bounded for a message of many greedy parts.
MAX_HEADERS_TOTAL = 512 * 1024
MAX_FIELDS_TOTAL = 20_000
MAX_FALSE_BOUNDARIES = 20_000
# Each level is searched anew: a message may be gone over this many times, and small ones as deep as MAX_DEPTH allows.
MAX_PASSES = 10
FREE_PASSES_OCTETS = 16 * 1024 * 1024

_FIELD = re.compile(rb"(?:([!-9;-~]++)([ \t]*+:))?[^\n]*+(?:\n[ \t][^\n]*+)*+\n?")


class Field(Struct, frozen=True, gc=False):
    """One header field. `name` is in lower case and empty for lines that are no field; the value begins after the colon."""

    name: bytes
    start: int
    value_start: int
    end: int

    def value(self, data: bytes) -> bytes:
        """The raw value, folding and line end included."""
        return data[self.value_start : self.end]


class Part(Struct):
    """One entity: a header block from `start` to `body_start`, a body from there to `end`.

    `header_end` is where the fields end and the closing blank line begins (equal to `body_start` if there is none).
    `content_type` is what the part is treated as: a multipart without parts, or one too deep to open, is shown as a leaf.
    A multipart's parts are its `children`; an embedded message (message/rfc822) is the only child of its part.
    `lines` counts line ends in the body of text and embedded messages, where IMAP asks for it; else it is 0.
    `header_unended` tells that the last field's line has no end.
    """

    start: int
    header_end: int
    body_start: int
    end: int
    fields: tuple[Field, ...]
    content_type: ContentType
    children: tuple[Part, ...] = ()
    lines: int = 0
    header_unended: bool = False

    @property
    def size(self) -> int:
        """Octets of the body."""
        return self.end - self.body_start

    @property
    def is_multipart(self) -> bool:
        return self.content_type.main == b"multipart"

    @property
    def embedded(self) -> Part | None:
        """The message inside a message/rfc822 part."""
        return self.children[0] if self.children and self.content_type.main == b"message" else None

    def first(self, name: bytes) -> Field | None:
        """The first field of that (lower case) name."""
        for field in self.fields:
            if field.name == name:
                return field
        return None

    def value(self, data: bytes, name: bytes) -> bytes | None:
        """The raw value of the first field of that (lower case) name."""
        field = self.first(name)
        return None if field is None else data[field.value_start : field.end]


def scan(data: bytes) -> Part:
    """The message's structure. Never raises, whatever `data` holds."""
    return _Scanner(data).entity(0, len(data), TEXT_PLAIN, 0)


def header_extent(data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Where the fields end and where the body begins.

    Without a blank line all is header. A header over `MAX_HEADER` is cut at a line's end; the rest counts as body.
    """
    if end is None:
        end = len(data)
    if data.startswith(b"\r\n", start, end):
        return start, start + 2
    if data.startswith(b"\n", start, end):
        return start, start + 1
    limit = min(end, start + MAX_HEADER)
    found = data.find(b"\n\r\n", start, limit)
    earlier = data.find(b"\n\n", start, found if found >= 0 else limit)
    if earlier >= 0:
        return earlier + 1, earlier + 2
    if found >= 0:
        return found + 1, found + 3
    if limit < end:
        limit = (data.rfind(b"\n", start, limit) + 1) or limit
    return limit, limit


def header_fields(data: bytes, start: int, end: int, most: int = MAX_FIELDS) -> tuple[Field, ...]:
    """The fields between two offsets. After `most` the rest is one nameless field, so that nothing is lost."""
    fields: list[Field] = []
    add = fields.append
    for match in _FIELD.finditer(data, start, end):
        begin, finish = match.span()
        if begin == finish:
            break
        if len(fields) >= most:
            add(Field(b"", begin, begin, end))
            break
        name = match[1]
        if name is None:
            add(Field(b"", begin, begin, finish))
        else:
            add(Field(name.lower(), begin, match.end(2), finish))
    return tuple(fields)


class _Scanner:
    """One scan, and what is left of its allowances."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.parts_left = MAX_PARTS - 1
        self.fields_left = MAX_FIELDS_TOTAL
        self.header_left = MAX_HEADERS_TOTAL
        self.false_boundaries_left = MAX_FALSE_BOUNDARIES
        self.octets_left = MAX_PASSES * len(data) + FREE_PASSES_OCTETS

    def entity(self, start: int, end: int, default: ContentType, depth: int) -> Part:
        data = self.data
        header_end, body_start = header_extent(data, start, end)
        fields = self._fields(start, header_end)
        part = Part(start, header_end, body_start, end, fields, default)
        if header_end == body_start > start:
            part.header_unended = data[header_end - 1] != 10
        declared = part.value(data, b"content-type")
        if declared is not None:
            part.content_type = parse_content_type(declared)
        main = part.content_type.main
        if main == b"multipart":
            self._open_multipart(part, depth)
        elif main == b"message" and part.content_type.sub == b"rfc822":
            self._open_embedded(part, depth)
        if part.content_type.main == b"text":
            part.lines = data.count(b"\n", body_start, end)
        return part

    def _fields(self, start: int, end: int) -> tuple[Field, ...]:
        self.header_left -= end - start
        if self.header_left < 0:
            return (Field(b"", start, start, end),) if end > start else ()
        fields = header_fields(self.data, start, end, min(MAX_FIELDS, self.fields_left))
        self.fields_left = max(0, self.fields_left - len(fields))
        return fields

    def _may_open(self, part: Part, depth: int) -> bool:
        self.octets_left -= part.size
        return depth < MAX_DEPTH and self.octets_left >= 0

    def _open_multipart(self, part: Part, depth: int) -> None:
        boundary = (part.content_type.parameter(b"boundary") or b"").rstrip()
        if not self._may_open(part, depth):
            part.content_type = OPAQUE
            return
        ranges: list[tuple[int, int]] = []
        if boundary and b"\n" not in boundary:
            ranges = self._split(part.body_start, part.end, boundary)
        if not ranges:
            part.content_type = TEXT_PLAIN if self.parts_left else OPAQUE
            return
        inner = EMBEDDED_MESSAGE if part.content_type.sub == b"digest" else TEXT_PLAIN
        part.children = tuple([self.entity(start, end, inner, depth + 1) for start, end in ranges])

    def _open_embedded(self, part: Part, depth: int) -> None:
        if not (self.parts_left and self._may_open(part, depth)):
            part.content_type = OPAQUE
            return
        self.parts_left -= 1
        part.lines = self.data.count(b"\n", part.body_start, part.end)
        part.children = (self.entity(part.body_start, part.end, TEXT_PLAIN, depth + 1),)

    def _split(self, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
        """The parts between delimiter lines (RFC 2046 5.1.1); each ends before the line end that belongs to the delimiter."""
        data = self.data
        needle = b"\n--" + boundary
        ranges: list[tuple[int, int]] = []
        opened = -1
        # The header's last line end serves as the one before a delimiter that opens the body.
        position = max(start - 1, 0)
        while True:
            at = data.find(needle, position, end)
            if at < 0:
                break
            line_end = data.find(b"\n", at + len(needle), end)
            next_line = end if line_end < 0 else line_end + 1
            rest = data[at + len(needle) : next_line].strip()
            if rest not in (b"", b"--"):
                self.false_boundaries_left -= 1
                if self.false_boundaries_left <= 0:
                    break
                position = at + len(needle)
                continue
            if not (rest or self.parts_left):
                break
            if opened >= 0:
                ranges.append((opened, self._before_line_end(opened, at)))
                opened = -1
            if rest:
                break
            self.parts_left -= 1
            opened = next_line
            position = max(next_line - 1, at + len(needle))
        if opened >= 0:
            ranges.append((opened, end))
        return ranges

    def _before_line_end(self, opened: int, at: int) -> int:
        if at > opened and self.data[at - 1] == 13:
            at -= 1
        return max(opened, at)
