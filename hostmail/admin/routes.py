"""The verb that tells where an address leads, and the verbs about domains that stand for others (E6)."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

import msgspec

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Named, Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, DOMAIN, EVERYBODY, OWNERS, May
from hostmail.admin.theirs import route_of

# Ways out are the operator's affair.
ROUTE = May(
    EVERYBODY,
    looks=True,
    about={"address": ADDRESS},
    only=dict.fromkeys((Role.OWNER, Role.USER), frozenset(("address",))),
    acting=True,
)


class AddDomainAlias(msgspec.Struct, forbid_unknown_fields=True):
    """domain.alias.add: `name` stands for `domain`."""

    name: str
    domain: str


class ListedAliases(msgspec.Struct, forbid_unknown_fields=True):
    """domain.alias.list: all, or those of a domain."""

    name: str = ""


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """route: an address, and who sends, if that matters."""

    address: str
    sender: str = ""


class DomainAliasTold(TypedDict):
    """A name that stands for a domain."""

    name: str
    domain: str


class DomainAliasesTold(DomainAliasTold):
    """The same, with all names that stand for the domain."""

    aliases: list[str]


class StepTold(TypedDict):
    """One step on the way: which rule said what; `depth` is under which of the steps before."""

    depth: int
    address: str
    rule: str
    words: str


class EndTold(TypedDict):
    """Where mail ends up, or is refused or thrown away; a `mailbox` has its room."""

    kind: str
    address: str
    account_id: NotRequired[int]
    forwarder: NotRequired[str]
    caught: NotRequired[str]
    answer: NotRequired[str]
    free: NotRequired[int | None]
    full: NotRequired[bool]


class WayOutTold(TypedDict):
    """How mail leaves: by a `smarthost` of `owner`, directly (`mx`), or not at all."""

    kind: str
    smarthost: NotRequired[str]
    login: NotRequired[str]
    tls: NotRequired[str]
    owner: NotRequired[str]
    sources: NotRequired[list[str]]


class RouteTold(TypedDict):
    """The way of mail for an address; with a `sender` also the way out of his mail."""

    address: str
    steps: list[StepTold]
    ends: list[EndTold]
    sender: NotRequired[str]
    way_out: NotRequired[WayOutTold]


class Routes:
    """Where mail goes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "route": Verb(Asked, self.route, ROUTE),
            "domain.alias.add": Verb(AddDomainAlias, self.add),
            "domain.alias.list": Verb(
                ListedAliases, self.all, May(OWNERS, looks=True, about={"name": DOMAIN}, rows="domain")
            ),
            "domain.alias.remove": Verb(Named, self.remove),
        }

    async def route(self, asked: Asked, actor: Actor) -> RouteTold:
        """What would happen to mail for an address now, step by step; a mailbox's room with it, and the way out of a sender's mail."""
        told = await self._parts.explain(named_address(asked.address))
        if actor.role is not Role.OPERATOR:
            told = route_of(told, *await self._parts.view_of(actor))
        if asked.sender:
            sender = named_address(asked.sender)
            account = await self._parts.directory.account_for(sender)
            told["sender"] = str(sender)
            told["way_out"] = await self._parts.explain_way(account.id if account is not None else None, str(sender))
        for end in told["ends"]:
            account = await self._parts.directory.account(end["account_id"]) if end["kind"] == "mailbox" else None
            if account is not None:
                room = await self._parts.store.room(account)
                full = room.limit_messages is not None and room.used.messages >= room.limit_messages
                end |= {"free": room.free_bytes, "full": full or room.free_bytes == 0}
        return cast(RouteTold, told)

    async def add(self, asked: AddDomainAlias) -> DomainAliasesTold:
        """Let a whole domain stand for a hosted one."""
        added = await self._parts.changes.add_domain_alias(asked.name, asked.domain)
        domain = (await self._parts.find_domain(asked.domain)).name
        aliases = [name for name, _ in await self._parts.directory.domain_aliases(domain)]
        return {"name": added, "domain": domain, "aliases": aliases}

    async def all(self, asked: ListedAliases) -> list[DomainAliasTold]:
        """Domain aliases by name."""
        domain = (await self._parts.find_domain(asked.name)).name if asked.name else None
        found = await self._parts.directory.domain_aliases(domain)
        return [{"name": name, "domain": behind} for name, behind in found]

    async def remove(self, asked: Named) -> DomainAliasTold:
        """Let it stand for itself again."""
        return {"name": asked.name, "domain": await self._parts.changes.remove_domain_alias(asked.name)}
