"""Verbs about accounts that were removed, and their way back (D13)."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, DOMAIN, OWNERS, May
from hostmail.errors import NotFound, Refusal
from hostmail.interfaces.directory import Account, RemovedAccount


class ListRemoved(msgspec.Struct, forbid_unknown_fields=True):
    """account.removed: of a domain, or all."""

    domain: str | None = None


class Restore(msgspec.Struct, forbid_unknown_fields=True):
    """account.restore: the account that had this address, the last one that was removed or the one with `number`; as `target` if named."""

    address: str
    number: int | None = None
    target: str = ""


class RemovedTold(TypedDict):
    """A removed account, and until when it can be restored."""

    number: int
    address: str
    removed: float
    until: float


class RestoredTold(TypedDict):
    """An account that is there again, and how many messages it has."""

    address: str
    messages: int


class Restoring:
    """What can be brought back while its mail is kept aside. Forwards, autoresponder and tokens are not."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "account.removed": Verb(
                ListRemoved, self.all, May(OWNERS, looks=True, about={"domain": DOMAIN}, rows="address", acting=True)
            ),
            "account.restore": Verb(
                Restore, self.restore, May(OWNERS, about={"address": ADDRESS, "target": ADDRESS}, acting=True)
            ),
        }

    async def all(self, asked: ListRemoved, actor: Actor) -> list[RemovedTold]:
        """Removed accounts, the last one first, and until when each can be restored."""
        kept = self._parts.settings.keep_removed
        return [
            {"number": one.id, "address": one.address, "removed": one.removed, "until": one.removed + kept}
            for one in await self._removed(asked.domain, actor)
        ]

    async def _removed(self, domain: str | None, actor: Actor) -> list[RemovedAccount]:
        """Those he may see: mail of a domain that was somebody else's before is not its new owner's."""
        since = self._parts.now() - self._parts.settings.keep_removed
        found = await self._parts.directory.removed_accounts(since, domain)
        return [one for one in found if one.owned or actor.role is Role.OPERATOR]

    async def restore(self, asked: Restore, actor: Actor) -> RestoredTold:
        """Bring a removed account back with its mail, password and limits; its old address must be free, or another be named."""
        address = named_address(asked.address)
        fitting = [
            one
            for one in await self._removed(address.domain, actor)
            if one.address.lower() == str(address).lower() and asked.number in (None, one.id)
        ]
        if not fitting:
            raise NotFound(f"no removed account {asked.address} can be restored")
        account = await self._bring_back(fitting[0], asked.target)
        report = await self._parts.store.verify(account)
        return {"address": account.address, "messages": report["messages"]}

    async def _bring_back(self, gone: RemovedAccount, target: str) -> Account:
        """The mail first: it is nobody's until the account is there, and mail that comes then finds its place taken."""
        address = named_address(target) if target else named_address(gone.address)
        place = Account(0, str(address), address.domain, gone.directory)
        await self._parts.store.restore(gone.domain, place)
        try:
            return await self._parts.changes.restore_account(gone.id, target)
        except Refusal:
            await self._parts.store.remove(place)
            raise
