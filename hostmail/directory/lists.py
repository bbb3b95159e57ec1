"""Mailing lists as facts (E3), and the addresses around them that nobody else may have. All of it blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from hostmail.address import Address
from hostmail.directory import facts, values
from hostmail.directory.tables import accounts, domains, list_members, list_owners, list_questions, lists, names
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists, BadAddress, BadValue, NotFound, TooMany, concerning
from hostmail.interfaces.lists import MailingList, MayPost
from hostmail.listnames import MAX_NAME, ListWord, around, taken_apart

MAX_LISTS, MAX_OWNERS, MAX_DESCRIPTION = 1_000, 20, 200
LEAST_SIZE, MOST_SIZE = 10 * 1024, 100 * 1024 * 1024

# It stands in header fields as it is, such as List-Id.
_NAME = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")

_COLUMNS = (
    lists.c.id,
    lists.c.address,
    domains.c.name.label("domain"),
    lists.c.description,
    lists.c.post,
    lists.c.size_bytes,
    lists.c.tell_held,
)
_LISTS = select(*_COLUMNS).join(domains, domains.c.id == lists.c.domain_id)


def by_key(connection: Connection, key: str) -> MailingList | None:
    """The list whose address has this `Address.key`."""
    found = _found(connection, _LISTS.where(lists.c.address_key == key))
    return found[0] if found else None


def all_of(connection: Connection, domain: str | None) -> list[MailingList]:
    """All lists, or those of a domain, by address."""
    query = _LISTS.order_by(domains.c.name, lists.c.address_key)
    return _found(connection, query.where(domains.c.name == domain) if domain is not None else query)


def _found(connection: Connection, query: Any) -> list[MailingList]:
    rows = connection.execute(query).all()
    owned = select(list_owners.c.list_id, list_owners.c.address).order_by(list_owners.c.address_key)
    owners: dict[int, list[Address]] = {}
    for list_id, address in connection.execute(owned.where(list_owners.c.list_id.in_([row.id for row in rows]))):
        owners.setdefault(list_id, []).append(Address.parse(address))
    return [
        MailingList(
            row.id,
            row.address,
            row.domain,
            tuple(owners.get(row.id, ())),
            row.description,
            MayPost(row.post),
            row.size_bytes,
            row.tell_held,
        )
        for row in rows
    ]


def belongs(connection: Connection, address: Address) -> str:
    """The list that an address belongs to, as its own or as one of those around it, or ""."""
    apart = taken_apart(address)
    keys = [address.key, *([apart[0].key] if apart is not None else [])]
    found = connection.execute(select(lists.c.address).where(lists.c.address_key.in_(keys))).scalar()
    return found or ""


def check_free(t: Transaction, address: Address) -> None:
    """Raises AlreadyExists for an address that a list needs."""
    if owner := belongs(t.connection, address):
        raise AlreadyExists(f"{address} belongs to the mailing list {owner}").about("address")


def check_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The columns of a list, and its `owners` as addresses; raises BadValue."""
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in _CHECKS:
            raise BadValue(f"a list has no {name}; it has {', '.join(sorted(_CHECKS))}")
        with concerning(name):
            found[name] = _CHECKS[name](value)
    return found


def _owners(value: Sequence[str]) -> dict[str, Address]:
    owners = [values.check_address(each) for each in value]
    if not 1 <= len(owners) <= MAX_OWNERS:
        raise BadValue(f"a list has 1 to {MAX_OWNERS} owners")
    return {owner.key: owner for owner in owners}


def _description(value: str) -> str:
    if not value.isprintable() or len(value) > MAX_DESCRIPTION or not set(value).isdisjoint("<>"):
        raise BadValue(f"a description is one line of at most {MAX_DESCRIPTION} characters, without < and >")
    return value.strip()


def _post(value: str) -> str:
    try:
        return MayPost(value)
    except ValueError:
        raise BadValue(f"{value}: posts are taken from {', '.join(MayPost)}") from None


