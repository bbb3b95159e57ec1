"""Answers leave at the end of the turn in which they were written."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import main, tcp, unix
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.listen.prompt import Outbox, PromptConnection, make_prompt

MUCH = b"x" * (4 << 20)


@implementer(IPushProducer)
class Producer:
    """Notes what the transport wants; may fail."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fails = False

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        if self.fails:
            raise ValueError("no more")

    def stopProducing(self) -> None:
        self.told.append("stop")


class Session(Protocol):
    reason: Failure | None = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class PromptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.outbox = Outbox(self.reactor)
        self.connection, self.peer = self.connect()

    def connect(self) -> tuple[PromptConnection, socket.socket]:
        ours, peer = socket.socketpair()
        peer.setblocking(False)
        self.addCleanup(peer.close)
        self.addCleanup(ours.close)
        session = Session()
        connection = PromptConnection(self.outbox, ours, session, ("", 0), None, 0, self.reactor)
        connection.protocol = session
        return connection, peer

    def turn(self) -> None:
        self.reactor.advance(0)

    def heard(self, peer: socket.socket | None = None) -> bytes:
        found = b""
        try:
            while block := (peer or self.peer).recv(1 << 20):
                found += block
        except BlockingIOError:
            return found
        return found + b"<end>"

    def test_one_piece(self) -> None:
        """What is written in one turn leaves together when it is over, and the reactor is not asked for anything."""
        self.connection.write(b"+OK ")
        self.connection.write(b"done\r\n")
        self.assertEqual(self.heard(), b"")
        self.turn()
        self.assertEqual((self.heard(), self.reactor.getWriters()), (b"+OK done\r\n", []))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_several_connections(self) -> None:
        """All that have written are served by one call."""
        other, peer = self.connect()
        self.connection.write(b"a")
        other.write(b"b")
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.turn()
        self.assertEqual((self.heard(), self.heard(peer)), (b"a", b"b"))

    def test_no_room(self) -> None:
        """What the kernel does not take at once waits for the reactor, and what is written behind it too, in order."""
        self.connection.write(MUCH)
        self.turn()
        self.assertEqual(self.reactor.getWriters(), [self.connection])
        self.connection.write(b"end")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        found = self.heard()
        while self.reactor.getWriters():
            self.assertIsNone(self.connection.doWrite())
            found += self.heard()
        self.assertTrue(found == MUCH + b"end")
        self.connection.write(b"again")
        self.turn()
        self.assertEqual(self.heard(), b"again")

    def test_back_pressure(self) -> None:
        """A producer is paused when much is written, and resumed when the peer has read it."""
        producer = Producer()
        self.connection.registerProducer(producer, True)
        self.connection.write(MUCH)
        self.assertEqual(producer.told, ["pause"])
        self.turn()
        while self.reactor.getWriters():
            self.heard()
            self.connection.doWrite()
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_last_words(self) -> None:
        """A connection that is closed says what it had to say first."""
        self.connection.write(b"221 bye\r\n")
        self.connection.loseConnection()
        self.turn()
        self.assertEqual(self.reactor.getWriters(), [self.connection])
        self.assertIs(self.connection.doWrite(), main.CONNECTION_DONE)
        self.assertEqual(self.heard(), b"221 bye\r\n")

    def test_aborted(self) -> None:
        """Nothing is written to a connection that is dropped."""
        self.connection.write(b"secret")
        self.connection.abortConnection()
        self.turn()
        self.assertEqual((self.heard(), self.reactor.getWriters()), (b"<end>", []))

    def test_peer_gone(self) -> None:
        """A peer that is gone is found out by the reactor, which ends the connection as usual."""
        self.peer.close()
        self.connection.write(b"hello?")
        self.turn()
        self.assertEqual(self.reactor.getWriters(), [self.connection])
        self.connection.connectionLost(Failure(main.CONNECTION_LOST))
        self.assertEqual(self.reactor.getWriters(), [])

    def test_one_fails(self) -> None:
        """A session that fails is dropped, and the others hear their answers."""
        producer = Producer()
        producer.fails = True
        self.connection.registerProducer(producer, True)
        self.connection.write(b"x" * 70_000)
        other, peer = self.connect()
        other.write(b"fine")
        self.turn()
        self.assertEqual(self.heard(peer), b"fine")
        self.turn()
        self.assertTrue(self.connection.disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_unix_sockets(self) -> None:
        """Connections by a UNIX socket have no host to note, and stay as Twisted makes them."""
        port = unix.Port("/nowhere", Factory(), reactor=MemoryReactorClock())
        before = port.transport
        make_prompt(port, self.outbox)
        self.assertEqual(port.transport, before)

    def test_ports(self) -> None:
        """TCP's ports make such connections, and no others are touched."""
        port = tcp.Port(0, Factory.forProtocol(Protocol), reactor=self.reactor)
        make_prompt(port, self.outbox)
        ours, peer = socket.socketpair()
        self.addCleanup(peer.close)
        made: Any = port.transport(ours, Session(), ("127.0.0.1", 1), port, 1, self.reactor)
        self.addCleanup(ours.close)
        self.assertIsInstance(made, PromptConnection)
        other = IPv4Address("TCP", "127.0.0.1", 1)
        make_prompt(other, self.outbox)
        self.assertFalse(hasattr(other, "transport"))
