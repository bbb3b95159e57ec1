"""How much lists may send, and how often somebody may have them write."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.checks.listrates import MOST_NOTICES, ListRates

HOUR = 3600


class ListRatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.path = Path(self.mktemp())
        self.rates = self.open()

    def open(self) -> ListRates:
        rates = ListRates(
            path=self.path, now=self.clock.seconds, posts_per_hour=3, recipients_per_day=100, requests_per_ip=2
        )
        self.addCleanup(rates.close)
        return rates

    def test_posts_an_hour(self) -> None:
        """The fourth within an hour is too many, for that list alone, in whichever process; an hour later it is not."""
        other = self.open()
        for rates in (self.rates, other, self.rates):
            self.assertEqual(rates.excess(1, 1), "")
            rates.sent(1, 1)
        self.assertEqual(other.excess(1, 1), "3 posts went out within an hour")
        self.assertEqual(other.excess(2, 1), "")
        self.clock.advance(HOUR)
        self.assertEqual(other.excess(1, 1), "")

    def test_recipients_a_day(self) -> None:
        """However they are spread; but one post a day always goes, or a large list could send none."""
        self.assertEqual(self.rates.excess(1, 5000), "")
        self.rates.sent(1, 60)
        self.clock.advance(2 * HOUR)
        self.assertEqual(self.rates.excess(1, 40), "")
        self.assertEqual(self.rates.excess(1, 41), "posts went to 60 recipients within a day")
        self.clock.advance(22 * HOUR)
        self.assertEqual(self.rates.excess(1, 41), "")

    def test_notices(self) -> None:
        """So many a day for each list, and one reminder."""
        self.assertEqual([self.rates.may_notify(1) for _ in range(MOST_NOTICES + 2)].count(True), MOST_NOTICES)
        self.assertTrue(self.rates.may_notify(2))
        self.assertEqual([self.rates.may_remind(1) for _ in range(3)], [True, False, False])
        self.clock.advance(24 * HOUR)
        self.assertTrue(self.rates.may_notify(1))
        self.assertTrue(self.rates.may_remind(1))

    def test_requests(self) -> None:
        """A client, with IPv6 its whole network, asks twice an hour; what has no address is our own."""
        for ip in ("192.0.2.1", "2001:db8::1"):
            self.assertEqual([self.rates.may_ask(ip) for _ in range(3)], [True, True, False])
        self.assertFalse(self.rates.may_ask("2001:db8::2"))
        self.assertTrue(self.rates.may_ask("2001:db8:0:1::2"))
        self.assertTrue(self.rates.may_ask("192.0.2.2"))
        self.assertEqual([self.rates.may_ask("") for _ in range(5)], [True] * 5)
        self.clock.advance(HOUR)
        self.assertTrue(self.rates.may_ask("192.0.2.1"))
