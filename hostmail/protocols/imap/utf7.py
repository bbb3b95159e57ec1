"""Mailbox names in modified UTF-7 (RFC 3501 section 5.1.3), both ways.

A name has exactly one right spelling. Another spelling of the same name (printable ASCII in base64, an empty or a split
shift) is refused, or one folder would be reachable under two names.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64


class BadName(ValueError):
    """Octets that are no mailbox name."""


def encode(name: str) -> bytes:
    """The name as it goes over the wire; BadName for lone surrogates."""
    if name.isascii() and name.isprintable():
        return name.replace("&", "&-").encode("ascii")
    out: list[bytes] = []
    foreign: list[str] = []
    for character in name:
        if " " <= character <= "~":
            _flush(foreign, out)
            out.append(b"&-" if character == "&" else character.encode("ascii"))
        else:
            foreign.append(character)
    _flush(foreign, out)
    return b"".join(out)


def _flush(foreign: list[str], out: list[bytes]) -> None:
    if not foreign:
        return
    try:
        utf16 = "".join(foreign).encode("utf-16-be")
    except UnicodeEncodeError:
        raise BadName("not Unicode") from None
    out.append(b"&" + b2a_base64(utf16, newline=False).rstrip(b"=").replace(b"/", b",") + b"-")
    foreign.clear()


def decode(wire: bytes) -> str:
    """The name that these octets spell; BadName unless they are its one right spelling."""
    if not wire.isascii() or any(octet < 0x20 or octet == 0x7F for octet in wire):
        raise BadName("not modified UTF-7")
    if b"&" not in wire:
        return wire.decode("ascii")
    plain, *shifts = wire.split(b"&")
    out = [plain.decode("ascii")]
    for shift in shifts:
        base64, dash, after = shift.partition(b"-")
        if not dash:
            raise BadName("a shift is not closed")
        out.append(_shifted(base64) + after.decode("ascii"))
    name = "".join(out)
    if encode(name) != wire:
        raise BadName("not the one right spelling")
    return name


def _shifted(base64: bytes) -> str:
    if not base64:
        return "&"
    if b"/" in base64 or b"=" in base64:
        raise BadName("not modified base64")
    try:
        octets = a2b_base64(base64.replace(b",", b"/") + b"=" * (-len(base64) % 4), strict_mode=True)
        return octets.decode("utf-16-be")
    except (Base64Error, UnicodeDecodeError):
        raise BadName("not modified base64") from None
