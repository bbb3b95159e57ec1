"""Long calculations in steps."""

from __future__ import annotations

from random import Random
from time import perf_counter

from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.steps import RUN, Steps, collected, finished, ordered
from hostmail.protocols.imap.threading import Facts, by_references, by_subject, format_threads


def longest(steps: Steps[object]) -> float:
    """Seconds between two stops."""
    most, last = 0.0, perf_counter()
    for _ in steps:
        now = perf_counter()
        most, last = max(most, now - last), now
    return max(most, perf_counter() - last)


class StepsTests(SynchronousTestCase):
    """The results are those of doing it at once."""

    def test_ordered(self) -> None:
        """As sorted(), also for many: equal ones stay in their order, reversed or not."""
        random = Random(1)
        for size in (0, 1, RUN, RUN + 1, 3 * RUN):
            things = [(random.randrange(50), at) for at in range(size)]
            for reverse in (False, True):
                found = finished(ordered(things, lambda thing: thing[0], reverse))
                self.assertEqual(found, sorted(things, key=lambda thing: thing[0], reverse=reverse))

    def test_collected(self) -> None:
        """Everything."""
        self.assertEqual(finished(collected(iter(range(5000)))), list(range(5000)))

    def test_a_large_mailbox_stops_often(self) -> None:
        """No step of threading 30,000 messages takes long, whatever they refer to."""
        count = 30_000
        names = [b"<%d@example.net>" % at for at in range(count)]
        replies = [
            Facts(at + 1, at % 977, f"s{at % 5000}", at % 2 > 0, names[at], (names[at // 3],)) for at in range(count)
        ]
        same = [Facts(at + 1, at % 977, "s", True, names[at], (b"<root>",)) for at in range(count)]
        for messages in (replies, same):
            self.assertLess(longest(by_subject(messages)), 0.2)
            self.assertLess(longest(by_references(messages)), 0.2)
            self.assertLess(longest(format_threads(finished(by_references(messages)))), 0.2)
