"""Where a domain's mail programs connect to, and how: one value that every page, file, letter and record is made from (F3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import idna

from hostmail.address import Address


class Protocol(StrEnum):
    """What a mail program speaks; the words are those of Mozilla's files."""

    IMAP = "imap"
    POP3 = "pop3"
    SMTP = "smtp"


class Security(StrEnum):
    """How a connection becomes secret: from its first octet on, or by a command (RFC 8314 3)."""

    TLS = "SSL/TLS"
    STARTTLS = "STARTTLS"


SERVICES = {
    "imaps": (Protocol.IMAP, Security.TLS),
    "imap": (Protocol.IMAP, Security.STARTTLS),
    "pop3s": (Protocol.POP3, Security.TLS),
    "pop3": (Protocol.POP3, Security.STARTTLS),
    "submissions": (Protocol.SMTP, Security.TLS),
    "submission": (Protocol.SMTP, Security.STARTTLS),
    "smtp": (Protocol.SMTP, Security.STARTTLS),
}
"""What people connect to, the best of each kind first (RFC 8314 3)."""

OWN_LABELS = {Protocol.IMAP: "imap", Protocol.POP3: "pop", Protocol.SMTP: "smtp"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A port of ours that mail programs may use; `in_clear` where a password is also taken without TLS."""

    service: str
    port: int
    in_clear: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """One way to connect."""

    service: str
    protocol: Protocol
    host: str
    port: int
    security: Security
    in_clear: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """All ways for the addresses of one domain, the best first; it knows nothing of mailboxes, and so cannot tell which there are.

    `login_domain` is where the logins are, another one for a domain that is an alias (E6). `web` is the address of the panel, with
    https and without a final slash, "" where there is none. For `relay_window` seconds after checking mail one may send without a login,
    0 for never (C2). `trusted` tells that the certificates are of an authority that programs know.
    """

    domain: str
    login_domain: str
    hostname: str
    servers: tuple[Server, ...]
    web: str = ""
    relay_window: int = 0
    trusted: bool = True

    @property
    def shown(self) -> str:
        """The domain as people write it."""
        return shown(self.domain)

    def login(self, address: Address) -> str:
        """The exact login for an address."""
        return str(Address(address.local, self.login_domain))

    def of(self, protocol: Protocol) -> list[Server]:
        """The ways by one protocol. Port 25 is one only where there is no other way to send."""
        found = [each for each in self.servers if each.protocol is protocol]
        return [each for each in found if each.service != "smtp"] or found

    def best(self, protocol: Protocol) -> Server | None:
        """The first of them."""
        return next(iter(self.of(protocol)), None)

    @property
    def incoming(self) -> Server | None:
        """What a program is to use unless somebody wants something else."""
        return self.best(Protocol.IMAP) or self.best(Protocol.POP3)

    @property
    def outgoing(self) -> Server | None:
        """The same for sending."""
        return self.best(Protocol.SMTP)


def make_servers(offers: Iterable[Offer], name: Callable[[Protocol], str]) -> tuple[Server, ...]:
    """What is offered under the names that `name` gives, the best first."""
    by_service = {offer.service: offer for offer in offers}
    return tuple(
        Server(service, protocol, name(protocol), offer.port, security, offer.in_clear)
        for service, (protocol, security) in SERVICES.items()
        if (offer := by_service.get(service)) is not None
    )


def server_name(
    protocol: Protocol, domain: str, hostname: str, covers: Callable[[str], bool], pattern: str | None = None
) -> str:
    """The name of a domain's server for people.

    It is the one that the operator has laid down (`pattern`, mail.{domain} say), else the domain's own (A5) where `covers` tells that a
    client would get a certificate that is good for it, else the server's: nobody is led to an error.
    """
    if pattern is not None:
        return pattern.replace("{domain}", domain)
    own = (f"{label}.{domain}" for label in ("mail", OWN_LABELS[protocol]))
    return next(filter(covers, own), hostname)


def shown(domain: str) -> str:
    """A domain as people write it: A-labels become letters again."""
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
