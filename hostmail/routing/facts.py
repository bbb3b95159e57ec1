"""What routing needs to know about one recipient, gathered beforehand so that the decision itself can be a pure function."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.interfaces import Account, Domain, IDirectory

ROLES = frozenset({"postmaster", "abuse"})
LOOPBACK_LITERALS = frozenset({"[127.0.0.1]", "[0.0.0.0]", "[IPv6:::1]", "[IPv6:::]"})


@dataclass(frozen=True, slots=True)
class Ourselves:
    """The names and addresses under which this server itself is meant: its host name, and the literals of its IP addresses."""

    hostname: str = ""
    literals: frozenset[str] = LOOPBACK_LITERALS

    def is_meant(self, domain: str) -> bool:
        """True if mail to this domain part would come back to us although nobody hosts it as a domain."""
        return not domain or domain == self.hostname or domain in self.literals or domain in LOOPBACK_LITERALS


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the directory knows about one recipient.

    `domain` is the hosted domain, None if the recipient's is not ours. `exact` owns the address as written, `base` the address without
    its `+tag` (None without a tag). `default` is the domain's default mailbox, `primary_default` that of the server's first
    domain. `ourselves` is true for the empty domain, our host name and our address literals.
    """

    domain: Domain | None = None
    exact: Account | None = None
    base: Account | None = None
    default: Account | None = None
    primary: Domain | None = None
    primary_default: Account | None = None
    ourselves: bool = False


def base_name(local: str) -> str:
    """`user` of `user+tag` (E6), the whole name without a tag; a leading + is part of the name."""
    user, plus, _tag = local.partition("+")
    return user if plus and user else local


def role(local: str) -> str:
    """`postmaster` or `abuse` if that is what the local part means in any case and with any tag (E5), else ""."""
    name = base_name(local).casefold()
    return name if name in ROLES else ""


async def gather(directory: IDirectory, recipient: Address, primary_domain: str, ourselves: Ourselves) -> Facts:
    """Ask the directory what `route` needs; nothing is asked that cannot matter for this recipient."""
    domain = await directory.domain(recipient.domain) if recipient.domain else None
    wanted_role = role(recipient.local)
    if domain is None:
        if not ourselves.is_meant(recipient.domain):
            return Facts()
        primary = await directory.domain(primary_domain) if wanted_role and primary_domain else None
        return Facts(ourselves=True, primary=primary, primary_default=await _default(directory, primary))
    exact = await directory.account_for(recipient)
    base = None
    if exact is None and base_name(recipient.local) != recipient.local:
        base = await directory.account_for(Address(base_name(recipient.local), recipient.domain))
    if not wanted_role or exact or base:
        return Facts(domain=domain, exact=exact, base=base)
    primary = await directory.domain(primary_domain) if primary_domain else None
    return Facts(
        domain=domain,
        default=await _default(directory, domain),
        primary=primary,
        primary_default=await _default(directory, primary),
    )


async def _default(directory: IDirectory, domain: Domain | None) -> Account | None:
    if domain is None or domain.default_account_id is None:
        return None
    return await directory.account(domain.default_account_id)
