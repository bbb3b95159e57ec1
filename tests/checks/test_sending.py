"""How much one customer may send."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.checks.responsible import OPERATOR, Responsible
from hostmail.checks.sending import PATIENCE, SendingRates
from hostmail.errors import TooMany

IP = "192.0.2.7"
ANN, BEA = Responsible(1, "ann@example.com", "auth"), Responsible(2, "bea@example.com", "auth")
ANN_CHECKED, BEA_CHECKED = Responsible(1, "ann@example.com", "grant"), Responsible(2, "bea@example.com", "grant")


class SendingRatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.path = Path(self.mktemp())
        self.rates = self.open()

    def open(self) -> SendingRates:
        rates = SendingRates(path=self.path, now=self.clock.seconds, per_hour=10, per_day=25)
        self.addCleanup(rates.close)
        return rates

    def send(self, who: Responsible, most: int, ip: str = IP) -> int:
        """How many of so many recipients were taken."""
        for count in range(most):
            try:
                if self.rates.count(who, ip):
                    return count
            except TooMany as refusal:
                self.refusal = refusal
                return count
        return most

    def test_an_hour(self) -> None:
        """The eleventh within an hour is 452 4.7.1; an hour later ten more may go; others are not concerned."""
        self.assertEqual(self.send(ANN, 50), 10)
        self.assertEqual((self.refusal.code, self.refusal.enhanced), (452, "4.7.1"))
        self.assertIn("10 recipients within an hour", self.refusal.public)
        self.assertEqual(self.send(BEA, 5), 5)
        self.clock.advance(3000)
        self.assertEqual(self.send(ANN, 50), 0)
        self.clock.advance(600)
        self.assertEqual(self.send(ANN, 50), 10)

    def test_a_day(self) -> None:
        """However they are spread, no more than so many a day."""
        taken = 0
        for _ in range(10):
            taken += self.send(ANN, 50)
            self.clock.advance(3600)
        self.assertEqual(taken, 25)
        self.clock.advance(15 * 3600)
        self.assertEqual(self.send(ANN, 50), 10)

    def test_grants_have_half(self) -> None:
        """What comes by relay grants from one address is limited as well, whoever opened them; refused ones do not count."""
        self.assertEqual(self.send(ANN_CHECKED, 3), 3)
        self.assertEqual(self.send(BEA_CHECKED, 50), 2)
        self.assertEqual(self.send(BEA_CHECKED, 50, "192.0.2.8"), 5)
        self.assertEqual(self.send(BEA, 50), 3)

    def test_the_operators_own(self) -> None:
        """An address opened by hand is the operator's business."""
        self.assertEqual(self.send(Responsible(OPERATOR, "", "grant"), 50), 50)

    def test_forgets(self) -> None:
        """Nothing is kept of those who have sent nothing for a day."""
        self.send(ANN_CHECKED, 2)
        self.clock.advance(86_400)
        self.send(BEA, 1)
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            self.assertEqual(connection.execute("SELECT key FROM counts").fetchall(), [("account 2",)])

    def test_outlasts_the_process(self) -> None:
        """Another process counts on, at the same time or later."""
        self.send(ANN, 6)
        other = self.open()
        self.assertEqual([other.count(ANN, IP) for _ in range(4)], [False] * 4)
        self.assertRaises(TooMany, self.rates.count, ANN, IP)

    def refused(self, times: int) -> None:
        for _ in range(times):
            self.assertRaises(TooMany, self.rates.count, ANN, IP)

    def test_held(self) -> None:
        """After a burst of refusals further mail is taken and held, which is not sent and does not count; others are not concerned."""
        self.send(ANN, 10)
        self.refused(PATIENCE)
        self.assertEqual([self.rates.count(ANN, IP) for _ in range(50)], [True] * 50)
        self.assertEqual(self.send(BEA, 5), 5)
        self.clock.advance(3600)
        self.assertEqual(self.send(ANN, 50), 10)

    def test_notice(self) -> None:
        """Of all processes one has to tell it, once a day for each account."""
        other = self.open()
        self.assertEqual(
            [self.rates.claim_notice(1), other.claim_notice(1), other.claim_notice(2)], [True, False, True]
        )
        self.clock.advance(86_400)
        self.assertTrue(other.claim_notice(1))
