"""What people, owners and other servers write to the addresses around a mailing list (E3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hostmail.address import Address
from hostmail.decisions import ListCommand
from hostmail.delivery.autoreply import why_not
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import letters
from hostmail.delivery.lists.judging import authors
from hostmail.delivery.lists.letters import Letters, said
from hostmail.delivery.lists.reports import is_hard_failure
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.work import Onward
from hostmail.errors import BadValue, NotFound, Refusal, TooMany
from hostmail.interfaces import IListMembers, InThread, IQueue, ISpoolFile, MailingList, Queued
from hostmail.listnames import ListWord, bouncing_member, confirm_address, confirmed, moderated

MAX_REPORT = 256 * 1024

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

    def __init__(
        self,
        *,
        members: IListMembers,
        letters: Letters,
        queue: IQueue,
        telling: ListTelling,
        in_thread: InThread,
        now: Callable[[], float],
    ) -> None:
        self._members = members
        self._letters = letters
        self._queue = queue
        self._telling = telling
        self._in_thread = in_thread
        self._now = now
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
        header = await self._in_thread(waiting_header, spooled.path, len(spooled.prefix))
        sender = row.reverse_path
        asked = Asked(found, decision, row, spooled, header, sender)
        who = asked.who
        if decision.word is ListWord.BOUNCES:
            words = await self._bounced(asked)
        elif who is None or asked.why_ignored:
            words = f"ignored: {asked.why_ignored}"
        else:
            words = await (self._once if decision.word in _ONCE_A_DAY else self._do)(asked, who)
        self._telling.did(row.queue_id, found, f"{decision.word}: {words}")
        return Onward()

    async def _do(self, asked: Asked, who: Address) -> str:
        return await self._by_word[asked.decision.word](asked, who)

    async def _once(self, asked: Asked, who: Address) -> str:
        """Write to an address once a day about each thing, however many ask for that in its name."""
        about = (asked.found.id, who, asked.decision.word)
        if not await self._members.ask(*about):
            return f"{who} was answered today already"
        try:
            return await self._do(asked, who)
        except Refusal:
            await self._members.not_asked(*about)
            raise

    async def _ask(self, asked: Asked, who: Address) -> str:
        """Ask the address whether it means that: anybody may have written this in its name."""
        found, word = asked.found, asked.decision.word
        member = await self._members.member(found.id, who)
        on_it = member is not None and (member.active or word is ListWord.UNSUBSCRIBE)
        if on_it == (word is ListWord.SUBSCRIBE):
            await self._say(found, who, letters.ALREADY, f"About the list {found.address}", what=_WHAT[word])
            return f"{who} is {'' if on_it else 'not '}on it already"
        answer_to = confirm_address(found.parsed, word, who, await self._members.secret(), self._now())
        text = said(letters.QUESTION, found, who=who, what=_WHAT[word])
        subject = f"Please confirm: {word} {'to' if word is ListWord.SUBSCRIBE else 'from'} {found.address}"
        await self._letters.send(found, who, subject, text, answer_to=answer_to)
        return f"{who} was asked to confirm"

    async def _help(self, asked: Asked, who: Address) -> str:
        await self._say(asked.found, who, letters.HELP, f"About the list {asked.found.address}")
        return f"help went to {who}"

    async def _confirm(self, asked: Asked, who: Address) -> str:
        found = asked.found
        word = confirmed(found.parsed, asked.decision.tag, who, await self._members.secret(), self._now())
        if word is ListWord.UNSUBSCRIBE:
            if await self._members.remove(found.id, who):
                await self._say(found, who, letters.GOODBYE, f"You have left {found.address}")
            return f"{who} has left"
        try:
            new = await self._members.add(found.id, who)
        except (BadValue, TooMany, NotFound) as error:
            raise Refusal(error.public) from None
        if new:
            await self._say(found, who, letters.WELCOME, f"Welcome to {found.address}")
        return f"{who} has subscribed"

    async def _say(self, found: MailingList, who: Address, words: str, subject: str, **more: str) -> None:
        await self._letters.send(found, who, subject, said(words, found, who=who, **more))

    async def _approve(self, asked: Asked, who: Address) -> str:
        held = await self._held(asked)
        if held is None:
            return "that post does not wait any more"
        await self._queue.release(f"row:{held.id}")
        return f"{who} let the post {held.queue_id} go"

    async def _reject(self, asked: Asked, who: Address) -> str:
        """A member hears of it; a stranger does not, for his address may be anybody's."""
        held = await self._held(asked)
        if held is None:
            return "that post does not wait any more"
        sender = Address.parse(held.sender)
        known = await self._members.member(asked.found.id, sender) is not None
        if known or sender.key in {owner.key for owner in asked.found.owners}:
            await self._queue.bounce(f"row:{held.id}")
            return f"{who} rejected the post {held.queue_id}, which goes back to {sender}"
        await self._queue.delete(f"row:{held.id}")
        return f"{who} rejected the post {held.queue_id}, which is deleted"

    async def _held(self, asked: Asked) -> Queued | None:
        found, decision = asked.found.parsed, asked.decision
        queue_id = moderated(found, decision.word, decision.tag, await self._members.secret(), self._now())
        rows = await self._queue.list(f"id:{queue_id} state:held")
        return next((row for row in rows if Address.parse(row.recipient).key == found.key), None)

    async def _bounced(self, asked: Asked) -> str:
        """Count it, if it says that an address will never take mail; the owners hear of who is dropped for that."""
        if not asked.decision.tag:
            return "ignored: about no member"
        number = bouncing_member(asked.found.parsed, asked.decision.tag, await self._members.secret())
        report: bytes = await self._in_thread(_top, asked.spooled.path, len(asked.spooled.prefix))
        if not is_hard_failure(report):
            return "ignored: no report of a lasting failure"
        counted = await self._members.bounced(asked.found.id, number)
        if counted is None:
            return "ignored: the member is gone, or mail to him came back today already"
        member, dropped = counted
        if not dropped:
            return f"mail to {member.address} came back, on {member.bounces} days so far"
        text = said(letters.DROPPED, asked.found, who=member.address, days=member.bounces)
        words = f"{member.address} was dropped: mail came back on {member.bounces} days"
        try:
            await self._letters.to_owners(asked.found, f"{member.address} was dropped from {asked.found.address}", text)
        except Refusal as refusal:
            # Another try would find the member dropped already, and say nothing.
            return f"{words}; the owners could not be told: {refusal.smtp_line()}"
        return words


def _top(path: str, skip: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(skip)
        return file.read(MAX_REPORT)
