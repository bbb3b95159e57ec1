"""Facts and decision in one step, for everybody who has an address and wants to know where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from hostmail.address import Address, normal_ip
from hostmail.decisions import Decision
from hostmail.interfaces import IDirectory
from hostmail.routing.facts import LOOPBACK_LITERALS, Ourselves, gather
from hostmail.routing.route import route


@lru_cache(1024)
def literal(ip: str) -> str:
    """The address literal of an IP address in the spelling of `Address` (RFC 5321 4.1.3); "" for what is no IP address."""
    ip = normal_ip(ip)
    if ":" in ip:
        return f"[IPv6:{ip}]"
    return f"[{ip}]" if ip and ip[0].isdigit() else ""


class Router:
    """Decides about addresses with the directory's present facts; a change counts for the next question (E7).

    `primary_domain` is where `<postmaster>` without a domain and the postmaster of our own name lead; empty means the first hosted
    domain by name.
    """

    def __init__(
        self, directory: IDirectory, *, primary_domain: str = "", hostname: str = "", own_ips: Iterable[str] = ()
    ) -> None:
        self._directory = directory
        self._primary_domain = primary_domain
        hostname = hostname.lower()
        literals = LOOPBACK_LITERALS | {literal(ip) for ip in own_ips} - {""}
        self._ourselves = lru_cache(256)(lambda own: Ourselves(hostname, literals | {own} if own else literals))

    async def decide(self, recipient: Address, local_ip: str = "") -> Decision:
        """Where mail to `recipient` goes; `local_ip` is the address of ours that the peer has connected to."""
        ourselves = self._ourselves(literal(local_ip))
        primary = self._primary_domain
        if not primary and recipient.local.partition("+")[0].casefold() in ("postmaster", "abuse"):
            primary = next((domain.name for domain in await self._directory.domains()), "")
        return route(recipient, await gather(self._directory, recipient, primary, ourselves))
