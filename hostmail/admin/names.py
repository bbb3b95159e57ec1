"""Verbs about aliases and forwards (E1): one by one as operators know them, or all of an address at once as its owner does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hostmail.actor import Actor
from hostmail.address import Address
from hostmail.admin.parts import Addressed, Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, EITHER, EVERYBODY, OWNERS, May, reaches
from hostmail.admin.told import AddressTold, AliasTold, NameTold
from hostmail.errors import NotFound, Refusal, concerning
from hostmail.interfaces.directory import Name

ONE, LISTED = {"address": ADDRESS}, {"name": EITHER}


class AddAlias(msgspec.Struct, forbid_unknown_fields=True):
    """alias.add"""

    address: str
    targets: list[str]


class AddForward(msgspec.Struct, forbid_unknown_fields=True):
    """forward.add: `keep_copy` null leaves as it is whether the mailbox gets the mail, too."""

    address: str
    targets: list[str]
    keep_copy: bool | None = None


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """alias.list, forward.list: all, or those of a domain or an address."""

    name: str = ""


class Removed(msgspec.Struct, forbid_unknown_fields=True):
    """alias.remove, forward.remove: all targets if none is named."""

    address: str
    targets: list[str] = []


class SetAddress(msgspec.Struct, forbid_unknown_fields=True):
    """address.set: its mail goes to exactly these `targets`, and with `keep_copy` into its own mailbox, too."""

    address: str
    targets: list[str]
    keep_copy: bool = False


class Names:
    """What an address leads to; effective with the next RCPT on sessions that are open (E7)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "alias.add": Verb(AddAlias, self.add_alias, May(OWNERS, about={**ONE, "targets": ADDRESS})),
            "alias.list": Verb(Listed, self.aliases, May(OWNERS, looks=True, about=LISTED, rows="address")),
            "alias.remove": Verb(Removed, self.remove_alias, May(OWNERS, about=ONE)),
            "forward.add": Verb(AddForward, self.add_forward, May(EVERYBODY, about=ONE)),
            "forward.list": Verb(Listed, self.forwards, May(EVERYBODY, looks=True, about=LISTED, rows="address")),
            "forward.remove": Verb(Removed, self.remove_forward, May(EVERYBODY, about=ONE)),
            "address.list": Verb(Listed, self.all, May(EVERYBODY, looks=True, about=LISTED, rows="address")),
            "address.show": Verb(Addressed, self.show, May(EVERYBODY, looks=True, about=ONE)),
            "address.set": Verb(SetAddress, self.set, May(EVERYBODY, about=ONE, acting=True)),
        }

    async def add_alias(self, asked: AddAlias) -> NameTold:
        """Let an address lead to mailboxes here."""
        name = await self._parts.changes.add_targets(asked.address, asked.targets, forward=False)
        await self._parts.caught.forget(name.address)
        return told(name)

    async def add_forward(self, asked: AddForward) -> NameTold:
        """Send an address's mail on."""
        change = self._parts.changes.add_targets
        name = await change(asked.address, asked.targets, forward=True, keep_copy=asked.keep_copy)
        await self._parts.caught.forget(name.address)
        return told(name)

    async def aliases(self, asked: Listed) -> list[AliasTold]:
        """Addresses that lead to others here; `refused` are those among these that take no mail: gone or suspended."""
        found = [name for name in await self._chosen(asked.name) if name.aliases]
        return [{**told(name), "refused": await self._refused(name)} for name in found]

    async def _refused(self, name: Name) -> list[str]:
        return [str(target) for target in name.aliases if await self._takes_none(target)]

    async def _takes_none(self, target: Address) -> bool:
        ends = (await self._parts.explain(target))["ends"]
        if [end["kind"] for end in ends] == ["relay"]:
            return await self._parts.directory.domain(Address.parse(ends[0]["address"]).domain) is None
        return all(end["kind"] == "refuse" for end in ends)

    async def forwards(self, asked: Listed) -> list[NameTold]:
        """Addresses whose mail is sent on."""
        return [told(name) for name in await self._chosen(asked.name) if name.forwards]

    async def all(self, asked: Listed) -> list[AddressTold]:
        """Addresses that lead anywhere, as owners see them: where to, whether there is a mailbox, and what of it takes no mail."""
        found = [name for name in await self._chosen(asked.name) if name.targets]
        return [await self._whole(name) for name in found]

    async def show(self, asked: Addressed) -> AddressTold:
        """Where an address leads, and whether there is a mailbox."""
        address = named_address(asked.address)
        found = await self._whole(await self._parts.directory.name(address) or Name(str(address), address.domain))
        if not (found["has_mailbox"] or found["aliases"] or found["forwards"]):
            raise NotFound(f"{address} leads nowhere")
        return found

    async def _whole(self, name: Name) -> AddressTold:
        has_mailbox = await self._parts.directory.account_for(Address.parse(name.address)) is not None
        return {**told(name), "has_mailbox": has_mailbox, "refused": await self._refused(name)}

    async def set(self, asked: SetAddress, actor: Actor) -> AddressTold:
        """Let an address lead to these and no others, whatever each of them is (E1).

        Addresses here that are his own are aliases, any other is a forward; a mailbox has forwards only. What is new comes first, so that
        no message meets an address without any.
        """
        address = named_address(asked.address)
        has_mailbox = await self._parts.directory.account_for(address) is not None
        before = await self._parts.directory.name(address) or Name(str(address), address.domain)
        aliases: list[Address] = []
        forwards: list[Address] = []
        with concerning("targets"):
            targets = [named_address(target) for target in asked.targets]
        for target in targets:
            is_alias = not has_mailbox and await self._is_his(target, actor)
            (aliases if is_alias else forwards).append(target)
        await self._add(before, aliases, forwards, asked.keep_copy if has_mailbox else None)
        for forward, old, new in ((False, before.aliases, aliases), (True, before.forwards, forwards)):
            gone = _without(old, new)
            if gone:
                await self._parts.changes.remove_targets(str(address), gone, forward=forward)
        await self._parts.caught.forget(str(address))
        return await self._whole(await self._parts.directory.name(address) or Name(str(address), address.domain))

    async def _add(
        self, before: Name, aliases: Sequence[Address], forwards: Sequence[Address], keep_copy: bool | None
    ) -> None:
        """All of them, or none."""
        change = self._parts.changes.add_targets
        fresh = _without(aliases, before.aliases)
        if fresh:
            await change(before.address, fresh, forward=False)
        try:
            if forwards:
                await change(before.address, list(map(str, forwards)), forward=True, keep_copy=keep_copy)
        except Refusal:
            if fresh:
                await self._parts.changes.remove_targets(before.address, fresh, forward=False)
            raise

    async def _is_his(self, target: Address, actor: Actor) -> bool:
        directory = self._parts.directory
        home = await directory.domain_alias(target.domain) or target.domain
        return await directory.domain(home) is not None and reaches(actor, str(target), {target.domain: home})

    async def _chosen(self, text: str) -> list[Name]:
        if "@" not in text:
            domain = (await self._parts.find_domain(text)).name if text else None
            return await self._parts.directory.names(domain)
        name = await self._parts.directory.name(named_address(text))
        return [name] if name is not None else []

    async def remove_alias(self, asked: Removed) -> NameTold:
        """Let an alias lead there no more."""
        return self._left(asked, await self._parts.changes.remove_targets(asked.address, asked.targets, forward=False))

    async def remove_forward(self, asked: Removed) -> NameTold:
        """Send an address's mail on no more."""
        return self._left(asked, await self._parts.changes.remove_targets(asked.address, asked.targets, forward=True))

    def _left(self, asked: Removed, name: Name | None) -> NameTold:
        return told(name if name is not None else Name(asked.address, ""))


def _without(some: Iterable[Address], others: Iterable[Address]) -> list[str]:
    """Those of `some` that are not among `others`."""
    known = {one.key for one in others}
    return [str(one) for one in some if one.key not in known]


def told(name: Name) -> NameTold:
    """A name as JSON values."""
    return {
        "address": name.address,
        "aliases": [str(target) for target in name.aliases],
        "forwards": [str(target) for target in name.forwards],
        "keep_copy": name.keep_copy,
        "blocked": name.blocked,
    }
