"""The DNS records that a domain needs, as values and as text for its zone (F6).

Each kind has a function of its own; a new one (DKIM, MTA-STS) is one more in `records_for`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from textwrap import wrap

from hostmail.clientsetup.setup import SERVICES, Security, Setup

TTL = 3600
LONGEST_STRING = 255
HTTPS = 443
NOWHERE = "0 0 0 ."


class Need(StrEnum):
    """How much a record matters: without it mail does not come or is refused; people miss something; it is a suggestion."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    SUGGESTED = "suggested"


class What(StrEnum):
    """What a record is for; it decides what else than the exact record is right, too."""

    MAIL = "mail"
    SERVER = "server"
    SENDERS = "senders"
    POLICY = "policy"
    SETUP = "setup"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Record:
    """Records of one kind at one name. Values are as in a zone file with full names, TXT without quotes.

    A SERVER or SETUP record says that a name leads to this server: whether by CNAME or by addresses makes no difference. It has no values
    where nobody knows the server's addresses.
    """

    what: What
    name: str
    kind: str
    values: tuple[str, ...]
    need: Need
    purpose: str

    def lines(self) -> list[str]:
        """As in a zone file."""
        return [f"{self.name}. {TTL} IN {self.kind} {written(self.kind, value)}" for value in self.values]


@dataclass(frozen=True, slots=True)
class Place:
    """Where this server is in the DNS.

    `addresses` are those of its host name, `sources` those that mail of the domain is sent from where they are others. `smarthost` tells
    that others send it. `web_port` is where the panel is seen, 0 if there is none, `web_host` its name where that is another one's;
    `plain_web` that set-up is served at port 80, without TLS.
    """

    addresses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    smarthost: bool = False
    web_port: int = 0
    web_host: str = ""
    plain_web: bool = False


def records_for(setup: Setup, place: Place) -> list[Record]:
    """All of them, the most important first."""
    return [
        *_mail(setup),
        *_servers(setup, place),
        *_senders(setup, place),
        *_services(setup),
        *_setup(setup, place),
        *_policy(setup),
    ]


def zone(setup: Setup, records: Iterable[Record]) -> str:
    """All records as text to paste into a zone, each with its reason."""
    lines = [f"; What the DNS of {setup.shown} needs for its mail", ""]
    for record in records:
        lines += [f"; {words}" for words in wrap(f"{record.purpose} ({record.need})", 100)]
        lines += record.lines() or [f"; {record.name}. {TTL} IN {record.kind} THE-ADDRESS-OF-THIS-SERVER"]
        lines.append("")
    return "\n".join(lines)


def written(kind: str, value: str) -> str:
    """A value as a zone file has it: texts in quotes, in pieces of 255 octets at most (RFC 1035 3.3)."""
    if kind != "TXT":
        return value
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{quoted[at : at + LONGEST_STRING]}"' for at in range(0, len(quoted), LONGEST_STRING))


def is_within(host: str, domain: str) -> bool:
    """Whether a host's records are in the domain's zone."""
    return host == domain or host.endswith(f".{domain}")


def _mail(setup: Setup) -> Iterator[Record]:
    words = f"Mail for {setup.shown} comes to this server."
    yield Record(What.MAIL, setup.domain, "MX", (f"10 {setup.hostname}.",), Need.REQUIRED, words)


def _servers(setup: Setup, place: Place) -> Iterator[Record]:
    told = dict.fromkeys(server.host for server in setup.servers)
    for host in dict.fromkeys([setup.hostname, *told, f"mail.{setup.domain}"]):
        if is_within(host, setup.domain):
            needed = host in told or host == setup.hostname
            words = "Mail programs connect to it." if host in told else "A name for the server that people expect."
            words = "The server's own name." if host == setup.hostname else words
            yield from _leading(What.SERVER, host, setup, place, Need.REQUIRED if needed else Need.RECOMMENDED, words)