def _size(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not LEAST_SIZE <= value <= MOST_SIZE:
        raise BadValue(f"a list's size limit is {LEAST_SIZE} to {MOST_SIZE} octets")
    return value


def _switch(value: bool) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"{value} is neither true nor false")
    return value


_CHECKS: dict[str, Any] = {
    "owners": _owners,
    "description": _description,
    "post": _post,
    "size_bytes": _size,
    "tell_held": _switch,
}


def add(t: Transaction, address: Address, changes: dict[str, Any]) -> MailingList:
    """A new list. Neither its address nor those around it may be anybody's."""
    domain_id, domain = t.find_domain(address.domain)
    if len(address.local) > MAX_NAME or not _NAME.fullmatch(address.local):
        raise BadValue(
            f"a list's name has at most {MAX_NAME} letters and digits, all ASCII, with . _ and - between them"
        ).about("address")
    if taken_apart(address) is not None:
        raise BadValue(f"a list's name cannot end in -{', -'.join(ListWord)}").about("address")
    check_free(t, address)
    _check_nobodys(t, [address, *(around(address, word) for word in ListWord)])
    count = t.run(select(func.count()).select_from(lists).where(lists.c.domain_id == domain_id)).scalar_one()
    if count >= MAX_LISTS:
        raise TooMany(f"a domain may have {MAX_LISTS} lists", code=422)
    defaults = {"description": "", "post": MayPost.MEMBERS, "size_bytes": 1024 * 1024}
    columns = {**defaults, **changes}
    owners = columns.pop("owners")
    row = {"domain_id": domain_id, "address": str(address), "address_key": address.key, "created": t.now}
    inserted = t.run(insert(lists).values(columns | row)).inserted_primary_key
    _put_owners(t, int(inserted[0]) if inserted else 0, owners)
    t.announce(domain)
    return find(t, str(address))


def set_(t: Transaction, text: str, changes: dict[str, Any]) -> MailingList:
    """Change some of it."""
    found = find(t, text)
    columns = dict(changes)
    if "owners" in columns:
        _put_owners(t, found.id, columns.pop("owners"))
    if columns:
        t.run(update(lists).where(lists.c.id == found.id).values(columns))
    t.announce(found.domain)
    return find(t, text)


def remove(t: Transaction, text: str) -> MailingList:
    """Give it up."""
    found = find(t, text)
    _forget(t, [found.id])
    t.announce(found.domain)
    return found


def forget_domain(t: Transaction, domain_id: int) -> None:
    """With a domain go its lists."""
    _forget(t, t.run(select(lists.c.id).where(lists.c.domain_id == domain_id)).scalars().all())


def find(t: Transaction, text: str) -> MailingList:
    """The list with this address; raises NotFound."""
    try:
        found = by_key(t.connection, Address.parse(text.strip()).key)
    except BadAddress:
        found = None
    if found is None:
        raise NotFound(f"no mailing list {text} here")
    return found


def _forget(t: Transaction, ids: Collection[int]) -> None:
    for table in (list_owners, list_members, list_questions):
        t.run(delete(table).where(table.c.list_id.in_(ids)))
    t.run(delete(lists).where(lists.c.id.in_(ids)))


def _put_owners(t: Transaction, list_id: int, owners: dict[str, Address]) -> None:
    """Instead of those there are."""
    t.run(delete(list_owners).where(list_owners.c.list_id == list_id))
    for key, owner in owners.items():
        t.run(insert(list_owners).values(list_id=list_id, address_key=key, address=str(owner)))


def _check_nobodys(t: Transaction, addresses: Sequence[Address]) -> None:
    keys = [each.key for each in addresses]
    for table in (accounts, names):
        taken = t.run(select(table.c.address).where(table.c.address_key.in_(keys))).scalar()
        if taken is not None:
            raise AlreadyExists(f"{taken} is somebody's, and the list needs that address").about("address")
    if hosted := facts.domain_behind(t.connection, addresses[0].domain):
        raise BadValue(f"{addresses[0].domain} stands for {hosted}")
