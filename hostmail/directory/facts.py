"""From rows to facts: the queries that both reading and changing need. All of them block; they run in threads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from hostmail.directory.tables import accounts, domains
from hostmail.interfaces import Account, Domain

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
