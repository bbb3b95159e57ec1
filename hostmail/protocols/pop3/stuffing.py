"""Byte-stuffing of message blocks (RFC 1939 section 3) and the cut that TOP makes. Pure."""

from __future__ import annotations


class Stuffer:
    """Doubles the dot at the start of every line, wherever the blocks of a message are cut (P4, C1).

    `end` closes the last line if the message does not, and adds the terminating dot.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"

    def feed(self, block: bytes) -> bytes:
        """One block, ready for the wire."""
        if not block:
            return b""
        stuffed = block.replace(b"\r\n.", b"\r\n..") if b"\r\n." in block else block
        if block[:1] == b"." and self._tail == b"\r\n":
            stuffed = b"." + stuffed
        elif block[:2] == b"\n." and self._tail[-1:] == b"\r":
            stuffed = b"\n." + stuffed[1:]
        self._tail = (self._tail + block[-2:])[-2:]
        return stuffed

    def end(self) -> bytes:
        """What follows the last block."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"


class TopCut:
    """Passes the header, the blank line and the first `lines` lines of the body (RFC 1939 section 7), block by block (P5)."""

    __slots__ = ("_in_body", "_left", "_tail", "done")

    def __init__(self, lines: int) -> None:
        self._left = lines
        self._in_body = False
        self._tail = b"\r\n"
        self.done = False

    def feed(self, block: bytes) -> bytes:
        """The part of `block` that TOP shows; sets `done` when nothing more will come."""
        if self.done:
            return b""
        start = 0 if self._in_body else self._find_body(block)
        if start < 0:
            return block
        end = self._count_lines(block, start)
        return block if end < 0 else block[:end]

    def _find_body(self, block: bytes) -> int:
        joined = self._tail + block
        at = joined.find(b"\r\n\r\n")
        if at < 0:
            self._tail = joined[-3:]
            return -1
        self._in_body = True
        return at + 4 - len(self._tail)

    def _count_lines(self, block: bytes, position: int) -> int:
        while self._left:
            at = block.find(b"\n", position)
            if at < 0:
                return -1
            position, self._left = at + 1, self._left - 1
        self.done = True
        return position
