"""Whether a domain's SPF record lets a server send (RFC 7208): as receivers see it, but for what depends on the single message.

Macros and `exists` are such, and count as not fitting; `ptr` nobody should use.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import takewhile

Ask = Callable[[str, str], Awaitable[Sequence[str]]]
"""The records of a kind at a name, as text; none for a name that does not exist. Raises a Refusal if the DNS has no answer at present."""

MOST_LOOKUPS = 10
MOST_EXCHANGES = 10
_TERM = re.compile(r"[A-Za-z0-9]+(?::(?P<target>[^/]+))?(?:/(?P<four>\d{1,3}))?(?://(?P<six>\d{1,3}))?\Z")
QUALIFIERS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class BadSpfError(ValueError):
    """A record, or several, that receivers will not make sense of; the text says why."""


def policies(texts: Sequence[str]) -> list[str]:
    """Those texts that are SPF records."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


async def result(ask: Ask, domain: str, address: str) -> str:
    """What receivers make of mail from this address: pass, fail, softfail, neutral, or none. Raises BadSpfError, and what `ask` raises."""
    return await _Evaluation(ask, ip_address(address)).of(domain)


@dataclass(slots=True)
class _Evaluation:
    ask: Ask
    ip: IPv4Address | IPv6Address
    lookups: int = 0

    async def of(self, domain: str) -> str:
        found = policies(await self.ask(domain, "TXT"))
        if len(found) > 1:
            raise BadSpfError(f"{domain} has {len(found)} SPF records, where there must be one")
        if not found:
            return "none"
        redirect = ""
        for term in found[0].split()[1:]:
            name, is_modifier, value = _modifier(term)
            if is_modifier:
                redirect = value if name == "redirect" else redirect
                continue
            qualifier, mechanism = (term[0], term[1:]) if term[0] in QUALIFIERS else ("+", term)
            if await self._fits(mechanism, domain):
                return QUALIFIERS[qualifier]
        if redirect and "%" not in redirect:
            self._count(domain)
            answer = await self.of(redirect.lower())
            if answer == "none":
                raise BadSpfError(f"{domain} refers to {redirect}, which has no SPF record")
            return answer
        return "neutral"

    async def _fits(self, mechanism: str, domain: str) -> bool:
        name = re.split("[:/]", mechanism, maxsplit=1)[0].lower()
        if name == "all":
            return True
        if name in ("ip4", "ip6"):
            return self._in_network(mechanism[4:])
        found = _TERM.match(mechanism)
        if name not in ("include", "a", "mx", "exists", "ptr") or found is None:
            raise BadSpfError(f"{domain} has an SPF record with {mechanism[:60]!r}, which means nothing")
        target = (found["target"] or domain).lower()
        self._count(domain)
        if "%" in target or name in ("exists", "ptr"):
            return False
        if name == "include":
            answer = await self.of(target)
            if answer == "none":
                raise BadSpfError(f"{domain} includes {target}, which has no SPF record")
            return answer == "pass"
        return await self._is_host(name, target, found["four"] if self.ip.version == 4 else found["six"])

    async def _is_host(self, name: str, target: str, bits: str | None) -> bool:
        hosts = [target]
        if name == "mx":
            hosts = [text.split()[-1].rstrip(".") for text in await self.ask(target, "MX")][:MOST_EXCHANGES]
        kind = "A" if self.ip.version == 4 else "AAAA"
        for host in filter(None, hosts):
            for address in await self.ask(host, kind):
                if self._in_network(f"{address}/{bits}" if bits else address):
                    return True
        return False

    def _in_network(self, text: str) -> bool:
        try:
            return self.ip in ip_network(text, strict=False)
        except ValueError:
            raise BadSpfError(f"{text[:60]!r} in an SPF record is no network") from None

    def _count(self, domain: str) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise BadSpfError(f"the SPF record of {domain} needs more than {MOST_LOOKUPS} questions to the DNS")


def _modifier(term: str) -> tuple[str, bool, str]:
    name, equals, value = term.partition("=")
    return name.lower(), bool(equals) and name.isalnum(), value


def with_terms(policy: str, terms: Sequence[str]) -> str:
    """The record with these mechanisms in front, but for those that count already: behind `all` nothing does."""
    version, *rest = policy.split()
    counted = takewhile(lambda term: term.lower().lstrip("+-~?") != "all", rest)
    missing = set(terms).difference(counted)
    first = [term for term in terms if term in missing]
    return " ".join([version, *first, *(term for term in rest if term not in missing)])
