"""What is wrong with the octets of a message, looked at chunk by chunk without a step per line.

Each test is one pass of C code over the chunk: regular expressions that begin with a literal octet are searched for with memchr.
"""

from __future__ import annotations

import re

from hostmail.errors import BadMessage, MessageTooBig, Refusal

MAX_TEXT_LINE = 64 * 1024

_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"\n(?<!\r\n)")


class Content:
    """Facts about the octets seen so far: `size`, and whether there was a bare CR or LF, a NUL, an 8-bit octet, an endless line.

    Bare CR and LF are refused because servers that take one for a line end can be made to see two messages where others see
    one ("SMTP smuggling"). Chunks must not be cut between a CR and its LF.
    """

    __slots__ = ("_line", "_max_line", "bare", "eight_bit", "long_line", "nul", "size")

    def __init__(self, max_line: int = MAX_TEXT_LINE) -> None:
        self.size = 0
        self.bare = self.nul = self.eight_bit = self.long_line = False
        self._line = 0
        self._max_line = max_line

    def look(self, chunk: bytes) -> None:
        """Take the next chunk into account."""
        self.size += len(chunk)
        if not self.bare:
            self.bare = bool(_BARE_LF.search(chunk) or _BARE_CR.search(chunk))
        if not self.nul:
            self.nul = b"\0" in chunk
        if not self.eight_bit:
            self.eight_bit = not chunk.isascii()
        if not self.long_line:
            self._measure_lines(chunk)

    def _measure_lines(self, chunk: bytes) -> None:
        """Only the first and the last line of a window no longer than the limit need measuring; line ends do not count."""
        for start in range(0, len(chunk), self._max_line):
            end = min(start + self._max_line, len(chunk))
            first = chunk.find(b"\n", start, end)
            if first < 0:
                self._line += end - start
            elif self._line + first - start > self._max_line + 1:
                self.long_line = True
            else:
                self._line = end - 1 - chunk.rfind(b"\n", start, end)
            if self._line > self._max_line + 1:
                self.long_line = True
            if self.long_line:
                return

    def refusal(self, size_limit: int) -> Refusal | None:
        """Why this content is not taken, None if it is (LIMITS: Lines and commands, Messages)."""
        if self.size > size_limit:
            return MessageTooBig()
        if self.bare:
            return BadMessage("lines must end with CR LF, never with CR or LF alone", enhanced="5.6.11")
        if self.nul:
            return BadMessage("a message must not contain NUL octets")
        if self.long_line:
            return BadMessage("a line of the message is too long", code=552)
        return None
