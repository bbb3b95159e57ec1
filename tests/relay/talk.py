"""The far end of a connection to another mail server, written as a conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint, ITCPTransport, ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.interfaces.queue import Queued
from hostmail.relay.client import Destination, Way
from hostmail.relay.content import FileContent
from hostmail.relay.conversation import Manners
from hostmail.relay.failures import Sent
from hostmail.relay.wire import Wire

FULL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN")


async def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """A thread pool that does it here and now."""
    return function(*args)


@implementer(ITCPTransport, ITLSTransport)
class FakeTransport(StringTransport):
    """A transport that remembers TLS and Nagle, and whose end the test decides."""

    tls: Any = None
    nodelay = False
    acknowledged = 0

    def getHandle(self) -> FakeTransport:
        return self

    def setsockopt(self, *option: int) -> None:
        self.acknowledged += 1

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.nodelay = enabled

    def startTLS(self, options: Any) -> None:
        self.tls = options

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Server:
    """One accepted connection, seen from the server."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.transport = FakeTransport()
        self.ended = False
        wire.makeConnection(self.transport)

    def says(self, *lines: str) -> None:
        """Send reply lines in one piece."""
        self.wire.dataReceived("".join(f"{line}\r\n" for line in lines).encode())

    def heard(self) -> str:
        """What the client has sent since the last question."""
        heard: bytes = self.transport.value()
        self.transport.clear()
        return heard.decode("utf-8", "surrogateescape")

    def hangs_up(self) -> None:
        """Close the connection."""
        self.ended = True
        self.wire.connectionLost(Failure(ConnectionDone()))

    @property
    def gone(self) -> bool:
        """True if the client has closed its side."""
        return self.transport.disconnecting or self.transport.disconnected

    def greets(self, *features: str) -> None:
        """Greeting and EHLO."""
        self.says("220 mx.x.example ready")
        assert self.heard() == "EHLO mail.example.com\r\n"
        lines = ["mx.x.example", *features]
        self.says(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")


@implementer(IStreamClientEndpoint)
class FakeEndpoint:
    """Connects to servers that the test plays; `error` instead of a connection."""

    def __init__(self) -> None:
        self.servers: list[Server] = []
        self.error: Exception | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        if self.error is not None:
            failed: Deferred[Any] = Deferred()
            failed.errback(Failure(self.error))
            return failed
        wire = protocolFactory.buildProtocol(None)  # type: ignore[arg-type]
        assert isinstance(wire, Wire)
        self.servers.append(Server(wire))
        done: Deferred[Any] = Deferred()
        done.callback(wire)
        return done


class TalkCase(SynchronousTestCase):
    """A destination, a message in a file, and rows for it."""

    manners = Manners(host="mx.x.example", hostname="mail.example.com", tls_options="options")

    def setUp(self) -> None:
        self.clock = Clock()
        self.endpoint = FakeEndpoint()
        self.path = Path(self.mktemp())
        self.write(b"Subject: hi\r\n\r\nbody\r\n")
        self.behave(self.manners)
        self.next_id = 0
        self.addCleanup(self.end)

    def behave(self, manners: Manners) -> None:
        """From now on the host is talked to like this, by new connections."""
        self.manners = manners
        self.destination = Destination(ways=self.ways, clock=self.clock)

    async def ways(self) -> list[Way]:
        """One host."""
        return [Way(self.endpoint, self.manners)]

    def end(self) -> None:
        """No test leaves a conversation open."""
        self.endpoint.error = OSError("the test is over")
        for server in self.endpoint.servers:
            if not server.ended:
                server.hangs_up()

    def write(self, message: bytes) -> None:
        self.path.write_bytes(message)

    def row(self, recipient: str, **more: Any) -> Queued:
        self.next_id += 1
        facts: dict[str, Any] = {"sender": "ann@example.com", "size": self.path.stat().st_size, **more}
        return Queued(
            id=self.next_id,
            queue_id="q1",
            recipient=recipient,
            path=str(self.path),
            account_id=1,
            created=0.0,
            next_attempt=0.0,
            **facts,
        )

    def send(self, *recipients: str, **more: Any) -> Deferred[list[Sent]]:
        rows = [self.row(recipient, **more) for recipient in recipients or ("bob@x.example",)]
        return ensureDeferred(self._send(rows))

    async def _send(self, rows: list[Queued]) -> list[Sent]:
        content = FileContent(str(self.path), self.path.stat().st_size, at_once)
        try:
            return await self.destination.send(rows, content)
        finally:
            content.forget()

    def results(self, sending: Deferred[list[Sent]] | Awaitable[list[Sent]]) -> list[str]:
        """Each recipient's result: its refusal, or +."""
        assert isinstance(sending, Deferred)
        sent: list[Sent] = self.successResultOf(sending)
        return [f"{each.refusal.code} {each.refusal.smtp_line()}" if each.refusal else "+" for each in sent]

    @property
    def server(self) -> Server:
        """The server of the newest connection."""
        return self.endpoint.servers[-1]

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))
