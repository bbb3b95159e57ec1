"""hostmail.threads: work is done in them, its result comes back to the reactor, and nothing is lost at the end."""

from __future__ import annotations

import threading
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from hostmail.errors import TemporaryFailure
from hostmail.threads import Threads


class ThreadsTests(TestCase):
    def setUp(self) -> None:
        some_reactor: Any = reactor
        self.threads = Threads(some_reactor, 3, "test")
        self.addCleanup(self.threads.stop)

    async def test_result(self) -> None:
        """What the work returns comes back on the reactor's thread; it ran in another."""
        here = threading.get_ident()
        there = await self.threads.run(threading.get_ident)
        self.assertNotEqual(here, there)
        self.assertEqual(threading.get_ident(), here)

    async def test_failure(self) -> None:
        """What it raises comes back too, and the thread goes on."""
        with self.assertRaises(ZeroDivisionError):
            await self.threads.run(divmod, 1, 0)
        self.assertEqual(await self.threads.run(divmod, 7, 2), (3, 1))

    async def test_side_by_side(self) -> None:
        """As many run at the same time as there may be threads; others wait for their turn."""
        meeting = threading.Barrier(3)
        together = [self.threads.run(meeting.wait) for _ in range(3)]
        more = self.threads.run(len, "four")
        self.assertEqual(sorted(await gatherResults(together)), [0, 1, 2])
        self.assertEqual(await more, 4)

    async def test_no_more_than_needed(self) -> None:
        """What comes one after the other is done by one thread."""
        self.assertEqual(len({await self.threads.run(threading.get_ident) for _ in range(5)}), 1)

    async def test_stop(self) -> None:
        """What was asked for is done before `stop` returns, and nothing can be asked for afterwards."""
        done: list[int] = []
        waiting = [self.threads.run(done.append, number) for number in range(50)]
        self.threads.stop()
        self.assertEqual(sorted(done), list(range(50)))
        self.assertRaises(TemporaryFailure, self.threads.run, len, "")
        await gatherResults(waiting)

    async def test_given_up(self) -> None:
        """Who no longer waits for the result leaves the thread to finish."""
        gate = threading.Event()
        waiting: Deferred[bool] = self.threads.run(gate.wait)
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        gate.set()
        self.assertEqual(await self.threads.run(len, "next"), 4)
