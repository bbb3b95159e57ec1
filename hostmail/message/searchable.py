"""The header fields that people search most, kept in the form in which SEARCH compares them, so that no message is opened for them."""

from __future__ import annotations

from hostmail.message.charsets import folded
from hostmail.message.decode import decode_header
from hostmail.message.scan import Part

MAX_KEPT = 16 * 1024
_MARKS = {b"from": "f", b"to": "t", b"cc": "c", b"bcc": "b", b"subject": "s", b"message-id": "m"}
KEPT_FIELDS = frozenset(_MARKS)


def searchable_head(data: bytes, message: Part) -> str | None:
    """Every value of the kept fields, decoded and folded: a NUL, the field's mark and the text, one after the other.

    None where such a text would not be faithful (a NUL within a value, characters that are none, more than `MAX_KEPT`): then the
    message itself has to be asked. Repeated fields are all there, since SEARCH looks at each.
    """
    pieces: list[str] = []
    room = MAX_KEPT
    for field in message.fields:
        mark = _MARKS.get(field.name)
        if mark is None:
            continue
        room -= field.end - field.value_start
        if room < 0:
            return None
        value = folded(decode_header(data[field.value_start : field.end]))
        if not value.isascii() and not _is_storable(value):
            return None
        if "\0" in value:
            return None
        pieces.append(f"\0{mark}{value}")
    return "".join(pieces)


def head_has(head: str, field: bytes, needle: str) -> bool:
    """Whether a value of that field, one of `KEPT_FIELDS`, contains the folded text; any value does contain an empty one."""
    if needle not in head:
        return False
    mark = _MARKS[field]
    return any(text[0] == mark and needle in text[1:] for text in head.split("\0")[1:])


def _is_storable(text: str) -> bool:
    """False for half surrogates, which some charsets decode to and no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
