"""Mail to the hosts that the DNS names, over real sockets: a local zone, and other people's servers of every kind (C9)."""

from __future__ import annotations

import socket
import ssl
from email import message_from_bytes
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from hostmail.config.schema import Dns, Settings
from hostmail.interfaces.queue import Queued
from hostmail.relay.dispatch import Dispatch
from hostmail.relay.making import is_local, make_dispatch, make_dns, ours
from hostmail.relay.places import PER_HOST
from tests.relay.certificate import write_certificate
from tests.relay.facts import ABOVE, FakeWays, senders_facts
from tests.support.remote import Remote
from tests.support.zone import Zone

BODY = b"From: ann@example.com\r\nSubject: hi\r\n\r\nHello.\r\n.dot\r\n"


class DirectCase(TestCase):
    """Domains x.test and y.test, whose hosts listen at 127.0.0.2 and so on, all at one port."""

    timeout = 30
    more: dict[str, Any] = {}

    def setUp(self) -> None:
        self.zone = Zone()
        self.zone.open()
        self.addCleanup(self.zone.close)
        self.first, self.second = self.remote("127.0.0.2"), Remote("127.0.0.3")
        self.second.port = self.first.port
        self.second.open()
        self.addCleanup(self.second.close)
        for number, name in enumerate(("first", "second", "third"), 2):
            self.zone.add(f"{name}.x.test", "A", f"127.0.0.{number}")
        self.zone.mx("x.test", "10 first.x.test", "20 second.x.test")
        self.path = Path(self.mktemp())
        self.path.write_bytes(BODY)
        self.next_id = 0
        self.sender = self.make()

    def remote(self, ip: str) -> Remote:
        remote = Remote(ip)
        remote.open()
        self.addCleanup(remote.close)
        return remote

    def make(self, ways_out: FakeWays | None = None, **changes: Any) -> Dispatch:
        host, port = self.zone.server
        facts: dict[str, Any] = {
            "hostname": "mail.example.com",
            "mx_port": self.first.port,
            "private_addresses": "allow",
            "dns": Dns(servers=(f"{host}:{port}",), timeout=2),  # type: ignore[arg-type]
            **changes,
        }
        settings = Settings(**facts)
        dns = make_dns(settings.dns, reactor)
        ways = (ways_out or FakeWays()).ways
        sender = make_dispatch(
            settings, reactor=reactor, in_thread=deferToThread, dns=dns, random=Random(1), **senders_facts(ways)
        )
        self.addCleanup(self.end, sender)
        return sender

    async def end(self, sender: Dispatch) -> None:
        """Close its connections, and wait until they are."""
        sender.close()
        sender.abort()
        while not all(each.unused for each in sender._destinations.values()):
            await deferLater(reactor, 0.0)

    async def forget_connections(self) -> None:
        await self.end(self.sender)
        self.sender = self.make()

    def row(self, recipient: str, **more: Any) -> Queued:
        self.next_id += 1
        facts: dict[str, Any] = {
            "sender": "ann@example.com",
            "size": self.path.stat().st_size,
            "account_id": 1,
            **more,
        }
        return Queued(
            id=self.next_id,
            queue_id="q",
            recipient=recipient,
            path=str(self.path),
            created=0.0,
            next_attempt=0.0,
            **facts,
        )

    async def send(self, *recipients: str, **more: Any) -> list[str]:
        """Each recipient's result: its refusal, or +."""
        rows = [self.row(recipient, **more) for recipient in recipients or ("bob@x.test",)]
        results = await self.sender.send(rows)
        return [f"{each.refusal.code} {each.refusal.smtp_line()}" if each.refusal else "+" for each in results]


