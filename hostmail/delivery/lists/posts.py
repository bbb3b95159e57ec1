"""Posts to mailing lists on their way to the members: judged, held for the owners, or sent to everybody, a little at a time (E3)."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import ToList
from hostmail.delivery.forwarding import Leaving
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists.dmarc import Texts, is_strict
from hostmail.delivery.lists.fields import cleaned, from_list, list_fields
from hostmail.delivery.lists.holding import Holding
from hostmail.delivery.lists.judging import HELD, authors, check_post
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.rules import ListRules
from hostmail.delivery.lists.work import Onward
from hostmail.envelope import Envelope, Recipient
from hostmail.interfaces.lists import MailingList, Member
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued
from hostmail.listnames import ListWord, around, bounce_address

MEMBERS_A_SECOND = 50


class Posts:
    """`texts` asks the DNS for TXT records."""

    def __init__(self, parts: ListParts, *, rules: ListRules, holding: Holding, texts: Texts) -> None:
        self._parts = parts
        self._rules = rules
        self._holding = holding
        self._texts = texts

    async def take(self, row: Queued, spooled: ISpoolFile, decision: ToList, found: MailingList) -> Onward:
        """Judge a post, unless that is done, and send it to the members; raises a Refusal."""
        header = await self._parts.in_thread(waiting_header, spooled.path, len(spooled.prefix))
        if not decision.approved:
            sender, whole = row.reverse_path, spooled.prefix + header
            check_post(found.parsed, found.size_bytes, whole, sender, spooled.size - len(spooled.prefix))
            reason = await self._rules.why_held(found, header, sender, row.account_id)
            if not reason and (excess := await self._excess(found)):
                reason = HELD + excess
            if reason:
                return await self._holding.hold(row, spooled, found, header, reason)
        return await self._expand(row, spooled, found, header)

    async def _excess(self, found: MailingList) -> str:
        active, _ = await self._parts.members.counts(found.id)
        return self._parts.rates.excess(found.id, active)

    async def _expand(self, row: Queued, spooled: ISpoolFile, found: MailingList, header: bytes) -> Onward:
        """One message in the queue for all members, each with a reverse-path and a first turn of his own.

        Members whose addresses need SMTPUTF8 have one to themselves, for that is the whole message's property.
        """
        members = [member for member in await self._parts.members.members(found.id) if member.active]
        written, secret = await self._as_sent(header, found), await self._parts.members.secret()
        content = (
            spooled if written == header else await self._parts.in_thread(_rewritten, spooled, len(header), written)
        )
        recipients: list[Recipient] = await self._parts.in_thread(_recipients, found, members, secret)
        mark = list_fields(found)
        self._parts.rates.sent(found.id, len(members))
        self._parts.telling.did(row.queue_id, found, f"sent to its members: {len(members)}")
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
        for domain in dict.fromkeys(author.domain for author in authors(header)):
            if await is_strict(domain, self._texts):
                return cleaned(from_list(header, found))
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
