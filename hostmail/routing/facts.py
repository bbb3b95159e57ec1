"""What routing needs to know about one recipient, gathered beforehand so that the decision itself can be a pure function."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.decisions import CATCH_DEFAULT
from hostmail.errors import Refusal
from hostmail.interfaces.directory import Account, Domain, IDirectory, Name
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import ListWord, taken_apart

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


@dataclass(slots=True)
class Facts:
    """Everything the directory knows about one address.

    `domain` is the hosted domain, None if the address's is not ours; `stands_for` the hosted domain that the address's own is an alias
    of. `exact` is the account that owns the address as written, `base` that of the address without its `+tag` (None without a tag); `name`
    and `base_name` what was laid down for these two. `default` is the domain's default mailbox, `primary_default` that of the server's
    first domain. `ourselves` is true for the empty domain, our host name and our address literals. `came_back` is the sender whose
    address we had rewritten into this one, or why it is not. `mailing_list` is the list that the address belongs to, with what follows its
    name if that is not all.
    """

    domain: Domain | None = None
    exact: Account | None = None
    base: Account | None = None
    name: Name | None = None
    base_name: Name | None = None
    default: Account | None = None
    primary: Domain | None = None
    primary_default: Account | None = None
    ourselves: bool = False
    stands_for: str = ""
    came_back: Address | Refusal | None = None
    mailing_list: MailingList | None = None
    list_word: ListWord | None = None
    list_tag: str = ""


def base_name(local: str) -> str:
    """`user` of `user+tag` (E6), the whole name without a tag; a leading + is part of the name."""
    user, plus, _tag = local.partition("+")
    return user if plus and user else local


def role(local: str) -> str:
    """`postmaster` or `abuse` if that is what the local part means in any case and with any tag (E5), else ""."""
    name = base_name(local).casefold()
    return name if name in ROLES else ""


async def gather(directory: IDirectory, address: Address, primary_domain: str, ourselves: Ourselves) -> Facts:
    """Ask the directory what `rules.step` needs; nothing is asked that cannot matter for this address."""
    domain = await directory.domain(address.domain) if address.domain else None
    wanted_role = role(address.local)
    if domain is None:
        if stands_for := await directory.domain_alias(address.domain) if address.domain else "":
            return Facts(stands_for=stands_for)
        if not ourselves.is_meant(address.domain):
            return Facts()
        primary = await directory.domain(primary_domain) if wanted_role and primary_domain else None
        return Facts(ourselves=True, primary=primary, primary_default=await _default(directory, primary))
    if not domain.active:
        return Facts(domain)
    exact = await directory.account_for(address)
    name = await directory.name(address) if domain.has_names else None
    if exact is not None or (name is not None and name.targets):
        return Facts(domain, exact, name=name)
    if domain.has_lists and (of_list := await _of_list(directory, address, domain)) is not None:
        return of_list
    base, of_base = await _of_base(directory, address, domain)
    primary = await directory.domain(primary_domain) if wanted_role and primary_domain else None
    return Facts(
        domain,
        base=base,
        name=name,
        base_name=of_base,
        default=await _default(directory, domain) if wanted_role or domain.catch_all == CATCH_DEFAULT else None,
        primary=primary,
        primary_default=await _default(directory, primary),
    )


async def _of_list(directory: IDirectory, address: Address, domain: Domain) -> Facts | None:
    found = await directory.mailing_list(address)
    if found is not None:
        return Facts(domain, mailing_list=found)
    apart = taken_apart(address)
    found = await directory.mailing_list(apart[0]) if apart is not None else None
    if apart is not None and found is not None:
        return Facts(domain, mailing_list=found, list_word=apart[1], list_tag=apart[2])
    base = Address(base_name(address.local), address.domain)
    found = await directory.mailing_list(base) if base.local != address.local else None
    return Facts(domain, mailing_list=found) if found is not None else None


async def _of_base(directory: IDirectory, address: Address, domain: Domain) -> tuple[Account | None, Name | None]:
    base = Address(base_name(address.local), address.domain)
    if base.local == address.local:
        return None, None
    return await directory.account_for(base), await directory.name(base) if domain.has_names else None


async def _default(directory: IDirectory, domain: Domain | None) -> Account | None:
    if domain is None or domain.default_account_id is None:
        return None
    return await directory.account(domain.default_account_id)
