"""Connections that come through a proxy which tells who the client is (the PROXY protocol), from trusted sources only.

Twisted's own wrapper believes anybody, and lets the session greet before the header has come, with the proxy's address. Here the session
begins after the header; a source that is not trusted, a bad header or a late one ends the connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHandshakeListener, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer, providedBy

from hostmail.address import normal_ip
from hostmail.listen.proxyheader import BadHeader, parse

HEADER_SECONDS = 5.0

log = Logger(namespace="listen")


def _address(host: str, port: int) -> IPv4Address | IPv6Address:
    kind = IPv6Address if ":" in host else IPv4Address
    return kind("TCP", host, port)  # type: ignore[no-any-return]


@implementer(IHandshakeListener)
class ProxiedConnection(ProtocolWrapper):
    """One connection from a proxy: reads the header, then is the transport of the session with the client's addresses."""

    transport: Any
    wrappedProtocol: Any
    _begun = False
    _buffer = b""
    _timer: Any = None
    _peer: Any = None
    _host: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Wait for the header; the session is not connected yet."""
        directlyProvides(self, providedBy(transport))
        self.transport = transport
        self.connected = 1
        self.factory.registerProtocol(self)
        if not self.factory.trusts(getattr(transport.getPeer(), "host", "")):
            log.warn("proxy_refused: {peer} is not in proxy_from", peer=transport.getPeer())
            transport.abortConnection()
            return
        self._timer = self.factory.clock.callLater(HEADER_SECONDS, self._refuse, "no header in time")

    def dataReceived(self, data: bytes) -> None:
        """The header first, then the session's octets."""
        if self._begun:
            self.wrappedProtocol.dataReceived(data)
            return
        if self._timer is None:
            return
        self._buffer += data
        try:
            header = parse(self._buffer)
        except BadHeader as error:
            self._refuse(str(error))
            return
        if header is None:
            return
        rest, self._buffer = self._buffer[header.length :], b""
        if header.source:
            self._peer = _address(header.source, header.source_port)
            self._host = _address(header.target, header.target_port)
        self._stop_timer()
        self._begun = True
        self.wrappedProtocol.makeConnection(self)
        if rest:
            self.wrappedProtocol.dataReceived(rest)

    def getPeer(self) -> Any:
        """The client, as the proxy told."""
        return self._peer or self.transport.getPeer()

    def getHost(self) -> Any:
        """Our address as the client knows it."""
        return self._host or self.transport.getHost()

    def handshakeCompleted(self) -> None:
        """Passed on: after STARTTLS it is this wrapper that TLS talks to."""
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.handshakeCompleted()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """A session that never began is not told that it ended."""
        self._stop_timer()
        if self._begun:
            super().connectionLost(reason)
        else:
            self.factory.unregisterProtocol(self)
            self.wrappedProtocol = None

    def _refuse(self, words: str) -> None:
        log.warn("proxy_refused: {words} from {peer}", words=words, peer=self.transport.getPeer())
        self._stop_timer()
        self.transport.abortConnection()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class ProxiedFactory(WrappingFactory[ProxiedConnection]):
    """`factory` behind proxies in the networks `trusted`."""

    protocol = ProxiedConnection
    noisy = False

    def __init__(self, factory: IProtocolFactory, trusted: Sequence[str], clock: Any) -> None:
        super().__init__(factory)
        self.clock = clock
        self._networks = [ipaddress.ip_network(network) for network in trusted]

    def trusts(self, host: str) -> bool:
        """True if this source may say who the client is; a UNIX socket's permissions have decided that already."""
        if not host:
            return True
        try:
            ip = ipaddress.ip_address(normal_ip(host))
        except ValueError:
            return False
        return any(ip in network for network in self._networks)
