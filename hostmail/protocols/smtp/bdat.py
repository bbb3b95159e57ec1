"""Chunks of a message sent with BDAT (RFC 3030): counted octets, nothing escaped."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.errors import Refusal

MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Bdat:
    """The command's argument: so many octets follow, and whether they are the last."""

    size: int
    last: bool


def parse_bdat(argument: bytes) -> Bdat:
    """Read `size [LAST]`; raises a Refusal, after which nobody knows where the next command begins."""
    words = argument.split()
    if not 1 <= len(words) <= 2 or not words[0].isdigit() or len(words[0]) > MAX_DIGITS:
        raise Refusal("BDAT needs a size, and LAST for the last chunk", code=501, enhanced="5.5.4")
    if len(words) == 2 and words[1].upper() != b"LAST":
        raise Refusal("only LAST may follow the size", code=501, enhanced="5.5.4")
    return Bdat(int(words[0]), len(words) == 2)


class ChunkReceiver:
    """Cuts chunks off the input and joins them to one message whose last line is complete.

    Octets come out never cut between a CR and its LF, even where the client cut there.
    """

    __slots__ = ("_held", "_line_open", "remaining")

    def __init__(self) -> None:
        self.remaining = 0
        self._held = b""
        self._line_open = False

    def expect(self, size: int) -> None:
        """A chunk of `size` octets comes next."""
        self.remaining = size

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Message octets, and what follows the chunk (None while it is incomplete)."""
        mine, rest = data[: self.remaining], data[self.remaining :]
        self.remaining -= len(mine)
        octets = self._held + mine
        self._held = b"\r" if octets.endswith(b"\r") else b""
        if self._held:
            octets = octets[:-1]
        if octets:
            self._line_open = not octets.endswith(b"\n")
        return octets, None if self.remaining else rest

    def finish(self) -> bytes:
        """What completes the message after the last chunk: a CR held back, or the CRLF its last line lacks.

        RFC 3030 lets a message end within a line; what is stored and sent on cannot.
        """
        if self._held:
            return self._held
        return b"\r\n" if self._line_open else b""
