"""Verbs about operators and owners: who else may sign in to the panel, and what owners may manage (F1)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NotRequired, TypedDict

import msgspec
from msgspec import UNSET, UnsetType

from hostmail.actor import Actor, Role
from hostmail.admin.own import PANEL, subject_of
from hostmail.admin.parts import NoArguments, OneLogin, Parts, Verb
from hostmail.admin.permissions import May
from hostmail.envelope import Peer
from hostmail.errors import NotAllowed, NotFound
from hostmail.interfaces.people import Person

LOOKS = May(looks=True)


class AddOperator(msgspec.Struct, forbid_unknown_fields=True):
    """operator.add: `current` is the password of the one who adds him, where that one has signed in to the panel."""

    login: str
    password: str
    current: str = ""


class SetOperator(msgspec.Struct, forbid_unknown_fields=True):
    """operator.set"""

    login: str
    suspended: bool


class AddOwner(msgspec.Struct, forbid_unknown_fields=True):
    """owner.add: limits count over all his domains, null for none; `quota` is what he may give to accounts."""

    login: str
    password: str
    domains: list[str] = []
    accounts: int | None = None
    forwards: int | None = None
    lists: int | None = None
    quota: int | None = None


class SetOwner(msgspec.Struct, forbid_unknown_fields=True):
    """owner.set: what is not given stays."""

    login: str
    suspended: bool | UnsetType = UNSET
    accounts: int | UnsetType | None = UNSET
    forwards: int | UnsetType | None = UNSET
    lists: int | UnsetType | None = UNSET
    quota: int | UnsetType | None = UNSET


class SetPersonPassword(msgspec.Struct, forbid_unknown_fields=True):
    """operator.passwd, owner.passwd"""

    login: str
    password: str


class OneDomain(msgspec.Struct, forbid_unknown_fields=True):
    """owner.grant, owner.revoke"""

    login: str
    domain: str


COLUMNS = {"accounts": "max_accounts", "forwards": "max_forwards", "lists": "max_lists", "quota": "quota_bytes"}


class PersonTold(TypedDict):
    """An operator or an owner; domains and limits are an owner's, null is no limit."""

    login: str
    suspended: bool
    second_factor: bool
    created: float
    domains: NotRequired[list[str]]
    accounts: NotRequired[int | None]
    forwards: NotRequired[int | None]
    lists: NotRequired[int | None]
    quota: NotRequired[int | None]


