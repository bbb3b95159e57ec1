"""Which domain a port belongs to, for those who sign in without one (A4)."""

from __future__ import annotations

from hostmail.auth.checker import BareNameDomain
from hostmail.envelope import Peer
from hostmail.interfaces.directory import IDirectory

SERVER_PREFIXES = frozenset({"mail", "pop", "pop3", "smtp", "imap"})


def of_domain(domain: str) -> BareNameDomain:
    """The port is one domain's own, say on an IP address of its own."""

    async def home(peer: Peer) -> str:
        return domain

    return home


def by_server_name(directory: IDirectory) -> BareNameDomain:
    """The domain is in the name that the mail program asked for when TLS began: itself, or behind mail., pop., smtp., imap. (A5)."""

    async def home(peer: Peer) -> str:
        for name in domains_in(peer.server_name):
            domain = await directory.domain(name)
            if domain is not None:
                return domain.name
        return ""

    return home


def domains_in(server_name: str) -> list[str]:
    """The domains that a server name may stand for, the likeliest first; none without TLS."""
    name = server_name.lower().rstrip(".")
    if not name:
        return []
    first, _, rest = name.partition(".")
    return [rest, name] if first in SERVER_PREFIXES and "." in rest else [name]
