"""What the owners of a domain may have (F1): looked at inside the transaction that would pass it, so that no two get through together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal, select

from hostmail.config.units import human_size
from hostmail.directory.tables import accounts, domains, lists, name_targets, names, people, person_domains
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadValue, TooMany
from hostmail.sql.database import Database

_HIS = select(person_domains.c.domain_id).where(person_domains.c.person_id == bindparam("owner"))
_FORWARDS = (
    select(func.count())
    .select_from(name_targets)
    .join(names, names.c.id == name_targets.c.name_id)
    .where(name_targets.c.forward, names.c.domain_id.in_(_HIS))
)
_LEAVING = select(func.count()).where(
    domains.c.id.in_(_HIS),
    domains.c.catch_all.contains("@"),
    ~domains.c.catch_all.endswith(literal("@") + domains.c.name),
)
"""Catch-alls that take mail out of their domain: forwards by another name."""

_MEASURES: dict[str, tuple[Select[Any], Callable[[int], str]]] = {
    "max_accounts": (
        select(func.count()).select_from(accounts).where(accounts.c.domain_id.in_(_HIS)),
        lambda limit: f"there may be {limit} accounts, and so many there are",
    ),
    "max_forwards": (
        select(_FORWARDS.scalar_subquery() + _LEAVING.scalar_subquery()),
        lambda limit: f"mail may be forwarded to {limit} addresses, and so many there are",
    ),
    "max_lists": (
        select(func.count()).select_from(lists).where(lists.c.domain_id.in_(_HIS)),
        lambda limit: f"there may be {limit} mailing lists, and so many there are",
    ),
    "quota_bytes": (
        select(func.sum(accounts.c.quota_bytes)).where(accounts.c.domain_id.in_(_HIS)),
        lambda limit: f"the quotas of all accounts together may be {human_size(limit)}",
    ),
}
"""An owner's limits: what is measured over all his domains, and the words for who would pass one."""


def check(t: Transaction, database: Database) -> None:
    """Raises TooMany or BadValue if this change brings an owner over a limit, or further over one that was lowered.

    `database` shows how it was before: nobody else writes meanwhile.
    """
    touched = {event.domain for event in t.events}
    limited = _limited_owners(t.connection, touched)
    for owner in limited:
        for column, (measure, words) in _MEASURES.items():
            limit = getattr(owner, column)
            if limit is not None and (now := _measured(t.connection, measure, owner.id)) > limit:
                with database.reading() as before:
                    if _measured(before, measure, owner.id) < now:
                        raise TooMany(words(limit), code=422)
    _check_quotas(t, database, gives_quotas=any(owner.quota_bytes is not None for owner in limited))


def _limited_owners(connection: Connection, touched: Iterable[str]) -> list[Any]:
    query = (
        select(people.c.id, *(people.c[column] for column in _MEASURES))
        .join(person_domains, person_domains.c.person_id == people.c.id)
        .join(domains, domains.c.id == person_domains.c.domain_id)
        .where(domains.c.name.in_(touched))
        .distinct()
    )
    return list(connection.execute(query).all())


def _check_quotas(t: Transaction, database: Database, gives_quotas: bool) -> None:
    """An account's new quota fits into its domain's; where quotas are limited, there is one."""
    for number in {event.account_id for event in t.events if event.account_id and not event.removed}:
        query = select(accounts.c.quota_bytes, domains.c.quota_bytes).join(
            domains, domains.c.id == accounts.c.domain_id
        )
        row: Any = t.run(query.where(accounts.c.id == number)).first()
        with database.reading() as before:
            known = before.execute(select(accounts.c.quota_bytes).where(accounts.c.id == number)).first()
        if row is None or (known is not None and known[0] == row[0]):
            continue
        quota, of_domain = row[0], row[1]
        if quota is None and gives_quotas:
            raise BadValue("give the account a quota: what all may have together is limited").about("quota")
        if quota is not None and of_domain is not None and quota > of_domain:
            raise BadValue(f"that is more than the {human_size(of_domain)} of the whole domain").about("quota")


def _measured(connection: Connection, measure: Select[Any], owner: int) -> int:
    return int(connection.execute(measure, {"owner": owner}).scalar() or 0)
