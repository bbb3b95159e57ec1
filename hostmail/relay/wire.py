"""One connection to another mail server: octets out, replies in, and a limit on every wait."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
    ITLSTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from hostmail.relay.chunks import ReadBlock, bdat
from hostmail.relay.failures import LEAVING, NextHopFailure
from hostmail.relay.replies import BadReply, Reply, ReplyParser
from hostmail.relay.stuffing import DotStuffer

BLOCK_SECONDS = 180.0
FINAL_SECONDS = 600.0
RECENT_SECONDS = 1.0
QUICKACK = getattr(socket, "TCP_QUICKACK", None)
HANDSHAKE_SECONDS = 60.0
GRACE_SECONDS = 5.0


@implementer(IHandshakeListener, IPushProducer)
class Wire(Protocol):
    """Replies are asked for one by one with `reply`; everything that goes wrong raises NextHopFailure there.

    More replies than commands, or any before TLS begins, mean a broken or forged stream (TWISTED.md C4): the connection is cut.
    `lost` is called once when it has ended, whatever the reason.
    """

    def __init__(self, clock: IReactorTime, host: str) -> None:
        self._clock = clock
        self._host = host
        self._parser = ReplyParser()
        self._ready: deque[Reply] = deque()
        self._expected = 1
        self._waiter: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._trouble: NextHopFailure | None = None
        self._paused = False
        self._leaving = False
        self._closing: IDelayedCall | None = None
        self._heard = 0.0
        self._socket: socket.socket | None = None
        self.secure = False
        self.lost: Callable[[], None] = lambda: None

    @property
    def alive(self) -> bool:
        """False once nothing can be sent any more, or nobody knows what the peer's replies belong to."""
        return self._trouble is None and self._closing is None

    @property
    def idle(self) -> bool:
        """True if every command has had its reply, none came unasked, and the peer has not said that it is leaving (421)."""
        return (
            self.alive and not self._leaving and not self._expected and not self._ready and not self._parser.unfinished
        )

    @property
    def recent(self) -> bool:
        """True if the peer has said something just now: it is there, and will be for a moment."""
        return self._clock.seconds() - self._heard <= RECENT_SECONDS

    def connectionMade(self) -> None:
        """Commands are small and waited for: no Nagle."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            # Below TLS, if that is on already; once it begins here, the socket cannot be asked for any more.
            self._socket = cast(Any, getattr(self.transport, "transport", self.transport)).getHandle()

    def dataReceived(self, data: bytes) -> None:
        """Collect replies; a peer that says too much or the wrong thing is cut off."""
        if not self.alive:
            return
        self._heard = self._clock.seconds()
        try:
            replies = self._parser.feed(data)
        except BadReply as error:
            self._fail(NextHopFailure(f"{self._host} does not speak SMTP as it should ({error})", enhanced="4.5.0"))
            return
        for reply in replies:
            self._leaving = self._leaving or reply.code == LEAVING
            if not self._expected and reply.code != LEAVING:
                self._fail(NextHopFailure(f"{self._host} sent a reply that nobody asked for", enhanced="4.5.0"))
                return
            self._expected = max(self._expected - 1, 0)
            self._ready.append(reply)
        if self._expected:
            self._acknowledge()
        if self._ready:
            self._go_on()

    def _acknowledge(self) -> None:
        """Some replies are there, others are not: a peer that sends small pieces one after the other (Nagle) waits until it hears of these.

        The kernel would tell it with our next command, or after 40 ms.
        """
        if QUICKACK is not None and self._socket is not None:
            # Closed already, where TLS gives its last octets when the connection has ended.
            with suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def command(self, *lines: str, octets: bytes = b"") -> None:
        """Send commands in one piece, with the octets that the last one announces; each will be answered (RFC 2920)."""
        self._expected += len(lines)
        self._write("".join(f"{line}\r\n" for line in lines).encode() + octets)

    def _write(self, data: bytes) -> None:
        if self.alive and self.transport is not None:
            self.transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """The next reply; raises NextHopFailure if none comes in time or ever. A reply that came before the end still counts."""
        while not self._ready:
            await self._wait(seconds)
        return self._ready.popleft()

    async def send_message(self, read: ReadBlock) -> None:
        """Send a message and its final dot.

        Returns early when the peer is gone: its last reply, or its loss, is for `reply` to tell. If reading fails, the connection is cut
        before the final dot, so that nobody takes half a message for a whole one.
        """
        self._expected += 1
        stuffer = DotStuffer()
        with self._streaming():
            while self.alive and (block := await read()):
                self._write(stuffer.feed(block))
                while self._paused and self.alive:
                    await self._wait(BLOCK_SECONDS)
            self._write(stuffer.finish())

    async def send_chunks(self, chunks: AsyncIterator[tuple[bytes, bool]], pipelining: bool) -> Reply:
        """Send a message in chunks; the reply to the last one, or to the first that was not taken (RFC 3030).

        Without `pipelining` each chunk waits until the one before is answered. If reading fails, the connection is cut before the last one.
        """
        unanswered = 0
        with self._streaming():
            async for chunk, last in chunks:
                self.command(bdat(chunk, last), octets=chunk)
                unanswered += 1
                while self._paused and self.alive and not self._ready:
                    await self._wait(BLOCK_SECONDS)
                while unanswered and (last or not pipelining or self._ready or not self.alive):
                    reply = await self.reply(FINAL_SECONDS if last else BLOCK_SECONDS)
                    unanswered -= 1
                    if not reply.good:
                        await self._ignore(unanswered)
                        return reply
        return reply

    async def _ignore(self, unanswered: int) -> None:
        """What else is said to chunks of a message that was not taken is not news."""
        with suppress(NextHopFailure):
            for _ in range(unanswered):
                await self.reply(BLOCK_SECONDS)

    @contextmanager
    def _streaming(self) -> Iterator[None]:
        """A message is sent at the peer's pace; one that cannot be read to its end ends the connection."""
        consumer = cast(IConsumer, self.transport)
        consumer.registerProducer(self, True)
        try:
            yield
        except NextHopFailure:
            raise
        except Exception:
            self._fail(NextHopFailure("the message could not be read", enhanced="4.3.0"))
            raise
        finally:
            self._paused = False
            consumer.unregisterProducer()

    async def start_tls(self, options: Any) -> None:
        """Change to TLS after 220. What the peer sent in clear beyond that is never taken for a reply (TWISTED.md C4)."""
        if not self.idle:
            self._fail(NextHopFailure(f"{self._host} sent data in clear after STARTTLS", enhanced="4.7.0"))
        if self._trouble is not None:
            raise self._trouble
        cast(ITLSTransport, self.transport).startTLS(options)
        while not self.secure:
            await self._wait(HANDSHAKE_SECONDS)

    def handshakeCompleted(self) -> None:
        """TLS is on."""
        self.secure = True
        self._go_on()

    def close(self, politely: bool = True) -> None:
        """End the connection; the caller needs it no more. It is cut if the peer does not end it, too."""
        if self.transport is None or not self.alive:
            return
        if politely:
            self._write(b"QUIT\r\n")
        self._closing = self._clock.callLater(GRACE_SECONDS, self._abort)
        self.transport.loseConnection()

    def abort(self, trouble: NextHopFailure) -> None:
        """End the connection now; whoever waits for a reply gets `trouble`."""
        self._fail(trouble)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Whoever waits learns that nothing will come."""
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        how = "closed the connection" if reason.check(ConnectionDone) else "lost the connection"
        self._trouble = self._trouble or NextHopFailure(f"{self._host} {how}", repr(reason.value), enhanced="4.4.2")
        self._go_on()
        self.lost()

    def pauseProducing(self) -> None:
        """The peer reads slowly."""
        self._paused = True

    def resumeProducing(self) -> None:
        """There is room again."""
        self._paused = False
        self._go_on()

    def stopProducing(self) -> None:
        """The connection is gone; `connectionLost` says the rest."""
        self._paused = False

    async def _wait(self, seconds: float) -> None:
        """Until something happens; raises what made that impossible."""
        if self._trouble is not None:
            raise self._trouble
        self._waiter = Deferred()
        self._timer = self._clock.callLater(seconds, self._timed_out)
        await self._waiter

    def _go_on(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        waiter.callback(None)

    def _timed_out(self) -> None:
        self._fail(NextHopFailure(f"{self._host} did not answer in time", enhanced="4.4.2"))

    def _fail(self, trouble: NextHopFailure) -> None:
        self._trouble = self._trouble or trouble
        self._abort()
        self._go_on()

    def _abort(self) -> None:
        if self.transport is not None:
            cast(Any, self.transport).abortConnection()
