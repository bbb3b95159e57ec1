"""Mail addresses: RFC 5321 mailboxes, with UTF-8 local parts and domains (RFC 6531)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

import idna

from hostmail.errors import BadAddress

MAX_LOCAL, MAX_DOMAIN, MAX_ADDRESS = 64, 255, 254

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*\Z")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"\Z')
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address.

    `local` is unquoted and as written (case kept: A2), `domain` is lower case ASCII (IDNA A-labels) or an address literal in
    brackets; it is empty only for `<postmaster>` (RFC 5321 4.5.1).
    """

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `local@domain`, with or without a quoted local part; raises BadAddress."""
        if len(text.encode("utf-8", "surrogatepass")) > MAX_ADDRESS + 2:
            raise BadAddress("address is longer than 254 octets")
        local, at, domain = text.rpartition("@")
        if not at and text.casefold() == "postmaster":
            return cls(text, "")
        if not at:
            raise BadAddress("an address needs a local part, an @ and a domain")
        return cls(parse_local(local), parse_domain(domain))

    @property
    def key(self) -> str:
        """What two spellings of one address have in common: delivery ignores case (A2), and how letters with marks are put together."""
        return f"{caseless(self.local)}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        """False if the address needs SMTPUTF8 (RFC 6531)."""
        return self.local.isascii()

    def __str__(self) -> str:
        local = self.local if _DOT_STRING.match(self.local) else quote_local(self.local)
        return f"{local}@{self.domain}" if self.domain else local


def caseless(text: str) -> str:
    """What all spellings of a text have in common: case does not matter, nor how letters with marks are put together.

    SQLite's lower() knows ASCII only: where others are looked for in SQL, connections have this as a function.
    """
    text = text.casefold()
    return text if text.isascii() else normalize("NFC", text)


def parse_local(text: str) -> str:
    """The local part without its quotes; raises BadAddress."""
    if _QUOTED.match(text):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    elif not _DOT_STRING.match(text):
        raise BadAddress("the part before the @ is not valid")
    try:
        octets = len(text.encode())
    except UnicodeEncodeError:
        raise BadAddress("the address is not valid UTF-8") from None
    if not text or octets > MAX_LOCAL:
        raise BadAddress("the part before the @ must have 1 to 64 octets")
    return text


@lru_cache(4096)
def parse_domain(text: str) -> str:
    """A domain in lower case A-labels, or an address literal as `[192.0.2.1]`, `[IPv6:...]`; raises BadAddress."""
    if text.startswith("[") and text.endswith("]"):
        return _parse_literal(text[1:-1])
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii").lower()
        except idna.IDNAError:
            raise BadAddress("the domain is not valid") from None
    labels = name.split(".")
    if len(name) > MAX_DOMAIN or not all(_LABEL.match(label) for label in labels):
        raise BadAddress("the domain is not valid")
    return name


def _parse_literal(inner: str) -> str:
    try:
        if inner.lower().startswith("ipv6:"):
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError:
        raise BadAddress("the address literal is not valid") from None


def quote_local(local: str) -> str:
    """The quoted-string form of a local part."""
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


@lru_cache(4096)
def normal_ip(host: str) -> str:
    """An IP address in its one canonical spelling; an IPv4 address mapped into IPv6 is its IPv4 self.

    Grants, limits and logs compare these texts. A zone (`%eth0`) is dropped; what is no IP address comes back unchanged (UNIX sockets).
    """
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip)


@lru_cache(4096)
def client_network(ip: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 address, whose owner has all of it."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if address.version == 4:
        return ip
    return str(ipaddress.IPv6Network((address, 64), strict=False))
