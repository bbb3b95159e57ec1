"""hostmail.sql.writebehind: changes that are kept for a moment and written together."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import Logger, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from hostmail.sql.writebehind import WriteBehind


class WriteBehindTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.written: list[dict[str, int]] = []
        self.busy: Deferred[None] | None = None
        self.rows = WriteBehind(self.write, clock=self.clock, seconds=2, most=3, log=Logger(), lost="counts_lost")

    async def write(self, rows: Mapping[str, int]) -> None:
        if self.busy is not None:
            await self.busy
        self.written.append(dict(rows))

    def count(self, *keys: str) -> None:
        for key in keys:
            self.rows.change(key, lambda known: (known or 0) + 1)

    def flush(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.rows.flush())

    def test_together(self) -> None:
        """What changes within the time is written at once; then the next change begins anew."""
        self.count("a", "b", "a")
        self.clock.advance(1.9)
        self.assertEqual(self.written, [])
        self.clock.advance(0.1)
        self.count("a")
        self.clock.advance(2)
        self.assertEqual(self.written, [{"a": 2, "b": 1}, {"a": 1}])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """Keys beyond the most are left out, those that are known go on counting."""
        self.count("a", "b", "c", "d", "a")
        self.successResultOf(self.flush())
        self.assertEqual(self.written, [{"a": 2, "b": 1, "c": 1}])

    def test_flush(self) -> None:
        """It leaves no timer behind, and writes nothing where nothing has changed."""
        self.count("a")
        for _ in range(2):
            self.successResultOf(self.flush())
        self.assertEqual((self.written, self.clock.getDelayedCalls()), ([{"a": 1}], []))

    def test_flush_waits_for_what_is_being_written(self) -> None:
        """Whoever reads after it, reads what the timer's writing has not finished yet, too; one closes no file under another."""
        self.busy = Deferred()
        self.count("a")
        self.clock.advance(2)
        self.count("b")
        flushed = self.flush()
        self.assertNoResult(flushed)
        self.busy.callback(None)
        self.successResultOf(flushed)
        self.assertEqual(self.written, [{"a": 1}, {"b": 1}])

    def test_lost(self) -> None:
        """What cannot be written is logged, with how much it was; the next is written."""
        self.busy = Deferred()
        self.count("a", "b")
        flushed = self.flush()
        with capturedLogs() as events:
            self.busy.errback(OSError("full"))
        self.successResultOf(flushed)
        self.assertEqual([(event["log_format"], event["count"]) for event in events], [("counts_lost: {count}", 2)])
        self.flushLoggedErrors(OSError)
        self.busy = None
        self.count("c")
        self.clock.advance(2)
        self.assertEqual(self.written, [{"c": 1}])
