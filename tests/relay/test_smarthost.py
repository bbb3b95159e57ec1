"""The smarthost: its setting, its TLS, and one real conversation over loopback."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError, TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.relay.content import BLOCK, FileContent
from hostmail.relay.contracts import Exchange
from hostmail.relay.conversation import Manners
from hostmail.relay.dispatch import Dispatch
from hostmail.relay.making import make_dispatch
from hostmail.relay.smarthost import SmarthostSettings, parse_smarthost
from hostmail.relay.tls import Unverified, client_tls
from hostmail.relay.ways import Names, smarthost_way
from tests.relay.certificate import write_certificate
from tests.relay.facts import senders_facts
from tests.relay.talk import FakeEndpoint, at_once


class SettingTests(SynchronousTestCase):
    def test_host_and_port(self) -> None:
        """A host, a port, an IPv6 address."""
        for text, host, port in (
            ("mx.example", "mx.example", 25),
            ("MX.example:2525", "mx.example", 2525),
            ("[2001:db8::1]:26", "2001:db8::1", 26),
            ("192.0.2.1", "192.0.2.1", 25),
            ("smtp://mx.example/", "mx.example", 25),
        ):
            self.assertEqual(parse_smarthost(text), SmarthostSettings(host, port))
        for text in ("mx.example:25", "[2001:db8::1]:26"):
            self.assertEqual(parse_smarthost(text).name, text)

    def test_login(self) -> None:
        """A login makes verified TLS the rule, unless the host is here or the operator says otherwise."""
        settings = parse_smarthost("smtp://us%40x:p%3Ass@mx.example:587")
        expected = SmarthostSettings("mx.example", 587, "verified", user="us@x", password="p:ss")
        self.assertEqual(settings, expected)
        self.assertEqual(parse_smarthost("smtp://u:p@localhost").tls, "opportunistic")
        self.assertEqual(parse_smarthost("smtp://u:p@mx.example?tls=never").tls, "never")

    def test_smtps(self) -> None:
        """smtps:// speaks TLS from the first octet, on 465."""
        settings = parse_smarthost("smtps://mx.example")
        self.assertEqual(settings, SmarthostSettings("mx.example", 465, "verified", implicit_tls=True))

    def test_nonsense(self) -> None:
        """What cannot be meant is refused, with what would be right."""
        for text in (
            "",
            "http://x",
            "mx.example:0",
            "mx.example:70000",
            "mx example",
            "smtp://u@mx.example",
            "smtp://mx.example/path",
            "smtp://mx.example?tls=perhaps",
            "smtp://mx.example?x=y",
            "smtps://mx.example?tls=never",
            "smtp://[zz",
        ):
            error = self.assertRaises(ConfigurationError, parse_smarthost, text)
            self.assertIn("smarthost: ", str(error))


class WayTests(SynchronousTestCase):
    def manners(self, settings: SmarthostSettings) -> Manners:
        return smarthost_way(settings, (), Names("mail.example.com"), lambda *_: FakeEndpoint()).manners

    def test_unknown_tls_word(self) -> None:
        """A TLS policy that nobody knows is the strictest one."""
        manners = self.manners(SmarthostSettings("mx.example", tls="sometimes"))
        self.assertEqual(manners.tls, "must")
        self.assertNotIsInstance(manners.tls_options, Unverified)

    def test_policies(self) -> None:
        """Only "verified" asks for a good certificate; "required" takes any, "opportunistic" clear text as well."""
        for word, tls in (("never", "never"), ("opportunistic", "may"), ("required", "must")):
            manners = self.manners(SmarthostSettings("mx.example", tls=word))
            self.assertEqual(manners.tls, tls)
            self.assertIsInstance(manners.tls_options, Unverified)

    def test_server_name(self) -> None:
        """TLS asks for the host by name (SNI), for an IP address without."""
        for host, name in (
            ("mx.example", b"mx.example"),
            ("192.0.2.1", None),
            ("[192.0.2.1]", None),
            ("[IPv6:::1]", None),
        ):
            connection = client_tls(host, verified=False).clientConnectionForTLS(None)
            self.assertIsInstance(connection, SSL.Connection)
            self.assertEqual(connection.get_servername(), name)


class ContentTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.content = FileContent(str(self.path), 0, at_once)

    def wait(self, coroutine: Any) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))

    def blocks(self) -> list[bytes]:
        read = self.wait(self.content.open())
        found = []
        while block := self.wait(read()):
            found.append(block)
        return found

    def test_blocks(self) -> None:
        """Every size comes out whole, empty ones and exact blocks too, and as often as asked for."""
        for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK):
            self.path.write_bytes(b"x" * size)
            for _ in range(2):
                self.assertEqual(b"".join(self.blocks()), b"x" * size)
        self.wait(self.content.close())
        self.wait(self.content.close())

    def test_missing(self) -> None:
        """A file that cannot be read is a failure for now."""
        self.failureResultOf(ensureDeferred(self.content.open()), TemporaryFailure)
        self.failureResultOf(ensureDeferred(self.content.is_ascii(True)), TemporaryFailure)

    def test_ascii(self) -> None:
        """Header and whole message are told apart."""
        for message, header, whole in (
            (b"A: b\r\n\r\nc", True, True),
            (b"A: b\r\n\r\n\xe4", True, False),
            (b"A: \xe4\r\n\r\nc", False, False),
            (b"A: b\r\n", True, True),
        ):
            self.path.write_bytes(message)
            self.assertEqual(
                (self.wait(self.content.is_ascii(True)), self.wait(self.content.is_ascii(False))), (header, whole)
            )


