"""Verbs about tokens for programs that use the API."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from hostmail.actor import COMMAND, Actor, Role
from hostmail.admin.own import subject_of
from hostmail.admin.parts import NoArguments, Parts, Verb
from hostmail.admin.permissions import ADDRESS, DOMAIN, EVERYBODY, May
from hostmail.admin.told import TokenTold
from hostmail.envelope import Peer
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.people import Token

DAY_SECONDS, MOST_DAYS = 86_400, 3_650


class AddToken(msgspec.Struct, forbid_unknown_fields=True):
    """token.add: for an `operator`, for `domains`, or for the account `address`; without any, for all that its maker may.

    `days` null is for ever. Who has signed in says the password he has as `current`.
    """

    name: str
    current: str = ""
    operator: bool = False
    domains: list[str] = []
    address: str = ""
    read_only: bool = False
    days: int | None = None


class OneToken(msgspec.Struct, forbid_unknown_fields=True):
    """token.revoke"""

    id: int


class NewTokenTold(TokenTold):
    """A new token, with what the program has to show."""

    token: str


class RevokedTold(TypedDict):
    """Which token opens nothing any more."""

    id: int


class TokenVerbs:
    """Everybody makes, sees and revokes his own; operators all of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        add = May(
            EVERYBODY,
            about={"domains": DOMAIN, "address": ADDRESS},
            only={
                Role.OWNER: frozenset(("name", "current", "domains", "address", "read_only", "days")),
                Role.USER: frozenset(("name", "current", "address", "read_only", "days")),
            },
            acting=True,
        )
        self.verbs = {
            "token.add": Verb(AddToken, self.add, add),
            "token.list": Verb(NoArguments, self.all, May(EVERYBODY, looks=True, acting=True)),
            "token.revoke": Verb(OneToken, self.revoke, May(EVERYBODY, acting=True)),
        }

    async def add(self, asked: AddToken, actor: Actor) -> NewTokenTold:
        """A new one: what the program has to show is told this once."""
        if asked.days is not None and not 1 <= asked.days <= MOST_DAYS:
            raise BadValue(f"a token is for 1 to {MOST_DAYS} days, or for ever").about("days")
        role, domains, address = scope_of(asked, actor)
        token, secret = await self._parts.tokens.add(
            asked.name,
            role,
            subject=await self._subject(asked, actor),
            made_by=actor.login,
            domains=domains,
            address=address,
            read_only=asked.read_only,
            expires=None if asked.days is None else self._parts.now() + asked.days * DAY_SECONDS,
        )
        return {**told(token), "token": secret}

    async def all(self, _: NoArguments, actor: Actor) -> list[TokenTold]:
        """Tokens, the newest first."""
        return [told(token) for token in await self._visible(actor)]

    async def revoke(self, asked: OneToken, actor: Actor) -> RevokedTold:
        """Revoke a token: it opens nothing any more."""
        if asked.id not in [token.id for token in await self._visible(actor)]:
            raise NotFound(f"there is no token {asked.id}")
        await self._parts.tokens.revoke(asked.id)
        return {"id": asked.id}

    async def _visible(self, actor: Actor) -> list[Token]:
        tokens = await self._parts.tokens.tokens()
        if actor.role is Role.OPERATOR:
            return tokens
        subject = await subject_of(self._parts, actor)
        return [token for token in tokens if token.subject == subject]

    async def _subject(self, asked: AddToken, actor: Actor) -> str:
        """Whose it will be: nobody's who came by the command. A token outlives its maker's session, so a session alone makes none."""
        if actor.way == COMMAND:
            return ""
        subject = await subject_of(self._parts, actor)
        await self._parts.sign_in.check_password(subject, asked.current, Peer(actor.ip, actor.way))
        return subject


def scope_of(asked: AddToken, actor: Actor) -> tuple[Role, list[str], str]:
    """What the token is for: role, domains, address."""
    if [asked.operator, bool(asked.domains), bool(asked.address)].count(True) > 1:
        raise BadValue("a token is for an operator, for domains, or for one account")
    if asked.operator:
        return Role.OPERATOR, [], ""
    if asked.domains:
        return Role.OWNER, asked.domains, ""
    if asked.address:
        return Role.USER, [], asked.address
    return actor.role, sorted(actor.domains), actor.address if actor.role is Role.USER else ""


def told(token: Token) -> TokenTold:
    """A token as JSON, without what opens anything."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "domains": list(token.domains),
        "address": token.address or None,
        "read_only": token.read_only,
        "made_by": token.made_by,
        "created": token.created,
        "expires": token.expires,
        "last_used": token.last_used,
    }
