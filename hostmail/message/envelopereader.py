"""Reads back what `envelope` has written, for SORT, THREAD and their like: the index keeps nothing else of a header."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hostmail.message.addresses import MailAddress

_TOKEN = re.compile(rb' *+(?:([()])|NIL|"((?:[^"\\]++|\\.)*+)"|\{([0-9]+)\}\r\n)', re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)


class EnvelopeValues(NamedTuple):
    """What an ENVELOPE says, of each address list the first address that is one; texts as written, None for absent."""

    subject: bytes | None
    sender: MailAddress | None
    to: MailAddress | None
    cc: MailAddress | None
    in_reply_to: bytes | None
    message_id: bytes | None


def read_envelope(envelope: bytes) -> EnvelopeValues:
    """For bytes that `build_envelope` has made."""
    values = _items(envelope)
    return EnvelopeValues(
        subject=values[1],
        sender=_first(values[2]),
        to=_first(values[5]),
        cc=_first(values[6]),
        in_reply_to=values[8],
        message_id=values[9],
    )


def _items(envelope: bytes) -> list[Any]:
    """Lists, octets and None, nested as the parentheses are."""
    levels: list[list[Any]] = [[]]
    position = 0
    while (token := _TOKEN.match(envelope, position)) is not None:
        position = token.end()
        kind = token.lastindex
        if kind == 2:
            text = token[2]
            levels[-1].append(_ESCAPED.sub(rb"\1", text) if b"\\" in text else text)
        elif kind == 3:
            size = int(token[3])
            levels[-1].append(envelope[position : position + size])
            position += size
        elif kind is None:
            levels[-1].append(None)
        elif token[1] == b"(":
            levels.append([])
        else:
            inner = levels.pop()
            levels[-1].append(inner)
    items: list[Any] = levels[0][0]
    return items


def _first(addresses: list[list[bytes | None]] | None) -> MailAddress | None:
    for fields in addresses or ():
        address = MailAddress(*fields)
        if address.host is not None:
            return address
    return None