class NoDns:
    """Nobody asks it: the smarthost is known by its name."""

    async def exchanges(self, domain: str) -> list[Exchange]:
        raise AssertionError(domain)

    async def addresses(self, host: str) -> list[str]:
        raise AssertionError(host)


class PlainServer(Protocol):
    """Just enough of a mail server, with STARTTLS; keeps what it is sent."""

    tls: Any = None
    ended: Deferred[None]

    def connectionMade(self) -> None:
        self.buffer, self.data, self.commands = b"", b"", []
        self.in_data, self.secure = False, False
        self.factory.last = self  # type: ignore[union-attr]
        self.ended = Deferred()
        self.transport.write(b"220 mx.example\r\n")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        while not self.in_data and b"\r\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            self.commands.append(line.split()[0].decode())
            self.answer(line)
        if self.in_data and self.buffer.endswith(b"\r\n.\r\n"):
            self.data, self.buffer, self.in_data = self.buffer[:-3], b"", False
            self.transport.write(b"250 2.0.0 taken\r\n")  # type: ignore[union-attr]

    def answer(self, line: bytes) -> None:
        transport: Any = self.transport
        verb = line.split()[0].upper()
        if verb == b"EHLO":
            offer = b"" if self.secure else b"250-STARTTLS\r\n"
            transport.write(b"250-mx.example\r\n" + offer + b"250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"STARTTLS":
            self.secure = True
            transport.write(b"220 go\r\n")
            transport.startTLS(self.tls)
        elif verb == b"DATA":
            self.in_data = True
            transport.write(b"354 go\r\n")
        elif verb == b"QUIT":
            transport.write(b"221 bye\r\n")
            transport.loseConnection()
        else:
            transport.write(b"250 ok\r\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(None)


class LoopbackTests(TestCase):
    """A real connection, real TLS, real threads."""

    timeout = 30

    def setUp(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        key, certificate = write_certificate(directory, "localhost")
        factory = Factory.forProtocol(PlainServer)
        factory.noisy = False  # type: ignore[attr-defined]
        PlainServer.tls = DefaultOpenSSLContextFactory(key, certificate)
        self.factory = factory
        self.port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(self.port.stopListening)
        self.message = b".first\r\n" + (b"x" * 62 + b"\r\n") * 20_000 + b".\r\n..\r\n"
        path = directory / "message"
        path.write_bytes(self.message)
        size = len(self.message)
        self.row = Queued(1, "q", "ann@example.com", "bob@mx.example", str(path), size, None, 0.0, 0.0)

    def make(self, tls: str) -> Dispatch:
        settings = Settings(hostname="mail.example.com", smarthost_tls=tls, smarthost=f"localhost:{self.server_port}")
        return make_dispatch(
            settings, reactor=reactor, in_thread=deferToThread, dns=NoDns(), random=Random(1), **senders_facts()
        )

    @property
    def server_port(self) -> int:
        port: int = self.port.getHost().port
        return port

    async def close(self, smarthost: Dispatch) -> None:
        smarthost.close()
        await self.factory.last.ended  # type: ignore[attr-defined]

    async def test_opportunistic_tls(self) -> None:
        """A big message goes through STARTTLS with a certificate nobody knows, whole, twice on one connection (C1, C2)."""
        smarthost = self.make("opportunistic")
        for _ in range(2):
            [sent] = await smarthost.send([self.row])
            self.assertIsNone(sent.refusal)
            self.assertEqual(sent.answer, "localhost said: 250 2.0.0 taken")
            server = self.factory.last  # type: ignore[attr-defined]
            self.assertEqual(server.data.replace(b"\r\n.", b"\r\n").removeprefix(b"."), self.message)
        self.assertTrue(server.secure)
        self.assertEqual(server.commands.count("EHLO"), 2)
        await self.close(smarthost)

    async def test_verified_tls(self) -> None:
        """Where a good certificate is demanded, an unknown one gets no mail."""
        smarthost = self.make("verified")
        [sent] = await smarthost.send([self.row])
        assert sent.refusal is not None
        self.assertEqual((sent.refusal.code, sent.refusal.enhanced), (451, "4.7.5"))
        self.assertNotIn("MAIL", self.factory.last.commands)  # type: ignore[attr-defined]
        await self.close(smarthost)
