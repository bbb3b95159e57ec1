"""What people, owners and other servers write to the addresses around a mailing list (E3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hostmail.address import Address
from hostmail.decisions import ListCommand
from hostmail.delivery.autoreply import why_not
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import texts
from hostmail.delivery.lists.deciding import ended
from hostmail.delivery.lists.judging import authors
from hostmail.delivery.lists.letters import deciders
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.reports import is_hard_failure
from hostmail.delivery.lists.texts import said
from hostmail.delivery.lists.work import Onward, top
from hostmail.errors import BadValue, NotFound, Refusal, TooMany
from hostmail.interfaces.lists import IHeldPosts, MailingList, Member
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued
from hostmail.listnames import VALID_DAYS, ListWord, around, bouncing_member, confirm_address, confirmed, moderated

MAX_REPORT = 256 * 1024

NOT_WAITING = "that post does not wait any more"

_ONCE_A_DAY = {ListWord.SUBSCRIBE, ListWord.UNSUBSCRIBE, ListWord.REQUEST}
_WHAT = {ListWord.SUBSCRIBE: "be put on", ListWord.UNSUBSCRIBE: "be taken off"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One command: mail for `decision`'s address of a list, from `sender` by its reverse-path."""

    found: MailingList
    decision: ListCommand
    row: Queued
    spooled: ISpoolFile
    header: bytes
    sender: Address | None

    @property
    def who(self) -> Address | None:
        """Whom it is about: its author."""
        return next(iter(authors(self.header)), self.sender)

    @property
    def why_ignored(self) -> str:
        """Why a machine must have written it, "" if a person may have.

        What we have put above it counts: a list's fields tell that the mail is a list's.
        """
        names = [self.decision.address, Address.parse(self.row.addressed or self.row.recipient)]
        return why_not(self.spooled.prefix + self.header, self.sender, names, "")