class HostTests(DirectCase):
    async def test_above(self) -> None:
        """What goes above the copies under a reverse-path goes with them, and is counted."""
        await self.send("bob@x.test", sender="team-bounces+1=x@example.com")
        [taken] = self.first.taken
        self.assertEqual(taken.octets, ABOVE + BODY)
        self.assertEqual(taken.mail, f"MAIL FROM:<team-bounces+1=x@example.com> SIZE={len(ABOVE + BODY)}")

    async def test_best_host(self) -> None:
        """The best host gets the message, whole, with our name and the envelope."""
        self.assertEqual(await self.send("bob@x.test", "eve@X.test"), ["+", "+"])
        [taken] = self.first.taken
        self.assertEqual(taken.octets, BODY)
        self.assertEqual(taken.mail, f"MAIL FROM:<ann@example.com> SIZE={len(BODY)}")
        self.assertEqual(taken.recipients, ["RCPT TO:<bob@x.test>", "RCPT TO:<eve@X.test>"])
        self.assertEqual(self.first.heard[0], "EHLO mail.example.com")
        self.assertEqual(self.second.connections, 0)

    async def test_next_host(self) -> None:
        """A host that refuses connections, greets with a failure, hangs up or talks nonsense: the next one gets the mail."""
        for greeting in ("421 busy", "554 no mail here", "hang up", "not smtp", "220-" + "x" * 70_000):
            self.first.answers["GREETING"] = greeting
            self.assertEqual(await self.send(), ["+"], greeting)
            await self.forget_connections()
        self.first.close()
        self.assertEqual(await self.send(), ["+"])
        self.assertEqual((len(self.first.taken), len(self.second.taken)), (0, 6))

    async def test_nobody_there(self) -> None:
        """No host can be reached: the mail waits, with the first host's trouble, and other mail there need not be tried."""
        self.first.close()
        self.second.close()
        results = await self.sender.send([self.row("bob@x.test")])
        self.assertEqual([str(each.refusal) for each in results], ["first.x.test refuses connections"])
        self.assertTrue(all(each.unreachable for each in results))

    async def test_no_mx(self) -> None:
        """A domain without MX gets its mail at its own address, an alias at that of its target, and a literal says it itself."""
        self.zone.add("plain.test", "A", "127.0.0.2")
        self.zone.add("alias.test", "CNAME", "plain.test.")
        self.assertEqual(await self.send("bob@plain.test"), ["+"])
        self.assertEqual(await self.send("bob@alias.test"), ["+"])
        self.assertEqual(await self.send("bob@[127.0.0.2]"), ["+"])
        self.assertEqual(len(self.first.taken), 3)

    async def test_no_way(self) -> None:
        """Domains that take no mail are told at once, troubles of the DNS wait."""
        self.zone.add("none.test", "MX", "0 .")
        self.zone.add("nothing.test", "TXT", "hello")
        self.zone.mx("lost.test", "10 nowhere.test")
        self.zone.broken.add("broken.test")
        for domain, words in (
            ("none.test", "556 5.1.10 none.test does not accept mail"),
            ("missing.test", "550 5.1.2 the domain missing.test does not exist"),
            ("nothing.test", "550 5.4.4 nothing.test has no mail exchanger and no address"),
            ("lost.test", "550 5.4.4 no mail exchanger of lost.test has an address"),
            ("broken.test", "451 4.4.3 the DNS has no answer about broken.test at present"),
        ):
            self.assertEqual(await self.send(f"bob@{domain}"), [words])

    async def test_loop(self) -> None:
        """Mail that the DNS sends to ourselves, by name or by address, is not sent round in circles."""
        self.zone.mx("loop.test", "10 mail.example.com", "20 second.x.test")
        self.zone.add("mail.example.com", "A", "127.0.0.9")
        words = "554 5.4.6 mail for loop.test would come back to this server, which does not know that domain"
        self.assertEqual(await self.send("bob@loop.test"), [words])

    async def test_loop_by_name(self) -> None:
        """A host that calls itself by our name is ourselves behind another address: the mail comes back."""
        self.first.answers["EHLO"] = "250-Mail.example.com\r\n250 HELP"
        self.assertEqual(await self.send(), ["554 5.4.6 first.x.test is this server, which does not know that domain"])
        self.assertEqual(self.second.connections, 0)

    async def test_no_names_of_hosts(self) -> None:
        """An MX record with a name that no host can have keeps no mail from the others."""
        odd = r"\000" * 20 + ".test"
        self.zone.mx("x.test", f"5 {odd}", "20 second.x.test")
        self.zone.add(odd, "A", "127.0.0.2")
        self.assertEqual(await self.send(), ["+"])

    async def test_private_addresses(self) -> None:
        """Loopback addresses from the DNS are not connected to, unless that is allowed."""
        self.sender = self.make(private_addresses="refuse")
        words = "451 4.4.4 first.x.test, second.x.test: no address that this server may connect to"
        self.assertEqual(await self.send(), [words])
        self.assertIn("451 4.4.4", (await self.send("bob@[127.0.0.2]"))[0])
        self.assertEqual(self.first.connections + self.second.connections, 0)

    async def test_source_address(self) -> None:
        """Mail leaves from the address that is set."""
        self.sender = self.make(source_addresses=("127.0.0.77",))
        self.assertEqual(await self.send(), ["+"])
        self.assertEqual(self.first.clients, ["127.0.0.77"])


