"""Facts and decision in one step, for everybody who has an address and wants to know where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hostmail.address import Address, normal_ip
from hostmail.decisions import Decision, Refuse, ToList
from hostmail.errors import NoSuchRecipient
from hostmail.interfaces.delivery import ISenderRewriting
from hostmail.interfaces.directory import IDirectory
from hostmail.routing.explain import explained
from hostmail.routing.facts import LOOPBACK_LITERALS, Facts, Ourselves, gather, role
from hostmail.routing.route import Resolution
from hostmail.srs import is_rewritten


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
        self,
        directory: IDirectory,
        *,
        primary_domain: str = "",
        hostname: str = "",
        own_ips: Iterable[str] = (),
        senders: ISenderRewriting | None = None,
    ) -> None:
        self._directory = directory
        self._senders = senders
        self._primary_domain = primary_domain
        hostname = hostname.lower()
        literals = LOOPBACK_LITERALS | {literal(ip) for ip in own_ips} - {""}
        self._ourselves = lru_cache(256)(lambda own: Ourselves(hostname, literals | {own} if own else literals))

    async def decide(self, recipient: Address, local_ip: str = "", *, routed: bool = False) -> Decision:
        """Where mail to `recipient` goes; `local_ip` is the address of ours that the peer has connected to.

        With `routed` it is for exactly that account's mailbox: rules brought it there before it had to wait, and forwards must not
        be followed a second time. Or it is for the members of exactly that list.
        """
        if routed:
            return await self._mailbox(recipient)
        return (await self.resolve(recipient, local_ip)).decision()

    async def resolve(self, recipient: Address, local_ip: str = "") -> Resolution:
        """The whole way, with its steps."""
        ourselves = self._ourselves(literal(local_ip))
        resolution = Resolution(recipient)
        while (wanted := resolution.wanted) is not None:
            facts = await gather(self._directory, wanted, await self._primary(wanted), ourselves)
            resolution.learn(await self._came_back(wanted, facts))
        return resolution

    async def _came_back(self, address: Address, facts: Facts) -> Facts:
        """Bounces of forwarded mail go to senders whose address only we can read (SRS)."""
        ours = facts.ourselves or (facts.domain is not None and facts.domain.active)
        if self._senders is None or not ours or not is_rewritten(address) or facts.exact is not None:
            return facts
        try:
            return replace(facts, came_back=await self._senders.original(address))
        except NoSuchRecipient as refusal:
            return replace(facts, came_back=refusal)

    async def explain(self, address: Address) -> dict[str, Any]:
        """Where it would go and why, as JSON values."""
        return explained(await self.resolve(address))

    async def _mailbox(self, address: Address) -> Decision:
        account, domain = await self._directory.account_for(address), await self._directory.domain(address.domain)
        of_list = await self._directory.mailing_list(address) if domain is not None and domain.has_lists else None
        if of_list is not None:
            return ToList(of_list.id, of_list.parsed, of_list.size_bytes, approved=True)
        if account is None or domain is None:
            return Refuse(NoSuchRecipient(private="removed since it was routed"))
        resolution = Resolution(address)
        resolution.learn(Facts(replace(domain, active=True), account))
        return resolution.decision()

    async def _primary(self, address: Address) -> str:
        if self._primary_domain or not role(address.local):
            return self._primary_domain
        return next((domain.name for domain in await self._directory.domains()), "")
