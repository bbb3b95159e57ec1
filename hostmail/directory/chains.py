"""Following addresses through aliases, forwards, domain aliases and catch-alls, so that no loop is made (E1). Blocks."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from hostmail.address import Address
from hostmail.directory import facts
from hostmail.directory.tables import domains, name_targets, names
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadValue
from hostmail.interfaces import MAX_CHAIN


def check(t: Transaction, address: Address) -> None:
    """Raises BadValue if mail to `address`, as things stand in this transaction, would go round or through too many addresses."""
    above = _height(t, address.key, frozenset())
    _follow(t, address, (), above)


def _follow(t: Transaction, address: Address, path: tuple[Address, ...], above: int) -> None:
    if any(address.key == each.key for each in path):
        raise BadValue(f"that would make a loop: {_arrows((*path, address))}")
    further = _leads_to(t, address)
    path = (*path, address)
    if further and above + len(path) > MAX_CHAIN:
        raise BadValue(f"that would lead through more than {MAX_CHAIN} addresses: {_arrows((*path, further[0]))}")
    for each in further:
        _follow(t, each, path, above)


def _arrows(path: Iterable[Address]) -> str:
    return " -> ".join(map(str, path))


def _leads_to(t: Transaction, address: Address) -> tuple[Address, ...]:
    """The next addresses, by the rules of `hostmail.routing.rules`; none if mail ends there or leaves."""
    hosted = facts.domain_behind(t.connection, address.domain)
    if hosted:
        return (Address(address.local, hosted),)
    blocked = False
    for each in spellings(address):
        name = facts.name_by_key(t.connection, each.key)
        if name is not None and name.targets:
            return name.targets
        if facts.account_by_key(t.connection, each.key) is not None:
            return ()
        blocked = blocked or (name is not None and name.blocked)
    catch_all = t.run(select(domains.c.catch_all).where(domains.c.name == address.domain)).scalar() or ""
    return (Address.parse(catch_all),) if "@" in catch_all and not blocked else ()


def spellings(address: Address) -> list[Address]:
    """An address, and what it is without its tag (E6)."""
    user, plus, _ = address.local.partition("+")
    return [address, Address(user, address.domain)] if plus and user else [address]


def _height(t: Transaction, key: str, below: frozenset[str]) -> int:
    """How many names lead to this one, one behind the other."""
    if len(below) > MAX_CHAIN or key in below:
        return 0
    query = select(names.c.address_key).join(name_targets, name_targets.c.name_id == names.c.id)
    parents = t.run(query.where(name_targets.c.target_key == key)).scalars().all()
    return max((1 + _height(t, parent, below | {key}) for parent in parents), default=0)
