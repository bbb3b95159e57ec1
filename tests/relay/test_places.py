"""How many connections a host gets, whoever its mail is for (LIMITS, Relaying)."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ConnectionRefusedError

from hostmail.relay.client import Destination, Way
from hostmail.relay.content import FileContent
from hostmail.relay.failures import Sent
from hostmail.relay.places import PER_HOST, PLACE_SECONDS, Places
from hostmail.relay.wire import GRACE_SECONDS
from tests.relay.talk import FULL, FakeEndpoint, Server, TalkCase, at_once


class PlacesCase(TalkCase):
    """Domains by number, all of which have host a; it has two addresses, and host b is worse."""

    def setUp(self) -> None:
        super().setUp()
        self.places = Places(self.clock)
        self.hosts = {name: FakeEndpoint() for name in ("a1", "a2", "b")}
        self.all_ways = [self.way("a1", 10)]
        self.destinations: dict[int, Destination] = {}

    def end(self) -> None:
        for endpoint in self.hosts.values():
            self.endpoint = endpoint
            super().end()

    def way(self, name: str, preference: int) -> Way:
        return Way(self.hosts[name], replace(self.manners, host=name), name, preference)

    async def ways(self) -> list[Way]:
        return self.all_ways

    def begin(self, number: int) -> Deferred[list[Sent]]:
        if number not in self.destinations:
            self.destinations[number] = Destination(ways=self.ways, clock=self.clock, places=self.places)
        content = FileContent(str(self.path), self.path.stat().st_size, at_once)
        return ensureDeferred(self.destinations[number].send([self.row(f"bob@x{number}.example")], content))

    def servers(self, name: str = "a1") -> list[Server]:
        return self.hosts[name].servers

    def take_it(self, server: Server, begun: bool = False) -> None:
        """One message; the connection has served before if it is `begun`."""
        if not begun:
            server.greets(*FULL)
        server.says("250 ok", "250 ok", "354 go")
        server.says("250 ok")


class PlacesTests(PlacesCase):
    def test_ten(self) -> None:
        """The eleventh domain waits until a connection to the host they share has ended."""
        sending = [self.begin(number) for number in range(PER_HOST + 2)]
        self.assertEqual(len(self.servers()), PER_HOST)
        self.servers()[3].hangs_up()
        self.assertEqual(len(self.servers()), PER_HOST + 1)
        self.take_it(self.servers()[-1])
        self.assertEqual(self.results(sending[PER_HOST]), ["+"])

    def test_idle_makes_room(self) -> None:
        """A connection that only waits for more mail of its own domain is closed when another one needs its place."""
        for number in range(PER_HOST):
            self.begin(number)
            self.take_it(self.servers()[-1])
        self.assertFalse(any(server.gone for server in self.servers()))
        last = self.begin(PER_HOST)
        [gone] = [server for server in self.servers() if server.gone]
        gone.hangs_up()
        self.take_it(self.servers()[-1])
        self.assertEqual(self.results(last), ["+"])
        self.assertEqual(sum(one.idle for one in self.destinations.values()), PER_HOST)

    def test_done_makes_room(self) -> None:
        """While others wait, a connection does not stay open for more mail of its domain."""
        for number in range(PER_HOST + 1):
            self.begin(number)
        self.take_it(self.servers()[0])
        self.assertTrue(self.servers()[0].gone)
        self.servers()[0].hangs_up()
        self.assertEqual(len(self.servers()), PER_HOST + 1)

    def test_own_domain_goes_on(self) -> None:
        """A message for a domain whose connection is idle needs no place of its own."""
        for number in range(PER_HOST):
            self.begin(number)
            self.take_it(self.servers()[-1])
        more = self.begin(3)
        self.take_it(self.servers()[3], begun=True)
        self.assertEqual(self.results(more), ["+"])
        self.assertEqual(len(self.servers()), PER_HOST)

    def test_crowded(self) -> None:
        """Who waits for ten seconds is told that nobody was asked; that makes no place."""
        for number in range(PER_HOST):
            self.begin(number)
        last = self.begin(PER_HOST)
        self.clock.advance(PLACE_SECONDS)
        [sent] = self.successResultOf(last)
        assert sent.refusal is not None
        self.assertEqual((sent.refusal.permanent, sent.unreachable, sent.crowded), (False, False, True))
        self.servers()[0].hangs_up()
        self.assertEqual(len(self.servers()), PER_HOST)
        self.begin(PER_HOST)
        self.assertEqual(len(self.servers()), PER_HOST + 1)

    def test_equally_good(self) -> None:
        """Another address of the host, or a host as good, is used before anybody waits; a worse one is not."""
        self.all_ways = [self.way("a1", 10), self.way("a2", 10), self.way("b", 20)]
        last = [self.begin(number) for number in range(2 * PER_HOST + 1)][-1]
        self.assertEqual([len(self.servers(name)) for name in self.hosts], [PER_HOST, PER_HOST, 0])
        self.clock.advance(PLACE_SECONDS)
        self.assertTrue(self.successResultOf(last)[0].crowded)
        self.assertEqual(self.servers("b"), [])

    def test_failed_connections(self) -> None:
        """A connection that cannot be made holds no place."""
        self.hosts["a1"].error = ConnectionRefusedError()
        for number in range(3 * PER_HOST):
            self.assertEqual(self.results(self.begin(number)), ["451 4.4.1 a1 refuses connections"])

    def test_dead_while_idle(self) -> None:
        """One that the server ends while it is idle holds no place either, and is not counted."""
        for number in range(3 * PER_HOST):
            self.begin(number)
            self.take_it(self.servers()[-1])
            self.servers()[-1].hangs_up()
        self.assertEqual(len(self.servers()), 3 * PER_HOST)
        self.assertEqual(sum(one.idle for one in self.destinations.values()), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """A process that stops waits for no place."""
        last = [self.begin(number) for number in range(PER_HOST + 1)][-1]
        self.destinations[PER_HOST].abort()
        self.assertEqual(self.results(last), ["451 4.3.2 this server was being stopped"])
        for server in self.servers():
            server.hangs_up()
        self.clock.advance(PLACE_SECONDS + GRACE_SECONDS)
        self.assertEqual(len(self.servers()), PER_HOST)

    def test_smarthosts(self) -> None:
        """A host that the operator names bears what he sends there: its lane is limit enough."""
        self.all_ways = [replace(self.way("a1", 0), line="")]
        for number in range(PER_HOST + 5):
            self.begin(number)
        self.assertEqual(len(self.servers()), PER_HOST + 5)