class ProviderTests(DirectCase):
    async def test_many_domains(self) -> None:
        """Fifteen domains whose mail one host has: it sees ten connections at a time, and gets all messages in the end."""
        self.sender._places._clock = Clock()
        self.first.answers["EHLO"] = ""
        domains = [f"d{number}.test" for number in range(15)]
        for domain in domains:
            self.zone.mx(domain, "10 first.x.test")
        sending = [ensureDeferred(self.sender.send([self.row(f"bob@{domain}")])) for domain in domains]
        while self.waiting < 5 or len(self.first.heard) < PER_HOST:
            await deferLater(reactor, 0.0)
        self.assertEqual(self.first.connections, PER_HOST)
        self.first.answers.clear()
        for connection in list(self.first._open):
            connection.sendall(b"250 remote\r\n")
        results = [await each for each in sending]
        self.assertEqual([one.refusal for [one] in results], [None] * 15)
        self.assertEqual(len(self.first.taken), 15)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(len(line.waiting) for line in self.sender._places._lines.values())


class TalkTests(DirectCase):
    async def test_reuse(self) -> None:
        """Several messages to one domain take one connection, also when it was closed meanwhile."""
        for _ in range(3):
            self.assertEqual(await self.send(), ["+"])
        self.assertEqual((self.first.connections, len(self.first.taken)), (1, 3))
        self.first.close()
        self.first.open()
        self.assertEqual(await self.send(), ["+"])
        self.assertEqual((self.first.connections, len(self.first.taken)), (2, 4))

    async def test_per_recipient(self) -> None:
        """Each recipient has his own result; who is refused for now is tried at one more host, who is refused for good is not."""
        self.first.answers |= {"RCPT later@x.test": "450 4.2.0 greylisted", "RCPT never@x.test": "550 5.1.1 unknown"}
        self.second.answers["RCPT later@x.test"] = "450 4.2.0 greylisted here, too"
        results = await self.send("bob@x.test", "later@x.test", "never@x.test")
        self.assertEqual(
            results,
            [
                "+",
                "450 4.2.0 first.x.test said: 450 4.2.0 greylisted",
                "550 5.1.1 first.x.test said: 550 5.1.1 unknown",
            ],
        )
        self.assertEqual((len(self.first.taken), self.second.connections), (1, 0))

    async def test_all_refused_for_now(self) -> None:
        """A host that takes nobody just now is passed over for the next one, and for that one only."""
        self.zone.mx("x.test", "10 first.x.test", "20 second.x.test", "30 third.x.test")
        third = Remote("127.0.0.4", self.first.port)
        third.open()
        self.addCleanup(third.close)
        self.first.answers["MAIL"] = "452 4.3.1 full"
        self.assertEqual(await self.send(), ["+"])
        self.second.answers["RCPT"] = "450 4.2.0 greylisted"
        self.assertEqual(await self.send("eve@x.test"), ["450 4.2.0 second.x.test said: 450 4.2.0 greylisted"])
        self.assertEqual((len(self.second.taken), third.connections), (1, 0))

    async def test_dropped_in_the_message(self) -> None:
        """A connection that ends in the middle of a message leaves it for later, and no other host gets it in the same go."""
        self.path.write_bytes(BODY + b"x" * 70 + b"\r\n" * 100_000)
        self.first.drops_after = 50_000
        [result] = await self.send()
        self.assertTrue(result.startswith("451 4.4.2 first.x.test"), result)
        self.assertEqual(self.second.connections, 0)

    async def test_without_extensions(self) -> None:
        """A server that knows nothing but the beginnings gets 8-bit text as quoted-printable, command after command."""
        self.first.features = ()
        self.path.write_bytes("Subject: hi\r\n\r\nGr\u00fc\u00dfe\r\n.\r\n".encode())
        self.assertEqual(await self.send(body="8BITMIME", notify="SUCCESS", ret="FULL"), ["+"])
        [taken] = self.first.taken
        self.assertEqual((taken.mail, taken.recipients), ("MAIL FROM:<ann@example.com>", ["RCPT TO:<bob@x.test>"]))
        self.assertTrue(taken.octets.isascii())
        message = message_from_bytes(taken.octets)
        self.assertEqual(message.get_payload(decode=True), "Gr\u00fc\u00dfe\r\n.\r\n".encode())

    async def test_hostile_replies(self) -> None:
        """Endless lines, endless replies, two codes in one, unasked replies: the connection is cut, the mail goes to the next host."""
        for features in (
            "250-" + "x" * 100_000,
            "\r\n".join(["250-x"] * 1000),
            "250-a\r\n550 b",
            "250 ok\r\n250 forged\r\n250 forged",
            "\0\0\0",
        ):
            self.first.answers["EHLO"] = features
            self.assertEqual(await self.send(), ["+"], features[:20])
            await self.forget_connections()
        self.assertEqual((len(self.first.taken), len(self.second.taken)), (0, 5))


