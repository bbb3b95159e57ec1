"""Local recipients whose mail had to wait in the queue: delivered from there, or forwarded, as they would have been at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.decisions import Forward, IntoMailbox
from hostmail.delivery.answering import Answering, Arrived
from hostmail.delivery.forwarding import Leaving, leaving, mark_of
from hostmail.delivery.header import waiting_header
from hostmail.delivery.trace import final_fields
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import MailLoop, NoSuchRecipient, Refusal
from hostmail.interfaces.delivery import ISenderRewriting
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import IOneClick
from hostmail.interfaces.mailstore import Drop, IMailStore, ISpoolFile
from hostmail.interfaces.queue import Queued
from hostmail.interfaces.threads import InThread
from hostmail.message.headers import has_delivered_to, is_spam

log = Logger(namespace="delivery")

Waiting = Sequence[tuple[Queued, IntoMailbox]]


class Redelivery:
    """What the queue's runner calls for rows that lead into mailboxes here."""

    def __init__(
        self,
        *,
        directory: IDirectory,
        store: IMailStore,
        answering: Answering,
        senders: ISenderRewriting,
        one_click: IOneClick,
        forward_spam: bool,
        in_thread: InThread,
    ) -> None:
        self._directory = directory
        self._store = store
        self._answering = answering
        self._senders = senders
        self._one_click = one_click
        self._forward_spam = forward_spam
        self._in_thread = in_thread

    async def deliver(self, spooled: ISpoolFile, waiting: Waiting) -> list[Refusal | None]:
        """An answer for each row, in order; rows of one mailbox share one copy. `spooled.prefix` is the Received field of its arrival."""
        drops: dict[tuple[int, str], Drop] = {}
        for row, decision in waiting:
            account = await self._directory.account(decision.account_id)
            if account is not None:
                prefix = final_fields(row.sender, decision.delivered_to, decision.addressed)
                prefix += await self._one_click.fields(row.sender) + spooled.prefix
                drops.setdefault(_mailbox(decision), Drop(account, prefix, decision.folder))
        answers = await self._store.deliver(spooled, list(drops.values())) if drops else []
        found: dict[tuple[int, str], Refusal | None] = dict(zip(drops, answers, strict=True))
        filled = {mailbox for mailbox, answer in found.items() if answer is None}
        with log.failuresHandled("autoreply_failed"):
            await self._answer(spooled, [pair for pair in waiting if _mailbox(pair[1]) in filled])
        return [found.get(_mailbox(decision), NoSuchRecipient(private="removed")) for _, decision in waiting]

    async def send_on(self, spooled: ISpoolFile, row: Queued, forwards: Sequence[Forward]) -> list[Leaving]:
        """What leaves for a recipient whose address has become a forward while he waited; nothing of what was judged spam.

        Raises MailLoop for a message that all who would forward it have sent on before.
        """
        header = await self._header(spooled)
        if not self._forward_spam and is_spam(header):
            return []
        envelope = Envelope(row.reverse_path, body=row.body, smtputf8=row.smtputf8, ret=row.ret, envid=row.envid)
        recipient = Recipient(Address.parse(row.recipient), row.wishes, row.orcpt, addressed=row.addressed)
        further = await leaving(envelope, [(recipient, each) for each in self._new(forwards, header)], self._senders)
        # What keeps its reverse-path gets them when it leaves.
        above = await self._one_click.fields(row.sender)
        return [
            each if each.envelope.sender == row.sender else replace(each, mark=above + each.mark) for each in further
        ]

    def _new(self, forwards: Sequence[Forward], header: bytes) -> list[Forward]:
        """Those whose mark it does not bear; raises MailLoop if there is none."""
        found = [each for each in forwards if not has_delivered_to(header, mark_of(each.forwarder))]
        if not found:
            raise MailLoop(private=f"was sent on by {forwards[0].forwarder} before")
        return found

    async def _header(self, spooled: ISpoolFile) -> bytes:
        """With what we have put above it: a list's fields tell that the mail is a list's."""
        header: bytes = await self._in_thread(waiting_header, spooled.path, 0)
        return header

    async def _answer(self, spooled: ISpoolFile, delivered: Waiting) -> None:
        """Let autoresponders look at it; the header is read only if there is one. Trouble here must not deliver the message again."""
        header: bytes | None = None
        for row, decision in {_mailbox(pair[1]): pair for pair in delivered}.values():
            if await self._directory.autoresponder(decision.account_id) is not None:
                if header is None:
                    header = await self._header(spooled)
                named = [Address.parse(decision.addressed or row.recipient)]
                self._answering.consider(Arrived(row.queue_id, row.reverse_path, header, decision, named))


def _mailbox(decision: IntoMailbox) -> tuple[int, str]:
    return decision.account_id, decision.folder
