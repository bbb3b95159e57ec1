"""What a FETCH asks for (RFC 3501 section 6.4.5), as small values that the fetch engine can put into a plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hostmail.protocols.imap.returning import Partial, read_partial
from hostmail.protocols.imap.tokens import MAX_NUMBER64, BadSyntax, Cursor

FLAGS, UID, INTERNALDATE, SIZE, MODSEQ = b"FLAGS", b"UID", b"INTERNALDATE", b"RFC822.SIZE", b"MODSEQ"
EMAILID, THREADID, SAVEDATE = b"EMAILID", b"THREADID", b"SAVEDATE"
PREVIEW, BINARY, BINARY_SIZE = b"PREVIEW", b"BINARY", b"BINARY.SIZE"
ENVELOPE, BODY, BODYSTRUCTURE = b"ENVELOPE", b"BODY", b"BODYSTRUCTURE"
PLAIN = frozenset({FLAGS, UID, INTERNALDATE, SIZE, MODSEQ, EMAILID, THREADID, SAVEDATE, ENVELOPE, BODYSTRUCTURE})

WHOLE, HEADER, FIELDS, FIELDS_NOT, TEXT, MIME = b"", b"HEADER", b"HEADER.FIELDS", b"HEADER.FIELDS.NOT", b"TEXT", b"MIME"

MACROS = {
    b"FAST": (FLAGS, INTERNALDATE, SIZE),
    b"ALL": (FLAGS, INTERNALDATE, SIZE, ENVELOPE),
    b"FULL": (FLAGS, INTERNALDATE, SIZE, ENVELOPE, BODY),
}
ATT = re.compile(rb"[A-Za-z0-9.]+")
PART = re.compile(rb"([1-9][0-9]*(?:\.[1-9][0-9]*)*)(?:\.(?=[A-Za-z]))?")
SECTION_TEXT = re.compile(rb"[A-Za-z.]+")
FIELD_NAME = re.compile(rb"[!-9;-~]+\Z")
PLAIN_FIELD = re.compile(rb"[A-Za-z0-9_.-]+\Z")
# As far down as BODYSTRUCTURE describes parts, and further than that.
DEEPEST_PART = 100


@dataclass(frozen=True, slots=True)
class Section:
    """Part of a message: which one, what of it, and which octets of that.

    `label` is what the answer calls it. `parts` are the numbers of BODY[1.2.3]; `text` is one of WHOLE, HEADER, FIELDS,
    FIELDS_NOT, TEXT and MIME; `fields` are in lower case.
    """

    label: bytes
    parts: tuple[int, ...] = ()
    text: bytes = WHOLE
    fields: tuple[bytes, ...] = ()
    start: int | None = None
    count: int = 0
    peek: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """Something made from a message's content: PREVIEW, or a part without its transfer encoding (BINARY)."""

    label: bytes
    kind: bytes
    parts: tuple[int, ...] = ()
    start: int | None = None
    count: int = 0
    peek: bool = True


Item = bytes | Section | Made

RFC822 = {
    b"RFC822": Section(b"RFC822"),
    b"RFC822.HEADER": Section(b"RFC822.HEADER", text=HEADER, peek=True),
    b"RFC822.TEXT": Section(b"RFC822.TEXT", text=TEXT),
}


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """All that one FETCH wants of each message, without repetition and in the order asked for."""

    items: tuple[Item, ...]

    @property
    def marks_seen(self) -> bool:
        r"""Whether reading this sets \Seen."""
        return any(not isinstance(item, bytes) and not item.peek for item in self.items)

    def peeking(self) -> FetchRequest:
        """The same without marking anything as seen."""
        return FetchRequest(tuple(item if isinstance(item, bytes) else replace(item, peek=True) for item in self.items))

    def with_item(self, item: Item) -> FetchRequest:
        """The same and one more, unless it is there already."""
        return self if item in self.items else FetchRequest((item, *self.items))


@dataclass(slots=True)
class FetchModifiers:
    """Of which messages (RFC 4466): those changed since a MODSEQ, what has vanished since then, and which page of them."""

    changed_since: int | None = None
    vanished: bool = False
    partial: Partial | None = None


def parse_fetch_modifiers(cursor: Cursor) -> FetchModifiers:
    """`(CHANGEDSINCE 12345 VANISHED)` of RFC 7162, `(PARTIAL 1:100)` of RFC 9394; or nothing."""
    found = FetchModifiers()

    def modifier() -> None:
        word = cursor.keyword()
        if word == b"CHANGEDSINCE":
            cursor.space()
            found.changed_since = cursor.number(MAX_NUMBER64)
        elif word == b"PARTIAL":
            cursor.space()
            found.partial = read_partial(cursor)
        elif word == b"VANISHED":
            found.vanished = True
        else:
            raise BadSyntax("unknown fetch modifier")

    if cursor.take(b" "):
        cursor.parenthesised(modifier)
    if found.vanished and found.changed_since is None:
        raise BadSyntax("VANISHED needs CHANGEDSINCE")
    return found


