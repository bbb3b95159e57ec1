"""Posts on their way into the owners' hands: who hears that one waits (E3)."""

from __future__ import annotations

from hostmail.address import Address
from hostmail.delivery.autoreply import readable, why_not
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.judging import HELD, authors
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.texts import said
from hostmail.delivery.lists.work import MAX_SHOWN, Onward, top
from hostmail.envelope import Recipient
from hostmail.errors import Refusal
from hostmail.interfaces.lists import HeldPost, MailingList, MayPost
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued
from hostmail.listnames import ListWord, moderation_address
from hostmail.message.headers import is_spam

PATIENCE = 3
ABOUT = "held"
"""What authors are written to about, beside the commands."""


class Holding:
    """Puts posts aside for the owners, and says so to who should know."""

    def __init__(self, parts: ListParts) -> None:
        self._parts = parts

    async def hold(self, row: Queued, spooled: ISpoolFile, found: MailingList, header: bytes, reason: str) -> Onward:
        """The owners are told first: after a crash in between they are told again. Of very many posts a day they hear once a day.

        A post whose owners cannot be told waits to be judged again, for a while: the reminder will tell them.
        """
        if self._parts.rates.may_notify(found.id):
            try:
                await self._tell_owners(row, spooled, found, header, reason)
            except Refusal:
                if row.attempts < PATIENCE:
                    raise
        if found.tell_held:
            await self._tell_author(row, spooled, found, header, reason)
        self._parts.telling.held(row.queue_id, found, reason)
        return Onward([Recipient(found.parsed, row.wishes, row.orcpt, routed=True, held=reason)])

    async def _tell_owners(
        self, row: Queued, spooled: ISpoolFile, found: MailingList, header: bytes, reason: str
    ) -> None:
        secret = await self._parts.members.secret()
        facts = about(held_post(row, header, reason, self._parts.keep_seconds))

        def write(owner: Address) -> str:
            return said(texts.HELD, found, **facts, **ways(row, found, owner, secret, self._parts.now()))

        shown: bytes = await self._parts.in_thread(top, spooled.path, len(spooled.prefix), MAX_SHOWN)
        await self._parts.letters.to_owners(found, said(texts.HELD_SUBJECT, found), write, shown)

    async def _tell_author(
        self, row: Queued, spooled: ISpoolFile, found: MailingList, header: bytes, reason: str
    ) -> None:
        """Once a day, by the rules of RFC 3834, and only who wrote in his own name: nobody is to get answers to what he never sent."""
        sender = row.reverse_path
        if sender is not None and sender.key in {owner.key for owner in found.owners}:
            return
        names = [found.parsed, Address.parse(row.addressed or row.recipient)]
        if sender is None or [author.key for author in authors(header)] != [sender.key] or is_spam(header):
            return
        if why_not(spooled.prefix + header, sender, names, "") or not await self._parts.members.ask(
            found.id, sender, ABOUT
        ):
            return
        known = await self._parts.members.member(found.id, sender) is not None
        words = texts.WAITS if known or found.post is not MayPost.MEMBERS else texts.WAITS + texts.NO_MEMBER
        facts = about(held_post(row, header, reason, self._parts.keep_seconds))
        text = said(words, found, **facts, member=" or return it to you" if known else "")
        await self._parts.letters.offer(found, sender, said(texts.WAITS_SUBJECT, found), text, answers=header)


def held_post(row: Queued, header: bytes, reason: str, keep_seconds: float) -> HeldPost:
    """What is to be known of a post that waits."""
    return HeldPost(
        queue_id=row.queue_id,
        sender=row.sender,
        author=readable(header, b"from"),
        subject=readable(header, b"subject"),
        size=row.size,
        since=row.created,
        until=row.created + keep_seconds,
        why_held=reason.removeprefix(HELD),
    )


def about(post: HeldPost) -> dict[str, str]:
    """The same in words for people."""
    return {
        "author": post.author or "nobody",
        "subject": post.subject or "(none)",
        "sender": post.sender,
        "reason": post.why_held,
        "since": texts.day(post.since),
        "end": texts.day(post.until),
    }


def ways(row: Queued, found: MailingList, owner: Address, secret: bytes, now: float) -> dict[str, Address]:
    """The two addresses with which an owner decides."""
    return {
        word.value: moderation_address(found.parsed, word, row.queue_id, owner, secret, now)
        for word in (ListWord.APPROVE, ListWord.REJECT)
    }
