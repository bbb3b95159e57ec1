"""Answers from the DNS: a real name server on loopback, and the cache over it (C9)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import dns.message
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hostmail.relay.asking import MOST_OCTETS, Asker, _read, system_servers
from hostmail.relay.contracts import Exchange
from hostmail.relay.dns import FAILURE_SECONDS, LONGEST, Answer, CachedDns
from hostmail.relay.failures import DnsFailure, NoSuchDomain
from tests.support.zone import Zone, closed_udp_port


class AskerTests(TestCase):
    """Over real sockets."""

    timeout = 30

    def setUp(self) -> None:
        self.zone = Zone()
        self.zone.open()
        self.addCleanup(self.zone.close)
        self.ask = self.asker(self.zone.server)

    def asker(self, *servers: tuple[str, int], seconds: float = 5.0) -> Asker:
        return Asker(reactor, lambda: servers, seconds)

    async def test_mx(self) -> None:
        """MX records with preference and host, spelled as we spell names."""
        self.zone.mx("x.test", "10 MX1.x.test", "20 mx2.x.test")
        answer = await self.ask("X.test", "MX")
        self.assertEqual(set(answer.records), {Exchange(10, "mx1.x.test"), Exchange(20, "mx2.x.test")})
        self.assertEqual((answer.seconds, answer.refusal), (300, None))

    async def test_nothing_in_the_log(self) -> None:
        """A question is no event: a mailing to a thousand domains would fill the log with ports that open and close."""
        self.zone.add("mx.x.test", "A", "192.0.2.1")
        with capturedLogs() as events:
            await self.ask("mx.x.test", "A")
            await deferLater(reactor, 0.0)
        self.assertEqual([each for each in map(formatEvent, events) if each], [])

    async def test_null_mx(self) -> None:
        """The root as a host comes as no name."""
        self.zone.add("x.test", "MX", "0 .")
        self.assertEqual((await self.ask("x.test", "MX")).records, (Exchange(0, ""),))

    async def test_addresses(self) -> None:
        """Addresses in canonical spelling."""
        self.zone.add("mx.x.test", "A", "192.0.2.1")
        self.zone.add("mx.x.test", "AAAA", "2001:DB8:0::1")
        self.assertEqual((await self.ask("mx.x.test", "A")).records, ("192.0.2.1",))
        self.assertEqual((await self.ask("mx.x.test", "AAAA")).records, ("2001:db8::1",))

    async def test_alias(self) -> None:
        """A domain that is an alias has the records of what it stands for (RFC 5321 5.1)."""
        self.zone.add("www.x.test", "CNAME", "x.test.")
        self.zone.mx("x.test", "10 mx.x.test")
        self.assertEqual((await self.ask("www.x.test", "MX")).records, (Exchange(10, "mx.x.test"),))

    async def test_no_data(self) -> None:
        """A name without such records is no failure, and remembered as long as its zone says (RFC 2308)."""
        self.zone.add("x.test", "A", "192.0.2.1")
        self.assertEqual(await self.ask("x.test", "MX"), Answer((), 60.0))

    async def test_no_such_domain(self) -> None:
        """A name that does not exist is a refusal for good."""
        answer = await self.ask("nowhere.test", "MX")
        self.assertIsInstance(answer.refusal, NoSuchDomain)
        self.assertEqual(answer.seconds, 60.0)

    async def test_no_name(self) -> None:
        """What can be no name does not exist."""
        for name in ("a" * 64 + ".test", "a..test", ".".join(["a" * 60] * 5)):
            self.assertIsInstance((await self.ask(name, "MX")).refusal, NoSuchDomain, name)

    async def test_trouble(self) -> None:
        """SERVFAIL is a failure for now."""
        self.zone.broken.add("x.test")
        answer = await self.ask("x.test", "MX")
        self.assertIsInstance(answer.refusal, DnsFailure)
        self.assertEqual(answer.seconds, FAILURE_SECONDS)

    async def test_silence(self) -> None:
        """No answer in time is a failure for now."""
        self.zone.silent.add("x.test")
        answer = await self.asker(self.zone.server, seconds=0.2)("x.test", "MX")
        self.assertIsInstance(answer.refusal, DnsFailure)

    async def test_next_server(self) -> None:
        """A name server that is not there, or in trouble, is not the last one asked."""
        other = Zone()
        other.open()
        self.addCleanup(other.close)
        self.zone.add("x.test", "A", "192.0.2.1")
        other.broken.add("x.test")
        nobody = ("127.0.0.1", closed_udp_port())
        answer = await self.asker(nobody, other.server, self.zone.server)("x.test", "A")
        self.assertEqual(answer.records, ("192.0.2.1",))
        self.assertIn(("x.test", "A"), other.asked)

    async def test_without_edns(self) -> None:
        """A server that cannot read EDNS is asked without (RFC 6891 7)."""
        self.zone.reads_edns = False
        self.zone.add("x.test", "A", "192.0.2.1")
        self.assertEqual((await self.ask("x.test", "A")).records, ("192.0.2.1",))

    async def test_no_server(self) -> None:
        """Without any name server, or one that cannot be reached at all, there is no answer for now."""
        for servers in ((), (("not an address", 53),)):
            self.assertIsInstance((await self.asker(*servers)("x.test", "A")).refusal, DnsFailure)

    async def test_many_dead_names(self) -> None:
        """Hundreds of questions that nobody answers keep no other one waiting."""
        names = [f"x{number}.test" for number in range(300)]
        self.zone.silent.update(names)
        self.zone.add("alive.test", "A", "192.0.2.1")
        dead = self.asker(self.zone.server, seconds=25.0)
        waiting = [ensureDeferred(dead(name, "A")) for name in names]
        self.assertEqual((await self.ask("alive.test", "A")).records, ("192.0.2.1",))
        self.assertFalse(any(each.called for each in waiting))
        for each in waiting:
            each.cancel()
        await DeferredList(waiting, consumeErrors=True)

    async def test_long_answers(self) -> None:
        """An answer too long for UDP is fetched by TCP."""
        self.zone.mx("x.test", *(f"{i} mx{i}.a-rather-long-name-of-a-host.x.test" for i in range(100)))
        self.zone.by_tcp_only.add("x.test")
        self.assertEqual(len((await self.ask("x.test", "MX")).records), 100)

    async def test_endless_texts(self) -> None:
        """What one name may take room for in the cache is bounded."""
        self.zone.add("x.test", "TXT", *(f'"{number}{"x" * 250}"' for number in range(100)))
        self.zone.by_tcp_only.add("x.test")
        records = (await self.ask("x.test", "TXT")).records
        self.assertLess(sum(map(len, records)), MOST_OCTETS)
        self.assertGreater(len(records), 20)

    async def test_wrapped_address(self) -> None:
        """An IPv4 address wrapped into IPv6 is the IPv4 address, so that ours are known in any spelling."""
        self.zone.add("mx.x.test", "AAAA", "::ffff:7f00:1")
        self.assertEqual((await self.ask("mx.x.test", "AAAA")).records, ("127.0.0.1",))

    async def test_tcp_in_trouble(self) -> None:
        """A name server whose TCP side hangs up is as good as none."""
        self.zone.mx("x.test", "10 mx.x.test")
        self.zone.by_tcp_only.add("x.test")
        self.zone.silent_by_tcp.add("x.test")
        self.assertIsInstance((await self.ask("x.test", "MX")).refusal, DnsFailure)

    def test_servers_of_the_system(self) -> None:
        """Without servers of our own those of the system are asked, whichever they are by then."""
        self.assertIsInstance(system_servers(), list)


class ReadTests(SynchronousTestCase):
    query = dns.message.make_query("x.test.", "MX")

    def test_forged(self) -> None:
        """Replies with another id, to another question, or that are none, are passed over."""
        good = dns.message.make_response(self.query)
        self.assertIsNotNone(_read(self.query, good.to_wire()))
        other = dns.message.make_response(dns.message.make_query("y.test.", "MX", id=self.query.id))
        wrong_id = dns.message.make_response(dns.message.make_query("x.test.", "MX", id=self.query.id ^ 1))
        for octets in (other.to_wire(), wrong_id.to_wire(), self.query.to_wire(), b"", b"x" * 600):
            self.assertIsNone(_read(self.query, octets))

    @settings(deadline=None, max_examples=300)
    @given(st.integers(0, 80), st.binary(max_size=8))
    def test_damaged(self, at: int, octets: bytes) -> None:
        """Damaged replies never raise."""
        good = dns.message.make_response(self.query).to_wire()
        _read(self.query, good[:at] + octets + good[at + len(octets) :])
        _read(self.query, good + octets)


class CacheTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[str, str]] = []
        self.waits: Deferred[None] | None = None
        self.dns = CachedDns(lookup=self.look_up, now=self.clock.seconds, most_entries=3)

    async def look_up(self, name: str, kind: str) -> Answer:
        self.asked.append((name, kind))
        if self.waits is not None:
            await self.waits
        return self.answers.get((name, kind), Answer((), 60.0))

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))

    def exchanges(self, domain: str = "x.test") -> Any:
        return self.wait(self.dns.exchanges(domain))

    def know(self, seconds: float) -> None:
        self.answers["x.test", "MX"] = Answer((Exchange(1, "mx"),), seconds)

    def test_time_to_live(self) -> None:
        """An answer holds as long as its records say."""
        self.know(300.0)
        for wait, times in ((0, 1), (299, 1), (1, 2)):
            self.clock.advance(wait)
            self.assertEqual(self.exchanges(), (Exchange(1, "mx"),))
            self.assertEqual(len(self.asked), times)

    def test_bounds(self) -> None:
        """Five seconds at least, a day at most."""
        for said, held in ((0.0001, 5.0), (10 * LONGEST, LONGEST)):
            self.know(said)
            self.clock.advance(LONGEST)
            self.exchanges()
            self.clock.advance(held - 0.5)
            self.asked.clear()
            self.exchanges()
            self.assertEqual(self.asked, [])
            self.clock.advance(0.5)
            self.exchanges("X.TEST")
            self.assertEqual(len(self.asked), 1)

    def test_number(self) -> None:
        """The cache is bounded; what was used last stays."""
        for domain in ("a", "b", "c", "a", "d"):
            self.exchanges(domain)
        self.asked.clear()
        for domain in ("a", "c", "d"):
            self.exchanges(domain)
        self.assertEqual(self.asked, [])
        self.exchanges("b")
        self.assertEqual(self.asked, [("b", "MX")])

    def test_failures(self) -> None:
        """A failure is remembered for half a minute, so that nobody asks a dead server for each of a thousand messages."""
        self.answers["x.test", "MX"] = Answer(refusal=DnsFailure("broken"))
        for _ in range(3):
            self.failureResultOf(ensureDeferred(self.dns.exchanges("x.test")), DnsFailure)
        self.assertEqual(len(self.asked), 1)
        self.clock.advance(30)
        self.know(300)
        self.exchanges()

    def test_asked_once(self) -> None:
        """Many who ask at the same time cause one question."""
        self.know(300)
        self.waits = Deferred()
        asking = [ensureDeferred(self.dns.exchanges("x.test")) for _ in range(5)]
        self.waits.callback(None)
        for each in asking:
            self.assertEqual(self.successResultOf(each), (Exchange(1, "mx"),))
        self.assertEqual(len(self.asked), 1)

    def test_our_own_trouble(self) -> None:
        """When asking breaks down, everybody who waits hears of a failure, and the next one asks again."""
        self.waits = Deferred()
        asking = [ensureDeferred(self.dns.exchanges("x.test")) for _ in range(2)]
        self.waits.errback(ZeroDivisionError())
        for each in asking:
            self.failureResultOf(each, DnsFailure)
        self.waits = None
        self.know(300)
        self.exchanges()

    def addresses(self, six: Answer, four: Answer) -> Any:
        self.answers["mx", "AAAA"], self.answers["mx", "A"] = six, four
        return ensureDeferred(CachedDns(lookup=self.look_up, now=self.clock.seconds).addresses("mx"))

    def test_both_kinds(self) -> None:
        """IPv6 and IPv4; one that fails does not matter if there is the other."""
        six, four, none = Answer(("2001:db8::1",)), Answer(("192.0.2.1",)), Answer()
        failed = Answer(refusal=DnsFailure("broken"))
        for one, two, found in (
            (six, four, ["2001:db8::1", "192.0.2.1"]),
            (failed, four, ["192.0.2.1"]),
            (six, none, ["2001:db8::1"]),
            (none, none, []),
        ):
            self.assertEqual(self.successResultOf(self.addresses(one, two)), found)

    def test_failing_addresses(self) -> None:
        """No address for now is not the same as no address."""
        none, failed = Answer(), Answer(refusal=DnsFailure("broken"))
        missing = Answer(refusal=NoSuchDomain())
        for one, two, kind in (
            (none, failed, DnsFailure),
            (missing, failed, DnsFailure),
            (missing, missing, NoSuchDomain),
        ):
            self.failureResultOf(self.addresses(one, two), kind)
