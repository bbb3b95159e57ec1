"""Mailing lists' members, rates and links, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zope.interface import implementer

from hostmail.address import Address
from hostmail.errors import NotFound, Refusal
from hostmail.interfaces.lists import HeldPost, IHeldPosts, IListMembers, MailingList, Member
from hostmail.interfaces.queue import Queued


@implementer(IListMembers)
class FakeMembers:
    """Members by list; `day` is today."""

    def __init__(self) -> None:
        self.known: dict[int, dict[str, Member]] = {}
        self.asked: set[tuple[int, str, str]] = set()
        self.day = 0.0
        self.number = 0
        self.refusal: Refusal | None = None

    async def members(self, list_id: int) -> list[Member]:
        return sorted(self.known.get(list_id, {}).values(), key=lambda member: member.address)

    async def counts(self, list_id: int) -> tuple[int, int]:
        active = sum(member.active for member in self.known.get(list_id, {}).values())
        return active, len(self.known.get(list_id, {})) - active

    async def member(self, list_id: int, address: Address) -> Member | None:
        return self.known.get(list_id, {}).get(address.key)

    async def add(self, list_id: int, address: Address) -> bool:
        if self.refusal is not None:
            raise self.refusal
        on_it = self.known.setdefault(list_id, {})
        self.number += 1
        if (known := on_it.get(address.key)) is not None and not known.active:
            on_it[address.key] = replace(known, active=True, bounces=0, last_bounce=None)
            return True
        return address.key not in on_it and bool(
            on_it.setdefault(address.key, Member(self.number, str(address), True, 0, None, 0.0))
        )

    async def add_all(self, list_id: int, addresses: Sequence[Address]) -> list[bool | Refusal]:
        return [await self.add(list_id, address) for address in addresses]

    async def remove(self, list_id: int, address: Address) -> bool:
        return self.known.get(list_id, {}).pop(address.key, None) is not None

    async def leave(self, list_id: int, number: int) -> Member | None:
        on_it = self.known.get(list_id, {})
        key = next((key for key, member in on_it.items() if member.number == number), "")
        return on_it.pop(key, None)

    async def bounced(self, list_id: int, number: int) -> tuple[Member, bool] | None:
        for key, member in self.known.get(list_id, {}).items():
            if member.number == number and member.active and member.last_bounce != self.day:
                bounces = member.bounces + 1
                changed = replace(member, bounces=bounces, last_bounce=self.day, active=bounces < 3)
                self.known[list_id][key] = changed
                return changed, not changed.active
        return None

    async def ask(self, list_id: int, address: Address, action: str) -> bool:
        new = (list_id, address.key, action) not in self.asked
        self.asked.add((list_id, address.key, action))
        return new

    async def not_asked(self, list_id: int, address: Address, action: str) -> None:
        self.asked.remove((list_id, address.key, action))

    async def secret(self) -> bytes:
        return b"secret"


@implementer(IHeldPosts)
class FakeHeldPosts:
    """Posts in memory, each decided once; `decided` are verb, list, queue id, and who decided. Whoever posts as `member` gets it back."""

    def __init__(self) -> None:
        self.rows: list[Queued] = []
        self.decided: list[tuple[str, str, str, str]] = []
        self.member = ""

    async def waiting(self, address: Address | None = None) -> list[Queued]:
        return [row for row in self.rows if address is None or Address.parse(row.recipient).key == address.key]

    async def posts(self, address: Address) -> list[HeldPost]:
        return [
            HeldPost(row.queue_id, row.sender, f"A <{row.sender}>", "hello", row.size, 0.0, 9.0, "is not a member")
            for row in await self.waiting(address)
        ]

    async def approve(self, found: MailingList, queue_id: str, who: str) -> None:
        await self._decide("approve", found, queue_id, who)

    async def reject(self, found: MailingList, queue_id: str, who: str) -> Address | None:
        row = await self._decide("reject", found, queue_id, who)
        return Address.parse(self.member) if row.sender == self.member else None

    async def _decide(self, verb: str, found: MailingList, queue_id: str, who: str) -> Queued:
        for row in await self.waiting(found.parsed):
            if row.queue_id == queue_id:
                self.rows.remove(row)
                self.decided.append((verb, found.address, queue_id, who))
                return row
        raise NotFound(f"no post {queue_id} waits for the owners of {found.address}")


class FakeOneClick:
    """Nothing comes from a list."""

    async def fields(self, sender: str) -> bytes:
        return b""


async def any_for_lists(*about: object) -> None:
    """Lists that take whatever comes."""


class FakeListRates:
    """What lists have done; `too_much` is the answer to the next posts, and `left` how many notices, reminders and requests are allowed."""

    def __init__(self) -> None:
        self.posts: list[tuple[int, int]] = []
        self.too_much = ""
        self.left = {"notices": 10, "reminders": 1, "requests": 60}

    def excess(self, list_id: int, recipients: int) -> str:
        return self.too_much

    def sent(self, list_id: int, recipients: int) -> None:
        self.posts.append((list_id, recipients))

    def may_notify(self, list_id: int) -> bool:
        return self._take("notices")

    def may_remind(self, list_id: int) -> bool:
        return self._take("reminders")

    def may_ask(self, ip: str) -> bool:
        return not ip or self._take("requests")

    def _take(self, what: str) -> bool:
        self.left[what] -= 1
        return self.left[what] >= 0
