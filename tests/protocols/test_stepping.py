"""Coroutines run at once as far as they get."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.stepping import begun


async def add(*waits: Deferred[int]) -> int:
    """Adds up what it waits for; a wait that fails with KeyError counts 100."""
    total = 0
    for wait in waits:
        try:
            total += await wait
        except KeyError:
            total += 100
    return total


class SteppingTests(SynchronousTestCase):
    def begin(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        waiting = begun(work)
        assert waiting is not None
        return waiting

    def test_done_at_once(self) -> None:
        """What waits for nothing needs no Deferred."""
        done: Deferred[int] = Deferred()
        done.callback(1)
        self.assertIsNone(begun(add(done)))

    def test_raised_at_once(self) -> None:
        """What is raised before the first wait is raised here."""
        wait: Deferred[int] = Deferred()
        wait.errback(ValueError("no"))
        self.assertRaises(ValueError, begun, add(wait))

    def test_goes_on_where_it_waited(self) -> None:
        """Results and failures of later waits arrive where they are awaited."""
        waits: list[Deferred[int]] = [Deferred() for _ in range(4)]
        result = self.begin(add(*waits))
        waits[1].callback(20)
        waits[0].callback(1)
        self.assertNoResult(result)
        waits[2].errback(KeyError())
        waits[3].callback(3)
        self.assertEqual(self.successResultOf(result), 124)

    def test_a_later_failure_is_the_answer(self) -> None:
        """What it does not catch fails the Deferred."""
        wait: Deferred[int] = Deferred()
        result = self.begin(add(wait))
        wait.errback(ValueError("no"))
        self.failureResultOf(result, ValueError)

    def test_cancelled(self) -> None:
        """Cancelling reaches what is being waited for."""
        wait: Deferred[int] = Deferred()
        result = self.begin(add(wait))
        result.cancel()
        self.assertTrue(wait.called)
        self.failureResultOf(result, CancelledError)
