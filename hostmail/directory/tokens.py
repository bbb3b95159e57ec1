"""Tokens that programs show to the API: only a digest is kept, and none opens more than who made it may himself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, delete, func, insert, literal, select, update
from zope.interface import implementer

from hostmail.actor import Actor, Role
from hostmail.directory import standing
from hostmail.directory.steps import Steps
from hostmail.directory.tables import accounts, domains, token_domains, tokens
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadValue, NotFound, TooMany
from hostmail.interfaces.people import ITokens, Standing, Token
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

PREFIX, OCTETS = "hostmail_", 32
MAX_TOKENS, MAX_OF_ONE, MAX_NAME = 100_000, 100, 100
NOTED_EVERY = 60.0
API = "api"

_T = tokens.c


def digest_of(token: str) -> str:
    """What is kept of it. It is random and long: a quick hash gives nothing away."""
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).hexdigest()


@implementer(ITokens)
class Tokens:
    """Each question and each change is one transaction in a thread. `now` is Unix time."""

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._steps = Steps("tokens", database=database, in_thread=in_thread, now=now)
        self._now = now

    async def actor(self, token: str, ip: str) -> Actor | None:
        """Who that is now. That it was used is written down, to the minute."""
        if not token.startswith(PREFIX):
            return None
        known, actor = await self._steps.read(_actor, digest_of(token), ip, now := self._now())
        if known is not None and actor is not None and (known.last_used or 0.0) <= now - NOTED_EVERY:
            await self._steps.note(_used, known.id)
        return actor

    async def add(
        self,
        name: str,
        role: Role,
        *,
        subject: str,
        made_by: str,
        domains: Sequence[str] = (),
        address: str = "",
        read_only: bool = False,
        expires: float | None = None,
    ) -> tuple[Token, str]:
        """A new one, and what to show; that is kept nowhere. Raises BadValue, NotFound, TooMany."""
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise BadValue(f"a token needs a name of 1 to {MAX_NAME} characters, to know it by").about("name")
        if expires is not None and expires <= self._now():
            raise BadValue("that token would have ended already")
        secret = PREFIX + secrets.token_urlsafe(OCTETS)
        row = {
            "name": name.strip(),
            "digest": digest_of(secret),
            "subject": subject,
            "made_by": made_by,
            "role": role.value,
            "read_only": read_only,
            "expires": expires,
        }
        return await self._steps.write(_add, row, role, list(domains), address), secret

    async def tokens(self) -> list[Token]:
        """All, the newest first."""
        return await self._steps.read(_tokens)

    async def revoke(self, number: int) -> None:
        """It opens nothing any more; raises NotFound."""
        await self._steps.write(_revoke, number)


def forget_tokens(t: Transaction, subject: str) -> None:
    """Who made them is gone."""
    t.run(delete(tokens).where(_T.subject == subject))


def forget_accounts(t: Transaction, chosen: Any) -> None:
    """These accounts go: with the tokens for them, and those they made."""
    subjects = select(literal(standing.account("")) + cast(accounts.c.id, Text)).where(accounts.c.id.in_(chosen))
    t.run(delete(tokens).where(_T.account_id.in_(chosen) | _T.subject.in_(subjects)))


def forget_domain(t: Transaction, domain_id: int) -> None:
    """It goes: with what its main login made. What is left of a token's domains is what it still opens."""
    t.run(delete(token_domains).where(token_domains.c.domain_id == domain_id))
    forget_tokens(t, standing.domain(domain_id))


def _tokens_query() -> Select[Any]:
    return select(tokens, accounts.c.address).outerjoin(accounts, accounts.c.id == _T.account_id)


def _token(connection: Connection, row: Any) -> Token:
    query = select(domains.c.name).join(token_domains, token_domains.c.domain_id == domains.c.id)
    named = connection.execute(query.where(token_domains.c.token_id == row.id).order_by(domains.c.name)).scalars()
    return Token(
        row.id,
        row.name,
        Role(row.role),
        row.subject,
        row.made_by,
        tuple(named),
        row.address or "",
        row.read_only,
        row.created,
        row.expires,
        row.last_used,
    )


def _tokens(connection: Connection) -> list[Token]:
    return [_token(connection, row) for row in connection.execute(_tokens_query().order_by(_T.id.desc())).all()]


def _known(connection: Connection, digest: str, now: float) -> Token | None:
    row = connection.execute(_tokens_query().where(_T.digest == digest)).first()
    if row is None or (row.expires is not None and row.expires <= now):
        return None
    return _token(connection, row)


def _used(t: Transaction, number: int) -> None:
    t.run(update(tokens).where(_T.id == number).values(last_used=t.now))


def _actor(connection: Connection, digest: str, ip: str, now: float) -> tuple[Token | None, Actor | None]:
    token = _known(connection, digest, now)
    return token, _actor_of(connection, token, ip) if token is not None else None


def _actor_of(connection: Connection, token: Token, ip: str) -> Actor | None:
    maker = standing.of_subject(connection, token.subject) if token.subject else None
    if token.subject and (maker is None or maker.suspended):
        return None
    login = f"{maker.login if maker is not None else token.made_by} ({token.name})"
    actor = Actor(token.role, login, API, ip, read_only=token.read_only)
    if token.role is Role.OPERATOR:
        return actor if maker is None or maker.role is Role.OPERATOR else None
    if token.role is Role.OWNER:
        return replace(actor, domains=frozenset(name for name in token.domains if _may_manage(maker, name)))
    user = standing.of_login(connection, token.address)
    if user is None or user.suspended:
        return None
    mine = maker is not None and maker.account_id == user.account_id
    return replace(actor, address=user.address) if mine or _may_manage(maker, user.address.rpartition("@")[2]) else None


def _may_manage(maker: Standing | None, domain: str) -> bool:
    return maker is None or maker.role is Role.OPERATOR or domain in maker.domains


def _add(t: Transaction, row: dict[str, Any], role: Role, names: list[str], address: str) -> Token:
    of_all, of_one = select(func.count()).select_from(tokens), MAX_TOKENS if not row["subject"] else MAX_OF_ONE
    if (
        t.run(of_all).scalar_one() >= MAX_TOKENS
        or t.run(of_all.where(_T.subject == row["subject"])).scalar_one() >= of_one
    ):
        raise TooMany(f"there may be {of_one} tokens: revoke one", code=422)
    if (role is Role.OWNER) != bool(names) or (role is Role.USER) != bool(address):
        raise BadValue("a token is for an operator, for domains, or for one account")
    account_id = t.find_account(address).id if address else None
    inserted = t.run(insert(tokens).values(row | {"account_id": account_id, "created": t.now})).inserted_primary_key
    number = int(inserted[0]) if inserted else 0
    for domain_id in {t.find_domain(name)[0] for name in names}:
        t.run(insert(token_domains).values(token_id=number, domain_id=domain_id))
    return _token(t.connection, t.run(_tokens_query().where(_T.id == number)).one())


def _revoke(t: Transaction, number: int) -> None:
    if t.run(delete(tokens).where(_T.id == number)).rowcount != 1:
        raise NotFound(f"there is no token {number}")
