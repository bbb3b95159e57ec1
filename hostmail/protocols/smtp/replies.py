"""Replies as octets (RFC 5321 4.2, RFC 2034)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from hostmail.errors import Refusal

MAX_WORDS = 480
"""Octets of text in one reply line; with code and CRLF it stays within RFC 5321 4.5.3.1.5."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f]+")


@lru_cache(1024)
def reply(code: int, *lines: str) -> bytes:
    """One whole reply (most are the same few all day).

    Text is made fit for the wire: no control characters, ASCII, not longer than a line may be.
    """
    fit = [_UNFIT.sub(" ", line).encode("ascii", "replace")[:MAX_WORDS] for line in lines]
    head = b"%d" % code
    return b"".join(head + b"-" + line + b"\r\n" for line in fit[:-1]) + head + b" " + fit[-1] + b"\r\n"


def refusal_reply(refusal: Refusal) -> bytes:
    """The reply that says no."""
    return reply(refusal.code, refusal.smtp_line())


def offered(size_limit: int, *, starttls: bool, mechanisms: Sequence[str]) -> dict[bytes, list[bytes] | None]:
    """What EHLO offers (S8), in the form of twisted.mail; the second AUTH is for programs older than RFC 2554."""
    extensions: dict[bytes, list[bytes] | None] = {b"PIPELINING": None, b"SIZE": [b"%d" % size_limit]}
    extensions |= dict.fromkeys((b"8BITMIME", b"SMTPUTF8", b"CHUNKING", b"DSN", b"ENHANCEDSTATUSCODES"))
    if starttls:
        extensions[b"STARTTLS"] = None
    if mechanisms:
        first, *others = (name.encode("ascii") for name in mechanisms)
        extensions[b"AUTH"] = [first, *others]
        extensions[b"AUTH=" + first] = others
    return extensions


def extension_lines(extensions: dict[bytes, list[bytes] | None]) -> list[str]:
    """One EHLO line each."""
    return [b" ".join([name, *(values or [])]).decode("ascii") for name, values in extensions.items()]
