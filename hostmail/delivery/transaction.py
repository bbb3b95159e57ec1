"""One message on its way to all its recipients: written once, then into the mailboxes and the queue in one step (ARCHITECTURE 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import Decision, ForList
from hostmail.delivery.accepted import Gate, Responsible
from hostmail.delivery.answering import Answering, Arrived
from hostmail.delivery.ends import End, Mailbox, Nowhere, sort_out, waiting
from hostmail.delivery.forwarding import Leaving, leaving, mark_of
from hostmail.delivery.header import HeaderFilter, missing_fields
from hostmail.delivery.held import HoldNotices
from hostmail.delivery.notices import Notices
from hostmail.delivery.ours import NOBODYS, Cause
from hostmail.delivery.reports import Reports
from hostmail.delivery.settle import settle
from hostmail.delivery.telling import Telling, said, who
from hostmail.delivery.trace import final_fields, new_queue_id, received
from hostmail.delivery.writing import SpoolWriter
from hostmail.envelope import Envelope, Peer, Recipient, first_of
from hostmail.errors import MessageTooBig, NoSuchRecipient, Refusal, SpamNotForwarded, as_refusal
from hostmail.interfaces.delivery import ISenderRewriting, ITransaction
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.mailstore import Drop, IMailStore, ISpool, ISpoolFile
from hostmail.interfaces.queue import IQueue
from hostmail.interfaces.threads import InThread
from hostmail.message.headers import is_spam

log = Logger(namespace="delivery")


JudgeForList = Callable[[ForList, bytes, Address | None, int, str, int | None], Awaitable[None]]
"""Raises the refusal of a message that a list would not take.

