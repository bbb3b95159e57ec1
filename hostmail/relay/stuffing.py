"""The text of a message on its way out, wherever its pieces end: lines as they must be, and DATA's dots (RFC 5321 2.3.8, 4.5.2)."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\r|\n")


class LineEnds:
    """Lone CR and LF become CRLF, and the last line is ended.

    A border between two pieces may fall between CR and LF. A server that takes lone ones for line ends would find a final dot, and then
    commands, in the middle of a message (smuggling).
    """

    def __init__(self) -> None:
        self.at_line_start = True
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
        self.at_line_start = data.endswith(b"\r\n")
        return data

    def finish(self) -> bytes:
        """The last line's end, if it is missing."""
        return b"" if self.at_line_start and not self._held else b"\r\n"


class DotStuffer:
    """Turns a message in pieces into what follows 354, the final dot included: dots at a line's beginning are doubled."""

    def __init__(self) -> None:
        self._lines = LineEnds()

    def feed(self, piece: bytes) -> bytes:
        """What to send for this piece."""
        at_line_start = self._lines.at_line_start
        data = self._lines.feed(piece)
        starts_with_dot = at_line_start and data.startswith(b".")
        data = data.replace(b"\r\n.", b"\r\n..")
        return b"." + data if starts_with_dot else data

    def finish(self) -> bytes:
        """The end of data, behind a line end that is added if the message has none."""
        return self._lines.finish() + b".\r\n"
