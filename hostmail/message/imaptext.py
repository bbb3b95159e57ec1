"""Strings as IMAP writes them (RFC 3501, section 4.3 and 9)."""

from __future__ import annotations

import re

NIL = b"NIL"
MAX_QUOTED = 4096

_PLAIN = re.compile(rb"[^\x00\r\n\"\\\x80-\xff]*")
_QUOTABLE = re.compile(rb"[^\x00\r\n\x80-\xff]*")
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_SPECIALS = re.compile(rb"([\"\\])")


def quoted(value: bytes) -> bytes:
    """A quoted string; the caller knows that `value` is 7-bit without CR, LF and NUL."""
    return b'"%b"' % _SPECIALS.sub(rb"\\\1", value)


def literal(value: bytes) -> bytes:
    """`value` as a literal, octet for octet (message data, where sizes must agree)."""
    return b"{%d}\r\n%b" % (len(value), value)


def string(value: bytes) -> bytes:
    """Quoted where the grammar allows it and it is not endless, else a literal.

    CHAR8 excludes NUL even from literals, so a NUL becomes a question mark.
    """
    if len(value) <= MAX_QUOTED:
        if _PLAIN.fullmatch(value):
            return b'"%b"' % value
        if _QUOTABLE.fullmatch(value):
            return quoted(value)
    return literal(value.replace(b"\0", b"?"))


def nstring(value: bytes | None) -> bytes:
    """NIL for None, else a string."""
    return NIL if value is None else string(value)


def astring(value: bytes) -> bytes:
    """The bare atom where it is one (never NIL, which some clients misread), else a string."""
    if _ATOM.fullmatch(value) and value.upper() != NIL:
        return value
    return string(value)
