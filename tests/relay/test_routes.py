"""hostmail.relay.routes: account over domain over server (C9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError
from hostmail.interfaces.queue import Queued
from hostmail.interfaces.waysout import IWaysOut, Smarthost, WayOut
from hostmail.relay.contracts import Route
from hostmail.relay.routes import SenderRoutes, chosen, servers_route, silenced, told
from hostmail.relay.smarthost import SmarthostSettings
from tests.relay.facts import FakeDirectory, FakeWays

ANNS = WayOut(Smarthost("ann.smart.example", 465, "verified", "ann", "secret"))
DOMAINS = WayOut(Smarthost("smart.example", 25, "opportunistic"), ("192.0.2.1",))
ADDRESS = WayOut(sources=("192.0.2.1",))
NOTHING = WayOut()
DIRECT, DIRECT_FROM = WayOut(direct=True), WayOut(sources=("192.0.2.1",), direct=True)
BY_ANNS = Route(
    SmarthostSettings("ann.smart.example", 465, "verified", True, "ann", "secret"), ("192.0.2.9",), "ann@x", False
)
BY_DOMAINS = Route(SmarthostSettings("smart.example", 25), ("192.0.2.9",), "x", False)
BY_SERVERS = Route(SmarthostSettings("all.smart.example", 25), ("192.0.2.9",))
BY_MX = Route(sources=("192.0.2.9",))


def choose(account: WayOut, domain: WayOut, server: Route | None) -> Route | None:
    return chosen(("ann@x", account), ("x", domain), server, ("192.0.2.9",))


class ChoiceTests(SynchronousTestCase):
    def test_order(self) -> None:
        """The account's smarthost, else the domain's, else the server's, else the MX records; else none."""
        for account, domain, server, expected in (
            (ANNS, DOMAINS, BY_SERVERS, BY_ANNS),
            (ANNS, NOTHING, None, BY_ANNS),
            (NOTHING, DOMAINS, BY_SERVERS, BY_DOMAINS),
            (NOTHING, DOMAINS, None, BY_DOMAINS),
            (NOTHING, NOTHING, BY_SERVERS, BY_SERVERS),
            (NOTHING, NOTHING, BY_MX, BY_MX),
            (NOTHING, NOTHING, None, None),
        ):
            self.assertEqual(choose(account, domain, server), expected)

    def test_direct(self) -> None:
        """An account or a domain may have its mail go to MX hosts though the domain or the server has a smarthost, or no way at all."""
        by_mx, from_own = (
            Route(sources=("192.0.2.9",), everybodys=False),
            Route(sources=("192.0.2.1",), everybodys=False),
        )
        for account, domain, server, expected in (
            (DIRECT, NOTHING, BY_SERVERS, by_mx),
            (DIRECT, DOMAINS, BY_SERVERS, from_own),
            (NOTHING, DIRECT, BY_SERVERS, by_mx),
            (NOTHING, DIRECT_FROM, BY_SERVERS, from_own),
            (NOTHING, DIRECT, None, by_mx),
            (ANNS, DIRECT, BY_SERVERS, BY_ANNS),
        ):
            self.assertEqual(choose(account, domain, server), expected)

    def test_source(self) -> None:
        """A domain's address is for what goes to MX hosts; smarthosts know the server by its own."""
        self.assertEqual(choose(NOTHING, ADDRESS, BY_MX), Route(sources=("192.0.2.1",)))
        self.assertEqual(choose(NOTHING, ADDRESS, BY_SERVERS), BY_SERVERS)
        self.assertEqual(choose(ANNS, ADDRESS, BY_MX), BY_ANNS)
        self.assertIsNone(choose(NOTHING, ADDRESS, None))

    def test_destinations(self) -> None:
        """Mail succeeds and fails together where host, login and address are the same; a domain's name is for all mail there."""
        self.assertEqual(BY_ANNS.destination("far.test"), "ann.smart.example:465 of ann@x")
        self.assertEqual(BY_SERVERS.destination("far.test"), "all.smart.example:25")
        self.assertEqual(BY_MX.destination("far.test"), "far.test")
        self.assertEqual(Route(everybodys=False).destination("far.test"), "far.test from here")
        elsewhere = Route(sources=("192.0.2.1", "2001:db8::1"), everybodys=False)
        self.assertEqual(elsewhere.destination("far.test"), "far.test from 192.0.2.1 from 2001:db8::1")

    def test_told(self) -> None:
        """Nobody is shown a password, not by way of a log either."""
        self.assertEqual(
            told(BY_ANNS),
            {
                "kind": "smarthost",
                "smarthost": "ann.smart.example:465",
                "login": "ann",
                "tls": "verified",
                "owner": "ann@x",
                "sources": ["192.0.2.9"],
            },
        )
        self.assertEqual(told(BY_MX), {"kind": "mx", "sources": ["192.0.2.9"]})
        self.assertEqual(told(None), {"kind": "none"})
        self.assertNotIn("secret", repr(BY_ANNS))


class SenderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.ways = FakeWays({1: ANNS, "example.com": DOMAINS, "example.org": ADDRESS})

    def find(self, account_id: int | None, sender: str, server: Route | None = BY_MX) -> Route | None:
        directory = FakeDirectory()
        routes = SenderRoutes(directory=directory, ways_out=self.ways, server=server, sources=())  # type: ignore[arg-type]
        found: Route | None = self.successResultOf(ensureDeferred(routes.find(account_id, sender)))
        return found

    def owner(self, account_id: int | None, sender: str) -> str:
        found = self.find(account_id, sender)
        return found.owner if found is not None else "none"

    def test_interface(self) -> None:
        """The fake is one of the contract's."""
        verifyObject(IWaysOut, self.ways)

    def test_account(self) -> None:
        """Who signed in counts, not the sender he names; without a way of his own his domain."""
        self.assertEqual(self.owner(1, "ann@elsewhere.test"), "ann@example.com")
        del self.ways.ways[1]
        self.assertEqual(self.owner(1, "bob@example.org"), "example.com")

    def test_domain(self) -> None:
        """What no account sent goes by the domain it is for, or that for which this stands: forwards, lists, reports."""
        for domain in ("example.com", "EXAMPLE.com", "example.net", "ann@example.net"):
            self.assertEqual(self.owner(None, domain), "example.com")
        self.assertEqual(self.find(None, "list@example.org"), Route(sources=("192.0.2.1",), everybodys=False))
        self.assertEqual(self.owner(99, "example.com"), "example.com")

    def test_others(self) -> None:
        """All others, and the null sender, take the server's way; it is not everybody's, as somebody has another."""
        for sender in ("", "eve@far.test"):
            self.assertEqual(self.find(None, sender), Route(sources=("192.0.2.9",), everybodys=False))
        self.assertIsNone(self.find(None, "eve@far.test", None))

    def test_nobody(self) -> None:
        """Where nobody has a way of his own the server's is everybody's."""
        self.ways.ways.clear()
        self.assertEqual(self.find(1, "ann@example.com"), BY_MX)

    def test_next_attempt(self) -> None:
        """A change counts with the next question (E7)."""
        self.assertEqual(self.owner(1, ""), "ann@example.com")
        self.ways.ways[1] = NOTHING
        self.assertEqual(self.owner(1, ""), "example.com")


class SilencedTests(SynchronousTestCase):
    def test_whose(self) -> None:
        """An account's mail is its own affair and its domain's, whatever sender it names; of no account, its domain's, but for reports."""
        directory = FakeDirectory()

        def found(account_id: int | None, for_domain: str, sender: str = "bea@example.com") -> str:
            row = Queued(1, "q", sender, "x@y", "", 1, account_id, 0.0, 0.0, for_domain=for_domain)
            told: str = self.successResultOf(ensureDeferred(silenced(directory, row)))  # type: ignore[arg-type]
            return told

        rows = (
            (1, "example.com"),
            (1, ""),
            (None, "example.com"),
            (99, "example.com"),
            (None, "example.org"),
            (None, ""),
        )
        self.assertEqual([found(*row) for row in rows], [""] * 6)
        directory.account_suspended = True
        self.assertEqual([found(*row) for row in rows], ["ann@example.com"] * 2 + [""] * 4)
        directory.domain_suspended = True
        self.assertEqual([found(*row) for row in rows], ["example.com"] * 4 + [""] * 2)
        self.assertEqual(
            [found(*row, sender="") for row in rows], ["example.com", "example.com", "", "example.com", "", ""]
        )


class ServerTests(SynchronousTestCase):
    def test_none(self) -> None:
        """Without a smarthost and direct delivery there is no way out; with either there is."""
        self.assertIsNone(servers_route(Settings(hostname="mail.us", direct_delivery=False)))
        self.assertEqual(servers_route(Settings(hostname="mail.us")), Route())
        smarthost = Settings(hostname="mail.us", direct_delivery=False, smarthost="x.test:25")
        self.assertEqual(servers_route(smarthost), Route(SmarthostSettings("x.test", 25)))

    def test_smarthost(self) -> None:
        """Login, password file and TLS of the settings; 465 is TLS at once."""
        password = Path(self.mktemp())
        password.write_text("secret\nmore\n")
        settings = Settings(
            hostname="mail.us",
            smarthost="smart.example:465",
            smarthost_login="ann",
            smarthost_password_file=password,
            smarthost_tls="verified",
            source_addresses=("198.41.0.77",),
        )
        expected = SmarthostSettings("smart.example", 465, "verified", implicit_tls=True, user="ann", password="secret")
        self.assertEqual(servers_route(settings), Route(expected, ("198.41.0.77",)))

    def test_usual_tls(self) -> None:
        """A password goes to another machine only if its certificate is good, unless somebody wants it otherwise."""
        password = Path(self.mktemp())
        password.write_text("secret\n")
        login: dict[str, Any] = {"smarthost_login": "ann", "smarthost_password_file": password}
        for host, more, tls in (
            ("smart.example:587", login, "verified"),
            ("smart.example:587", {**login, "smarthost_tls": "opportunistic"}, "opportunistic"),
            ("localhost:587", login, "opportunistic"),
            ("smart.example:587", {}, "opportunistic"),
        ):
            route = servers_route(Settings(hostname="mail.us", smarthost=host, **more))
            assert route is not None
            assert route.smarthost is not None
            self.assertEqual(route.smarthost.tls, tls)

    def test_no_password(self) -> None:
        """A file without a password is said to be that."""
        password = Path(self.mktemp())
        settings = Settings(
            hostname="mail.us", smarthost="x.test:25", smarthost_login="ann", smarthost_password_file=password
        )
        for octets in (b"", b"\nsecret\n", b"\xff\xfe"):
            password.write_bytes(octets)
            error = self.assertRaises(ConfigurationError, servers_route, settings)
            self.assertIn("has no password in its first line", str(error))
