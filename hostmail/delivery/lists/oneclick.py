"""Unsubscribing with one click (RFC 8058): what a member's copy says about it, and what a click does.

The token in the address is the one that the copy's reverse-path has (VERP): it names the member, and only we can make it.
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from hostmail.address import Address
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.fields import unsubscribe_fields
from hostmail.delivery.lists.letters import Letters
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.texts import said
from hostmail.errors import BadAddress, NoSuchRecipient
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import IListMembers, IOneClick, MailingList
from hostmail.listnames import ListWord, bouncing_member, taken_apart, unsubscribe_path

_MARK = f"-{ListWord.BOUNCES}+"


@implementer(IOneClick)
class OneClick:
    """`web` is where the panel is for a domain's people, such as https://mail.example.com, "" if there is none."""

    def __init__(
        self,
        *,
        directory: IDirectory,
        members: IListMembers,
        letters: Letters,
        telling: ListTelling,
        web: Callable[[str], str],
    ) -> None:
        self._directory = directory
        self._members = members
        self._letters = letters
        self._telling = telling
        self._web = web

    async def fields(self, sender: str) -> bytes:
        """What goes above a copy under this reverse-path: anybody can write one that only looks like a list's."""
        if _MARK not in sender:
            return b""
        about = taken_apart(Address.parse(sender))
        if about is None or await self._member(about[0], about[2]) is None:
            return b""
        address, _, token = about
        web = self._web(address.domain)
        return unsubscribe_fields(address, web + unsubscribe_path(address, token) if web.startswith("https:") else "")

    async def list_of(self, address: str, token: str) -> MailingList | None:
        """The list that a link is about; None for one that we never gave away."""
        found = await self._found(address, token)
        return found[0] if found is not None else None

    async def leave(self, address: str, token: str, ip: str) -> MailingList | None:
        """Take the member off, who is told; a second click changes nothing."""
        found = await self._found(address, token)
        if found is None:
            return None
        team, number = found
        member = await self._members.leave(team.id, number)
        if member is not None:
            self._telling.did(
                "", team, f"unsubscribe: {member.address} has left, with one click from {ip or 'nowhere'}"
            )
            await self._say_goodbye(team, Address.parse(member.address))
        return team

    async def _say_goodbye(self, team: MailingList, who: Address) -> None:
        """Somebody else may have followed the link, in a mail that was passed on."""
        text = said(texts.GOODBYE, team, who=who)
        await self._letters.offer(team, who, said(texts.GOODBYE_SUBJECT, team), text, asked=False)

    async def _found(self, address: str, token: str) -> tuple[MailingList, int] | None:
        try:
            known = Address.parse(address)
        except BadAddress:
            return None
        number = await self._member(known, token)
        team = await self._directory.mailing_list(known) if number is not None else None
        return (team, number) if team is not None and number is not None else None

    async def _member(self, address: Address, token: str) -> int | None:
        try:
            return bouncing_member(address, token, await self._members.secret())
        except NoSuchRecipient:
            return None
