"""TLS from the first octet (465, 993, 995): the sessions' factory inside a TLS layer whose handshake ends, one way or the other."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure

HANDSHAKE_SECONDS = 30.0


class TimedTls(BufferingTLSTransport):
    """One connection: cut off if its handshake is not done in time.

    Closing it would not do: a greeting that waits for the handshake keeps a peer that never begins connected for ever
    (TWISTED.md 1.5 a).
    """

    factory: Any
    _deadline: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Begin the handshake, and the time it may take."""
        self._deadline = self.factory.clock.callLater(self.factory.handshake_seconds, self._late)
        super().makeConnection(transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop the time."""
        if self._deadline.active():
            self._deadline.cancel()
        super().connectionLost(reason)

    def _late(self) -> None:
        if self.getHandle().get_peer_finished() is None:
            self.abortConnection()


class TimedTlsFactory(TLSMemoryBIOFactory):
    """Makes them."""

    protocol = TimedTls

    def __init__(
        self,
        factory: IProtocolFactory,
        certificates: IOpenSSLServerConnectionCreator,
        clock: Any,
        handshake_seconds: float,
    ) -> None:
        super().__init__(certificates, False, factory, clock)
        self.clock = clock
        self.handshake_seconds = handshake_seconds


def implicit_tls(
    factory: IProtocolFactory,
    certificates: IOpenSSLServerConnectionCreator,
    clock: Any,
    handshake_seconds: float = HANDSHAKE_SECONDS,
) -> IProtocolFactory:
    """`factory` for connections that begin with a TLS handshake."""
    return TimedTlsFactory(factory, certificates, clock, handshake_seconds)
