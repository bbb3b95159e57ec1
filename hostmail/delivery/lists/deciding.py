"""Posts that wait for a list's owners: what they are, and how each of them ends (E3)."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from hostmail.address import Address
from hostmail.delivery.autoreply import readable
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.holding import held_post
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.rules import held_for
from hostmail.delivery.lists.texts import said
from hostmail.delivery.lists.work import MAX_SHOWN
from hostmail.errors import NotFound
from hostmail.interfaces.lists import HeldPost, IHeldPosts, MailingList
from hostmail.interfaces.queue import Queued

NOT_LET_THROUGH = "its owners did not let it through"


@implementer(IHeldPosts)
class HeldPosts:
    """One ends at a time: who comes second, by mail, in the panel or as the time is over, finds that it waits no more."""

    def __init__(self, parts: ListParts) -> None:
        self._parts = parts

    async def waiting(self, address: Address | None = None) -> Sequence[Queued]:
        """The rows of one list or of all, oldest first."""
        return await held_for(self._parts.queue, address)

    async def posts(self, address: Address) -> list[HeldPost]:
        """Those of one list; what has just ended has neither author nor subject any more."""
        found: list[HeldPost] = await self._parts.in_thread(
            _read, await self.waiting(address), self._parts.keep_seconds
        )
        return found

    async def approve(self, found: MailingList, queue_id: str, who: str) -> None:
        """Let one go. The history has it before the members get it."""

        def tell(released: Sequence[tuple[str, str]]) -> None:
            for each, _ in released:
                self._parts.telling.did(each, found, f"{who} let it go")

        async with self._parts.deciding:
            held = await self._find(found, queue_id)
            if not await self._parts.queue.release(f"row:{held.id}", tell):
                raise _waits_no_more(queue_id, found.address)

    async def reject(self, found: MailingList, queue_id: str, who: str) -> Address | None:
        """End one that the owners do not want."""
        async with self._parts.deciding:
            held = await self._find(found, queue_id)
            to = await self._end(held, found, NOT_LET_THROUGH)
        self._parts.telling.did(held.queue_id, found, f"{who} rejected it, {ended(to)}")
        return to

    async def give_up(self, held: Queued, found: MailingList, reason: str) -> Address | None:
        """End one about which nobody has decided, for this `reason`; to whom it goes back."""
        async with self._parts.deciding:
            if not await self._parts.queue.list(f"row:{held.id} state:held"):
                raise _waits_no_more(held.queue_id, found.address)
            return await self._end(held, found, reason)

    async def _end(self, held: Queued, found: MailingList, reason: str) -> Address | None:
        """A member gets it back; a stranger does not, for his address may be anybody's.

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
        return sender if known else None

    async def _find(self, found: MailingList, queue_id: str) -> Queued:
        for row in await self.waiting(found.parsed):
            if row.queue_id == queue_id:
                return row
        raise _waits_no_more(queue_id, found.address)


def ended(to: Address | None) -> str:
    """What became of a post that did not go out."""
    return f"which goes back to {to}" if to is not None else "which is deleted"


def _waits_no_more(queue_id: str, address: str) -> NotFound:
    return NotFound(f"no post {queue_id} waits for the owners of {address}: somebody may have decided about it already")


def _read(rows: Sequence[Queued], keep_seconds: float) -> list[HeldPost]:
    """Strangers make headers as long as they like: decoding many of them takes a while, too."""
    return [held_post(row, waiting_header(row.path, 0), row.last_answer, keep_seconds) for row in rows]
