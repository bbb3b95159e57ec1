"""Daily work."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.monitoring.chores import DAY_SECONDS, DailyChores


class DailyChoresTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.done: list[str] = []

    def chores(self, **chores: object) -> DailyChores:
        return DailyChores(chores=chores, clock=self.clock)  # type: ignore[arg-type]

    async def sweep(self) -> int:
        self.done.append("swept")
        return 1

    async def fail(self) -> int:
        self.done.append("failed")
        raise OSError("disk on fire")

    def test_daily(self) -> None:
        """A chore runs at start and once a day, until it is stopped."""
        chores = self.chores(sweep=self.sweep)
        chores.start()
        self.assertEqual(self.done, ["swept"])
        self.clock.advance(DAY_SECONDS - 1)
        self.assertEqual(len(self.done), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.done), 2)
        self.successResultOf(Deferred.fromCoroutine(chores.stop()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_fails(self) -> None:
        """One that fails is logged; the others run, and it is tried again on the next day."""
        chores = self.chores(fail=self.fail, sweep=self.sweep)
        chores.start()
        self.clock.advance(DAY_SECONDS)
        self.assertEqual(self.done, ["failed", "swept"] * 2)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_stopping_waits(self) -> None:
        """Stopping lets a round finish: it works on files that are closed next."""
        working: Deferred[int] = Deferred()

        async def long() -> int:
            return await working

        chores = self.chores(long=long)
        chores.start()
        stopping = Deferred.fromCoroutine(chores.stop())
        self.assertNoResult(stopping)
        working.callback(0)
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_never_started(self) -> None:
        """Stopping what never ran is fine."""
        self.successResultOf(Deferred.fromCoroutine(self.chores().stop()))