class TlsTests(DirectCase):
    def setUp(self) -> None:
        super().setUp()
        directory = Path(self.mktemp())
        directory.mkdir()
        key, certificate = write_certificate(directory, "first.x.test")
        self.first.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.first.tls.load_cert_chain(certificate, key)

    async def test_opportunistic(self) -> None:
        """TLS is used where it is offered, whatever the certificate (RFC 7435)."""
        self.assertEqual(await self.send(), ["+"])
        self.assertTrue(self.first.taken[0].secure)

    async def test_failed_handshake(self) -> None:
        """A handshake that fails costs the connection, not the mail: it goes in clear by a new one to the same host."""
        self.first.breaks_tls = True
        self.assertEqual(await self.send(), ["+"])
        self.assertFalse(self.first.taken[0].secure)
        self.assertEqual((self.first.connections, self.second.connections), (2, 0))

    async def test_refused(self) -> None:
        """STARTTLS that is offered and then refused: the mail goes in clear."""
        self.first.answers["STARTTLS"] = "454 4.7.0 not now"
        self.first.tls = None
        self.first.features += ("STARTTLS",)
        self.assertEqual(await self.send(), ["+"])
        self.assertEqual(self.first.connections, 1)

    async def test_forged_replies(self) -> None:
        """Replies that somebody put behind 220 in clear are not believed inside TLS (TWISTED.md C4): the mail goes in clear, anew."""
        self.first.answers["STARTTLS"] = "220 go\r\n250 forged"
        self.first.breaks_tls = True
        self.assertEqual(await self.send(), ["+"])
        self.assertEqual(self.first.connections, 2)


class OurselvesTests(TestCase):
    def test_local_addresses(self) -> None:
        """This machine's addresses are known without a list of them."""
        self.assertTrue(is_local("127.0.0.1"))
        self.assertFalse(is_local("192.0.2.1"))
        self.assertFalse(is_local("2001:db8::1"))
        self.assertEqual(is_local("::1"), socket.has_ipv6 and is_local("::1"))
        self.assertTrue(is_local("0.0.0.0"))
        self.assertTrue(is_local("::"))

    def test_ports(self) -> None:
        """Mail to this machine comes back only if we listen at that port; a port of systemd's may be any."""
        self.assertTrue(ours(25, ["tcp:25"])("127.0.0.1"))
        self.assertTrue(ours(25, ["systemd:domain=INET:index=0"])("127.0.0.1"))
        self.assertFalse(ours(25, ["tcp:2525"])("127.0.0.1"))
