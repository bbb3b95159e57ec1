"""What other servers answer: replies read from octets, whatever their pieces, with limits (RFC 5321 4.2; LIMITS, Relaying)."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_OCTETS = 64 * 1024
MAX_LINES = 512

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?\Z", re.S)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|\Z)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class BadReply(Exception):
    """The peer does not speak SMTP, or too much of it: nothing more can be understood on this connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply. `lines` are printable text without code and line ends."""

    code: int
    lines: tuple[str, ...]

    @property
    def good(self) -> bool:
        """2xx: done."""
        return 200 <= self.code < 300

    @property
    def enhanced(self) -> str:
        """The RFC 3463 status of its first line if it fits the code's class, else ""."""
        found = _ENHANCED.match(self.lines[0]) if self.lines else None
        return found[1] if found and found[1][0] == str(self.code)[0] else ""

    @property
    def text(self) -> str:
        """All its lines as one, without the enhanced codes."""
        return " ".join(filter(None, (_ENHANCED.sub("", line, count=1).strip() for line in self.lines)))

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))


class ReplyParser:
    """Feed it octets, get whole replies. Lines may end in LF alone; the codes of one reply must be equal."""

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._code = b""
        self._octets = 0

    @property
    def unfinished(self) -> bool:
        """True between the first octet of a reply and its last."""
        return bool(self._buffer or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole now; raises BadReply, and is of no use then."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        replies = []
        for line in lines:
            self._count(len(line) + 1)
            reply = self._line(line.removesuffix(b"\r"))
            if reply is not None:
                replies.append(reply)
        if self._octets + len(self._buffer) > MAX_OCTETS:
            raise BadReply("endless line")
        return replies

    def _count(self, octets: int) -> None:
        self._octets += octets
        if self._octets > MAX_OCTETS or len(self._lines) >= MAX_LINES:
            raise BadReply("endless reply")

    def _line(self, line: bytes) -> Reply | None:
        found = _LINE.match(line)
        if found is None:
            raise BadReply("not an SMTP reply")
        code, mark, text = found.groups(b"")
        if self._lines and code != self._code:
            raise BadReply("two codes in one reply")
        self._code = code
        self._lines.append(_UNPRINTABLE.sub(" ", text.decode("utf-8", "replace")))
        if mark == b"-":
            return None
        reply = Reply(int(code), tuple(self._lines))
        self._lines, self._octets = [], 0
        return reply
