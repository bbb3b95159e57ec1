"""What is done once a day, and must never be in anybody's way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

DAY_SECONDS = 86_400.0

Chore = Callable[[], Awaitable[int]]


class DailyChores:
    """Runs each chore at start and then every 24 hours, one after the other.

    A chore answers how many things it did; the log hears of it under the chore's name if there were any. One that fails is logged,
    keeps none of the others from running, and gets its next try on the next day.
    """

    log = Logger()

    def __init__(self, *, chores: Mapping[str, Chore], clock: IReactorTime) -> None:
        self._chores = dict(chores)
        self._running: Deferred[None] | None = None
        self._daily = LoopingCall(self._run)
        self._daily.clock = clock

    def start(self) -> None:
        """Begin with the first round."""
        self._daily.start(DAY_SECONDS, now=True)

    async def stop(self) -> None:
        """No more rounds; returns when the one under way is over."""
        if self._daily.running:
            self._daily.stop()
        if self._running is not None:
            await self._running

    def _run(self) -> Deferred[None]:
        self._running = Deferred.fromCoroutine(self._round())
        return self._running

    async def _round(self) -> None:
        for name, chore in self._chores.items():
            with self.log.failuresHandled("chore_failed: {chore}", chore=name):
                done = await chore()
                if done:
                    self.log.info("{chore}: {n}", chore=name, n=done)
