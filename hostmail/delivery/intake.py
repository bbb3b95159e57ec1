"""What the SMTP session asks at MAIL, RCPT and DATA (ARCHITECTURE 4): may he, where to, and take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import Refuse
from hostmail.delivery.accepted import Accepted, Gate, Router
from hostmail.delivery.answering import Answering
from hostmail.delivery.held import HELD, HoldNotices
from hostmail.delivery.notices import Notices
from hostmail.delivery.ours import NOBODYS, Cause
from hostmail.delivery.telling import Telling
from hostmail.delivery.transaction import Intaking, JudgeForList, Transaction
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import Refusal, as_refusal
from hostmail.interfaces.autoresponders import IAnswered
from hostmail.interfaces.delivery import IIntake, ISenderRewriting
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.history import IHistory
from hostmail.interfaces.mailstore import IMailStore, ISpool
from hostmail.interfaces.queue import IQueue
from hostmail.interfaces.threads import InThread
from hostmail.message.headers import header_end


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """`hostname` is how we call ourselves in trace fields and reports; `message_size_limit` is D3's, in octets.

    With `forward_spam` forwards take what a filter on the way has called spam.
    """

    hostname: str
    message_size_limit: int = 15 * 1024 * 1024
    forward_spam: bool = False


@implementer(IIntake)
class Intake:
    """Judges and takes mail, from clients and servers by SMTP and from ourselves by `submit`.

    `caught(address)` hears of each unknown address whose mail a catch-all has taken (E2).
    """

    def __init__(
        self,
        *,
        directory: IDirectory,
        store: IMailStore,
        spool: ISpool,
        queue: IQueue,
        router: Router,
        gate: Gate,
        settings: IntakeSettings,
        now: Callable[[], float],
        random: Random,
        in_thread: InThread,
        history: IHistory,
        senders: ISenderRewriting,
        answered: IAnswered,
        claim_hold_notice: Callable[[int], bool],
        judge_for_list: JudgeForList,
        caught: Callable[[str], None] = lambda address: None,
    ) -> None:
        self._router = router
        self._gate = gate
        self._settings = settings
        telling = Telling(history, now)
        self.notices = Notices(self.submit, hostname=settings.hostname, now=now, random=random, telling=telling)
        self.answering = Answering(
            self.submit,
            directory=directory,
            answered=answered,
            hostname=settings.hostname,
            now=now,
            random=random,
            telling=telling,
        )
        self._parts = Intaking(
            directory=directory,
            store=store,
            spool=spool,
            queue=queue,
            gate=gate,
            notices=self.notices,
            hostname=settings.hostname,
            message_size_limit=settings.message_size_limit,
            forward_spam=settings.forward_spam,
            now=now,
            random=random,
            in_thread=in_thread,
            caught=caught,
            telling=telling,
            senders=senders,
            answering=self.answering,
            judge_for_list=judge_for_list,
            hold_notices=HoldNotices(
                self.submit,
                directory=directory,
                claim=claim_hold_notice,
                hostname=settings.hostname,
                now=now,
                random=random,
            ),
        )

    async def sender(self, peer: Peer, envelope: Envelope) -> None:
        """Judge MAIL FROM; raises MessageTooBig, SendingSuspended or what else forbids it."""
        try:
            await self._gate.sender(peer, envelope)
        except Exception as error:
            self._parts.telling.refused(peer, envelope, [], as_refusal(error))
            raise

    async def vouched(self, peer: Peer) -> bool:
        """Whether somebody we know answers for this client: by a login, or by a relay grant that counts (C2, C5)."""
        return await self._gate.vouched(peer)

    async def recipient(self, peer: Peer, envelope: Envelope, recipient: Recipient) -> Accepted:
        """Decide about one RCPT TO, which somebody will take; raises a Refusal otherwise."""
        try:
            decision = await self._router.decide(recipient.address, peer.local_ip)
            permit = await self._gate.recipient(peer, envelope, decision)
        except Exception as error:
            self._parts.telling.refused(peer, envelope, [recipient], as_refusal(error))
            raise
        return Accepted(decision, permit.responsible, permit.held)

    def turned_away(self, peer: Peer, sender: str, recipient: str, refusal: Refusal) -> None:
        """What the session refuses by itself belongs to the history as well."""
        self._parts.telling.turned_away(peer, sender, recipient, refusal)

    def begin(self, peer: Peer, envelope: Envelope, decisions: Sequence[tuple[Recipient, Accepted]]) -> Transaction:
        """Open a transaction; raises OutOfSpace or TemporaryFailure when there is no room for a spool file.

        Whoever answers for any of its recipients answers for the whole message.
        """
        responsible = next((each.responsible for _, each in decisions if each.responsible is not None), None)
        decided = [
            (replace(recipient, held=HELD) if each.held else recipient, each.decision) for recipient, each in decisions
        ]
        try:
            return Transaction(self._parts, peer, envelope, decided, responsible)
        except Exception as error:
            self._parts.telling.refused(peer, envelope, [recipient for recipient, _ in decided], as_refusal(error))
            raise

    async def submit(self, recipient: Address, message: bytes, cause: Cause = NOBODYS) -> None:
        """Take a message of our own, with the null sender, durably; raises a Refusal if nobody will have it.

        If it goes elsewhere, it goes as other mail of those does who have caused it.
        """
        decision = await self._router.decide(recipient)
        if isinstance(decision, Refuse):
            raise decision.refusal
        name = self._settings.hostname
        utf8 = not (recipient.is_ascii and message[: header_end(message)].isascii())
        envelope = Envelope(None, body="7BIT" if message.isascii() else "8BITMIME", smtputf8=utf8)
        peer = Peer(ip="", protocol="local", helo=name, esmtp=True)
        transaction = Transaction(self._parts, peer, envelope, [(Recipient(recipient), decision)], None, cause)
        try:
            transaction.write(message)
        except BaseException:
            transaction.abort()
            raise
        await transaction.commit()
