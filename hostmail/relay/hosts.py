"""Which hosts to try for a domain, in which order (RFC 5321 5.1, RFC 7505): plain functions over what the DNS said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain, zip_longest
from random import Random

from hostmail.address import normal_ip, parse_domain
from hostmail.errors import BadAddress, Refusal
from hostmail.relay.contracts import Exchange
from hostmail.relay.failures import LoopsBack, NotAllowed, NowhereToGo

MOST_EXCHANGES = 10
MOST_ADDRESSES_EACH = 4
MOST_ADDRESSES = 10

GLOBAL_UNICAST = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to, and the name of the host that has it; the lower its preference, the better."""

    host: str
    ip: str
    preference: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """Who we are ourselves, and where we do not go.

    `is_us` tells for a host name, `is_ours` for an address, that mail sent there would come back to us. `families` are the IP versions
    that may be used.
    """

    is_us: Callable[[str], bool]
    is_ours: Callable[[str], bool]
    private_addresses: bool = False
    families: frozenset[int] = frozenset({4, 6})


def literal_target(domain: str) -> Target | None:
    """The one address that an address literal names, `[192.0.2.1]` or `[IPv6:2001:db8::1]`; None if `domain` is none."""
    if not domain.startswith("["):
        return None
    return Target(domain, normal_ip(re.sub("^ipv6:", "", domain[1:-1], flags=re.I)))


def candidates(domain: str, found: Sequence[Exchange], random: Random) -> list[Exchange]:
    """The best of a domain's mail exchangers, equals in random order; without any record it is the domain itself (RFC 5321 5.1).

    A host that is named twice is there once, at its best: repeated records must not push others, perhaps us, off the list.

    Raises a Refusal for a domain that says it takes no mail (RFC 7505), or names nothing but what is no host.
    """
    if not found:
        return [Exchange(0, domain)]
    named = [each for each in found if each.host]
    if not named:
        raise NowhereToGo(f"{domain} does not accept mail", code=556, enhanced="5.1.10")
    usable = [each for each in named if _is_host(each.host)]
    if not usable:
        raise NowhereToGo(f"the mail exchangers of {domain} are no names of hosts")
    best = {each.host.lower(): each for each in sorted(usable, key=lambda each: each.preference, reverse=True)}
    once = list(best.values())
    random.shuffle(once)
    return sorted(once, key=lambda each: each.preference)[:MOST_EXCHANGES]


def targets(
    domain: str,
    exchanges: Sequence[Exchange],
    addresses: Mapping[str, Sequence[str] | Refusal],
    policy: Policy,
) -> list[Target]:
    """The addresses to try, best first; at least one.

    `exchanges` come from `candidates`, `addresses` from the DNS for each of them. If we are one of the hosts, only better ones
    count: those that are equal or worse would send the mail to us (RFC 5321 5.1). Raises the Refusal that holds if nobody is left.
    """
    left = _better_than_us(exchanges, addresses, policy)
    if not left:
        raise LoopsBack(f"mail for {domain} would come back to this server, which does not know that domain")
    known = [(each, answer) for each in left if not isinstance(answer := addresses[each.host], Refusal)]
    allowed = [(each, [ip for ip in ips if _allowed(ip, policy)]) for each, ips in known]
    found = [Target(each.host, ip, each.preference) for each, ips in allowed for ip in _interleaved(ips)]
    if not found:
        raise _why_none(domain, left, addresses, policy)
    return found[:MOST_ADDRESSES]


def _better_than_us(
    exchanges: Sequence[Exchange], addresses: Mapping[str, Sequence[str] | Refusal], policy: Policy
) -> list[Exchange]:
    def ours(each: Exchange) -> bool:
        answer = addresses[each.host]
        return policy.is_us(each.host) or (not isinstance(answer, Refusal) and any(map(policy.is_ours, answer)))

    least = min((each.preference for each in exchanges if ours(each)), default=None)
    return [each for each in exchanges if least is None or each.preference < least]


def _allowed(ip: str, policy: Policy) -> bool:
    address = ip_address(ip)
    return address.version in policy.families and (policy.private_addresses or is_public(address))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether a host of the public Internet may have it; an IPv4 address wrapped into IPv6 is judged as itself."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public(inner)
        if address not in GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast


def _interleaved(ips: Sequence[str]) -> Iterator[str]:
    """Both kinds in turn, IPv6 first, so that one that does not work here costs one attempt."""
    six, four = ([ip for ip in ips if (":" in ip) is wanted] for wanted in (True, False))
    pairs = chain.from_iterable(zip_longest(six, four))
    return iter([ip for ip in pairs if ip is not None][:MOST_ADDRESSES_EACH])


def _why_none(
    domain: str, left: Sequence[Exchange], addresses: Mapping[str, Sequence[str] | Refusal], policy: Policy
) -> Refusal:
    answers = [addresses[each.host] for each in left]
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    for refusal in refusals:
        if not refusal.permanent:
            return refusal
    if any(answer for answer in answers if not isinstance(answer, Refusal)):
        names = ", ".join(each.host for each in left)
        words = f"{names}: no address that this server may connect to"
        return NotAllowed(words, f"private_addresses, source_addresses: {answers}")
    if [each.host for each in left] == [domain]:
        return refusals[0] if refusals else NowhereToGo(f"{domain} has no mail exchanger and no address")
    return NowhereToGo(f"no mail exchanger of {domain} has an address")


def _is_host(name: str) -> bool:
    """Whether it may be the name of a host, which is no address: the DNS can name anything, control characters and endless labels too."""
    try:
        parse_domain(name)
        return _version(name) == 0
    except BadAddress:
        return False


def _version(host: str) -> int:
    try:
        return ip_address(host.strip("[]")).version
    except ValueError:
        return 0
