"""How somebody stands who may sign in to the panel: queries by login and by subject. All of them block; they run in threads.

The stamp of his credentials is made of counters that only ever grow: it changes with each new password and each change of the second
factor, however fast one follows the other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from hostmail.actor import Role
from hostmail.address import Address
from hostmail.directory.tables import accounts, domains, people, person_domains, second_factors
from hostmail.errors import BadAddress
from hostmail.interfaces.people import Standing

_NONE = "0"


def person(number: int | str) -> str:
    """The subject of an operator or owner with a login of his own."""
    return f"person:{number}"


def domain(number: int) -> str:
    """The subject of a domain's main login."""
    return f"domain:{number}"


def account(number: int | str) -> str:
    """The subject of a mailbox user."""
    return f"account:{number}"


def of_login(connection: Connection, login: str) -> Standing | None:
    """Who signs in so."""
    try:
        login.encode()
    except UnicodeEncodeError:
        return None
    if "@" in login:
        return _user(connection, accounts.c.address_key == _key(login))
    found = _person(connection, people.c.login == login)
    return found or _main_login(connection, domains.c.main_login == login)


def of_subject(connection: Connection, subject: str) -> Standing | None:
    """Who that is now."""
    kind, _, number = subject.partition(":")
    if not number.isascii() or not number.isdigit():
        return None
    if kind == "person":
        return _person(connection, people.c.id == int(number))
    if kind == "domain":
        return _main_login(connection, domains.c.id == int(number))
    return _user(connection, accounts.c.id == int(number)) if kind == "account" else None


def _key(login: str) -> str:
    try:
        return Address.parse(login).key
    except BadAddress:
        return ""


def _person(connection: Connection, which: Any) -> Standing | None:
    row = connection.execute(select(people).where(which)).first()
    if row is None:
        return None
    subject, role = person(row.id), Role(row.role)
    query = select(domains.c.name).join(person_domains, person_domains.c.domain_id == domains.c.id)
    of_him = connection.execute(query.where(person_domains.c.person_id == row.id)).scalars()
    factor = _factor(connection, subject)
    return Standing(
        subject,
        row.login,
        role,
        f"{row.credential}.{factor}",
        person_id=row.id,
        domains=frozenset(of_him),
        suspended="suspended" if row.suspended else "",
        second_factor=factor != _NONE,
        password_hash=row.password_hash,
    )


def _accounts() -> Select[Any]:
    return select(
        accounts.c.id,
        accounts.c.address,
        accounts.c.credential,
        accounts.c.password_hash,
        accounts.c.login_suspended,
        domains.c.id.label("domain_id"),
        domains.c.name.label("domain"),
        domains.c.main_login,
        domains.c.login_suspended.label("domain_suspended"),
    )


def _main_login(connection: Connection, which: Any) -> Standing | None:
    row = connection.execute(
        _accounts().join(accounts, accounts.c.id == domains.c.default_account_id).where(which)
    ).first()
    if row is None:
        return None
    subject = domain(row.domain_id)
    factor = _factor(connection, subject)
    return Standing(
        subject,
        row.main_login,
        Role.OWNER,
        f"{row.id}.{row.credential}.{factor}",
        account_id=row.id,
        address=row.address,
        domains=frozenset({row.domain}),
        suspended=_suspended(row),
        second_factor=factor != _NONE,
        password_hash=row.password_hash,
    )


def _user(connection: Connection, which: Any) -> Standing | None:
    row = connection.execute(_accounts().join(accounts, accounts.c.domain_id == domains.c.id).where(which)).first()
    if row is None:
        return None
    return Standing(
        account(row.id),
        row.address,
        Role.USER,
        str(row.credential),
        account_id=row.id,
        address=row.address,
        suspended=_suspended(row),
        password_hash=row.password_hash,
    )


def _suspended(row: Row[Any]) -> str:
    if row.domain_suspended:
        return "the domain's logins are suspended"
    return "login suspended" if row.login_suspended else ""


def _factor(connection: Connection, subject: str) -> str:
    """The number of his second factor, if one is in force."""
    f = second_factors.c
    return str(connection.execute(select(f.number).where(f.subject == subject, f.active)).scalar() or _NONE)