class PeopleVerbs:
    """For operators only. Each change counts at the next request of whom it concerns."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "operator.add": Verb(AddOperator, self.add_operator, May(acting=True)),
            "operator.list": Verb(NoArguments, self._listing(Role.OPERATOR), LOOKS),
            "operator.set": Verb(SetOperator, self.set_operator),
            "operator.passwd": Verb(SetPersonPassword, self._setting_password(Role.OPERATOR), May(acting=True)),
            "operator.remove": Verb(OneLogin, self._removing(Role.OPERATOR)),
            "owner.add": Verb(AddOwner, self.add_owner),
            "owner.list": Verb(NoArguments, self._listing(Role.OWNER), LOOKS),
            "owner.show": Verb(OneLogin, self.show_owner, LOOKS),
            "owner.set": Verb(SetOwner, self.set_owner),
            "owner.passwd": Verb(SetPersonPassword, self._setting_password(Role.OWNER), May(acting=True)),
            "owner.grant": Verb(OneDomain, self.grant),
            "owner.revoke": Verb(OneDomain, self.revoke),
            "owner.remove": Verb(OneLogin, self._removing(Role.OWNER)),
        }

    async def add_operator(self, asked: AddOperator, actor: Actor) -> PersonTold:
        """Add an operator, who runs this server.

        A session alone adds none, whom it would leave behind.
        """
        if actor.way == PANEL:
            subject = await subject_of(self._parts, actor)
            await self._parts.sign_in.check_password(subject, asked.current, Peer(actor.ip, PANEL))
        stored = await self._parts.hashed(asked.password, asked.login)
        return told(await self._parts.people.add(asked.login, Role.OPERATOR, password_hash=stored))

    async def set_operator(self, asked: SetOperator) -> PersonTold:
        """Suspend an operator, or let him in again."""
        found = await self._find(asked.login, Role.OPERATOR)
        return told(await self._parts.people.set(found.login, suspended=asked.suspended))

    async def add_owner(self, asked: AddOwner) -> PersonTold:
        """Add an owner, who manages domains. If one of them is not hosted here, nothing is done."""
        for domain in asked.domains:
            await self._parts.find_domain(domain)
        stored = await self._parts.hashed(asked.password, asked.login)
        limits = {column: getattr(asked, name) for name, column in COLUMNS.items()}
        found = await self._parts.people.add(asked.login, Role.OWNER, password_hash=stored, **limits)
        for domain in asked.domains:
            found = await self._parts.people.grant(found.login, domain)
        return told(found)

    async def show_owner(self, asked: OneLogin) -> PersonTold:
        """One owner with his domains and limits."""
        return told(await self._find(asked.login, Role.OWNER))

    async def set_owner(self, asked: SetOwner) -> PersonTold:
        """Change an owner's limits, suspend him, or let him in again. What he has already stays."""
        found = await self._find(asked.login, Role.OWNER)
        given = {name: value for name in ("suspended", *COLUMNS) if (value := getattr(asked, name)) is not UNSET}
        changes = {COLUMNS.get(name, name): value for name, value in given.items()}
        return told(await self._parts.people.set(found.login, **changes))

    async def grant(self, asked: OneDomain) -> PersonTold:
        """Let an owner manage a domain, too."""
        found = await self._find(asked.login, Role.OWNER)
        return told(await self._parts.people.grant(found.login, asked.domain))

    async def revoke(self, asked: OneDomain) -> PersonTold:
        """Take a domain from an owner."""
        found = await self._find(asked.login, Role.OWNER)
        return told(await self._parts.people.revoke(found.login, asked.domain))

    def _listing(self, role: Role) -> Callable[[NoArguments], Coroutine[Any, Any, list[PersonTold]]]:
        async def all_of_them(_: NoArguments) -> list[PersonTold]:
            """All operators, or all owners with their domains and limits."""
            return [told(one) for one in await self._parts.people.people(role)]

        return all_of_them

    def _setting_password(self, role: Role) -> Callable[[SetPersonPassword, Actor], Coroutine[Any, Any, PersonTold]]:
        async def passwd(asked: SetPersonPassword, actor: Actor) -> PersonTold:
            """Set a password: it counts at once, and ends what was opened with the old one."""
            found = await self._find(asked.login, role)
            if actor.person_id == found.id:
                raise NotAllowed("that is your own password: to set another, say the one you have")
            stored = await self._parts.hashed(asked.password, found.login)
            return told(await self._parts.people.set(found.login, password_hash=stored))

        return passwd

    def _removing(self, role: Role) -> Callable[[OneLogin], Coroutine[Any, Any, PersonTold]]:
        async def remove(asked: OneLogin) -> PersonTold:
            """Take an operator's or owner's login away, with its tokens."""
            return told(await self._parts.people.remove((await self._find(asked.login, role)).login))

        return remove

    async def _find(self, login: str, role: Role) -> Person:
        found = await self._parts.people.person(login)
        if found.role is not role:
            raise NotFound(f"{found.login} is no {role}, but an {found.role}")
        return found


def told(person: Person) -> PersonTold:
    """A person as JSON; limits are an owner's."""
    common: PersonTold = {
        "login": person.login,
        "suspended": person.suspended,
        "second_factor": person.second_factor,
        "created": person.created,
    }
    if person.role is Role.OPERATOR:
        return common
    return {
        **common,
        "domains": list(person.domains),
        "accounts": person.max_accounts,
        "forwards": person.max_forwards,
        "lists": person.max_lists,
        "quota": person.quota_bytes,
    }
