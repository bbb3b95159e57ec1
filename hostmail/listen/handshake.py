"""TLS from the first octet (465, 993, 995): the protocol's factory inside a TLS layer.

The sessions themselves abort a peer that does not finish the handshake within 30 seconds: `loseConnection` would wait for ever for a
peer that never began (TWISTED.md 1.5 a).
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.protocols.tls import TLSMemoryBIOFactory


def implicit_tls(
    factory: IProtocolFactory, certificates: IOpenSSLServerConnectionCreator, clock: Any
) -> IProtocolFactory:
    """`factory` for connections that begin with a TLS handshake."""
    return TLSMemoryBIOFactory(certificates, False, factory, clock)  # type: ignore[no-any-return]
