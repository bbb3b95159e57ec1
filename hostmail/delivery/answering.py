"""Sends the answers of autoresponders, after the message they answer is safe and without anybody waiting for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from hostmail.address import Address
from hostmail.decisions import IntoMailbox
from hostmail.delivery.autoreply import From, answer, is_on, why_not
from hostmail.delivery.ours import Cause, Submit
from hostmail.delivery.telling import Telling
from hostmail.errors import Refusal
from hostmail.interfaces.autoresponders import Autoresponder, IAnswered
from hostmail.interfaces.directory import IDirectory


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that has come into a mailbox: its header, and the addresses its sender named to reach it."""

    queue_id: str
    sender: Address | None
    header: bytes
    mailbox: IntoMailbox
    named: Sequence[Address]


class Answering:
    """Judges, claims the right to answer, and submits with the null sender.

    `submit(recipient, message, cause)` takes a message that an account answers with durably or raises a Refusal. `now` is Unix time.
    """

    log = Logger(namespace="delivery")

    def __init__(
        self,
        submit: Submit,
        *,
        directory: IDirectory,
        answered: IAnswered,
        hostname: str,
        now: Callable[[], float],
        random: Random,
        telling: Telling,
    ) -> None:
        self._submit = submit
        self._directory = directory
        self._answered = answered
        self._hostname = hostname
        self._now = now
        self._random = random
        self._telling = telling

    def consider(self, arrived: Arrived) -> None:
        """Answer it if that is wanted and allowed, soon; nothing that fails here concerns anybody else."""
        Deferred.fromCoroutine(self._consider(arrived)).addErrback(
            lambda failure: self.log.failure("autoreply_failed: {queue_id}", failure, queue_id=arrived.queue_id)
        )

    async def _consider(self, arrived: Arrived) -> None:
        mailbox, sender = arrived.mailbox, arrived.sender
        autoresponder = await self._directory.autoresponder(mailbox.account_id)
        if autoresponder is None or not is_on(autoresponder, self._now()):
            return
        names = [Address.parse(mailbox.delivered_to), *arrived.named]
        reason = why_not(arrived.header, sender, names, mailbox.caught)
        if not reason and await self._is_silenced(mailbox.account_id):
            reason = "outgoing mail is suspended"
        if reason or sender is None:
            self._not_answered(arrived, reason)
        elif not await self._answered.claim(mailbox.account_id, sender, autoresponder.every):
            self._not_answered(arrived, "this sender was answered before, or very many others lately")
        else:
            await self._answer(arrived, sender, autoresponder)

    async def _is_silenced(self, account_id: int) -> bool:
        """Whether the account may send nothing at present (A9), automatically neither."""
        account = await self._directory.account(account_id)
        domain = None if account is None else await self._directory.domain(account.domain)
        return account is None or domain is None or account.outgoing_suspended or domain.outgoing_suspended

    async def _answer(self, arrived: Arrived, sender: Address, autoresponder: Autoresponder) -> None:
        unique = f"{arrived.queue_id}.{self._random.getrandbits(64):016x}@{self._hostname}"
        origin = From(arrived.mailbox.delivered_to, self._now(), unique)
        try:
            cause = Cause(Address.parse(origin.address).domain, autoresponder.account_id)
            await self._submit(sender, answer(autoresponder, arrived.header, sender, origin), cause)
        except Refusal as refusal:
            await self._answered.give_back(autoresponder.account_id, sender)
            self._not_answered(arrived, refusal.smtp_line())
        except Exception:
            await self._answered.give_back(autoresponder.account_id, sender)
            self._not_answered(arrived, "a fault of this server, which is in its log")
            raise
        else:
            self._note(arrived, "answered")
            self._telling.answered(arrived.queue_id, str(sender), arrived.mailbox.delivered_to)

    def _not_answered(self, arrived: Arrived, why: str) -> None:
        self._note(arrived, f"not answered: {why}")
        self._telling.unanswered(arrived.queue_id, arrived.mailbox.delivered_to, why)

    def _note(self, arrived: Arrived, words: str) -> None:
        self.log.info(
            "autoreply: {queue_id} {mailbox} to <{sender}>: {words}",
            queue_id=arrived.queue_id,
            mailbox=arrived.mailbox.delivered_to,
            sender=arrived.sender or "",
            words=words,
        )
