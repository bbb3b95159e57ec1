"""A letter of our own straight into a mailbox: not by way of routing, for it is about this mailbox and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.clientsetup.setup import shown
from hostmail.delivery.ours import in_header, letter
from hostmail.delivery.trace import final_fields, new_queue_id
from hostmail.interfaces.directory import Account
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.interfaces.mailstore import Drop, IMailStore, ISpool

WORDS = "this server itself: the letter that a new mailbox begins with"

log = Logger(namespace="delivery")


class Welcome:
    """Puts letters into mailboxes, durably. `now` is Unix time."""

    def __init__(
        self,
        *,
        spool: ISpool,
        store: IMailStore,
        history: IHistory,
        hostname: str,
        random: Random,
        now: Callable[[], float],
    ) -> None:
        self._spool = spool
        self._store = store
        self._history = history
        self._hostname = hostname
        self._random = random
        self._now = now

    async def put(self, account: Account, subject: str, text: str) -> None:
        """The letter is on disk when this returns; raises a Refusal otherwise."""
        to, now = Address.parse(account.address), self._now()
        queue_id = new_queue_id(now, self._random)
        message_id = f"{queue_id}.{self._random.getrandbits(32):08x}@{self._hostname}"
        author = in_header(Address("postmaster", account.domain), f"{shown(account.domain)} mail")
        message = letter(author, to, subject, message_id, now=now, utf8=not to.is_ascii)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, charset="utf-8")
        spooled = self._spool.create(b"")
        try:
            spooled.write(message.as_bytes())
            await spooled.seal()
            drop = Drop(account, final_fields("", account.address))
            [refusal] = await self._store.deliver(spooled, [drop])
        finally:
            spooled.discard()
        if refusal is not None:
            raise refusal
        log.info("welcomed: {queue_id} {address}", queue_id=queue_id, address=account.address)
        self._history.tell(MailFact(now, Happened.ACCEPTED, queue_id, message_id, words=WORDS))
        self._history.tell(MailFact(now, Happened.DELIVERED, queue_id, recipient=account.address))
