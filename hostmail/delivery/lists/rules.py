"""What a mailing list says to a message at the end of DATA: a refusal while its sender still listens is no mail to a stranger (E3)."""

from __future__ import annotations

from collections.abc import Callable

from hostmail.address import Address
from hostmail.decisions import ForList, ListCommand
from hostmail.delivery.lists.judging import HELD, authors, check_post, why_held
from hostmail.delivery.lists.letters import deciders
from hostmail.delivery.lists.work import Rates
from hostmail.errors import NoSuchRecipient, TooMany
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import IListMembers, MailingList, MayPost
from hostmail.interfaces.queue import IQueue, Queued
from hostmail.listnames import ListWord, bouncing_member, confirmed, moderated
from hostmail.message.headers import is_spam

MOST_HELD = 100
NO_ACCOUNT = 0
"""Who answers for mail from addresses that the operator has opened by hand."""

_ANSWERED = {ListWord.SUBSCRIBE, ListWord.UNSUBSCRIBE, ListWord.REQUEST}
_DECIDED = {ListWord.APPROVE, ListWord.REJECT}


class ListRules:
    """`judge` is for messages that come by SMTP; what it lets pass is judged again when its turn comes. `now` is Unix time."""

    def __init__(
        self,
        *,
        directory: IDirectory,
        members: IListMembers,
        queue: IQueue,
        rates: Rates,
        now: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._members = members
        self._queue = queue
        self._rates = rates
        self._now = now

    async def judge(
        self, end: ForList, header: bytes, sender: Address | None, size: int, ip: str, account_id: int | None
    ) -> None:
        """Raises the refusal of a post that no owner could let through or that finds too many waiting, of a token that is not ours, and
        of a client at `ip` that asks for too much. `size` is in octets, `account_id` whoever answers for the message."""
        if isinstance(end, ListCommand):
            await self._judge_command(end, header, sender, ip)
            return
        check_post(end.address, end.size_bytes, header, sender, size)
        found = await self._directory.mailing_list(end.address)
        if found is not None and await self.why_held(found, header, sender, account_id):
            await self._check_room(found)

    async def why_held(self, found: MailingList, header: bytes, sender: Address | None, account_id: int | None) -> str:
        """Why a post waits for the owners, "" if it may go as far as its author is concerned."""
        if is_spam(header):
            return HELD + "judged spam"
        by = authors(header)
        who = [*by, *([sender] if sender is not None else [])]
        members = [one for one in who if await self._members.member(found.id, one) is not None]
        reason = why_held(found, by, sender, members)
        if not reason and found.post is MayPost.OWNERS:
            strangers = [str(one) for one in by if not await self._is_himself(one, account_id)]
            reason = f"{HELD}{strangers[0]} has not signed in here to send it" if strangers else ""
        return reason

    async def _is_himself(self, author: Address, account_id: int | None) -> bool:
        """False if he could have signed in and has not: anybody may write his name, and news for thousands are worth that.

        Who has his mailbox elsewhere cannot be asked for that. What the operator trusts counts.
        """
        account = await self._directory.account_for(author)
        if account is not None:
            return account_id in (account.id, NO_ACCOUNT)
        return account_id is not None or await self._directory.domain(author.domain) is None

    async def _check_room(self, found: MailingList) -> None:
        """Nobody looks through hundreds of posts, and each takes room until then."""
        if len(await held_for(self._queue, found.parsed)) >= MOST_HELD:
            words = "many messages wait for the owners of this mailing list: please try again later"
            raise TooMany(words, f"{MOST_HELD} are held")

    async def _judge_command(self, end: ListCommand, header: bytes, sender: Address | None, ip: str) -> None:
        found = await self._directory.mailing_list(end.list_address)
        if found is None:
            raise NoSuchRecipient(private="the list is gone")
        if end.word in _ANSWERED and not self._rates.may_ask(ip):
            words = "too many requests to mailing lists from your address: please try again later"
            raise TooMany(words, "a client's requests to lists", code=452, enhanced="4.7.1")
        secret, now, address = await self._members.secret(), self._now(), found.parsed
        who = next(iter(authors(header)), sender)
        if end.word in _DECIDED:
            moderated(address, end.word, end.tag, deciders(found), secret, now)
        elif end.word is ListWord.BOUNCES and end.tag:
            bouncing_member(address, end.tag, secret)
        elif end.word is ListWord.CONFIRM and who is not None:
            confirmed(address, end.tag, who, secret, now)


async def held_for(queue: IQueue, address: Address | None = None) -> list[Queued]:
    """The posts that wait for owners, of one list or of all, oldest first; not those that the operator holds."""
    where = "" if address is None else f" to:{address}"
    rows = await queue.list(f"state:held answer:owners{where}")
    mine = [row for row in rows if row.last_answer.startswith(HELD)]
    return [row for row in mine if address is None or Address.parse(row.recipient).key == address.key]
