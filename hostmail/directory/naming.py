"""Changes about names: aliases, forwards, blocked names, domain aliases, catch-alls. Each is one step inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from hostmail.address import Address
from hostmail.decisions import CATCH_DEFAULT, CATCH_DISCARD, CATCH_REFUSE
from hostmail.directory import chains, facts, lists, values
from hostmail.directory.tables import caught_names, domain_aliases, domains, name_targets, names
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists, BadValue, NotFound, TooMany, concerning
from hostmail.interfaces.directory import Name
from hostmail.interfaces.lists import MailingList


def add_targets(
    t: Transaction, address: Address, targets: Sequence[Address], forward: bool, keep_copy: bool | None
) -> Name:
    """Let an address lead to further ones; those it leads to already stay."""
    domain_id, domain = _own_domain(t, address)
    lists.check_free(t, address)
    account = facts.account_by_key(t.connection, address.key)
    if account is not None and not forward:
        raise AlreadyExists(f"{account.address} is a mailbox: an alias would hide it; its mail can be forwarded").about(
            "address"
        )
    if keep_copy and account is None:
        raise BadValue(f"{address} has no mailbox that could keep a copy")
    with concerning("targets"):
        _check_targets(t, address, targets, forward, domain)
    name_id = _name_id(t, domain_id, address)
    columns: dict[str, Any] = {"blocked": False}
    if keep_copy is not None:
        columns["keep_copy"] = keep_copy
    t.run(update(names).where(names.c.id == name_id).values(columns))
    known = set(t.run(select(name_targets.c.target_key).where(name_targets.c.name_id == name_id)).scalars())
    new = {target.key: target for target in targets if target.key not in known}
    most = t.name_limits.targets
    if new and len(known) + len(new) > most:
        raise TooMany(
            f"{address} may lead to {most} addresses (limits.alias_targets); a mailing list takes more", code=422
        ).about("targets")
    for key, target in new.items():
        t.run(insert(name_targets).values(name_id=name_id, target=str(target), target_key=key, forward=forward))
    with concerning("targets"):
        if not known and not new:
            raise BadValue(f"{address} leads nowhere: name an address")
        chains.check(t, address)
    t.run(delete(caught_names).where(caught_names.c.address_key == address.key))
    t.announce(domain)
    return _now(t, address)


def remove_targets(t: Transaction, address: Address, targets: Sequence[Address], forward: bool) -> Name | None:
    """Take some away, or all; a name about which nothing is left goes."""
    _, domain = _own_domain(t, address)
    what = "forwards" if forward else "aliases"
    name = facts.name_by_key(t.connection, address.key)
    there = () if name is None else name.forwards if forward else name.aliases
    if not there:
        raise NotFound(f"{address} has no {what}")
    keys = {one.key for one in there}
    for target in targets:
        if target.key not in keys:
            raise NotFound(f"{address} does not lead to {target}; its {what}: {', '.join(map(str, there))}")
    gone = {target.key for target in targets} or keys
    name_id = t.run(select(names.c.id).where(names.c.address_key == address.key)).scalar_one()
    t.run(delete(name_targets).where(name_targets.c.name_id == name_id, name_targets.c.target_key.in_(gone)))
    left = facts.name_by_key(t.connection, address.key)
    if left is not None and not left.targets and not left.blocked:
        t.run(delete(names).where(names.c.id == name_id))
        left = None
    t.announce(domain)
    return left


def block_name(t: Transaction, address: Address, blocked: bool) -> None:
    """Keep a name from the catch-all, or give it back."""
    domain_id, domain = _own_domain(t, address)
    name = facts.name_by_key(t.connection, address.key)
    if blocked and facts.account_by_key(t.connection, address.key) is not None:
        raise BadValue(f"{address} is a mailbox: suspend its incoming mail instead")
    if blocked and name is not None and name.targets:
        raise BadValue(f"{address} leads to {', '.join(map(str, name.targets))}: remove that instead")
    if not blocked and (name is None or not name.blocked):
        raise NotFound(f"{address} is not blocked")
    if blocked:
        t.run(update(names).where(names.c.id == _name_id(t, domain_id, address)).values(blocked=True))
    else:
        t.run(delete(names).where(names.c.address_key == address.key))
    t.announce(domain)


def add_domain_alias(t: Transaction, name: str, domain: str) -> None:
    """Let a domain that nobody hosts stand for a hosted one."""
    if t.domain_id(name) is not None:
        raise AlreadyExists(f"{name} is hosted here itself")
    if hosted := facts.domain_behind(t.connection, name):
        raise AlreadyExists(f"{name} stands for {hosted} already")
    domain_id, domain = t.find_domain(domain)
    t.run(insert(domain_aliases).values(name=name, domain_id=domain_id, created=t.now))
    leading = select(names.c.address).join(name_targets, name_targets.c.name_id == names.c.id).distinct()
    for address in t.run(leading.where(name_targets.c.target_key.endswith(f"@{name}", autoescape=True))).scalars():
        chains.check(t, Address.parse(address))
    catching = select(domains.c.catch_all).where(domains.c.catch_all.endswith(f"@{name}", autoescape=True)).distinct()
    for address in t.run(catching).scalars():
        chains.check(t, Address.parse(address))
    t.announce(name)
    t.announce(domain)


def remove_domain_alias(t: Transaction, name: str) -> str:
    """A domain stands for itself again."""
    domain = facts.domain_behind(t.connection, name)
    if not domain:
        raise NotFound(f"{name} is no domain alias")
    t.run(delete(domain_aliases).where(domain_aliases.c.name == name))
    t.announce(name)
    t.announce(domain)
    return domain


def check_catch_all(what: str, value: Any) -> str:
    """What may be set as a domain's `catch_all`; raises BadValue."""
    if value in (CATCH_REFUSE, CATCH_DISCARD, CATCH_DEFAULT):
        return str(value)
    return str(values.check_address(str(value)))


