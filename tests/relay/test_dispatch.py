"""Which way a message goes, by its sender (C9)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import SendingSuspended
from hostmail.interfaces.queue import Queued
from hostmail.relay.contracts import Exchange, Route
from hostmail.relay.dispatch import MOST_IDLE, TIDY_ABOVE, Dispatch
from hostmail.relay.failures import DnsFailure
from hostmail.relay.hosts import Policy
from hostmail.relay.smarthost import SmarthostSettings
from hostmail.relay.ways import MxWays, Names, connecting
from tests.relay.facts import above_lists
from tests.relay.talk import FULL, FakeEndpoint, at_once

NAMES = Names("mail.example.com")
OWN_HOST = SmarthostSettings("smart.example", 587, user="ann", password="secret")


class FakeDns:
    """Every domain has one host."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.known: dict[str, list[str]] = {}

    async def exchanges(self, domain: str) -> Sequence[Exchange]:
        if self.trouble is not None:
            raise self.trouble
        return [Exchange(10, f"mx.{domain}")]

    async def addresses(self, host: str) -> Sequence[str]:
        return self.known.get(host, ["198.41.0.4", "2001:503:ba3e::2:30"])


class RouteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connections: list[tuple[str, int, tuple[str, ...]]] = []
        self.endpoint = FakeEndpoint()
        self.endpoint.error = OSError()
        self.dns = FakeDns()
        policy = Policy(is_us=lambda host: False, is_ours=lambda ip: False)
        self.suspended = ""
        self.dispatch = Dispatch(
            silenced=self.silenced,
            above=above_lists,
            routes=self.route,
            mx=MxWays(dns=self.dns, policy=policy, random=Random(1), names=NAMES, connect=self.connect),
            connect=self.connect,
            clock=Clock(),
            names=NAMES,
            in_thread=at_once,
        )
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"\r\n")

    async def route(self, row: Queued) -> Route | None:
        """Ann has a smarthost of her own, example.org an address, and nobody knows where mail of example.net is to go."""
        if row.account_id == 1:
            return Route(OWN_HOST, owner="ann@example.com")
        if row.sender.endswith("example.net"):
            return None
        return Route(sources=("198.41.0.77",), everybodys=False) if row.sender.endswith("example.org") else Route()

    async def silenced(self, row: Queued) -> str:
        return self.suspended

    def connect(self, host: str, port: int, sources: tuple[str, ...]) -> IStreamClientEndpoint:
        self.connections.append((host, port, sources))
        return self.endpoint

    def row(self, sender: str, account_id: int | None, recipient: str = "bob@X.test") -> Queued:
        return Queued(1, "q", sender, recipient, str(self.path), 2, account_id, 0.0, 0.0)

    def go(self, sender: str, account_id: int | None, recipient: str = "bob@x.test") -> str | None:
        row = self.row(sender, account_id, recipient)
        name: str | None = self.successResultOf(ensureDeferred(self.dispatch.destination(row)))
        self.successResultOf(ensureDeferred(self.dispatch.send([row])))
        return name

    def test_suspended(self) -> None:
        """Mail of who may send nothing now has no destination, and whose that is is said."""
        self.suspended = "ann@example.com"
        failure = self.failureResultOf(
            ensureDeferred(self.dispatch.destination(self.row("ann@example.com", 1))), SendingSuspended
        )
        self.assertEqual(failure.value.private, "outgoing mail of ann@example.com is suspended")

    def test_by_account(self) -> None:
        """An account's smarthost takes its mail, wherever that goes."""
        for domain in ("x.test", "y.test"):
            self.assertEqual(self.go("ann@example.com", 1, f"bob@{domain}"), "smart.example:587 of ann@example.com")
        self.assertEqual(self.connections, [("smart.example", 587, ())] * 2)

    def test_by_domain(self) -> None:
        """A domain's address is what its mail comes from, and only the hosts' addresses of that kind are tried."""
        self.assertEqual(self.go("ann@example.org", 2), "x.test from 198.41.0.77")
        self.assertEqual(self.connections, [("198.41.0.4", 25, ("198.41.0.77",))])

    def test_usual(self) -> None:
        """All other mail goes by MX."""
        self.assertEqual(self.go("ann@example.com", None), "x.test")
        self.assertEqual(self.connections, [("2001:503:ba3e::2:30", 25, ()), ("198.41.0.4", 25, ())])

    def test_no_way(self) -> None:
        """Without a way there is no destination; one that has gone meanwhile is a failure for now."""
        row = self.row("bea@example.net", None)
        self.assertIsNone(self.successResultOf(ensureDeferred(self.dispatch.destination(row))))
        [sent] = self.successResultOf(ensureDeferred(self.dispatch.send([row])))
        assert sent.refusal is not None
        self.assertEqual((sent.refusal.permanent, self.connections), (False, []))

    def test_dns_in_trouble(self) -> None:
        """A DNS that does not answer is trouble of the whole destination."""
        self.dns.trouble = DnsFailure("broken")
        [sent] = self.successResultOf(ensureDeferred(self.dispatch.send([self.row("ann@example.com", None)])))
        self.assertEqual((sent.refusal, sent.unreachable), (self.dns.trouble, True))

    def test_idle(self) -> None:
        """However many domains get mail, a hundred connections at most wait for more."""
        self.endpoint.error = None
        for number in range(MOST_IDLE + 5):
            self.dns.known[f"mx.x{number}.test"] = [f"198.41.{number}.4"]
            sending = ensureDeferred(self.dispatch.send([self.row("ann@example.com", None, f"bob@x{number}.test")]))
            server = self.endpoint.servers[-1]
            server.greets(*FULL)
            server.says("250 ok", "250 ok", "354 go")
            server.says("250 ok")
            self.assertIsNone(self.successResultOf(sending)[0].refusal)
        self.assertEqual(sum(not server.gone for server in self.endpoint.servers), MOST_IDLE)
        self.dispatch.close()
        self.assertTrue(all(server.gone for server in self.endpoint.servers))

    def test_bounded(self) -> None:
        """Destinations without mail and connections are forgotten."""
        for number in range(3 * TIDY_ABOVE):
            self.go("ann@example.com", None, f"bob@x{number}.test")
        self.assertLessEqual(len(self.dispatch._destinations), TIDY_ABOVE)
        self.dispatch.close()
        self.dispatch.abort()


class EndpointTests(SynchronousTestCase):
    def test_endpoints(self) -> None:
        """Each kind of address is connected to from ours of that kind; names from any."""
        connect = connecting(reactor)
        sources = ("198.41.0.77", "2001:503::77")
        for host, kind, bind in (
            ("198.41.0.4", TCP4ClientEndpoint, ("198.41.0.77", 0)),
            ("2001:503::1", TCP6ClientEndpoint, ("2001:503::77", 0)),
        ):
            endpoint: Any = connect(host, 25, sources)
            self.assertIsInstance(endpoint, kind)
            self.assertEqual(endpoint._bindAddress, bind)
            unbound: Any = connect(host, 25, ())
            self.assertIsNone(unbound._bindAddress)
        self.assertIsInstance(connect("smart.example", 25, sources), HostnameEndpoint)
