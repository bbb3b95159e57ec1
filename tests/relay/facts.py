"""A directory for tests of the way out: accounts, domain aliases, and ways laid down, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zope.interface import implementer

from hostmail.interfaces.directory import Account, Domain
from hostmail.interfaces.waysout import IWaysOut, WayOut

ABOVE = b"X-Above: yes\r\n"
ANN = Account(1, "ann@example.com", "example.com", "ann")


@implementer(IWaysOut)
class FakeWays:
    """Ways by account id or domain."""

    def __init__(self, ways: dict[int | str, WayOut] | None = None) -> None:
        self.ways = {} if ways is None else ways

    async def of_account(self, account_id: int) -> WayOut:
        return self.ways.get(account_id, WayOut())

    async def of_domain(self, name: str) -> WayOut:
        return self.ways.get(name, WayOut())

    async def any(self) -> bool:
        return bool(self.ways)


class FakeDirectory:
    """ann@example.com is account 1; example.net stands for example.com."""

    def __init__(self) -> None:
        self.account_suspended = self.domain_suspended = False

    async def account(self, account_id: int) -> Account | None:
        return replace(ANN, outgoing_suspended=self.account_suspended) if account_id == ANN.id else None

    async def domain(self, name: str) -> Domain | None:
        if name != ANN.domain:
            return None
        return Domain(name, "example", outgoing_suspended=self.domain_suspended)

    async def domain_alias(self, name: str) -> str:
        return {"example.net": "example.com"}.get(name, "")


async def above_lists(sender: str) -> bytes:
    """A list's copies say something about the list."""
    return ABOVE if "-bounces+" in sender else b""


def senders_facts(ways: dict[int | str, WayOut] | None = None) -> dict[str, Any]:
    """The arguments about senders."""
    return {"directory": FakeDirectory(), "ways_out": FakeWays(ways), "above": above_lists}
