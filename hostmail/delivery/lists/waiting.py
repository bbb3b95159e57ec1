"""Posts that wait for a list's owners: how they end without being sent, and who is reminded of them meanwhile (E3)."""

from __future__ import annotations

from collections.abc import Sequence

from hostmail.address import Address
from hostmail.delivery.autoreply import readable
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.holding import about, ways
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.rules import held_for
from hostmail.delivery.lists.texts import said
from hostmail.delivery.lists.work import MAX_SHOWN
from hostmail.errors import Refusal
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.queue import Queued

HALF_A_DAY, DAY = 43_200.0, 86_400.0
MOST_REMINDED = 25

NOT_LET_THROUGH = "its owners did not let it through"


class WaitingPosts:
    """Gives them up in time, and reminds of them until then."""

    def __init__(self, parts: ListParts) -> None:
        self._parts = parts

    async def give_up(self, held: Queued, found: MailingList, reason: str) -> str:
        """End one, and what was done. A member gets it back; a stranger does not, for his address may be anybody's.

        After a crash in between a member may hear of it twice.
        """
        sender = held.reverse_path
        known = sender is not None and (
            await self._parts.members.member(found.id, sender) is not None
            or sender.key in {owner.key for owner in found.owners}
        )
        if sender is not None and known:
            whole = await self._parts.queue.content(held.queue_id)
            header: bytes = await self._parts.in_thread(waiting_header, held.path, 0)
            text = said(texts.REJECTED, found, subject=readable(header, b"subject") or "(none)", reason=reason)
            subject = said(texts.REJECTED_SUBJECT, found)
            await self._parts.letters.send(found, sender, subject, text, answers=header, about=whole[:MAX_SHOWN])
        await self._parts.queue.delete(f"row:{held.id} state:held")
        return f"which goes back to {sender}" if known else "which is deleted"

    async def expire(self) -> int:
        """End those that have waited too long, or whose list is gone; how many."""
        ended = 0
        for held in await held_for(self._parts.queue):
            found = await self._parts.directory.mailing_list(Address.parse(held.recipient))
            if found is None:
                await self._parts.queue.delete(f"row:{held.id} state:held")
                self._parts.telling.gone(held.queue_id, held.recipient)
            elif held.created <= self._parts.now() - self._parts.keep_seconds:
                days = round(self._parts.keep_seconds / DAY)
                try:
                    words = await self.give_up(held, found, f"its owners did not decide within {days} days")
                except Refusal as refusal:
                    self._parts.telling.did(held.queue_id, found, f"not given up yet: {refusal.smtp_line()}")
                    continue
                self._parts.telling.did(held.queue_id, found, f"nobody decided about the post {held.queue_id}, {words}")
            else:
                continue
            ended += 1
        return ended

    async def remind(self) -> int:
        """Write to the owners about posts that have waited for half a day, once a day; about how many lists."""
        by_list: dict[str, list[Queued]] = {}
        for held in await held_for(self._parts.queue):
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
            facts.append((row, about(row, found, header, row.last_answer, self._parts.keep_seconds)))

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
