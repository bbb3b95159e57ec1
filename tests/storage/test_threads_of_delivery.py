"""How many threads deliver: one while it keeps up, others when too many wait or the disk is slow."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import TemporaryFailure
from hostmail.storage.arriving import Arrival
from hostmail.storage.delivery import LONG_SECONDS, Consignment, Deliverer


class DelivererTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.work: list[tuple[Deferred[None], int]] = []
        nothing: Any = None
        self.deliverer = Deliverer(
            self.begin,
            nothing,
            "spool",
            parallel=3,
            most=4,
            seconds=lambda: self.now,  # type: ignore[arg-type]
        )

    def begin(self, work: Any, tools: Any, directory: str, consignments: list[Consignment]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.work.append((done, len(consignments)))
        return done

    def deliver(self, count: int = 1) -> list[Deferred[None]]:
        nothing: Any = None
        return [self.deliverer.deliver(Consignment(nothing, 0, [])) for _ in range(count)]

    def groups(self) -> list[int]:
        """The sizes of the groups that were begun."""
        return [size for _, size in self.work]

    def test_one_keeps_up(self) -> None:
        """The first begins at once; what comes meanwhile makes one group."""
        first, *others = self.deliver(5)
        self.assertEqual(self.groups(), [1])
        self.work[0][0].callback(None)
        self.successResultOf(first)
        self.assertEqual(self.groups(), [1, 4])
        self.assertNoResult(others[0])
        self.work[1][0].callback(None)
        for each in others:
            self.successResultOf(each)

    def test_too_many(self) -> None:
        """Another thread begins when more wait than a group takes for each that works."""
        self.deliver(5)
        self.assertEqual(self.groups(), [1])
        self.deliver(1)
        self.assertEqual(self.groups(), [1, 4])
        self.deliver(30)
        self.assertEqual(self.groups(), [1, 4, 4], "no more than three")

    def test_slow_disk(self) -> None:
        """Another thread begins when the last group has been at work for long."""
        self.deliver(2)
        self.now += LONG_SECONDS / 2
        self.deliver(1)
        self.assertEqual(self.groups(), [1])
        self.now += LONG_SECONDS
        self.deliver(1)
        self.assertEqual(self.groups(), [1, 3])
        self.deliver(1)
        self.assertEqual(self.groups(), [1, 3], "the one that began last is at work for no time yet")

    def test_after_a_pause(self) -> None:
        """Whoever comes when nobody works is begun with at once."""
        self.deliver()
        self.work[0][0].callback(None)
        self.deliver()
        self.assertEqual(self.groups(), [1, 1])

    def test_failure(self) -> None:
        """Work that cannot be begun is refused, not left waiting, and the next is tried all the same."""
        arrival: Any = Arrival(None, b"", "INBOX")  # type: ignore[arg-type]
        nothing: Any = None
        failed = self.deliverer.deliver(Consignment(nothing, 0, [arrival]))
        (later,) = self.deliver()
        self.work[0][0].errback(RuntimeError("no thread"))
        self.successResultOf(failed)
        self.assertIsInstance(arrival.refusal, TemporaryFailure)
        self.work[1][0].callback(None)
        self.successResultOf(later)
