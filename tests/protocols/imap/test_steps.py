"""Long calculations in steps."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.steps import RUN, Steps, collected, ordered
from hostmail.protocols.imap.threading import Facts, by_references, by_subject, format_threads
from tests.protocols.imap.stepping import finished


def stops(steps: Steps[object]) -> int:
    """How often others get their turn."""
    return sum(1 for _ in steps)


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
        """Threading 30,000 messages stops every few thousand of them, whatever they refer to."""
        count = 30_000
        names = [b"<%d@example.net>" % at for at in range(count)]
        replies = [
            Facts(at + 1, at % 977, f"s{at % 5000}", at % 2 > 0, names[at], names[at // 3]) for at in range(count)
        ]
        same = [Facts(at + 1, at % 977, "s", True, names[at], b"<root>") for at in range(count)]
        for messages in (replies, same):
            self.assertGreater(stops(by_subject(messages)), count / RUN)
            self.assertGreater(stops(by_references(messages)), count / RUN)
            self.assertGreater(stops(format_threads(finished(by_references(messages)))), count / RUN)
