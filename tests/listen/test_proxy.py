"""Sessions behind a proxy that tells who the client is."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.listen.proxy import ProxiedConnection, ProxiedFactory

HEADER = b"PROXY TCP4 192.0.2.7 198.51.100.1 4000 143\r\n"


class Transport(StringTransport):
    """Remembers being aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


@implementer(IHandshakeListener)
class Session(Protocol):
    """Greets, and remembers."""

    greeted = ended = secured = False
    received = b""

    def connectionMade(self) -> None:
        self.greeted = True
        assert self.transport is not None
        self.transport.write(b"* OK\r\n")

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def handshakeCompleted(self) -> None:
        self.secured = True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True


class ProxyTests(SynchronousTestCase):
    def connect(self, host: str = "10.0.0.1") -> Session:
        self.clock = Clock()
        factory = ProxiedFactory(Factory.forProtocol(Session), ["10.0.0.0/24"], self.clock)
        factory.doStart()
        self.transport = Transport(peerAddress=IPv4Address("TCP", host, 999) if host else UNIXAddress(b"/x"))
        wrapper = factory.buildProtocol(None)
        assert isinstance(wrapper, ProxiedConnection)
        self.wrapper = wrapper
        session = wrapper.wrappedProtocol
        wrapper.makeConnection(self.transport)
        assert isinstance(session, Session)
        return session

    def test_waits(self) -> None:
        """Nothing is greeted before the header; then the session has the client's address, and what came behind the header."""
        session = self.connect()
        self.wrapper.dataReceived(HEADER[:20])
        self.assertFalse(session.greeted)
        self.assertEqual(self.transport.value(), b"")
        self.wrapper.dataReceived(HEADER[20:] + b"A NOOP\r\n")
        assert session.transport is not None
        self.assertEqual(session.transport.getPeer(), IPv4Address("TCP", "192.0.2.7", 4000))
        self.assertEqual(session.transport.getHost(), IPv4Address("TCP", "198.51.100.1", 143))
        self.assertEqual((session.received, self.transport.value()), (b"A NOOP\r\n", b"* OK\r\n"))
        self.wrapper.dataReceived(b"more")
        self.assertEqual(session.received, b"A NOOP\r\nmore")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_untrusted(self) -> None:
        """A source that is not in the list is cut off unheard: anybody could write a header."""
        for host in ("10.0.1.1", "somewhere"):
            session = self.connect(host)
            self.assertTrue(self.transport.aborted)
            self.wrapper.dataReceived(HEADER)
            self.wrapper.connectionLost(Failure(ConnectionError()))
            self.assertFalse(session.greeted or session.ended)

    def test_mapped(self) -> None:
        """An IPv4 proxy on an IPv6 listener is still that proxy; a UNIX socket's permissions are trust enough."""
        for host in ("::ffff:10.0.0.9", ""):
            session = self.connect(host)
            self.wrapper.dataReceived(HEADER)
            self.assertTrue(session.greeted)

    def test_bad(self) -> None:
        """A connection that begins with something else ends."""
        session = self.connect()
        self.wrapper.dataReceived(b"A LOGIN me you\r\n")
        self.assertTrue(self.transport.aborted)
        self.assertFalse(session.greeted)

    def test_late(self) -> None:
        """A header that does not come within five seconds does not come."""
        self.connect()
        self.clock.advance(5)
        self.assertTrue(self.transport.aborted)

    def test_health_check(self) -> None:
        """The proxy's own connection keeps its own address."""
        session = self.connect()
        self.wrapper.dataReceived(b"PROXY UNKNOWN\r\n")
        assert session.transport is not None
        self.assertEqual(session.transport.getPeer().host, "10.0.0.1")
        self.assertEqual(session.transport.getHost(), self.transport.getHost())

    def test_end(self) -> None:
        """The session hears of the end and of a TLS handshake."""
        session = self.connect()
        self.wrapper.dataReceived(HEADER)
        self.wrapper.handshakeCompleted()
        self.wrapper.connectionLost(Failure(ConnectionError()))
        self.assertTrue(session.secured and session.ended)