def _leading(what: What, host: str, setup: Setup, place: Place, need: Need, words: str) -> Iterator[Record]:
    """A name that leads to this server: an alias of the server's, but its own name and that of a zone need addresses (RFC 1034 3.6.2)."""
    if host not in (setup.hostname, setup.domain):
        target = place.web_host if what is What.SETUP and place.web_host else setup.hostname
        yield Record(what, host, "CNAME", (f"{target}.",), need, words)
        return
    kinds = {"A": [], "AAAA": []} if not place.addresses else by_kind(place.addresses)
    for kind, addresses in kinds.items():
        if addresses or (kind == "A" and not place.addresses):
            yield Record(what, host, kind, tuple(addresses), need, words)


def by_kind(addresses: Sequence[str]) -> dict[str, list[str]]:
    """Addresses by the kind of their records."""
    found: dict[str, list[str]] = {"A": [], "AAAA": []}
    for address in addresses:
        found["A" if ip_address(address).version == 4 else "AAAA"].append(address)
    return found


def _senders(setup: Setup, place: Place) -> Iterator[Record]:
    terms = ["mx", *(mechanism(source) for source in place.sources)]
    words = "Tells other servers that mail of this domain is sent from here (SPF); without it many of them refuse it."
    if place.smarthost:
        words += " Add what the provider of your smarthost asks for."
    yield Record(What.SENDERS, setup.domain, "TXT", (" ".join(["v=spf1", *terms, "~all"]),), Need.REQUIRED, words)


def mechanism(address: str) -> str:
    """How an SPF record names an address (RFC 7208 5.6)."""
    return f"ip{ip_address(address).version}:{address}"


_LABELS = {
    "imaps": "_imaps",
    "imap": "_imap",
    "pop3s": "_pop3s",
    "pop3": "_pop3",
    "submissions": "_submissions",
    "submission": "_submission",
}


def _services(setup: Setup) -> Iterator[Record]:
    """RFC 6186 and RFC 8314 5.1. The lower the first number the better: TLS from the first octet, then IMAP before POP3 (RFC 6186 3.4)."""
    by_service = {server.service: server for server in setup.servers}
    for service, label in _LABELS.items():
        name = f"{label}._tcp.{setup.domain}"
        server = by_service.get(service)
        if server is None:
            words = f"Says that there is no {_kind(service)} here."
            yield Record(What.SERVICE, name, "SRV", (NOWHERE,), Need.SUGGESTED, words)
            continue
        priority = (0 if server.security is Security.TLS else 10) + (20 if service.startswith("pop3") else 0)
        value = f"{priority} 1 {server.port} {server.host}."
        words = f"Lets mail programs find {_kind(service)} by themselves."
        yield Record(What.SERVICE, name, "SRV", (value,), Need.RECOMMENDED, words)


def _kind(service: str) -> str:
    protocol, security = SERVICES[service]
    return f"{protocol.value.upper()} with {security.value}"


def _setup(setup: Setup, place: Place) -> Iterator[Record]:
    """Names that programs ask, where something answers.

    The SRV record is for Outlook where port 80 does not lead it to the panel, and only there: by one, Thunderbird asks people whether they
    know its host, before it tells what it has found anywhere else, and takes no notice of its port.
    """
    if place.plain_web or place.web_port == HTTPS:
        for label, programs in (("autoconfig", "Thunderbird and others"), ("autodiscover", "Outlook")):
            words = f"Where {programs} ask how they are set up."
            yield from _leading(What.SETUP, f"{label}.{setup.domain}", setup, place, Need.RECOMMENDED, words)
    if place.web_port and not place.plain_web:
        host = setup.web.removeprefix("https://").partition(":")[0]
        words = "Where Outlook asks how it is set up, whatever the port."
        name = f"_autodiscover._tcp.{setup.domain}"
        yield Record(What.SERVICE, name, "SRV", (f"0 1 {place.web_port} {host}.",), Need.RECOMMENDED, words)


def _policy(setup: Setup) -> Iterator[Record]:
    value = f"v=DMARC1; p=none; rua=mailto:postmaster@{setup.domain}"
    words = "What others shall do with mail that only pretends to be of this domain (DMARC), and where they report it."
    yield Record(What.POLICY, f"_dmarc.{setup.domain}", "TXT", (value,), Need.SUGGESTED, words)
