"""Leaving lists with one click: one link is ours, and who follows it is written down."""

from __future__ import annotations

from zope.interface import implementer

from hostmail.address import Address
from hostmail.errors import Refusal
from hostmail.interfaces.lists import IOneClick, MailingList

TEAM = MailingList(1, "team@example.test", "example.test", (Address("ann", "example.test"),))
TOKEN = "7=abcdefgh"


@implementer(IOneClick)
class FakeOneClick:
    """`left` has the addresses of clients; `trouble` is raised instead."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.trouble: Refusal | None = None

    async def fields(self, sender: str) -> bytes:
        return b""

    async def list_of(self, address: str, token: str) -> MailingList | None:
        return TEAM if (address, token) == (TEAM.address, TOKEN) else None

    async def leave(self, address: str, token: str, ip: str) -> MailingList | None:
        if self.trouble is not None:
            raise self.trouble
        found = await self.list_of(address, token)
        if found is not None:
            self.left.append(ip)
        return found
