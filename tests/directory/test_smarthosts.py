"""hostmail.directory.smarthosts: which way mail of domains and accounts leaves (C9)."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.directory.smarthosts import WaysOut, changed, check_smarthost, check_sources
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.waysout import IWaysOut, Smarthost, WayOut
from tests.directory.support import HASH, DirectoryTestCase, Threads
from tests.support.aloud import Aloud

SMART = Smarthost("smart.example", 587, "verified", "us", "secret")
LOGIN = {"smarthost": "smart.example:587", "smarthost_login": "us", "smarthost_password": "secret"}
NOTHING = WayOut()


class ValueTests(SynchronousTestCase):
    def test_hosts(self) -> None:
        """A name, an address, with a port or on 25; none."""
        for text, expected in (
            ("Smart.Example", ("smart.example", 25)),
            ("smart.example:587", ("smart.example", 587)),
            ("192.0.2.1:26", ("192.0.2.1", 26)),
            ("[2001:DB8::1]", ("2001:db8::1", 25)),
            (None, None),
        ):
            self.assertEqual(check_smarthost("smarthost", text), expected)
        for text in ("", "a b", "smart.example:0", "smart.example:70000", "x:y:z", "[::g]:1", "-bad-.example", "u@h"):
            self.assertRaises(BadValue, check_smarthost, "smarthost", text)

    def test_sources(self) -> None:
        """One address of each kind, in canonical spelling."""
        self.assertEqual(check_sources("", ["2001:DB8:0::1", "192.0.2.1"]), ("192.0.2.1", "2001:db8::1"))
        for wrong in (["192.0.2.1", "192.0.2.2"], ["0.0.0.0"], ["224.0.0.1"], ["mail.example"]):
            self.assertRaises(BadValue, check_sources, "", wrong)

    def test_tls(self) -> None:
        """A password goes to nobody who only says that he is the host, unless that was said to be good enough."""
        new = {"smarthost": ("smart.example", 587)}
        login = {"smarthost_login": "us", "smarthost_password": "secret"}
        self.assertEqual(changed(None, new), Smarthost("smart.example", 587, "opportunistic"))
        self.assertEqual(changed(None, new | login), SMART)
        self.assertEqual(changed(changed(None, new), login), SMART)
        weaker = changed(SMART, {"smarthost_tls": "required"})
        self.assertEqual(weaker, Smarthost("smart.example", 587, "required", "us", "secret"))
        self.assertEqual(changed(weaker, {"smarthost_password": "new"}).tls, "required")  # type: ignore[union-attr]

    def test_another_host(self) -> None:
        """Another host is not told the password for the one before."""
        another = changed(SMART, {"smarthost": ("other.example", 25)})
        self.assertEqual(another, Smarthost("other.example", 25, "opportunistic"))

    def test_senseless(self) -> None:
        """A login without a password, one without a host, and settings of nothing."""
        for before, changes in (
            (None, {"smarthost_tls": "required"}),
            (None, {"smarthost": None, "smarthost_tls": "required"}),
            (SMART, {"smarthost_login": "others"}),
            (SMART, {"smarthost_password": ""}),
            (Smarthost("smart.example", 25, "opportunistic"), {"smarthost_password": "secret"}),
        ):
            self.assertRaises(BadValue, changed, before, changes)
        self.assertIsNone(changed(SMART, {"smarthost": None}))
        self.assertEqual(changed(SMART, {"smarthost_login": ""}), Smarthost("smart.example", 587, "verified"))

    def test_secret(self) -> None:
        """No log that shows the fact shows the password."""
        self.assertNotIn("secret", repr(WayOut(SMART)))


class FactTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ways = WaysOut(database=self.database, in_thread=self.threads, events=self.events)
        self.ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))

    def of_domain(self, ways: WaysOut | None = None) -> WayOut:
        return self.get((ways or self.ways).of_domain("example.com"))

    def of_ann(self) -> WayOut:
        return self.get(self.ways.of_account(self.ann.id))

    def set_domain(self, **changes: Any) -> None:
        self.get(self.changes.set_domain("Example.com", **changes))

    def set_ann(self, **changes: Any) -> None:
        self.get(self.changes.set_account("Ann@example.com", **changes))

    def test_interface(self) -> None:
        """The ways out are what the way out asks for."""
        verifyObject(IWaysOut, self.ways)

    def test_at_once(self) -> None:
        """What is set, changed and taken away counts at once (E7)."""
        self.assertEqual((self.of_domain(), self.of_ann(), self.get(self.ways.any())), (NOTHING, NOTHING, False))
        self.set_domain(**LOGIN, source_addresses=["192.0.2.1"])
        self.set_ann(smarthost="ann.example")
        self.assertTrue(self.get(self.ways.any()))
        self.assertEqual(self.of_domain(), WayOut(SMART, ("192.0.2.1",)))
        self.assertEqual(self.of_ann(), WayOut(Smarthost("ann.example", 25, "opportunistic")))
        self.set_domain(smarthost=None, source_addresses=[])
        self.set_ann(smarthost=None)
        self.assertEqual((self.of_domain(), self.of_ann(), self.get(self.ways.any())), (NOTHING, NOTHING, False))

    def test_announced(self) -> None:
        """Each change is announced, and no login ends by it."""
        self.changed()
        self.set_domain(source_addresses=["192.0.2.1"])
        self.set_ann(smarthost="ann.example")
        expected = [DirectoryChanged("example.com"), DirectoryChanged("example.com", self.ann.id)]
        self.assertEqual(self.changed(), expected)

    def test_all_or_nothing(self) -> None:
        """With a senseless way out nothing else is changed either."""
        self.refused(self.changes.set_domain("example.com", active=False, smarthost_login="us"), BadValue)
        self.assertTrue(self.get(self.directory.domain("example.com")).active)  # type: ignore[union-attr]
        self.refused(self.changes.set_account("ann@example.com", source_addresses=["192.0.2.1"]), BadValue)
        self.refused(self.changes.set_domain("example.org", smarthost="x.example"), NotFound)
        error = self.refused(
            self.changes.set_domain("example.com", **LOGIN | {"smarthost_password": "se\0cret"}), BadValue
        )
        self.assertNotIn("cret", error.public)

    def test_kept(self) -> None:
        """What is not changed stays, and what is known costs no further question."""
        self.set_domain(**LOGIN)
        self.set_domain(quota_bytes=1000)
        self.set_domain(smarthost_tls="required")
        self.set_domain(source_addresses=["2001:db8::1"])
        expected = WayOut(Smarthost("smart.example", 587, "required", "us", "secret"), ("2001:db8::1",))
        self.assertEqual(self.of_domain(), expected)
        before = self.threads.runs
        self.assertEqual((self.of_domain(), self.threads.runs), (expected, before))

    def test_other_processes(self) -> None:
        """Another process hears of it by the announcement."""
        events = Aloud()
        elsewhere = WaysOut(database=self.database, in_thread=Threads(), events=events)
        self.assertEqual(self.of_domain(elsewhere), NOTHING)
        self.set_domain(**LOGIN)
        events.publish(DirectoryChanged("example.com"))
        self.assertEqual(self.of_domain(elsewhere), WayOut(SMART))

    def test_removed(self) -> None:
        """Passwords go with their account and their domain; who comes after has nothing of them (D13)."""
        self.set_domain(**LOGIN, source_addresses=["192.0.2.1"])
        self.set_ann(**LOGIN)
        self.get(self.changes.remove_account("ann@example.com"))
        self.assertEqual(self.of_ann(), NOTHING)
        again = self.get(self.changes.add_account("bea@example.com", password_hash=HASH))
        self.set_ann_of(again.address)
        self.get(self.changes.remove_domain("example.com"))
        self.get(self.changes.add_domain("example.com"))
        self.assertEqual(self.of_domain(), NOTHING)
        self.assertFalse(self.get(self.ways.any()))

    def set_ann_of(self, address: str) -> None:
        self.get(self.changes.set_account(address, **LOGIN))

    def test_nobody(self) -> None:
        """Who is not here has no way of his own."""
        self.assertEqual(self.get(self.ways.of_account(99)), NOTHING)
        self.assertEqual(self.get(self.ways.of_domain("example.org")), NOTHING)
