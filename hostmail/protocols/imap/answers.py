"""How an IMAP session answers: rows in batches, one tagged line, and the words for refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from hostmail.errors import Refusal
from hostmail.protocols.base import TURN_SECONDS
from hostmail.protocols.imap.compression import Compressing
from hostmail.protocols.imap.settings import ImapSettings
from hostmail.protocols.imap.steps import Steps

BATCH = 64 * 1024
SIFT_FIRST = 8

T = TypeVar("T")


class SessionOver(Exception):
    """The client is gone, or told to go: nothing more needs to be done for it."""


class Answers(Compressing):
    """The pump, with a mouth.

    Answers are collected with `write` and go out in one piece with the command's own, or whenever 64 KiB have come
    together (`written`). `mid_answer` is set while a message is on its way whose size has been told already.
    """

    tag = b"*"
    mid_answer = False
    turn_ends = 0.0
    _bad_commands = 0
    _out_octets = 0

    @property
    def settings(self) -> ImapSettings:
        """The listener's."""
        raise NotImplementedError

    def set_up_answers(self) -> None:
        """Nothing has been said yet."""
        self._out: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Part of an answer; it goes out with the rest of it, or when much has come together."""
        self._out.append(data)
        self._out_octets += len(data)

    def flush(self) -> None:
        """Send what has been written."""
        if self._out:
            data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            self._out_octets = 0
            self.send(data)

    async def written(self) -> None:
        """Send full batches, and wait while the client does not read; SessionOver when it is gone."""
        if self._out_octets >= BATCH:
            self.flush()
        if self.congested:
            await self.drained()
        else:
            await self.pause()
        self.go_on()

    def go_on(self) -> None:
        """SessionOver if the client has gone while its command was at work."""
        if self.closing:
            raise SessionOver

    def begin_turn(self) -> None:
        """Work from here on; others are waiting after `turn_ends`."""
        self.turn_ends = self.clock.seconds() + TURN_SECONDS

    async def pause(self) -> None:
        """Let others have a turn if this one has taken long enough."""
        if self.clock.seconds() > self.turn_ends:
            await self.breathe()

    async def breathe(self) -> None:
        """Let others have a turn during long work; SessionOver when the client has gone meanwhile."""
        turn: Deferred[None] = Deferred()
        self.clock.callLater(0, turn.callback, None)
        await turn
        self.begin_turn()
        self.go_on()

    async def in_turns(self, steps: Steps[T]) -> T:
        """The result of a long calculation, with turns for others between its steps."""
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            await self.pause()

    async def sift(self, candidates: Sequence[T], test: Callable[[T], bool]) -> list[T]:
        """The candidates that pass, in order. Whatever one test costs, others have their turn in between."""
        return await self.sift_many(candidates, lambda part: [candidate for candidate in part if test(candidate)])

    async def sift_many(self, candidates: Sequence[T], passing: Callable[[Sequence[T]], list[T]]) -> list[T]:
        """The same with a test that takes many at once."""
        found: list[T] = []
        clock, start, step = self.clock, 0, SIFT_FIRST
        while start < len(candidates):
            began = clock.seconds()
            if began > self.turn_ends:
                await self.breathe()
                began = clock.seconds()
            found += passing(candidates[start : start + step])
            start += step
            took = clock.seconds() - began
            step = step * 2 if took < TURN_SECONDS / 8 else max(1, step // 2)
        return found

    def answer(self, words: bytes) -> None:
        """The tagged answer, and with it everything written before."""
        self.write(self.tag + b" " + words + b"\r\n")
        self.flush()

    def good(self, words: bytes) -> None:
        """The tagged answer of a command that made sense; it forgives bad ones before it."""
        if self._bad_commands:
            self._bad_commands = 0
        self.answer(words)

    def note(self, refusal: Refusal) -> None:
        """What the peer does not learn, whoever reads the log does: who, and why."""
        if refusal.private:
            words, private = refusal.public, refusal.private
            self.log.warn("refused: {login} {ip} {words}: {private}", **self.who(), words=words, private=private)

    def who(self) -> dict[str, str]:
        """Whose session this is, for the log."""
        return {"login": self.peer.login or "-", "ip": self.peer.ip}

    def refuse(self, refusal: Refusal) -> None:
        """A tagged no."""
        self.answer(b"NO " + coded(refusal))

    def bad(self, words: str) -> None:
        """A command that makes no sense; too many in a row end the session. Nothing is logged for each (I22)."""
        self._bad_commands += 1
        self.answer(b"BAD " + words.encode())
        if self._bad_commands >= self.settings.bad_commands:
            self.bye("too many errors")
            self.close()

    def bye(self, words: str) -> None:
        """The last untagged answer."""
        if not self.mid_answer:
            self.write(b"* BYE " + words.encode() + b"\r\n")
            self.flush()


def coded(refusal: Refusal) -> bytes:
    """A refusal in IMAP's words (RFC 5530)."""
    code = f"[{refusal.imap}] " if refusal.imap else ""
    words = " ".join(refusal.public.split())
    return f"{code}{words}".encode()
