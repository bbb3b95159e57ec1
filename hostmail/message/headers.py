"""Questions and small changes that delivery has for a header block, without a full scan.

`data` may be a whole message or its header alone. Field names are compared without case. Only the header as `scan` sees it is looked at.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hostmail.message.mimefields import unfold
from hostmail.message.scan import header_extent

_MESSAGE_ID = re.compile(rb"<[^<>\s\x00-\x1f\x7f]{1,900}>")


def header_end(data: bytes) -> int:
    """Where the body begins: just behind the blank line, or the whole length if there is none."""
    return header_extent(data)[1]


def field_values(data: bytes, name: bytes) -> list[bytes]:
    """The unfolded values of all fields of that name, in order."""
    end = header_extent(data)[0]
    return [unfold(match[1]) for match in _pattern(name.lower()).finditer(data, 0, end)]


def field_value(data: bytes, name: bytes) -> bytes | None:
    """The unfolded value of the first field of that name."""
    end = header_extent(data)[0]
    match = _pattern(name.lower()).search(data, 0, end)
    return None if match is None else unfold(match[1])


def count_fields(data: bytes, name: bytes) -> int:
    """How many fields of that name there are."""
    return len(_pattern(name.lower()).findall(data, 0, header_extent(data)[0]))


def count_received(data: bytes) -> int:
    """How many hops the message has made: for loop detection (RFC 5321 6.3)."""
    return count_fields(data, b"received")


def has_delivered_to(data: bytes, address: str) -> bool:
    """True if a Delivered-To field names exactly this address (any case): it has been here before."""
    wanted = address.casefold()
    return any(
        value.decode("utf-8", "replace").casefold().strip("<>") == wanted
        for value in field_values(data, b"delivered-to")
    )


def is_spam(data: bytes) -> bool:
    """True if a filter on the way has called it spam: `X-Spam-Flag: YES`, `X-Spam-Status: Yes, ...`."""
    flag, status = field_value(data, b"x-spam-flag") or b"", field_value(data, b"x-spam-status") or b""
    return flag.strip().lower() == b"yes" or status.partition(b",")[0].strip().lower() == b"yes"


def remove_field(data: bytes, name: bytes) -> bytes:
    """The message without any field of that name; every other octet stays."""
    end = header_extent(data)[0]
    header = data[:end]
    kept = _pattern(name.lower()).sub(b"", header)
    return data if len(kept) == end else kept + data[end:]


def message_id(data: bytes) -> bytes | None:
    """The Message-ID with its angle brackets, or None if there is none that could be one."""
    value = field_value(data, b"message-id")
    match = None if value is None else _MESSAGE_ID.search(value)
    return None if match is None else match[0]


@lru_cache(maxsize=64)
def _pattern(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^%b[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+\n?)" % re.escape(name), re.I | re.M)
