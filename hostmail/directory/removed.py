"""Accounts that were removed, and can be restored while their mail is kept aside (D13)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, select

from hostmail.directory.tables import accounts, domains, removed_accounts
from hostmail.directory.transaction import Transaction
from hostmail.errors import NotFound
from hostmail.interfaces.directory import RemovedAccount

_C = removed_accounts.c
_KEPT = (
    "address",
    "directory",
    "password_hash",
    "quota_bytes",
    "quota_messages",
    "login_suspended",
    "incoming_suspended",
    "outgoing_suspended",
    "operator_suspended",
)


def remember(t: Transaction, which: ColumnElement[bool]) -> None:
    """Accounts that are about to be removed."""
    columns = (domains.c.name, *(accounts.c[name] for name in _KEPT), literal(t.now))
    source = select(*columns).join(domains, domains.c.id == accounts.c.domain_id).where(which)
    t.run(insert(removed_accounts).from_select(["domain", *_KEPT, "removed"], source))


def take(t: Transaction, number: int) -> dict[str, Any]:
    """What the account was, which is no removed one any more; raises NotFound."""
    row = t.run(select(*(_C[name] for name in _KEPT)).where(_C.id == number)).mappings().first()
    if row is None:
        raise NotFound(f"there is no removed account {number}: it was restored, or its time is over")
    t.run(delete(removed_accounts).where(_C.id == number))
    return dict(row)


def since(connection: Connection, then: float, domain: str | None) -> list[RemovedAccount]:
    """Those of a domain, or of all, the last one first."""
    owned = func.coalesce(domains.c.created <= _C.removed, False)
    query = select(_C.id, _C.address, _C.domain, _C.directory, _C.removed, owned)
    query = query.outerjoin(domains, domains.c.name == _C.domain).where(_C.removed >= then)
    if domain is not None:
        query = query.where(_C.domain == domain)
    return [RemovedAccount(*row) for row in connection.execute(query.order_by(_C.removed.desc(), _C.id.desc()))]


def forget(t: Transaction, before: float) -> int:
    """Those removed before then are gone for good; how many."""
    return t.run(delete(removed_accounts).where(_C.removed < before)).rowcount
