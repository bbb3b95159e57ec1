"""What all SMTP commands share: replies, refusals, the budget, the state of one session."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from hostmail.address import Address
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import BrokenOff, LoginFailed, Refusal, TooMany
from hostmail.protocols.base import CommandPump
from hostmail.protocols.logs import StageLogger
from hostmail.protocols.sasl import Mechanism
from hostmail.protocols.smtp.body import Body
from hostmail.protocols.smtp.budget import Budget
from hostmail.protocols.smtp.replies import refusal_reply, reply
from hostmail.protocols.smtp.settings import SmtpSettings

Handled = Coroutine[Any, Any, None] | None
"""What a command handler gives back: nothing when it is done, or a coroutine that finishes it. Either may raise a Refusal."""


class BadSequence(Refusal):
    """The command is fine, but not now."""

    code, enhanced, words = 503, "5.5.1", "that command cannot be used now"


class AuthenticationRequired(Refusal):
    """This listener takes mail from people it knows (RFC 6409 4.3)."""

    code, enhanced = 530, "5.7.0"
    words = 'Authentication required: switch on "my server requires authentication" in your mail program'


class StartTlsRequired(Refusal):
    """A login is needed first, and TLS before that (RFC 3207, section 4)."""

    code, enhanced, words = 530, "5.7.0", "Must issue a STARTTLS command first"


def no_argument(argument: str) -> None:
    """For commands that stand alone."""
    if argument:
        raise Refusal("this command takes no argument", code=501, enhanced="5.5.4")


@dataclass(slots=True)
class Transaction:
    """One mail transaction on its way (RFC 5321 3.3): who from, whom to, and the body once it comes."""

    envelope: Envelope
    decisions: list[tuple[Recipient, Any]] = field(default_factory=list)
    addresses: set[Address] = field(default_factory=set)
    body: Body | None = None

    def accept(self, recipient: Recipient, decision: Any) -> None:
        """Add a recipient."""
        self.envelope.recipients.append(recipient)
        self.addresses.add(recipient.address)
        self.decisions.append((recipient, decision))


class SmtpCore(CommandPump):
    """State and answers of one SMTP session; the commands are in the classes built on this one."""

    log: ClassVar[Logger] = StageLogger(namespace="protocols.smtp")

    settings: SmtpSettings
    intake: Any
    portal: Any
    tls_context: Any

    budget: Budget
    mail: Transaction | None = None
    exchange: Mechanism | None = None
    messages = 0
    ended_by = "the connection was lost"
    said_quit = False
    _limit_noted = False

    _nap: tuple[Any, Deferred[None]] | None = None

    # -------------------------------------------------------------------------------------------------------- replies

    def say(self, code: int, *lines: str) -> None:
        """Send one reply."""
        self.send(reply(code, *lines))

    def refuse(self, refusal: Refusal, **facts: Any) -> None:
        """Answer with a refusal, log it, and end the session if it has had enough of them (C8).

        One command has one reply, so the goodbye stands in the refusal's place; only a login is answered first, because mail programs
        ask for another password only if they see that answer (H5).
        """
        self.budget.spend(refusal)
        self._note(refusal, facts)
        last = self.budget.exhausted
        if not last or isinstance(refusal, LoginFailed):
            self.send(refusal_reply(refusal))
        if last:
            self.drop()
        elif refusal.code == 421:
            self.close()

    def _note(self, refusal: Refusal, facts: dict[str, Any]) -> None:
        """One line in the log; limits that cost the client nothing, once per session."""
        if isinstance(refusal, TooMany):
            if self._limit_noted:
                return
            self._limit_noted = True
        self.log.info(
            "{doing} refused: {code} {words}{private} ({ip} {login}) {facts}",
            doing=self.doing,
            code=refusal.code,
            words=refusal.smtp_line(),
            private=f" [{refusal.private}]" if refusal.private else "",
            ip=self.peer.ip,
            login=self.peer.login,
            facts=facts or "",
        )

    def drop(self) -> None:
        """The client keeps offending (C8)."""
        self.log.info("disconnected by administrator: {ip} {login}", ip=self.peer.ip, login=self.peer.login)
        self.ended_by = "too many errors, disconnected"
        self.say(421, "4.7.0 disconnected by administrator")
        self.close()

    def guarded(self, act: Callable[[], Handled]) -> Handled:
        """Run a handler; a Refusal, now or later, becomes its answer."""
        try:
            handled = act()
        except Refusal as refusal:
            self.refuse(refusal)
            return None
        return None if handled is None else self._guarded(handled)

    async def _guarded(self, handled: Coroutine[Any, Any, None]) -> None:
        try:
            await handled
        except Refusal as refusal:
            self.refuse(refusal)

    # ------------------------------------------------------------------------------------------------------- the state

    async def known(self) -> bool:
        """True for a client that somebody answers for: by a login, or by having just checked mail (C2)."""
        return self.peer.account_id is not None or bool(await self.intake.vouched(self.peer))

    def may_log_in(self) -> bool:
        """False where a password would cross the wire in the clear against the listener's policy (B2, S12)."""
        return self.peer.tls or self.settings.allow_plaintext_login

    def need_hello(self) -> None:
        """Raises BadSequence before HELO or EHLO (S11)."""
        if not self.peer.helo:
            raise BadSequence("say HELO or EHLO first")

    def need_mail(self) -> Transaction:
        """The transaction, still open for recipients and DATA; raises BadSequence."""
        if self.mail is None:
            raise BadSequence("MAIL FROM comes first")
        if self.mail.body is not None:
            raise BadSequence("the message has begun: only BDAT, RSET or QUIT now")
        return self.mail

    def forget_mail(self, why: Refusal | None = None) -> None:
        """Drop the transaction and what was received for it; `why` if its message is refused, else the client wants it so."""
        mail, self.mail = self.mail, None
        if mail is not None and mail.body is not None:
            mail.body.abort(why or BrokenOff(f"taken back by the client after {mail.body.content.size} octets"))

    def session_ended(self) -> None:
        """Leave nothing half done. Recipients that were taken wait for their message, unless the client has said goodbye."""
        mail = self.mail
        if mail is not None and mail.body is not None:
            self.forget_mail(BrokenOff(f"{self.ended_by} within the message, after {mail.body.content.size} octets"))
        elif mail is not None and not self.said_quit:
            gone = BrokenOff(f"{self.ended_by} before the message")
            for recipient, _ in mail.decisions:
                self.intake.turned_away(self.peer, mail.envelope.sender, str(recipient.address), gone)
        self.mail = None
        self.exchange = None
        if self._nap is not None:
            call, over = self._nap
            self._nap = None
            call.cancel()
            over.callback(None)

    async def nap(self, seconds: float) -> None:
        """Let that much time go by, or the session end."""
        over: Deferred[None] = Deferred()

        def wake() -> None:
            self._nap = None
            over.callback(None)

        self._nap = self.clock.callLater(seconds, wake), over
        await over
