"""The header fields that message lists are made of, kept by the index so that no file is opened for them.

Kept is the header as it came, less what other servers have written on the way: trace, signatures, verdicts. Those make most of a
header and are hardly ever asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from hostmail.message.scan import Part

MOST_OCTETS = 4096

_LEFT_OUT = re.compile(
    rb"(?:received|dkim-signature|domainkey-signature|authentication-results|received-spf|return-path|delivered-to"
    rb"|(?:arc|x-arc|x-ms|x-microsoft|x-exchange|x-forefront|x-google|x-gm|x-spam|x-received)(?:-.*)?)\Z",
    re.IGNORECASE | re.DOTALL,
)


def is_kept(name: bytes) -> bool:
    """Whether fields of this name can be found in what `kept_fields` keeps."""
    return _LEFT_OUT.match(name) is None


def kept_fields(data: bytes, message: Part) -> bytes | None:
    """The fields that are kept, octet for octet and in order; None if there is too much of them, or the header is torn."""
    pieces = [data[field.start : field.end] for field in message.fields if field.name and is_kept(field.name)]
    if sum(map(len, pieces)) > MOST_OCTETS or message.header_unended:
        return None
    return b"".join(pieces)


def picker(names: Iterable[bytes]) -> Callable[[bytes], bytes]:
    """Cuts the fields of these names, which are all kept ones, out of what `kept_fields` kept; with the blank line behind them."""
    listed = b"|".join([re.escape(name) for name in names])
    find = re.compile(rb"^(?:%b)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+\n" % listed, re.IGNORECASE | re.MULTILINE).findall
    return lambda kept: b"".join([*find(kept), b"\r\n"])