def parse_fetch_request(cursor: Cursor) -> FetchRequest:
    """A macro, one item, or items in parentheses."""
    if cursor.peek() == b"(":
        found: list[Item] = cursor.parenthesised(lambda: _item(cursor))
        if not found:
            raise BadSyntax("nothing is asked for")
        return FetchRequest(tuple(dict.fromkeys(found)))
    name = cursor.match(ATT, "a fetch item is missing").upper()
    return FetchRequest(MACROS[name] if name in MACROS else (_named(cursor, name),))


def _item(cursor: Cursor) -> Item:
    return _named(cursor, cursor.match(ATT, "a fetch item is missing").upper())


def _named(cursor: Cursor, name: bytes) -> Item:
    if name in (b"BODY", b"BODY.PEEK") and cursor.peek() == b"[":
        return _section(cursor, peek=name != b"BODY")
    if name in PLAIN or name == BODY:
        return name
    if name in RFC822:
        return RFC822[name]
    if name in (BINARY, b"BINARY.PEEK", BINARY_SIZE):
        return _binary(cursor, name)
    if name == PREVIEW:
        _preview_modifiers(cursor)
        return Made(PREVIEW, PREVIEW)
    raise BadSyntax("unknown fetch item")


def _binary(cursor: Cursor, name: bytes) -> Made:
    """BINARY[1.2]<0.100>, BINARY.SIZE[1.2] (RFC 3516 section 4)."""
    cursor.expect(b"[", "a section is missing")
    parts = _part_numbers(cursor)
    cursor.expect(b"]", "the section is not closed")
    kind = BINARY_SIZE if name == BINARY_SIZE else BINARY
    label = kind + b"[" + _spec(parts, WHOLE, ()) + b"]"
    if kind == BINARY_SIZE:
        return Made(label, kind, parts)
    start, count = _partial(cursor)
    if start is not None:
        label += b"<%d>" % start
    return Made(label, kind, parts, start, count, peek=name != BINARY)


def _preview_modifiers(cursor: Cursor) -> None:
    """(LAZY) would let us answer NIL; ours are quick enough to be answered always (RFC 8970 section 3.2)."""
    if cursor.looking_at(b" (LAZY)"):
        cursor.space()
        cursor.parenthesised(cursor.keyword)


def _section(cursor: Cursor, peek: bool) -> Section:
    cursor.expect(b"[", "a section is missing")
    parts = _part_numbers(cursor)
    text = WHOLE
    fields: tuple[bytes, ...] = ()
    if cursor.peek() != b"]":
        text, fields = _section_text(cursor, bool(parts))
    cursor.expect(b"]", "the section is not closed")
    start, count = _partial(cursor)
    label = b"BODY[" + _spec(parts, text, fields) + b"]"
    if start is not None:
        label += b"<%d>" % start
    return Section(label, parts, text, tuple(field.lower() for field in fields), start, count, peek)


def _part_numbers(cursor: Cursor) -> tuple[int, ...]:
    if not cursor.peek().isdigit():
        return ()
    numbers = cursor.match(PART, "the part number cannot be understood").rstrip(b".").split(b".")
    if len(numbers) > DEEPEST_PART or any(len(number) > 9 for number in numbers):
        raise BadSyntax("the part number is too long")
    return tuple(int(number) for number in numbers)


def _section_text(cursor: Cursor, in_part: bool) -> tuple[bytes, tuple[bytes, ...]]:
    text = cursor.match(SECTION_TEXT, "the section cannot be understood").upper()
    if text in (FIELDS, FIELDS_NOT):
        cursor.space()
        fields = cursor.parenthesised(lambda: _field_name(cursor))
        if not fields:
            raise BadSyntax("header fields are missing")
        return text, tuple(fields)
    if text in (HEADER, TEXT) or (text == MIME and in_part):
        return text, ()
    raise BadSyntax("unknown section")


def _field_name(cursor: Cursor) -> bytes:
    name = cursor.astring()
    if not FIELD_NAME.match(name):
        raise BadSyntax("that is no header field name")
    return name


def _partial(cursor: Cursor) -> tuple[int | None, int]:
    if not cursor.take(b"<"):
        return None, 0
    start = cursor.number()
    cursor.expect(b".", "the size of the part is missing")
    count = cursor.number()
    cursor.expect(b">", "the octet range is not closed")
    if count == 0:
        raise BadSyntax("nought octets are asked for")
    return start, count


def _spec(parts: tuple[int, ...], text: bytes, fields: tuple[bytes, ...]) -> bytes:
    pieces = [b"%d" % number for number in parts]
    if text:
        pieces.append(text)
    spec = b".".join(pieces)
    if fields:
        spec += b" (" + b" ".join(_quoted_field(field) for field in fields) + b")"
    return spec


def _quoted_field(field: bytes) -> bytes:
    if PLAIN_FIELD.match(field):
        return field
    return b'"' + field.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
