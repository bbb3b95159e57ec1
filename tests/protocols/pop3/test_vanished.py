"""D10: a client that has vanished without a word does not keep its maildrop from the next one."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from hostmail.protocols.pop3.factory import HostmailPOP3Factory
from hostmail.protocols.pop3.maildrop import LOCK_WAIT_SECONDS
from hostmail.protocols.pop3.settings import Pop3Settings
from hostmail.storage.memory import MemoryStore
from tests.protocols.pop3.conversation import ANN, ONE, Door
from tests.support.sockets import vanish
from tests.support.wire import OpenSessions

LOGIN = b"USER ann@example.test\r\nPASS se cret\r\n"


class Client(Protocol):
    """Waits for words of the server."""

    heard = b""
    wanted = b""
    waiting: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if self.waiting is not None and self.wanted in self.heard:
            waiting, self.waiting = self.waiting, None
            waiting.callback(None)

    def hears(self, wanted: bytes) -> Deferred[None]:
        heard: Deferred[None] = Deferred()
        heard.addTimeout(LOCK_WAIT_SECONDS, reactor)  # type: ignore[arg-type]
        self.wanted, self.waiting = wanted, heard
        self.dataReceived(b"")
        return heard


class VanishedTests(TestCase):
    async def _client(self, port: IListeningPort) -> Client:
        """Logs in."""
        client = Client()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), client)
        return client

    async def test_d10_a_vanished_clients_lock_is_gone_within_seconds(self) -> None:
        """The next login asks the holder's kernel, and is served while it waits; nobody has to wait for an idle timeout."""
        store: Any = MemoryStore(now=reactor.seconds, clock=reactor)  # type: ignore[attr-defined]
        store.put(ANN, ONE)
        sessions = OpenSessions()
        factory = HostmailPOP3Factory(
            portal=Door(store, sessions, reactor),  # type: ignore[arg-type]
            sessions=sessions,
            clock=reactor,
            settings=Pop3Settings(hostname="mail.example.test"),
        )
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        first, second = await self._client(port), await self._client(port)
        first.transport.write(LOGIN)  # type: ignore[union-attr]
        await first.hears(b"+OK 1 messages")
        connection: socket.socket = first.transport.getHandle()  # type: ignore[union-attr]
        vanish(connection)
        second.transport.write(LOGIN)  # type: ignore[union-attr]
        await second.hears(b"+OK 1 messages")
        self.assertNotIn(b"-ERR", second.heard)
        for client in (first, second):
            client.transport.abortConnection()  # type: ignore[union-attr]
