"""How often somebody may ask."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.rates import MOST_KNOWN, Rates


class RatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 1_000.0
        self.rates = Rates(per_minute=3, now=lambda: self.now)

    def wait(self, who: bytes = b"a") -> float:
        return self.rates.take(who).wait

    def test_evenly(self) -> None:
        """A minute's worth at once, then one in each third of a minute; whoever is refused loses nothing by asking."""
        self.assertEqual([self.wait() for _ in range(5)], [0, 0, 0, 20, 20])
        self.now += 20
        self.assertEqual([self.wait(), self.wait()], [0, 20])
        self.now += 3600
        self.assertEqual([self.rates.take(b"a").left for _ in range(3)], [2, 1, 0])

    def test_each_for_himself(self) -> None:
        """One who asks too much keeps nobody else waiting."""
        self.assertEqual([self.wait() for _ in range(4)][-1], 20)
        self.assertEqual(self.wait(b"b"), 0)

    def test_a_clock_set_back(self) -> None:
        """Nobody waits for the hour that came twice."""
        self.wait()
        self.now -= 3600
        self.assertEqual([self.wait() for _ in range(4)], [0, 0, 0, 20])

    def test_bounded(self) -> None:
        """However many ask, those who asked last are remembered."""
        for number in range(MOST_KNOWN + 10):
            self.wait(b"%d" % number)
        self.assertEqual(len(self.rates._full_at), MOST_KNOWN)
        self.assertEqual(self.rates.take(b"%d" % (MOST_KNOWN + 9)).left, 1)
