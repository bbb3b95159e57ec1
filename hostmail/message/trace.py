"""The Received field that we add (RFC 5321 4.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hostmail.message.dates import format_date

MAX_WORD = 255

_UNFIT = re.compile(r"[^!-~]|[()\\\"]")
_UNFIT_IN_COMMENT = re.compile(r"[\x00-\x1f\x7f]")
_SPECIAL_IN_COMMENT = re.compile(r"([()\\])")


def with_protocol(*, esmtp: bool, tls: bool, authenticated: bool, utf8: bool = False) -> str:
    """The `with` keyword (RFC 3848, RFC 6531 4.3), e.g. ESMTPSA."""
    if not esmtp and not utf8:
        return "SMTP"
    return ("UTF8SMTP" if utf8 else "ESMTP") + ("S" if tls else "") + ("A" if authenticated else "")


def received_field(
    *,
    helo: str,
    ip: str,
    by: str,
    protocol: str,
    queue_id: str,
    timestamp: float,
    recipients: Sequence[str] = (),
    reverse_name: str = "",
    tls: str = "",
    comment: str = "",
    offset_minutes: int = 0,
) -> bytes:
    """A whole Received field, folded, its line end included.

    What the peer said (`helo`, `reverse_name`) is made harmless first: no white space, no line ends, no parentheses. `for` appears only if
    there is one recipient, so that a blind copy stays blind. The field is ASCII whatever the addresses: mail that needs no SMTPUTF8 but for
    it could not be passed on to servers without. So an address in UTF-8 is left out, and escaped in comments. `tls` is e.g. "TLSv1.3
    TLS_AES_256_GCM_SHA384"; `comment` tells e.g. which account's relay grant was used (BEHAVIOURS C4).
    """
    lines = [f"Received: from {_word(helo) or 'unknown'}{_origin(ip, reverse_name)}"]
    if tls:
        lines.append(f"(using {_comment(tls)})")
    if comment:
        lines.append(f"({_comment(comment)})")
    lines.append(f"by {_word(by)} with {_word(protocol)} id {_word(queue_id)}")
    if len(recipients) == 1 and recipients[0].isascii():
        lines.append(f"for <{_path(recipients[0])}>")
    folded_lines = "\r\n\t".join(lines).encode("ascii")
    return folded_lines + b";\r\n\t" + format_date(timestamp, offset_minutes) + b"\r\n"


def _origin(ip: str, reverse_name: str) -> str:
    literal = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
    known = [_word(reverse_name)] if reverse_name else []
    return f" ({' '.join([*known, _word(literal)])})" if ip else ""


def _word(text: str) -> str:
    return _UNFIT.sub("?", text[:MAX_WORD])


def _path(text: str) -> str:
    """An address between angle brackets; quotes may be part of it."""
    return re.sub(r"[^ -~]|[<>]", "?", text[: MAX_WORD + 2])


def _comment(text: str) -> str:
    clean = _UNFIT_IN_COMMENT.sub("?", text[:MAX_WORD])
    return _SPECIAL_IN_COMMENT.sub(r"\\\1", clean).encode("ascii", "backslashreplace").decode("ascii")