class Commands:
    """Each is done, or ignored since nobody may be meant, and told to the history either way."""

    def __init__(self, parts: ListParts, held_posts: IHeldPosts) -> None:
        self._parts = parts
        self._held_posts = held_posts
        self._by_word: dict[ListWord, Callable[[Asked, Address], Awaitable[str]]] = {
            ListWord.SUBSCRIBE: self._ask,
            ListWord.UNSUBSCRIBE: self._ask,
            ListWord.REQUEST: self._help,
            ListWord.CONFIRM: self._confirm,
            ListWord.APPROVE: self._approve,
            ListWord.REJECT: self._reject,
        }

    async def take(self, row: Queued, spooled: ISpoolFile, decision: ListCommand, found: MailingList) -> Onward:
        """Do it; raises a Refusal."""
        header = await self._parts.in_thread(waiting_header, spooled.path, len(spooled.prefix))
        sender = row.reverse_path
        asked = Asked(found, decision, row, spooled, header, sender)
        who = asked.who
        if decision.word is ListWord.BOUNCES:
            words = await self._bounced(asked)
        elif who is None or asked.why_ignored:
            words = f"ignored: {asked.why_ignored}"
        else:
            words = await (self._once if decision.word in _ONCE_A_DAY else self._do)(asked, who)
        self._parts.telling.did(row.queue_id, found, f"{decision.word}: {words}")
        return Onward()

    async def _do(self, asked: Asked, who: Address) -> str:
        return await self._by_word[asked.decision.word](asked, who)

    async def _once(self, asked: Asked, who: Address) -> str:
        """Write to an address once a day about each thing, however many ask for that in its name."""
        about = (asked.found.id, who, asked.decision.word)
        if not await self._parts.members.ask(*about):
            return f"{who} was answered today already"
        try:
            return await self._do(asked, who)
        except Exception:
            await self._parts.members.not_asked(*about)
            raise

    async def _ask(self, asked: Asked, who: Address) -> str:
        """Ask the address whether it means that: anybody may have written this in its name."""
        found, word = asked.found, asked.decision.word
        member = await self._parts.members.member(found.id, who)
        on_it = member is not None and (member.active or word is ListWord.UNSUBSCRIBE)
        what = _WHAT[word]
        if on_it == (word is ListWord.SUBSCRIBE):
            otherwise = ListWord.UNSUBSCRIBE if on_it else ListWord.SUBSCRIBE
            facts = {
                "what": what,
                "state": "that address is on it" if on_it else "that address is not on it",
                "otherwise": "leave" if on_it else "subscribe",
                "other": around(found.parsed, otherwise),
            }
            await self._say(asked, who, texts.ALREADY, texts.ABOUT_SUBJECT, **facts)
            return f"{who} is {'' if on_it else 'not '}on it already"
        answer_to = confirm_address(found.parsed, word, who, await self._parts.members.secret(), self._parts.now())
        action = f"{word} {'to' if word is ListWord.SUBSCRIBE else 'from'}"
        text = said(texts.QUESTION, found, who=who, what=what, answer=answer_to)
        subject = said(texts.QUESTION_SUBJECT, found, action=action)
        await self._parts.letters.send(found, who, subject, text, answer_to=answer_to, answers=asked.header)
        return f"{who} was asked to confirm"

    async def _help(self, asked: Asked, who: Address) -> str:
        await self._say(asked, who, texts.HELP, texts.ABOUT_SUBJECT)
        return f"help went to {who}"

    async def _confirm(self, asked: Asked, who: Address) -> str:
        found = asked.found
        word = confirmed(found.parsed, asked.decision.tag, who, await self._parts.members.secret(), self._parts.now())
        if word is ListWord.UNSUBSCRIBE:
            if await self._parts.members.remove(found.id, who):
                await self._say(asked, who, texts.GOODBYE, texts.GOODBYE_SUBJECT)
            return f"{who} has left"
        try:
            new = await self._parts.members.add(found.id, who)
        except (BadValue, TooMany, NotFound) as error:
            raise Refusal(error.public) from None
        if new:
            await self._say(asked, who, texts.WELCOME, texts.WELCOME_SUBJECT)
        return f"{who} has subscribed"

    async def _say(self, asked: Asked, who: Address, words: str, subject: str, **more: object) -> None:
        found = asked.found
        text = said(words, found, who=who, **more)
        await self._parts.letters.send(found, who, said(subject, found), text, answers=asked.header)

    async def _approve(self, asked: Asked, who: Address) -> str:
        queue_id, owner = await self._moderated(asked)
        try:
            await self._held_posts.approve(asked.found, queue_id, str(owner))
        except NotFound:
            return NOT_WAITING
        return f"{owner} let the post {queue_id} go"

    async def _reject(self, asked: Asked, who: Address) -> str:
        queue_id, owner = await self._moderated(asked)
        try:
            to = await self._held_posts.reject(asked.found, queue_id, str(owner))
        except NotFound:
            return NOT_WAITING
        return f"{owner} rejected the post {queue_id}, {ended(to)}"

    async def _moderated(self, asked: Asked) -> tuple[str, Address]:
        """The queue id that it is about, and the owner who was given this address."""
        found, decision, secret = asked.found, asked.decision, await self._parts.members.secret()
        return moderated(found.parsed, decision.word, decision.tag, deciders(found), secret, self._parts.now())

    async def _bounced(self, asked: Asked) -> str:
        """Count it, if it says that an address will never take mail; the owners hear of who is dropped for that."""
        if not asked.decision.tag:
            return "ignored: about no member"
        number = bouncing_member(asked.found.parsed, asked.decision.tag, await self._parts.members.secret())
        report: bytes = await self._parts.in_thread(top, asked.spooled.path, len(asked.spooled.prefix), MAX_REPORT)
        if not is_hard_failure(report):
            return "ignored: no report of a lasting failure"
        counted = await self._parts.members.bounced(asked.found.id, number)
        if counted is None:
            return "ignored: the member is gone, or mail to him came back today already"
        member, dropped = counted
        if not dropped:
            return f"mail to {member.address} came back, on {member.bounces} days so far"
        words = f"{member.address} was dropped: mail came back on {member.bounces} days"
        try:
            await self._tell_dropped(asked.found, member)
        except Refusal as refusal:
            # Another try would find the member dropped already, and say nothing.
            return f"{words}; not everybody could be told: {refusal.smtp_line()}"
        return words

    async def _tell_dropped(self, found: MailingList, member: Member) -> None:
        """The owners, and the member: if his address works, somebody else has made the bounces up, or his server has erred."""
        who = Address.parse(member.address)
        facts: dict[str, object] = {"who": who, "days": member.bounces}
        answer = confirm_address(
            found.parsed, ListWord.SUBSCRIBE, who, await self._parts.members.secret(), self._parts.now()
        )
        text = said(texts.DROPPED_YOU, found, **facts, answer=answer, valid=VALID_DAYS)
        subject = said(texts.DROPPED_YOU_SUBJECT, found)
        await self._parts.letters.send(found, who, subject, text, answer_to=answer, asked=False)
        told = said(texts.DROPPED, found, **facts)
        await self._parts.letters.to_owners(found, said(texts.DROPPED_SUBJECT, found, who=who), lambda owner: told)
