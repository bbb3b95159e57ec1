"""TLS from the first octet, and its end."""

from __future__ import annotations

import os
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.listen.handshake import implicit_tls
from hostmail.listen.pem import Pair
from hostmail.listen.tls import CertificateStore
from tests.listen.certs import folder, place


class Transport(StringTransport):
    """Remembers being aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


@implementer(IHandshakeListener)
class Session(Protocol):
    """Greets at once, like any session."""

    secured = False

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"* OK\r\n")

    def handshakeCompleted(self) -> None:
        self.secured = True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True


class HandshakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        path = place(folder(self) / "c.pem", "mail.test")
        self.clock = Clock()
        store = CertificateStore(Pair(path, path), None, lambda: os.stat(path).st_mtime)
        factory = implicit_tls(Factory.forProtocol(Session), store, self.clock)
        factory.doStart()
        self.transport = Transport()
        self.server: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        self.server.makeConnection(self.transport)

    def shake(self) -> SSL.Connection:
        """Do the client's part."""
        client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        client.set_connect_state()
        for _ in range(6):
            try:
                client.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                self.server.dataReceived(client.bio_read(65536))
            except SSL.WantReadError:
                pass
            self.clock.advance(0)
            if self.transport.value():
                client.bio_write(self.transport.value())
                self.transport.clear()
        return client

    def test_in_time(self) -> None:
        """A client that shakes hands is greeted, and stays."""
        client = self.shake()
        self.assertEqual(client.recv(100), b"* OK\r\n")
        self.assertTrue(self.server.wrappedProtocol.secured)
        self.clock.advance(31)
        self.assertFalse(self.transport.aborted)

    def test_late(self) -> None:
        """A client that never does is cut off after 30 seconds, greeting or not (TWISTED.md 1.5 a)."""
        self.clock.advance(29)
        self.assertFalse(self.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(self.transport.aborted)

    def test_gone(self) -> None:
        """A client that goes leaves no timer."""
        self.server.connectionLost(Failure(ConnectionError()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
