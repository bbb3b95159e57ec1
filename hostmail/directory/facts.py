"""From rows to facts: the queries that both reading and changing need. All of them block; they run in threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, select

from hostmail.address import Address
from hostmail.directory.tables import accounts, domain_aliases, domains, lists, name_targets, names
from hostmail.interfaces.directory import Account, Domain, Name

ACCOUNT_COLUMNS = (
    accounts.c.id,
    accounts.c.address,
    domains.c.name.label("domain"),
    accounts.c.directory,
    accounts.c.quota_bytes,
    accounts.c.quota_messages,
    accounts.c.login_suspended,
    accounts.c.incoming_suspended,
    accounts.c.outgoing_suspended,
    accounts.c.operator_suspended,
)
DOMAIN_COLUMNS = (
    domains.c.name,
    domains.c.main_login,
    domains.c.quota_bytes,
    domains.c.default_account_id,
    domains.c.login_suspended,
    domains.c.incoming_suspended,
    domains.c.outgoing_suspended,
    domains.c.pop_before_smtp,
    domains.c.must_match_sender,
    domains.c.active,
    domains.c.catch_all,
    exists().where(names.c.domain_id == domains.c.id).label("has_names"),
    exists().where(lists.c.domain_id == domains.c.id).label("has_lists"),
)


def select_accounts(*more: Any) -> Select[Any]:
    """Accounts with their domain's name, and whatever columns are wanted beyond."""
    return select(*ACCOUNT_COLUMNS, *more).join(domains, domains.c.id == accounts.c.domain_id)


def account_of(row: Row[Any]) -> Account:
    """The account in a row of `select_accounts`."""
    return Account(*row[: len(ACCOUNT_COLUMNS)])


def domain_named(connection: Connection, name: str) -> Domain | None:
    """The domain of exactly this (lower case) name."""
    row = connection.execute(select(*DOMAIN_COLUMNS).where(domains.c.name == name)).first()
    return Domain(*row) if row else None


def account_by_id(connection: Connection, account_id: int) -> Account | None:
    """The account with this id."""
    row = connection.execute(select_accounts().where(accounts.c.id == account_id)).first()
    return account_of(row) if row else None


def account_by_key(connection: Connection, key: str) -> Account | None:
    """The account that owns the address with this `Address.key`."""
    row = connection.execute(select_accounts().where(accounts.c.address_key == key)).first()
    return account_of(row) if row else None


def login_by_key(connection: Connection, key: str) -> tuple[Account, str] | None:
    """Account and password hash of an address, by its `Address.key`."""
    return _login(connection, select_accounts(accounts.c.password_hash).where(accounts.c.address_key == key))


def login_by_main_login(connection: Connection, main_login: str) -> tuple[Account, str] | None:
    """Default mailbox and its password hash, by a domain's main login spelled exactly so (A3)."""
    query = select_accounts(accounts.c.password_hash).where(
        domains.c.main_login_key == main_login.casefold(),
        domains.c.main_login == main_login,
        accounts.c.id == domains.c.default_account_id,
    )
    return _login(connection, query)


def _login(connection: Connection, query: Select[Any]) -> tuple[Account, str] | None:
    row = connection.execute(query).first()
    return (account_of(row), row.password_hash) if row else None


_NAMES = (
    select(
        names.c.address,
        domains.c.name.label("domain"),
        names.c.keep_copy,
        names.c.blocked,
        name_targets.c.target,
        name_targets.c.forward,
    )
    .join(domains, domains.c.id == names.c.domain_id)
    .outerjoin(name_targets, name_targets.c.name_id == names.c.id)
)


def name_by_key(connection: Connection, key: str) -> Name | None:
    """What was laid down about the address with this `Address.key`."""
    return next(
        iter(_as_names(connection.execute(_NAMES.where(names.c.address_key == key).order_by(name_targets.c.id)))), None
    )


def names_of(connection: Connection, domain: str | None) -> list[Name]:
    """All names, or those of a domain, by address."""
    query = _NAMES.order_by(domains.c.name, names.c.address_key, name_targets.c.id)
    return _as_names(connection.execute(query.where(domains.c.name == domain) if domain is not None else query))


def _as_names(rows: Iterable[Row[Any]]) -> list[Name]:
    """Rows of one name follow each other."""
    found: dict[str, tuple[Row[Any], list[Row[Any]]]] = {}
    for row in rows:
        found.setdefault(row.address, (row, []))[1].append(row)
    return [
        Name(row.address, row.domain, _targets(all_rows, False), _targets(all_rows, True), row.keep_copy, row.blocked)
        for row, all_rows in found.values()
    ]


def _targets(rows: Iterable[Row[Any]], forward: bool) -> tuple[Address, ...]:
    return tuple(Address.parse(row.target) for row in rows if row.target is not None and row.forward == forward)


def domain_behind(connection: Connection, name: str) -> str:
    """The hosted domain that the domain `name` stands for, or ""."""
    query = select(domains.c.name).join(domain_aliases, domain_aliases.c.domain_id == domains.c.id)
    return connection.execute(query.where(domain_aliases.c.name == name)).scalar() or ""


def domain_aliases_of(connection: Connection, domain: str | None) -> list[tuple[str, str]]:
    """Domain aliases by name, each with its domain."""
    query = select(domain_aliases.c.name, domains.c.name).join(domains, domains.c.id == domain_aliases.c.domain_id)
    rows = connection.execute(query.where(domains.c.name == domain) if domain is not None else query)
    return sorted((alias, name) for alias, name in rows)
