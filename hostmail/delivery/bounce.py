"""Delivery status notifications as text (RFC 3461, RFC 3464; UTF-8 addresses RFC 6533). Pure; sending them is for `notices`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hostmail.message.dates import format_date
from hostmail.message.headers import header_end

MAX_HEADER = 64 * 1024
MAX_ANSWER = 900

_SUBJECTS = {
    "failed": "Your message could not be delivered",
    "delayed": "Your message is delayed: no action is needed yet",
    "delivered": "Your message has been delivered",
    "relayed": "Your message has been passed on",
}
_INTRODUCTIONS = {
    "failed": "Your message could not be delivered to the recipients below, and it will not be tried again.",
    "delayed": "Your message has not yet been delivered to the recipients below.\r\n"
    "It will be tried again; you need not send it once more.",
    "delivered": "Your message is in the mailboxes of the recipients below.",
    "relayed": "Your message was passed on to the mail server of the recipients below.\r\n"
    "That server sends no confirmations, so you may hear no more of it.",
}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recipient's fate. `status` is RFC 3463's, `answer` what the refusing server said, `orcpt` as the client gave it (xtext)."""

    recipient: str
    status: str
    answer: str = ""
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Original:
    """The message a report is about. `content` is the header as the sender wrote it, or the `whole` message; `arrived` Unix time."""

    queue_id: str
    sender: str
    content: bytes
    arrived: float
    envid: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What marks the report itself: our host name, now (Unix time), and a text nobody else uses."""

    hostname: str
    now: float
    unique: str


def report(original: Original, action: str, outcomes: Sequence[Outcome], origin: Origin) -> bytes:
    """A whole message in CRLF: multipart/report in three parts. `action` is failed, delayed, delivered or relayed.

    The forms of RFC 6533, which programs that look for bounces seldom know, are for addresses in UTF-8, and for a header in UTF-8.
    """
    header = original.content[: header_end(original.content)]
    utf8 = not (original.sender.isascii() and all(_ascii(outcome) for outcome in outcomes))
    parts = [
        _explanation(original, action, outcomes, origin),
        _status(original, action, outcomes, origin, utf8),
        _returned(original, header, utf8 or not header.isascii()),
    ]
    border = b"\r\n--=_" + origin.unique.encode()
    body = b"".join(border + b"\r\n" + part for part in parts) + border + b"--\r\n"
    return _top(original, action, origin, utf8, body.isascii()) + body


def _top(original: Original, action: str, origin: Origin, utf8: bool, seven_bit: bool) -> bytes:
    kind = "global-delivery-status" if utf8 else "delivery-status"
    lines = [
        f"Date: {format_date(origin.now).decode()}",
        f"From: Mail Delivery System <MAILER-DAEMON@{origin.hostname}>",
        f"To: <{original.sender}>",
        f"Subject: {_SUBJECTS[action]}",
        f"Message-ID: <{origin.unique}@{origin.hostname}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind};\r\n\tboundary="=_{origin.unique}"',
    ]
    if not seven_bit:
        lines.append("Content-Transfer-Encoding: 8bit")
    return ("\r\n".join(lines) + "\r\n").encode()


def _explanation(original: Original, action: str, outcomes: Sequence[Outcome], origin: Origin) -> bytes:
    lines = [f"This is the mail system at {origin.hostname}.", "", _INTRODUCTIONS[action], ""]
    for outcome in outcomes:
        lines.append(f"<{outcome.recipient}>")
        if outcome.answer:
            lines.append(f"    {_printable(outcome.answer)}")
    lines += ["", f"Reference: {original.queue_id}", ""]
    return _part("text/plain; charset=utf-8", "\r\n".join(lines).encode())


def _status(original: Original, action: str, outcomes: Sequence[Outcome], origin: Origin, utf8: bool) -> bytes:
    about = [f"Reporting-MTA: dns; {origin.hostname}"]
    if original.envid:
        about.append(f"Original-Envelope-Id: {_printable(from_xtext(original.envid))}")
    about.append(f"Arrival-Date: {format_date(original.arrived).decode()}")
    groups = ["\r\n".join(about)] + [_recipient(action, outcome, utf8) for outcome in outcomes]
    kind = "message/global-delivery-status" if utf8 else "message/delivery-status"
    return _part(kind, ("\r\n\r\n".join(groups) + "\r\n").encode())


def _recipient(action: str, outcome: Outcome, utf8: bool) -> str:
    lines = []
    if outcome.orcpt:
        kind, _, address = outcome.orcpt.partition(";")
        lines.append(f"Original-Recipient: {_printable(kind)};{_printable(from_xtext(address))}")
    kind = "rfc822" if outcome.recipient.isascii() else "utf-8"
    lines += [f"Final-Recipient: {kind}; {outcome.recipient}", f"Action: {action}", f"Status: {outcome.status}"]
    if outcome.answer:
        answer = outcome.answer if utf8 else outcome.answer.encode("ascii", "replace").decode()
        lines.append(f"Diagnostic-Code: smtp; {_printable(answer)}")
    return "\r\n".join(lines)


def _returned(original: Original, header: bytes, utf8: bool) -> bytes:
    if original.whole:
        return _part("message/global" if utf8 else "message/rfc822", original.content)
    return _part("message/global-headers" if utf8 else "text/rfc822-headers", _kept_header(header))


def _part(kind: str, content: bytes) -> bytes:
    encoding = "7bit" if content.isascii() else "8bit"
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content


def _kept_header(header: bytes) -> bytes:
    """The fields without the blank line, cut at a line's end when endless."""
    kept = header.rstrip(b"\r\n") + b"\r\n"
    return kept if len(kept) <= MAX_HEADER else kept[: kept.rfind(b"\n", 0, MAX_HEADER) + 1]


def _ascii(outcome: Outcome) -> bool:
    return outcome.recipient.isascii() and from_xtext(outcome.orcpt).isascii()


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()[:MAX_ANSWER]


def from_xtext(text: str) -> str:
    """RFC 3461 4: `+` and two hexadecimal digits stand for one octet; what is no UTF-8 then becomes U+FFFD."""
    octets = _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        return octets.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text
