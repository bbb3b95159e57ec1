"""Messages of a given size whose content follows from their number, so that what comes back can be checked."""

from __future__ import annotations

import re
import time
from email.utils import formatdate

SIZE = 4096
_BEGIN = 1_735_689_600
_STEP = 300
_LINE = b"The quick brown fox jumps over the lazy dog near the mail server.\r\n"
NEEDLE = b"zebra crossing"
_DOTS = b".a line that begins with a dot\r\n..and one with two\r\n.\r\n"


def message(number: int, size: int = SIZE) -> bytes:
    """Message `number`: a few header fields, lines with dots, and words up to exactly `size` octets; in one of 100 stands `NEEDLE`."""
    head = (
        f"From: Sender {number % 97} <s{number % 97}@elsewhere.test>\r\nTo: <somebody@example.test>\r\n"
        f"Subject: Message {number} about {'=?utf-8?B?R3LDvMOfZQ==?=' if number % 5 == 0 else 'mail'}\r\n"
        f"Date: {formatdate(_BEGIN + _STEP * number)}\r\nMessage-ID: <bench-{number}@elsewhere.test>\r\n"
        f"X-Bench: {number} {size}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    ).encode()
    if number % 100 == 42:
        head += b"Here is a %b, once.\r\n" % NEEDLE
    room = size - len(head) - len(_DOTS)
    body = _LINE * (room // len(_LINE))
    rest = room - len(body)
    if rest == 1:
        body, rest = body[: -len(_LINE)], rest + len(_LINE)
    return head + _DOTS + body + b"x" * max(0, rest - 2) + b"\r\n"


def internal_date(number: int) -> bytes:
    """When message `number` came, as APPEND wants it: when it was written."""
    return time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(_BEGIN + _STEP * number)).encode()


def stuffed(text: bytes) -> bytes:
    """The message as DATA wants it, with the final dot."""
    return re.sub(rb"(?m)^\.", b"..", text) + b".\r\n"


def unstuffed(text: bytes) -> bytes:
    """What RETR meant."""
    return re.sub(rb"(?m)^\.\.", b".", text)


def is_whole(text: bytes) -> bool:
    """True if `text` ends with the very message that its X-Bench field names; trace fields may stand in front."""
    found = re.search(rb"^X-Bench: (\d+) (\d+)\r$", text, re.M)
    return bool(found) and text.endswith(message(int(found[1]), int(found[2])))
