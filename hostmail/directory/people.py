"""Operators and owners with logins of their own, and how everybody stands who may sign in to the panel (F1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Text, cast, delete, func, insert, literal, select, update
from zope.interface import implementer

from hostmail.actor import Role
from hostmail.config.nearest import MOST_COMPARED, nearest
from hostmail.directory import standing, values
from hostmail.directory.factors import forget_factor
from hostmail.directory.steps import Steps
from hostmail.directory.tables import domains, people, person_domains, second_factors
from hostmail.directory.tokens import forget_tokens
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists, BadValue, NotFound, TooMany, concerning
from hostmail.interfaces.people import IPeople, Person, Standing
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

MAX_PEOPLE, MAX_DOMAINS = 10_000, 10_000
LIMITS = ("max_accounts", "max_forwards", "max_lists", "quota_bytes")

_P = people.c
_COLUMNS = (
    _P.id,
    _P.login,
    _P.role,
    _P.suspended,
    _P.max_accounts,
    _P.max_forwards,
    _P.max_lists,
    _P.quota_bytes,
    _P.created,
)


@implementer(IPeople)
class People:
    """Each question and each change is one short transaction in a thread. `now` is Unix time."""

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._steps = Steps("people", database=database, in_thread=in_thread, now=now)

    async def signing_in(self, login: str) -> Standing | None:
        """Who has this login; an account's is compared without case, the checker is more exact."""
        return await self._steps.read(standing.of_login, login)

    async def standing(self, subject: str) -> Standing | None:
        """Who that is now."""
        return await self._steps.read(standing.of_subject, subject)

    async def people(self, role: Role) -> list[Person]:
        """All with this role, by login."""
        return await self._steps.read(_all, role)

    async def person(self, login: str) -> Person:
        """The one with this login; raises NotFound with a near miss."""
        return await self._steps.read(_find, login)

    async def add(self, login: str, role: Role, *, password_hash: str, **limits: int | None) -> Person:
        """Somebody new; raises BadValue, AlreadyExists, TooMany."""
        columns = _checked(role, limits) | {"password_hash": values.check_password_hash(password_hash)}
        with concerning("login"):
            checked = values.check_main_login(login)
        return await self._steps.write(_add, checked, role, columns)

    async def set(self, login: str, **changes: Any) -> Person:
        """Change what is named; raises NotFound, BadValue."""
        return await self._steps.write(_set, login, changes)

    async def remove(self, login: str) -> Person:
        """With his second factor and his tokens; raises NotFound."""
        return await self._steps.write(_remove, login)

    async def grant(self, login: str, domain: str) -> Person:
        """Raises NotFound, BadValue for an operator."""
        return await self._steps.write(_grant, login, domain)

    async def revoke(self, login: str, domain: str) -> Person:
        """Raises NotFound."""
        return await self._steps.write(_revoke, login, domain)


def _checked(role: Role, limits: dict[str, Any]) -> dict[str, Any]:
    if role is Role.OPERATOR and limits:
        raise BadValue("operators have no limits")
    if unknown := limits.keys() - set(LIMITS):
        raise BadValue(f"an owner has no {', '.join(sorted(unknown))}; he has {', '.join(LIMITS)}")
    return {name: _limit(name, value) for name, value in limits.items()}


def _limit(name: str, value: Any) -> int | None:
    """0 is a limit as well: no lists at all."""
    return 0 if value == 0 and not isinstance(value, bool) else values.check_quota(name, value)


def _all(connection: Connection, role: Role) -> list[Person]:
    return _persons(connection, _P.role == role.value)


def _find(connection: Connection, login: str) -> Person:
    found = _persons(connection, _P.login_key == login.strip().casefold())
    if not found:
        known = connection.execute(select(_P.login).limit(MOST_COMPARED)).scalars()
        raise NotFound(f"there is no operator or owner {login}", nearest(login, known))
    return found[0]


def _persons(connection: Connection, which: Any) -> list[Person]:
    """In three questions, however many they are."""
    rows = connection.execute(select(*_COLUMNS).where(which).order_by(_P.login_key)).all()
    mine: dict[int, list[str]] = {}
    query = select(person_domains.c.person_id, domains.c.name).join(domains, domains.c.id == person_domains.c.domain_id)
    of_them = query.join(people, _P.id == person_domains.c.person_id).where(which).order_by(domains.c.name)
    for number, name in connection.execute(of_them):
        mine.setdefault(number, []).append(name)
    subjects = literal(standing.person("")) + cast(_P.id, Text)
    f = second_factors.c
    factors = set(
        connection.execute(select(_P.id).join(second_factors, f.subject == subjects).where(which, f.active)).scalars()
    )
    return [_person(row, mine.get(row.id, []), row.id in factors) for row in rows]


def _person(row: Any, of_him: Sequence[str], second_factor: bool) -> Person:
    return Person(
        row.id,
        row.login,
        Role(row.role),
        row.suspended,
        max_accounts=row.max_accounts,
        max_forwards=row.max_forwards,
        max_lists=row.max_lists,
        quota_bytes=row.quota_bytes,
        created=row.created,
        domains=tuple(of_him),
        second_factor=second_factor,
    )


def _add(t: Transaction, login: str, role: Role, columns: dict[str, Any]) -> Person:
    if t.main_login_taken(login):
        raise AlreadyExists(f"the login {login} is somebody else's already").about("login")
    if t.run(select(func.count()).select_from(people)).scalar_one() >= MAX_PEOPLE:
        raise TooMany(f"there may be {MAX_PEOPLE} operators and owners", code=422)
    row = {"login": login, "login_key": login.casefold(), "role": role.value, "created": t.now}
    t.run(insert(people).values(columns | row))
    return _find(t.connection, login)


def _set(t: Transaction, login: str, changes: dict[str, Any]) -> Person:
    found = _find(t.connection, login)
    columns: dict[str, Any] = {}
    if "suspended" in changes:
        columns["suspended"] = values.check_switch("suspended", changes.pop("suspended"))
    if "password_hash" in changes:
        columns["password_hash"] = values.check_password_hash(changes.pop("password_hash"))
        columns["credential"] = _P.credential + 1
    columns |= _checked(found.role, changes)
    if columns:
        t.run(update(people).where(_P.id == found.id).values(columns))
    return _find(t.connection, login)


def _remove(t: Transaction, login: str) -> Person:
    found = _find(t.connection, login)
    forget_factor(t, standing.person(found.id))
    forget_tokens(t, standing.person(found.id))
    t.run(delete(person_domains).where(person_domains.c.person_id == found.id))
    t.run(delete(people).where(_P.id == found.id))
    return found


def _grant(t: Transaction, login: str, domain: str) -> Person:
    found = _find(t.connection, login)
    if found.role is not Role.OWNER:
        raise BadValue(f"{found.login} is an operator, who manages every domain")
    domain_id, name = t.find_domain(domain)
    if name not in found.domains:
        if len(found.domains) >= MAX_DOMAINS:
            raise TooMany(f"an owner may have {MAX_DOMAINS} domains", code=422)
        t.run(insert(person_domains).values(person_id=found.id, domain_id=domain_id))
    return _find(t.connection, login)


def _revoke(t: Transaction, login: str, domain: str) -> Person:
    found = _find(t.connection, login)
    domain_id, name = t.find_domain(domain)
    this = (person_domains.c.person_id == found.id) & (person_domains.c.domain_id == domain_id)
    if t.run(delete(person_domains).where(this)).rowcount != 1:
        raise NotFound(f"{found.login} does not manage {name}")
    return _find(t.connection, login)