Of its header, reverse-path and octets, the client's IP address, and the account that answers for it.
"""


@dataclass(frozen=True, slots=True)
class Intaking:
    """What every transaction works with."""

    directory: IDirectory
    store: IMailStore
    spool: ISpool
    queue: IQueue
    gate: Gate
    notices: Notices
    hostname: str
    message_size_limit: int
    forward_spam: bool
    now: Callable[[], float]
    random: Random
    in_thread: InThread
    caught: Callable[[str], None]
    telling: Telling
    senders: ISenderRewriting
    answering: Answering
    hold_notices: HoldNotices
    judge_for_list: JudgeForList


def caused_by(responsible: Responsible, envelope: Envelope) -> Cause:
    """Of whom nobody but the operator answers for, whom he trusts, the reverse-path tells whose mail it is."""
    path = envelope.reverse_path
    return Cause(responsible.domain or ("" if path is None else path.domain), responsible.account_id)


@implementer(ITransaction)
class Transaction:
    """Begin / write / commit or abort. Nothing is visible before `commit`, and all of it is durable when that returns.

    The spool file begins with the fields that most of its takers want, so that they can link it instead of copying: Received alone if
    anybody is elsewhere (a queued message has neither Return-Path nor Delivered-To), else the first mailbox's.
    """

    def __init__(
        self,
        parts: Intaking,
        peer: Peer,
        envelope: Envelope,
        decisions: Sequence[tuple[Recipient, Decision]],
        responsible: Responsible | None,
        cause: Cause = NOBODYS,
    ) -> None:
        self._parts = parts
        self._envelope = envelope
        self._responsible = responsible
        self._added = b""
        self._cause = cause if responsible is None else caused_by(responsible, envelope)
        self._peer = peer
        self._recipients = [recipient for recipient, _ in decisions]
        self._ends = sort_out(decisions)
        self._mailboxes = self._ends.mailboxes
        self._began = parts.now()
        self.queue_id = new_queue_id(self._began, parts.random)
        self._received = received(
            peer,
            envelope,
            [str(self._recipients[0].address)] if len(self._recipients) == 1 else [],
            responsible,
            hostname=parts.hostname,
            queue_id=self.queue_id,
            now=self._began,
        )
        self._header = HeaderFilter()
        self._size = 0
        first = self._received if self._ends.leaves or not self._mailboxes else self._prefix(self._mailboxes[0])
        self._spooled: ISpoolFile = parts.spool.create(first)
        self._writer = SpoolWriter(self._spooled, parts.in_thread)
        self._reports = Reports(
            parts.notices, self.queue_id, envelope, self._began, self._header, self._spooled, self._cause
        )

    def _prefix(self, mailbox: Mailbox) -> bytes:
        decision = mailbox.decision
        return final_fields(self._envelope.sender, decision.delivered_to, decision.addressed) + self._received

    def write(self, chunk: bytes) -> None:
        """More of the message; what is over the size limit is counted and thrown away, and `commit` will say so."""
        self._size += len(chunk)
        if self._size > self._parts.message_size_limit:
            return
        if self._header.done:
            self._writer.write(chunk)
            return
        ready = self._header.feed(chunk)
        if self._header.done:
            self._begin_body(ready)

    def _begin_body(self, ready: bytes) -> None:
        if self._responsible is not None:
            message_id = f"{self.queue_id}.{self._parts.random.getrandbits(32):08x}@{self._parts.hostname}"
            self._added = missing_fields(self._header.header, self._began, message_id)
            self._writer.write(self._added)
        self._writer.write(ready)

    @property
    def congested(self) -> bool:
        """True if the disk cannot keep up: `await drained()` before the next `write`."""
        return self._writer.congested

    async def drained(self) -> None:
        """Until the disk has caught up."""
        await self._writer.drained()

    def abort(self, why: Refusal | None = None) -> None:
        """Forget the message; nothing of it stays but the story of `why` it is refused."""
        self._writer.discard()
        if why is not None:
            self._tell_refused(why)

    def _tell_refused(self, why: Refusal) -> None:
        self._header.finish()
        self._parts.telling.refused(self._peer, self._envelope, self._recipients, why, self._header.header)

    async def commit(self) -> None:
        """Durable everywhere, or a Refusal; a fault of ours is a failure for now, and the spool file goes in any case."""
        try:
            self._judge()
            await self._may_hold()
            await self._writer.close()
            await self._spooled.seal()
            await self._deliver()
        except Exception as error:
            self._tell_refused(as_refusal(error))
            raise
        finally:
            self._writer.discard()

    def _judge(self) -> None:
        if self._size > self._parts.message_size_limit:
            limit = self._parts.message_size_limit
            raise MessageTooBig(f"message is larger than this server accepts: the limit is {limit} octets")
        if not self._header.done:
            self._begin_body(self._header.finish())
        self._parts.gate.too_many_hops(self._header.received)

    async def _may_hold(self) -> None:
        """Now the size is known, which few clients tell before."""
        held = sum(bool(recipient.held) for recipient in self._ends.elsewhere)
        if held and self._responsible is not None:
            await self._parts.gate.may_hold(self._responsible.account_id, held, self._size)

    async def _deliver(self) -> None:
        """Prepare the queue, fill the mailboxes, settle their answers, then make the queue live: only the first step may fail unseen.

        A client who is told to try again brings the message into the mailboxes a second time. So what leaves is on disk before they
        are filled, and all that is left to do after is to let it go. Two windows stay open: a crash before the client has read the 250
        (RFC 1047), and a queue that breaks down just then. Where nothing leaves under the sender's own name, a mailbox that fails for now
        beside others has its place in the queue made afterwards: only if that fails as well, the others get a second copy. To make one
        beforehand for each message to several mailboxes would cost all of them for the sake of that.
        """
        pending: list[Any] = []
        also: list[Recipient] = []
        try:
            if waits := [*self._ends.elsewhere, *await self._for_lists()]:
                pending.append(await self._prepare(waits))
            for each in await self._leaving():
                pending.append(
                    await self._prepare_for(Cause(each.for_domain), each.envelope, each.recipients, each.mark)
                )
            if pending and self._mailboxes:
                await pending[0].stand_by(*pending[1:])
            await self._fill_mailboxes()
            here: list[End] = [*self._mailboxes, *self._ends.nowhere]
            settlement = settle([each.answer for each in here], self._ends.leaves or bool(self._ends.discards))
            if settlement.refusal is not None:
                raise settlement.refusal
            later = [here[i] for i in settlement.retry]
            later += await self._bounce([here[i] for i in settlement.bounce])
            for end in later:
                end.waits = True
            if later and waits:
                also = waiting(later)
            elif later:
                pending.append(await self._prepare(waiting(later)))
            if pending:
                await pending[0].commit(*pending[1:], also=also)
                pending.clear()
        finally:
            for prepared in pending:
                await prepared.abort()
        self._log_accepted()
        for address in self._ends.caught.values():
            self._parts.caught(address)
        await self._reports.delivered([mailbox for mailbox in self._mailboxes if mailbox.answer is None])
        self._answer()
        if self._responsible is not None and any(recipient.held for recipient in self._ends.elsewhere):
            await self._parts.hold_notices.held(self._responsible.account_id, self.queue_id)

    async def _for_lists(self) -> list[Recipient]:
        """Who gets it from the queue on behalf of lists; what one cannot take ends there."""
        ends, header, path = self._ends, self._header.header, self._envelope.reverse_path
        for recipient, end in list(ends.lists):
            try:
                await self._parts.judge_for_list(end, header, path, self._size, self._peer.ip, self._cause.account_id)
            except Refusal as refusal:
                ends.lists.remove((recipient, end))
                ends.nowhere.append(Nowhere(refusal, [recipient], end.address))
        return [
            Recipient(end.address, each.notify, each.known_as, addressed=str(each.address)) for each, end in ends.lists
        ]

    async def _leaving(self) -> list[Leaving]:
        """What forwarders send on; a message that one of them has sent on before ends there.

        Spam goes no further, for it would ruin our name at the next server. Its sender is not told, for he may be its victim; but where
        there is no other end it is refused.
        """
        ends, parts = self._ends, self._parts
        if ends.forwards and not parts.forward_spam and is_spam(self._header.header):
            ends.withheld = [Recipient(forward.address) for _, forward in ends.forwards]
            ends.forwards.clear()
            if not (ends.mailboxes or ends.elsewhere or ends.lists or ends.discards):
                raise SpamNotForwarded()
        for recipient, forward in list(ends.forwards):
            try:
                parts.gate.been_here(self._header.delivered_to, mark_of(forward.forwarder))
            except Refusal as refusal:
                ends.forwards.remove((recipient, forward))
                ends.nowhere.append(Nowhere(refusal, [recipient], forward.address))
        return await leaving(self._envelope, ends.forwards, parts.senders)

    async def _prepare(self, recipients: Sequence[Recipient]) -> Any:
        return await self._prepare_for(self._cause, self._envelope, recipients)

    async def _prepare_for(
        self, cause: Cause, envelope: Envelope, recipients: Sequence[Recipient], mark: bytes = b""
    ) -> Any:
        message = (self.queue_id, self._spooled, envelope, recipients)
        return await self._parts.queue.prepare(*message, cause.account_id, mark, cause.domain)

    async def _fill_mailboxes(self) -> None:
        """Set every mailbox's answer."""
        drops: list[tuple[Mailbox, Drop]] = []
        for mailbox in self._mailboxes:
            try:
                self._parts.gate.been_here(self._header.delivered_to, mailbox.decision.delivered_to)
                account = await self._parts.directory.account(mailbox.decision.account_id)
                if account is None:
                    raise NoSuchRecipient(private="removed since RCPT")
            except Refusal as refusal:
                mailbox.answer = refusal
            else:
                drops.append((mailbox, Drop(account, self._prefix(mailbox), mailbox.decision.folder)))
        if not drops:
            return
        answers = await self._parts.store.deliver(self._spooled, [drop for _, drop in drops])
        for (mailbox, _), answer in zip(drops, answers, strict=True):
            mailbox.answer = answer

    async def _bounce(self, failed: list[End]) -> list[End]:
        """Tell the sender who did not get it (D4); those for whom that cannot be stored, so that the queue tries both again."""
        for each in failed:
            self._log_refused(each)
        return [] if await self._reports.failed(failed) else failed

    def _answer(self) -> None:
        """Let autoresponders of the filled mailboxes look at it."""
        path, header = self._envelope.reverse_path, self._header.header
        for mailbox in self._mailboxes:
            if mailbox.answer is None:
                named = [recipient.address for recipient in mailbox.recipients]
                self._parts.answering.consider(Arrived(self.queue_id, path, header, mailbox.decision, named))

    def _log_refused(self, end: End) -> None:
        log.info(
            "recipient_refused: {queue_id} from=<{sender}> mailbox={mailbox}: {answer!s} {private}",
            queue_id=self.queue_id,
            sender=self._envelope.sender,
            mailbox=str(end.address),
            answer=end.answer,
            private="" if end.answer is None else end.answer.private,
        )

    def _log_accepted(self) -> None:
        """One event a message: its words are put together here, for the log's own formatting costs ten times as much."""
        peer = who(self._peer, self._responsible)
        sender, mailboxes = self._envelope.sender, sum(mailbox.answer is None for mailbox in self._mailboxes)
        queued = len(self._ends.elsewhere) + len(self._ends.forwards) + len(self._ends.lists)
        discarded = len(self._ends.discards)
        story = (
            f"{self.queue_id} from=<{sender}> to {first_of(self._recipients)} size={self._size} "
            f"mailboxes={mailboxes} queued={queued}{f' discarded={discarded}' if discarded else ''} ({peer})"
        )
        log.info(
            "message_accepted: {story}",
            story=story,
            queue_id=self.queue_id,
            sender=sender,
            size=self._size,
            mailboxes=mailboxes,
            queued=queued,
        )
        about = f"from {said(self._peer, self._responsible)}, {self._size} octets"
        header = self._added + self._header.header
        self._parts.telling.accepted(self.queue_id, self._envelope, header, about, self._ends)
