"""The DNS as it is now."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hostmail.config.schema import Dns
from hostmail.relay.contracts import Exchange
from hostmail.relay.dns import Answer
from hostmail.relay.failures import DnsFailure, NoSuchDomain
from hostmail.relay.live import ALTOGETHER, LiveDns
from hostmail.relay.making import make_live_dns
from tests.support.zone import Zone


class LiveTests(TestCase):
    """Over real sockets."""

    timeout = 30

    async def test_every_kind(self) -> None:
        """As a zone file has them, and as they are at this moment: what was asked before is asked again."""
        zone = Zone()
        zone.open()
        self.addCleanup(zone.close)
        host, port = zone.server
        ask = make_live_dns(Dns(servers=(f"{host}:{port}",)), reactor).begin()
        self.assertEqual(await ask("x.test", "MX"), [])
        zone.add("x.test", "MX", "10 MX.x.test.", "0 .")
        zone.add("x.test", "TXT", '"v=spf1 " "mx -all"')
        zone.add("x.test", "AAAA", "2001:DB8:0::1")
        zone.add("_imaps._tcp.x.test", "SRV", "0 1 993 Mail.x.test.")
        self.assertEqual(sorted(await ask("x.test", "MX")), ["0 .", "10 mx.x.test."])
        self.assertEqual(await ask("x.test", "TXT"), ["v=spf1 mx -all"])
        self.assertEqual(await ask("x.test", "AAAA"), ["2001:db8::1"])
        self.assertEqual(await ask("_imaps._tcp.x.test", "SRV"), ["0 1 993 mail.x.test."])
        self.assertEqual(await ask("x.test", "SRV"), [])


class EndTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.waiting: list[Deferred[Answer]] = []

        async def lookup(name: str, kind: str) -> Answer:
            self.waiting.append(Deferred())
            return await self.waiting[-1]

        self.ask = LiveDns(lookup, self.clock).begin()

    def asked(self) -> Deferred[list[str]]:
        return Deferred.fromCoroutine(self.ask("x.test", "MX"))

    def test_answers(self) -> None:
        """What does not exist has no records; what cannot be answered is said."""
        for answer, told in (
            (Answer((Exchange(5, "mx.test"),)), ["5 mx.test."]),
            (Answer(refusal=NoSuchDomain()), []),
        ):
            found = self.asked()
            self.waiting.pop().callback(answer)
            self.assertEqual(self.successResultOf(found), told)
        found = self.asked()
        self.waiting.pop().callback(Answer(refusal=DnsFailure("in trouble")))
        self.failureResultOf(found, DnsFailure)

    def test_a_check_has_an_end(self) -> None:
        """However many questions a zone leads to, and however slow each answer is."""
        found = self.asked()
        self.clock.advance(ALTOGETHER)
        self.failureResultOf(found, DnsFailure)
        self.failureResultOf(self.asked(), DnsFailure)
        self.assertEqual(len(self.waiting), 1)
