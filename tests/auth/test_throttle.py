"""hostmail.auth.throttle: guessing is slowed, and nobody who knows his password is (A8, LIMITS Logins)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.auth.networks import client, neighbourhood
from hostmail.auth.throttle import DAY, HOUR, Throttle, ThrottleLimits, decayed, delay_after
from hostmail.errors import Overloaded
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.logins import IThrottle
from tests.auth.support import AuthTestCase

LIMITS = ThrottleLimits()
counts = st.floats(min_value=0, max_value=1e6)


class NumbersTests(SynchronousTestCase):
    def test_rises(self) -> None:
        """The first failure waits 2 s, each further one twice as long, up to 15 s."""
        self.assertEqual([delay_after(n, n, n, LIMITS) for n in (1, 2, 3, 4, 40)], [2, 4, 8, 15, 15])

    def test_a_shared_address_rises_slowly(self) -> None:
        """Many people's typing errors behind one address are not one person's guessing."""
        self.assertLess(delay_after(1, 10, 0, LIMITS), 4)
        self.assertEqual(delay_after(1, 50, 0, LIMITS), 15)

    def test_an_account_under_attack(self) -> None:
        """Over 50 failures from strangers the account is as slow as can be for all of them."""
        self.assertEqual(delay_after(1, 1, 51, LIMITS), 15)

    @given(counts, counts, counts)
    def test_within_bounds(self, pair: float, of_client: float, on_account: float) -> None:
        """Whatever was counted, the delay is from 2 to 15 seconds."""
        self.assertTrue(2 <= delay_after(pair, of_client, on_account, LIMITS) <= 15)

    def test_decay(self) -> None:
        """A counter fades: a third is left after an hour, nothing to speak of after six; clocks that jump back do no harm."""
        self.assertAlmostEqual(decayed(100, HOUR), 36.8, places=1)
        self.assertLess(decayed(100, 6 * HOUR), 0.3)
        self.assertEqual(decayed(100, -5), 100)

    def test_networks(self) -> None:
        """One client is an IPv4 address or an IPv6 /64; its neighbourhood is the /24 or /64."""
        self.assertEqual((client("192.0.2.7"), neighbourhood("192.0.2.7")), ("192.0.2.7/32", "192.0.2.0/24"))
        self.assertEqual(client("2001:db8::1:2"), "2001:db8::/64")
        self.assertEqual(neighbourhood("2001:db8::1:2"), "2001:db8::/64")
        self.assertEqual((client(""), neighbourhood("unix")), ("", ""))


class ThrottleTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.file()
        self.throttle = self.open(events=self.events)

    def open(self, **more: Any) -> Throttle:
        throttle = Throttle(path=self.path, now=self.clock.seconds, **more)
        self.addCleanup(throttle.close)
        return throttle

    def guess(self, times: int, ip: str = "192.0.2.1", login: str = "ann@example.com") -> list[float]:
        return [self.throttle.failed(ip, login, 1) for _ in range(times)]

    def test_delays(self) -> None:
        """Each failure of one login from one client waits longer; elsewhere it starts afresh."""
        self.assertEqual(self.guess(4), [2, 4, 8, 15])
        self.assertEqual(self.guess(1, ip="198.51.100.1"), [2])

    def test_forgiven(self) -> None:
        """After a correct login the next typing error waits 2 s again."""
        self.guess(3)
        self.throttle.succeeded("192.0.2.1", "ann@example.com", 1)
        self.assertLess(self.guess(1)[0], 3)

    def test_blocked(self) -> None:
        """A hundred failures in an hour and the client is refused for 15 minutes, whatever login it tries."""
        for number in range(99):
            self.throttle.failed("192.0.2.1", f"user{number}@example.com", None)
        self.throttle.admit("192.0.2.1", None)
        self.throttle.failed("192.0.2.1", "ann@example.com", 1)
        refusal = self.assertRaises(Overloaded, self.throttle.admit, "192.0.2.1", 1)
        self.assertEqual((refusal.code, refusal.enhanced, refusal.wait), (454, "4.7.0", 15 * 60))
        self.assertRaises(Overloaded, self.throttle.admit, "192.0.2.1", None)
        self.throttle.admit("192.0.2.2", 1)
        self.clock.advance(15 * 60)
        self.throttle.admit("192.0.2.1", 1)

    def test_operator_sees_them(self) -> None:
        """Clients that failed lately are shown, those that are refused first; one that was forgiven begins anew (F4)."""
        self.guess(2, ip="198.51.100.1")
        for number in range(100):
            self.throttle.failed("192.0.2.1", f"user{number}@example.com", None)
        self.guess(3, ip="2001:db8::1")
        shown = self.throttle.throttled(10)
        self.assertEqual([one.client for one in shown], ["192.0.2.1/32", "2001:db8::/64", "198.51.100.1/32"])
        self.assertEqual([one.until > 0 for one in shown], [True, False, False])
        self.assertEqual(len(self.throttle.throttled(1)), 1)
        for known in ("192.0.2.1/32", "2001:db8::7"):
            self.assertTrue(self.throttle.forgive(known))
        self.throttle.admit("192.0.2.1", None)
        self.assertEqual(self.guess(1), [2])
        for unknown in ("192.0.2.77", "nobody", ""):
            self.assertFalse(self.throttle.forgive(unknown))
        self.clock.advance(15 * 60)
        self.assertEqual([one.until for one in self.throttle.throttled(10)], [0, 0])

    def test_is_the_contract(self) -> None:
        """It implements IThrottle."""
        verifyObject(IThrottle, self.throttle)

    def test_ipv6_is_blocked_by_64(self) -> None:
        """A guesser with a /64 has no more tries than one with a single address."""
        for number in range(100):
            self.throttle.failed(f"2001:db8::{number:x}", "ann@example.com", 1)
        self.assertRaises(Overloaded, self.throttle.admit, "2001:db8::ffff", 1)

    def test_slow_failures_never_block(self) -> None:
        """A hundred typing errors over a day block nobody."""
        for _ in range(100):
            self.guess(1)
            self.clock.advance(DAY / 100)
        self.throttle.admit("192.0.2.1", 1)

    def test_known_clients_are_never_blocked(self) -> None:
        """Whoever opened the account from this neighbourhood lately gets in, although somebody guesses beside him."""
        self.throttle.succeeded("192.0.2.200", "ann@example.com", 1)
        self.guess(100)
        self.throttle.admit("192.0.2.1", 1)
        self.assertRaises(Overloaded, self.throttle.admit, "192.0.2.1", 2)
        self.clock.advance(31 * DAY)
        self.assertFalse(self.throttle.is_known("192.0.2.1", 1))

    def test_an_account_guessed_from_everywhere(self) -> None:
        """Fifty failures from unknown networks slow all strangers to 15 s each; a known network is not slowed so."""
        self.throttle.succeeded("203.0.113.1", "ann@example.com", 1)
        delays = [self.throttle.failed(f"198.51.{n}.1", "ann@example.com", 1) for n in range(52)]
        self.assertEqual((delays[0], delays[-1]), (2, 15))
        self.assertEqual(self.throttle.failed("203.0.113.9", "ann@example.com", 1), 2)

    def test_logins_that_are_none(self) -> None:
        """Guessing at a login that does not exist is slowed alike: the delay does not tell which there are."""
        exists = [self.throttle.failed(f"198.51.{n}.1", "ann@example.com", 1) for n in range(60)]
        missing = [self.throttle.failed(f"203.0.{n}.1", "bob@example.com", None) for n in range(60)]
        self.assertEqual(exists, missing)

    def test_no_guessing(self) -> None:
        """A device that repeats an old password waits, and never blocks its owner's address."""
        delays = [self.throttle.failed("192.0.2.1", "ann@example.com", 1, guessing=False) for _ in range(300)]
        self.assertEqual(delays[-1], 15)
        self.throttle.admit("192.0.2.1", 2)

    def test_unix_sockets(self) -> None:
        """Sessions without an address are slowed per login, and never block each other."""
        delays = [self.throttle.failed("", "ann@example.com", 1) for _ in range(150)]
        self.assertEqual(delays[-1], 15)
        self.throttle.admit("", 1)
        self.throttle.succeeded("", "ann@example.com", 1)
        self.assertFalse(self.throttle.is_known("", 1))
        self.assertEqual(self.throttle.failed("", "ann@example.com", 1), 15)

    def test_shared_and_durable(self) -> None:
        """Processes count together, and a restart forgives nothing."""
        other = self.open()
        self.guess(2)
        self.assertEqual(other.failed("192.0.2.1", "ann@example.com", 1), 8)
        self.throttle.close()
        self.assertEqual(self.open().failed("192.0.2.1", "ann@example.com", 1), 15)

    def test_polling_writes_nothing(self) -> None:
        """A good login that says nothing new costs no write (A8)."""
        self.throttle.succeeded("192.0.2.1", "ann@example.com", 1)
        before = self.throttle._file.connection.total_changes
        self.throttle.succeeded("192.0.2.1", "ann@example.com", 1)
        self.assertEqual(self.throttle._file.connection.total_changes, before)
        self.clock.advance(25 * DAY)
        self.throttle.succeeded("192.0.2.1", "ann@example.com", 1)
        self.clock.advance(25 * DAY)
        self.assertTrue(self.throttle.is_known("192.0.2.1", 1))

    def test_forgotten(self) -> None:
        """Old failures leave the file."""
        for number in range(150):
            self.throttle.failed("192.0.2.1", f"user{number}", None)
        self.clock.advance(7 * HOUR)
        for number in range(101):
            self.throttle.failed("192.0.2.2", f"user{number}", None)
        left = self.throttle._file.connection.execute("SELECT count(*) FROM failures WHERE what LIKE '%192.0.2.1/%'")
        self.assertEqual(left.fetchone(), (0,))

    def test_odd_logins(self) -> None:
        """Logins that are endless or no UTF-8 are counted like any."""
        self.throttle.failed("192.0.2.1", "x" * 100_000, None)
        self.assertEqual(
            self.throttle.failed("192.0.2.1", "\udcff\0", None), self.throttle.failed("192.0.2.3", "", None) * 2**0.1
        )

    def test_removed_account(self) -> None:
        """A removed account's history goes with it."""
        self.throttle.succeeded("192.0.2.1", "ann@example.com", 1)
        self.events.publish(DirectoryChanged("example.com", 1, credentials=True))
        self.assertTrue(self.throttle.is_known("192.0.2.1", 1))
        self.events.publish(DirectoryChanged("example.com", 1, removed=True))
        self.assertFalse(self.throttle.is_known("192.0.2.1", 1))
