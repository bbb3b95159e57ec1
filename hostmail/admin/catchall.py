"""Verbs about catch-alls and the names they remember (E2)."""

from __future__ import annotations

from typing import TypedDict, cast

import msgspec

from hostmail.address import caseless
from hostmail.admin.parts import Addressed, Named, Parts, Verb
from hostmail.admin.permissions import ADDRESS, DOMAIN, OWNERS, May
from hostmail.decisions import CATCH_DEFAULT
from hostmail.interfaces.directory import Domain


class SetCatchAll(msgspec.Struct, forbid_unknown_fields=True):
    """catchall.set: `catch_all` is refuse, discard, default (for the default mailbox), or an address."""

    name: str
    catch_all: str


class CatchAllTold(TypedDict):
    """Where unknown names of a domain go: `target` is an address, null for none."""

    domain: str
    catch_all: str
    target: str | None


class CaughtTold(TypedDict):
    """An unknown name that got mail."""

    address: str
    count: int
    first_seen: float | None
    last_seen: float | None
    blocked: bool


class BlockedTold(TypedDict):
    """Whether a name is refused."""

    address: str
    blocked: bool


class CatchAll:
    """What becomes of mail for names that nobody has."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "catchall.show": Verb(Named, self.show, May(OWNERS, looks=True, about={"name": DOMAIN})),
            "catchall.set": Verb(SetCatchAll, self.set, May(OWNERS, about={"name": DOMAIN})),
            "catchall.names": Verb(Named, self.names, May(OWNERS, looks=True, about={"name": DOMAIN})),
            "catchall.block": Verb(Addressed, self.block, May(OWNERS, about={"address": ADDRESS})),
            "catchall.unblock": Verb(Addressed, self.unblock, May(OWNERS, about={"address": ADDRESS})),
        }

    async def show(self, asked: Named) -> CatchAllTold:
        """A domain's catch-all."""
        return await self._told(await self._parts.find_domain(asked.name))

    async def set(self, asked: SetCatchAll) -> CatchAllTold:
        """Set a domain's catch-all, from the next RCPT on."""
        return await self._told(await self._parts.changes.set_domain(asked.name, catch_all=asked.catch_all))

    async def names(self, asked: Named) -> list[CaughtTold]:
        """Which unknown names got mail, and which are blocked.

        The most frequent come first, then those that are blocked and got none.
        """
        domain = await self._parts.find_domain(asked.name)
        blocked = {
            caseless(name.address): name for name in await self._parts.directory.names(domain.name) if name.blocked
        }
        rows: list[CaughtTold] = []
        for caught in await self._parts.caught.names(domain.name):
            is_blocked = blocked.pop(caseless(caught.address), None) is not None
            rows.append(cast(CaughtTold, msgspec.to_builtins(caught) | {"blocked": is_blocked}))
        for name in blocked.values():
            rows.append({"address": name.address, "count": 0, "first_seen": None, "last_seen": None, "blocked": True})
        return rows

    async def block(self, asked: Addressed) -> BlockedTold:
        """Refuse a name, whatever the catch-all does with others."""
        await self._parts.changes.block_name(asked.address)
        return {"address": asked.address, "blocked": True}

    async def unblock(self, asked: Addressed) -> BlockedTold:
        """Block a name no more: the catch-all has it again."""
        await self._parts.changes.block_name(asked.address, blocked=False)
        return {"address": asked.address, "blocked": False}

    async def _told(self, domain: Domain) -> CatchAllTold:
        target = domain.catch_all if "@" in domain.catch_all else None
        if domain.catch_all == CATCH_DEFAULT and domain.default_account_id is not None:
            account = await self._parts.directory.account(domain.default_account_id)
            target = account.address if account is not None else None
        return {"domain": domain.name, "catch_all": domain.catch_all, "target": target}
