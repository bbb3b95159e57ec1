"""Messages in the form in which SEARCH compares them (RFC 3501 section 6.4.4): decoded, folded, and the rest left out.

Whoever searches and whoever keeps something for searching has it from here, so that both mean the same. `TEXTS` changes whenever
one of these texts would come out otherwise than before.
"""

from __future__ import annotations

import unicodedata

from hostmail.message.charsets import folded
from hostmail.message.decode import body_text, decode_header, header_block_text
from hostmail.message.mimefields import TEXT_PLAIN
from hostmail.message.scan import Part, header_extent, header_fields, scan

TEXTS = f"2 {unicodedata.unidata_version}"
MAX_BODY = 16 * 1024 * 1024
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


def header_part(data: bytes) -> Part:
    """The message, or its header block alone, as one part whose body has not been looked at."""
    header_end, body_start = header_extent(data)
    return Part(0, header_end, body_start, len(data), header_fields(data, 0, header_end), TEXT_PLAIN)


def field_texts(data: bytes, message: Part, name: bytes) -> list[str]:
    """The values of every field of that (lower case) name."""
    return [folded(decode_header(field.value(data))) for field in message.fields if field.name == name]


def header_text(data: bytes, message: Part) -> str:
    """The whole header, names included."""
    return folded(header_block_text(data, message))


def whole_body_text(data: bytes) -> str:
    """All that is text in the body of a message."""
    return folded(body_text(data, scan(data), MAX_BODY))
