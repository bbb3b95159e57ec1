"""The TLS side of connections to other mail servers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from OpenSSL import SSL
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, optionsForClientTLS
from zope.interface import implementer


@implementer(IOpenSSLClientConnectionCreator)
class Unverified:
    """Encryption with whoever answers (RFC 7435): the alternative would be clear text, which protects from nobody."""

    def __init__(self, host: str) -> None:
        is_address = host.startswith("[") or isIPAddress(host) or isIPv6Address(host)
        self._name = None if is_address else host.encode("idna")

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """A connection that asks for the certificate of our host's name (SNI)."""
        connection = SSL.Connection(_context(), None)
        if self._name is not None:
            connection.set_tlsext_host_name(self._name)
        return connection


@lru_cache(1)
def _context() -> SSL.Context:
    """The same for all hosts: what is asked of them does not differ, and making one takes time."""
    context: SSL.Context = CertificateOptions().getContext()
    return context


def client_tls(host: str, verified: bool) -> Any:
    """`verified` demands a certificate for `host` from a known authority."""
    return optionsForClientTLS(host) if verified else Unverified(host)
