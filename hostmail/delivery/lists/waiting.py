"""Posts that wait for a list's owners: when they are given up, and who is reminded of them meanwhile (E3)."""

from __future__ import annotations

from collections.abc import Sequence

from hostmail.address import Address
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.deciding import HeldPosts, ended
from hostmail.delivery.lists.holding import about, held_post, ways
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.texts import said
from hostmail.errors import NotFound, Refusal
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.queue import Queued

HALF_A_DAY, DAY = 43_200.0, 86_400.0
MOST_REMINDED = 25


class WaitingPosts:
    """Gives them up in time, and reminds of them until then."""

    def __init__(self, parts: ListParts, held_posts: HeldPosts) -> None:
        self._parts = parts
        self._held_posts = held_posts

    async def expire(self) -> int:
        """End those that have waited too long, or whose list is gone; how many."""
        many = 0
        for held in await self._held_posts.waiting():
            found = await self._parts.directory.mailing_list(Address.parse(held.recipient))
            if found is None:
                await self._parts.queue.delete(f"row:{held.id} state:held")
                self._parts.telling.gone(held.queue_id, held.recipient)
            elif held.created <= self._parts.now() - self._parts.keep_seconds:
                days = round(self._parts.keep_seconds / DAY)
                try:
                    to = await self._held_posts.give_up(held, found, f"its owners did not decide within {days} days")
                except NotFound:
                    continue
                except Refusal as refusal:
                    self._parts.telling.did(held.queue_id, found, f"not given up yet: {refusal.smtp_line()}")
                    continue
                self._parts.telling.did(
                    held.queue_id, found, f"nobody decided about the post {held.queue_id}, {ended(to)}"
                )
            else:
                continue
            many += 1
        return many

    async def remind(self) -> int:
        """Write to the owners about posts that have waited for half a day, once a day; about how many lists."""
        by_list: dict[str, list[Queued]] = {}
        for held in await self._held_posts.waiting():
            by_list.setdefault(Address.parse(held.recipient).key, []).append(held)
        reminded = 0
        for rows in by_list.values():
            found = await self._parts.directory.mailing_list(Address.parse(rows[0].recipient))
            old = any(row.created <= self._parts.now() - HALF_A_DAY for row in rows)
            if found is not None and old and self._parts.rates.may_remind(found.id):
                try:
                    await self._remind(found, rows)
                except Refusal as refusal:
                    self._parts.telling.did(
                        rows[0].queue_id, found, f"the owners were not reminded: {refusal.smtp_line()}"
                    )
                else:
                    reminded += 1
        return reminded

    async def _remind(self, found: MailingList, rows: Sequence[Queued]) -> None:
        secret, facts = await self._parts.members.secret(), []
        for row in rows[:MOST_REMINDED]:
            header: bytes = await self._parts.in_thread(waiting_header, row.path, 0)
            facts.append((row, about(held_post(row, header, row.last_answer, self._parts.keep_seconds))))

        def write(owner: Address) -> str:
            told = [
                said(texts.REMINDED, found, **fact, **ways(row, found, owner, secret, self._parts.now()))
                for row, fact in facts
            ]
            if more := len(rows) - len(told):
                told.append(said(texts.MORE, found, more=more))
            return said(texts.REMINDER, found, waiting="".join(told))

        subject = said(texts.REMINDER_SUBJECT, found, count=len(rows))
        await self._parts.letters.to_owners(found, subject, write)
