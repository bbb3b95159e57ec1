"""Following addresses through aliases, forwards, domain aliases and catch-alls, so that no loop is made (E1). Blocks."""

from __future__ import annotations

from sqlalchemy import select

from hostmail.address import Address
from hostmail.directory import facts, lists
from hostmail.directory.tables import domains, name_targets, names
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadValue, concerning
from hostmail.interfaces.directory import MAX_CHAIN
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import ListWord, around, taken_apart


def check(t: Transaction, address: Address) -> None:
    """Raises BadValue if mail to `address`, as things stand in this transaction, would go round or through too many addresses."""
    below = _below(t, address, (), {})
    if below and below + _above(t, address.key, {}) > MAX_CHAIN:
        raise _too_long(address)


def _below(t: Transaction, address: Address, path: tuple[Address, ...], known: dict[str, int]) -> int:
    """How many addresses mail passes on its longest way from here, this one included; 0 if it ends here."""
    if any(address.key == each.key for each in path):
        raise BadValue(f"that would make a loop: {' -> '.join(map(str, (*path, address)))}")
    if len(path) > MAX_CHAIN:
        raise _too_long(path[0])
    if address.key not in known:
        further = (1 + _below(t, each, (*path, address), known) for each in leads_to(t, address))
        known[address.key] = max(further, default=0)
    return known[address.key]


def _above(t: Transaction, key: str, known: dict[str, int], depth: int = 0) -> int:
    """How many names lead to this one, one behind the other, as far as that matters."""
    if depth > MAX_CHAIN:
        return 0
    if key not in known:
        known[key] = 0
        query = select(names.c.address_key).join(name_targets, name_targets.c.name_id == names.c.id)
        parents = t.run(query.where(name_targets.c.target_key == key)).scalars().all()
        known[key] = max((1 + _above(t, parent, known, depth + 1) for parent in parents), default=0)
    return known[key]


def _too_long(address: Address) -> BadValue:
    return BadValue(f"mail to {address} would pass through more than {MAX_CHAIN} addresses")


def leads_to(t: Transaction, address: Address) -> tuple[Address, ...]:
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
        if lists.belongs(t.connection, each):
            return _of_list(t, each)
        blocked = blocked or (name is not None and name.blocked)
    catch_all = t.run(select(domains.c.catch_all).where(domains.c.name == address.domain)).scalar() or ""
    return (Address.parse(catch_all),) if "@" in catch_all and not blocked else ()


def _of_list(t: Transaction, address: Address) -> tuple[Address, ...]:
    """Mail to NAME-owner goes on to the owners; a list itself, and whatever else is around it, is an end."""
    apart = taken_apart(address)
    found = lists.by_key(t.connection, apart[0].key) if apart is not None and apart[1] is ListWord.OWNER else None
    return () if found is None else found.owners


def check_owners(t: Transaction, found: MailingList) -> None:
    """Raises BadValue for an owner whose mail would come to a list: what lists write themselves ends there, and nobody would see it."""
    with concerning("owners"):
        check(t, around(found.parsed, ListWord.OWNER))
    for owner in found.owners:
        open_, seen = [owner], {owner.key}
        while open_:
            address = open_.pop()
            if belongs := lists.belongs(t.connection, address):
                way = "is" if address == owner else f"leads to {address},"
                raise BadValue(
                    f"{owner} {way} an address of the mailing list {belongs}: an owner must be a person"
                ).about("owners")
            further = [each for each in leads_to(t, address) if each.key not in seen]
            seen.update(each.key for each in further)
            open_ += further


def spellings(address: Address) -> list[Address]:
    """An address, and what it is without its tag (E6)."""
    user, plus, _ = address.local.partition("+")
    return [address, Address(user, address.domain)] if plus and user else [address]