def check_catcher(t: Transaction, value: str, domain: str) -> None:
    """Whether the `domain`'s new `catch_all` can be so; raises NotFound, BadValue for a loop."""
    if "@" in value:
        catcher = Address.parse(value)
        with concerning("catch_all"):
            _check_target(t, catcher, forward=True, own=domain)
            chains.check(t, catcher)


def forget_account(t: Transaction, key: str) -> None:
    """With a removed account go its forwards: the next one of that name shall not have them (D13)."""
    t.run(delete(names).where(names.c.address_key == key))


def make_way(t: Transaction, address: Address) -> None:
    """A new account needs a name of its own; raises AlreadyExists. One that was blocked or caught is so no more."""
    lists.check_free(t, address)
    name = facts.name_by_key(t.connection, address.key)
    if name is not None and name.targets:
        words = f"{name.address} leads to {', '.join(map(str, name.targets))}: remove that first"
        raise AlreadyExists(words).about("address")
    t.run(delete(names).where(names.c.address_key == address.key))
    t.run(delete(caught_names).where(caught_names.c.address_key == address.key))


def forget_domain(t: Transaction, domain_id: int) -> None:
    """Everything about a domain's names, and what stands for it."""
    for alias in t.run(select(domain_aliases.c.name).where(domain_aliases.c.domain_id == domain_id)).scalars():
        t.announce(alias)
    for table in (names, domain_aliases, caught_names):
        t.run(delete(table).where(table.c.domain_id == domain_id))


def _own_domain(t: Transaction, address: Address) -> tuple[int, str]:
    if hosted := facts.domain_behind(t.connection, address.domain):
        raise BadValue(f"{address.domain} stands for {hosted}: use {Address(address.local, hosted)}")
    return t.find_domain(address.domain)


def _check_targets(t: Transaction, address: Address, targets: Sequence[Address], forward: bool, own: str) -> None:
    has_mailbox = facts.account_by_key(t.connection, address.key) is not None
    for target in targets:
        if target.key == address.key:
            kept = ", to its mailbox leads a kept copy" if has_mailbox else ""
            raise BadValue(f"{address} would lead to itself{kept}")
        _check_target(t, target, forward, own)


def _check_target(t: Transaction, target: Address, forward: bool, own: str) -> None:
    """An address of ours must be somebody's, or mail would be refused that never was; others are for forwards.

    To whoever may not know what there is in other domains than his `own`, those are elsewhere.
    """
    domain = facts.domain_behind(t.connection, target.domain) or target.domain
    if t.domain_id(domain) is None:
        if not forward:
            raise BadValue(f"{target} is not hosted here: an alias leads to addresses here, a forward anywhere")
        return
    if t.bounded and forward and domain != own:
        return
    here = Address(target.local, domain)
    if lists.belongs(t.connection, here):
        return
    for each in chains.spellings(here):
        name = facts.name_by_key(t.connection, each.key)
        if (name is not None and name.targets) or facts.account_by_key(t.connection, each.key) is not None:
            return
    t.find_account(str(here))


def _name_id(t: Transaction, domain_id: int, address: Address) -> int:
    found = t.run(select(names.c.id).where(names.c.address_key == address.key)).scalar()
    if found is not None:
        return int(found)
    count = t.run(select(func.count()).select_from(names).where(names.c.domain_id == domain_id)).scalar_one()
    if count >= (most := t.name_limits.names):
        raise TooMany(f"a domain may have {most} aliases, forwards and blocked names (limits.domain_names)", code=422)
    row = {"domain_id": domain_id, "address": str(address), "address_key": address.key, "created": t.now}
    inserted = t.run(insert(names).values(row)).inserted_primary_key
    return int(inserted[0]) if inserted else 0


def _now(t: Transaction, address: Address) -> Name:
    name = facts.name_by_key(t.connection, address.key)
    assert name is not None
    return name


def add_list(t: Transaction, address: Address, columns: dict[str, Any]) -> MailingList:
    """A new mailing list, whose owners are people."""
    found = lists.add(t, address, columns)
    chains.check_owners(t, found)
    return found


def set_list(t: Transaction, address: str, changes: dict[str, Any]) -> MailingList:
    """Change some of a mailing list."""
    found = lists.set_(t, address, changes)
    if "owners" in changes:
        chains.check_owners(t, found)
    return found
