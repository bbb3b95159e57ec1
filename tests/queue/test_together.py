"""Calls that share one piece of work."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.queue.together import Together


class TogetherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls: list[list[int]] = []
        self.busy: list[Deferred[None]] = []
        self.together: Together[int] = Together(self.work)

    async def work(self, items: Sequence[int]) -> None:
        self.calls.append([*items])
        self.busy.append(Deferred())
        await self.busy[-1]

    def do(self, *items: int) -> Deferred[None]:
        return ensureDeferred(self.together.do(items))

    def test_shared(self) -> None:
        """Who comes while a call is under way gets the next one, with everybody else who does."""
        first, second, third = self.do(1), self.do(2, 3), self.do(4)
        self.assertEqual(self.calls, [[1]])
        self.busy[0].callback(None)
        self.successResultOf(first)
        self.assertEqual(self.calls, [[1], [2, 3, 4]])
        self.assertNoResult(second)
        self.busy[1].callback(None)
        for each in (second, third):
            self.successResultOf(each)
        self.do(5)
        self.assertEqual(self.calls[2:], [[5]])

    def test_failure(self) -> None:
        """A failure is that of all who shared the call, and of nobody else."""
        first, second, third = self.do(1), self.do(2), self.do(3)
        self.busy[0].callback(None)
        later = self.do(4)
        self.busy[1].errback(OSError())
        self.busy[2].callback(None)
        self.successResultOf(first)
        for each in (second, third):
            self.failureResultOf(each, OSError)
        self.successResultOf(later)
