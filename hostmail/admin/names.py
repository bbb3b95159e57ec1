"""Verbs about aliases and forwards (E1)."""

from __future__ import annotations

from typing import Any

import msgspec

from hostmail.admin.parts import Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, EITHER, EVERYBODY, OWNERS, May
from hostmail.interfaces import Name

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
        }

    async def add_alias(self, asked: AddAlias) -> dict[str, Any]:
        """Let an address lead to mailboxes here."""
        name = await self._parts.changes.add_targets(asked.address, asked.targets, forward=False)
        await self._parts.caught.forget(name.address)
        return told(name)

    async def add_forward(self, asked: AddForward) -> dict[str, Any]:
        """Send an address's mail on."""
        change = self._parts.changes.add_targets
        name = await change(asked.address, asked.targets, forward=True, keep_copy=asked.keep_copy)
        await self._parts.caught.forget(name.address)
        return told(name)

    async def aliases(self, asked: Listed) -> list[dict[str, Any]]:
        """Addresses that lead to others here; `refused` are those among these that take no mail: gone or suspended."""
        found = [name for name in await self._chosen(asked.name) if name.aliases]
        return [told(name) | {"refused": await self._refused(name)} for name in found]

    async def _refused(self, name: Name) -> list[str]:
        ends = {str(target): (await self._parts.explain(target))["ends"] for target in name.aliases}
        return [target for target, found in ends.items() if all(end["kind"] == "refuse" for end in found)]

    async def forwards(self, asked: Listed) -> list[dict[str, Any]]:
        """Addresses whose mail is sent on."""
        return [told(name) for name in await self._chosen(asked.name) if name.forwards]

    async def _chosen(self, text: str) -> list[Name]:
        if "@" not in text:
            domain = (await self._parts.find_domain(text)).name if text else None
            return await self._parts.directory.names(domain)
        name = await self._parts.directory.name(named_address(text))
        return [name] if name is not None else []

    async def remove_alias(self, asked: Removed) -> dict[str, Any]:
        """Let it lead there no more."""
        return self._left(asked, await self._parts.changes.remove_targets(asked.address, asked.targets, forward=False))

    async def remove_forward(self, asked: Removed) -> dict[str, Any]:
        """Send it on no more."""
        return self._left(asked, await self._parts.changes.remove_targets(asked.address, asked.targets, forward=True))

    def _left(self, asked: Removed, name: Name | None) -> dict[str, Any]:
        return told(name if name is not None else Name(asked.address, ""))


def told(name: Name) -> dict[str, Any]:
    """A name as JSON values."""
    return {
        "address": name.address,
        "aliases": [str(target) for target in name.aliases],
        "forwards": [str(target) for target in name.forwards],
        "keep_copy": name.keep_copy,
        "blocked": name.blocked,
    }
