"""Posts to mailing lists on their way to the members: judged, held for the owners, or sent to everybody, a little at a time (E3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import ToList
from hostmail.delivery.forwarding import Leaving
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists.dmarc import Texts, is_strict
from hostmail.delivery.lists.fields import cleaned, from_list, list_fields
from hostmail.delivery.lists.judging import authors, check_post, why_held
from hostmail.delivery.lists.letters import HELD, Letters, said
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.work import Onward
from hostmail.envelope import Envelope, Recipient
from hostmail.interfaces import IListMembers, InThread, ISpoolFile, MailingList, Member, Queued
from hostmail.listnames import VALID_DAYS, ListWord, around, bounce_address, moderation_address
from hostmail.message.headers import is_spam

MEMBERS_A_SECOND = 50
MAX_SHOWN = 64 * 1024


class Posts:
    """`texts` asks the DNS for TXT records."""

    def __init__(
        self,
        *,
        members: IListMembers,
        letters: Letters,
        texts: Texts,
        telling: ListTelling,
        in_thread: InThread,
        now: Callable[[], float],
    ) -> None:
        self._members = members
        self._letters = letters
        self._texts = texts
        self._telling = telling
        self._in_thread = in_thread
        self._now = now

    async def take(self, row: Queued, spooled: ISpoolFile, decision: ToList, found: MailingList) -> Onward:
        """Judge a post, unless that is done, and send it to the members; raises a Refusal."""
        header = await self._in_thread(waiting_header, spooled.path, len(spooled.prefix))
        if not decision.approved:
            sender = row.reverse_path
            whole = spooled.prefix + header
            check_post(found.parsed, found.size_bytes, whole, sender, spooled.size - len(spooled.prefix))
            if reason := await self._why_held(found, header, sender):
                return await self._hold(row, spooled, found, reason)
        return await self._expand(row, spooled, found, header)

    async def _why_held(self, found: MailingList, header: bytes, sender: Address | None) -> str:
        if is_spam(header):
            return "held for the list's owners: judged spam"
        by = authors(header)
        who = [*by, *([sender] if sender is not None else [])]
        members = [one for one in who if await self._members.member(found.id, one) is not None]
        return why_held(found, by, sender, members)

    async def _hold(self, row: Queued, spooled: ISpoolFile, found: MailingList, reason: str) -> Onward:
        """The owners are told first: after a crash in between they are told again."""
        secret, now = await self._members.secret(), self._now()
        text = said(
            HELD,
            found,
            sender=row.sender,
            reason=reason,
            days=VALID_DAYS,
            approve=moderation_address(found.parsed, ListWord.APPROVE, row.queue_id, secret, now),
            reject=moderation_address(found.parsed, ListWord.REJECT, row.queue_id, secret, now),
        )
        shown: bytes = await self._in_thread(_top, spooled.path, len(spooled.prefix), MAX_SHOWN)
        await self._letters.to_owners(found, f"A post to {found.address} waits for you", text, shown)
        self._telling.held(row.queue_id, found, reason)
        return Onward([Recipient(found.parsed, row.wishes, row.orcpt, routed=True, held=reason)])

    async def _expand(self, row: Queued, spooled: ISpoolFile, found: MailingList, header: bytes) -> Onward:
        """One message in the queue for all members, each with a reverse-path and a first turn of his own.

        Members whose addresses need SMTPUTF8 have one to themselves, for that is the whole message's property.
        """
        members = [member for member in await self._members.members(found.id) if member.active]
        written, secret = await self._as_sent(header, found), await self._members.secret()
        content = spooled if written == header else await self._in_thread(_rewritten, spooled, len(header), written)
        recipients: list[Recipient] = await self._in_thread(_recipients, found, members, secret)
        mark = list_fields(found)
        self._telling.did(row.queue_id, found, f"sent to its members: {len(members)}")
        plain = [one for one in recipients if one.address.is_ascii]
        other = [one for one in recipients if not one.address.is_ascii]
        return Onward(
            leaving=[
                Leaving(_envelope(row, found, group, utf8), group, mark, content, True, found.parsed.domain)
                for group, utf8 in ((plain, row.smtputf8), (other, True))
                if group
            ]
        )

    async def _as_sent(self, header: bytes, found: MailingList) -> bytes:
        who = authors(header)
        if who and await is_strict(who[0].domain, self._texts):
            header = from_list(header, found)
        return cleaned(header)


def _recipients(found: MailingList, members: Sequence[Member], secret: bytes) -> list[Recipient]:
    """For thousands of members this takes a while. Nobody reads notices of delays; what failed is counted."""
    address = found.parsed
    return [
        Recipient(
            Address.parse(member.address),
            ("FAILURE",),
            own_sender=str(bounce_address(address, member.number, secret)),
            delay=place / MEMBERS_A_SECOND,
        )
        for place, member in enumerate(members)
    ]


def _envelope(row: Queued, found: MailingList, recipients: list[Recipient], utf8: bool) -> Envelope:
    return Envelope(around(found.parsed, ListWord.BOUNCES), body=row.body, smtputf8=utf8, recipients=recipients)


def _top(path: str, skip: int, most: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(skip)
        return file.read(most)


def _rewritten(spooled: ISpoolFile, header_length: int, header: bytes) -> Rewritten:
    with open(spooled.path, "rb") as file:
        file.seek(len(spooled.prefix) + header_length)
        return Rewritten(spooled.prefix, header + file.read())


@implementer(ISpoolFile)
class Rewritten:
    """A message with another header, in memory: lists have a limit of size."""

    path = ""

    def __init__(self, prefix: bytes, message: bytes) -> None:
        self.prefix = prefix
        self.size = len(prefix) + len(message)
        self._message = message

    def body(self) -> bytes:
        """All behind the prefix."""
        return self._message

    def write(self, chunk: bytes) -> None:
        """It is complete: a fault of ours."""
        raise TypeError("a rewritten message does not change")

    async def seal(self) -> None:
        """Nothing is to be done."""

    def discard(self) -> None:
        """Nothing is there."""
