"""The body of DATA: dots doubled at every line's beginning (RFC 5321 4.5.2), wherever the pieces of the message end."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\r|\n")


class DotStuffer:
    """Turns a message in pieces into what follows 354, the final dot included.

    A border between two pieces may fall anywhere: before a dot, or between CR and LF. Lone CR and LF become CRLF, because a server that
    takes them for line ends would find a final dot, and then commands, in the middle of the message (smuggling).
    """

    def __init__(self) -> None:
        self._at_line_start = True
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What to send for this piece; a CR at its end waits for what follows."""
        data = self._held + piece
        self._held = b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        if not data:
            return b""
        pairs = data.count(b"\r\n")
        if data.count(b"\n") != pairs or data.count(b"\r") != pairs:
            data = _LINE_END.sub(b"\r\n", data)
        starts_with_dot = self._at_line_start and data.startswith(b".")
        self._at_line_start = data.endswith(b"\r\n")
        data = data.replace(b"\r\n.", b"\r\n..")
        return b"." + data if starts_with_dot else data

    def finish(self) -> bytes:
        """The end of data, behind a line end that is added if the message has none."""
        complete = self._at_line_start and not self._held
        return b".\r\n" if complete else b"\r\n.\r\n"
