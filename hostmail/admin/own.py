"""Verbs about oneself, for whoever has signed in: who one is, one's own password and second factor."""

from __future__ import annotations

from typing import Literal, TypedDict

import msgspec

from hostmail.actor import Actor, Role
from hostmail.admin.parts import NoArguments, OneLogin, Parts, Verb
from hostmail.admin.permissions import EVERYBODY, OWNERS, May
from hostmail.admin.told import LoginTold
from hostmail.envelope import Peer
from hostmail.errors import NotAllowed, NotFound, concerning
from hostmail.interfaces.people import Standing

PANEL = "panel"


class SetOwnPassword(msgspec.Struct, forbid_unknown_fields=True):
    """own.passwd: `current` is the password that ends."""

    current: str
    password: str


class OwnPassword(msgspec.Struct, forbid_unknown_fields=True):
    """own.factor.begin"""

    current: str


class OneCode(msgspec.Struct, forbid_unknown_fields=True):
    """own.factor.confirm, own.factor.codes, own.factor.remove"""

    code: str


class FactorTold(TypedDict):
    """A second factor: how many recovery codes are left."""

    recovery_codes: int


class LimitsTold(TypedDict):
    """How much an owner may have; `quota` is what he may give to accounts, in octets."""

    accounts: int | None
    forwards: int | None
    lists: int | None
    quota: int | None


class OwnTold(TypedDict):
    """Who asks, and what he may; `second_factor` is false where there is none, null where there can be none.

    `limits` are those of an owner who has an account of his own, over all his domains; null is no limit.
    """

    login: str
    role: str
    domains: list[str]
    address: str | None
    read_only: bool
    second_factor: FactorTold | Literal[False] | None
    limits: LimitsTold | None


class OwnPasswordTold(TypedDict):
    """Whose password was set, and how many grants ended with the old one."""

    login: str
    revoked_grants: int


class SecretTold(TypedDict):
    """What an app needs to make codes."""

    secret: str
    uri: str


class CodesTold(TypedDict):
    """Codes that are shown this once."""

    recovery_codes: list[str]


class FactorRemoved(TypedDict):
    """Whether there was a second factor."""

    removed: bool


async def subject_of(parts: Parts, actor: Actor) -> str:
    """The subject of somebody who has signed in himself: neither a token nor the command is anybody's own."""
    found = await parts.people.signing_in(actor.login) if actor.way == PANEL else None
    if found is None:
        raise NotAllowed("for that, sign in to the panel")
    return found.subject


class Own:
    """Whoever changes his own password or second factor has to show the one he has: a session left open opens no more than itself."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        mine, managing = May(EVERYBODY, acting=True), May(OWNERS, acting=True)
        self.verbs = {
            "own.show": Verb(NoArguments, self.show, May(EVERYBODY, looks=True, acting=True)),
            "own.passwd": Verb(SetOwnPassword, self.passwd, mine),
            "own.factor.begin": Verb(OwnPassword, self.begin, managing),
            "own.factor.confirm": Verb(OneCode, self.confirm, managing),
            "own.factor.codes": Verb(OneCode, self.codes, managing),
            "own.factor.remove": Verb(OneCode, self.remove, managing),
            "factor.codes": Verb(OneLogin, self.codes_of, May(acting=True)),
            "factor.remove": Verb(OneLogin, self.remove_of, May(acting=True)),
        }

    async def show(self, _: NoArguments, actor: Actor) -> OwnTold:
        """Who one is, and what one may."""
        told: OwnTold = {
            "login": actor.login,
            "role": actor.role.value,
            "domains": sorted(actor.domains),
            "address": actor.address or None,
            "read_only": actor.read_only,
            "second_factor": None,
            "limits": await self._limits(actor),
        }
        if actor.way == PANEL and actor.role is not Role.USER:
            factor = await self._parts.factors.factor(await subject_of(self._parts, actor))
            active = factor is not None and factor.active
            told["second_factor"] = {"recovery_codes": factor.codes} if factor is not None and active else False
        return told

    async def _limits(self, actor: Actor) -> LimitsTold | None:
        if actor.role is not Role.OWNER or actor.person_id is None:
            return None
        found = await self._parts.people.person(actor.login)
        return {
            "accounts": found.max_accounts,
            "forwards": found.max_forwards,
            "lists": found.max_lists,
            "quota": found.quota_bytes,
        }

    async def passwd(self, asked: SetOwnPassword, actor: Actor) -> OwnPasswordTold:
        """A new one: at once, and every session that was opened with the old one ends (A6)."""
        subject = await subject_of(self._parts, actor)
        await self._check(subject, asked.current, actor)
        login = actor.address or actor.login
        stored = await self._parts.hashed(asked.password, login)
        if actor.person_id is not None:
            await self._parts.people.set(actor.login, password_hash=stored)
            return {"login": actor.login, "revoked_grants": 0}
        account = await self._parts.changes.set_password(actor.address, stored)
        return {"login": actor.login, "revoked_grants": await self._parts.end_grants(account)}

    async def _check(self, subject: str, current: str, actor: Actor) -> None:
        await self._parts.sign_in.check_password(subject, current, Peer(actor.ip, PANEL))

    async def begin(self, asked: OwnPassword, actor: Actor) -> SecretTold:
        """What an app needs to make codes. Nothing changes before one of them is shown."""
        subject = await subject_of(self._parts, actor)
        await self._check(subject, asked.current, actor)
        secret, uri = await self._parts.sign_in.begin_factor(subject)
        return {"secret": secret, "uri": uri}

    async def confirm(self, asked: OneCode, actor: Actor) -> CodesTold:
        """Put it in force. The recovery codes are shown this once."""
        subject = await subject_of(self._parts, actor)
        return {"recovery_codes": await self._parts.sign_in.confirm_factor(subject, asked.code)}

    async def remove(self, asked: OneCode, actor: Actor) -> FactorRemoved:
        """Go without, after a last code."""
        return {"removed": await self._parts.factors.remove(await self._with_code(asked, actor))}

    async def codes(self, asked: OneCode, actor: Actor) -> CodesTold:
        """Other recovery codes, after a code; those before are worth nothing from now on."""
        return {"recovery_codes": await self._parts.sign_in.new_codes(await self._with_code(asked, actor))}

    async def _with_code(self, asked: OneCode, actor: Actor) -> str:
        """The subject of somebody who has shown a code."""
        subject = await subject_of(self._parts, actor)
        with concerning("code"):
            await self._parts.sign_in.check_code(subject, asked.code, Peer(actor.ip, PANEL))
        return subject

    async def remove_of(self, asked: OneLogin, actor: Actor) -> LoginTold:
        """Take the second factor of somebody away who has lost both his app and his recovery codes."""
        found = await self._another(asked, actor)
        if not await self._parts.factors.remove(found.subject):
            raise NotFound(f"{asked.login} has no second factor")
        return {"login": found.login}

    async def codes_of(self, asked: OneLogin, actor: Actor) -> CodesTold:
        """For somebody who has lost his recovery codes, or used them up."""
        found = await self._another(asked, actor)
        return {"recovery_codes": await self._parts.sign_in.new_codes(found.subject)}

    async def _another(self, asked: OneLogin, actor: Actor) -> Standing:
        """Who has this login; raises NotFound, and NotAllowed for one's own: for that an open session alone is not enough."""
        found = await self._parts.people.signing_in(asked.login.strip())
        if found is None:
            raise NotFound(f"there is no login {asked.login}")
        if actor.person_id is not None and found.person_id == actor.person_id:
            raise NotAllowed("that is your own second factor: for that, say one of its codes")
        return found
