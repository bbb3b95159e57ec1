"""MAIL, RCPT and RSET: the envelope."""

from __future__ import annotations

from hostmail.envelope import Envelope, Recipient
from hostmail.errors import MessageTooBig, Refusal, TooMany
from hostmail.protocols.smtp.commands import named, parse_mail, parse_rcpt
from hostmail.protocols.smtp.core import (
    AuthenticationRequired,
    BadSequence,
    SmtpCore,
    StartTlsRequired,
    Transaction,
    no_argument,
)


class TransactionCommands(SmtpCore):
    """The commands that build up an envelope; the intake judges each part as it comes."""

    async def do_MAIL(self, argument: str) -> None:
        """RFC 5321 4.1.1.2."""
        self.need_hello()
        if self.mail is not None:
            raise BadSequence("a sender was given already")
        try:
            envelope = await self._sender(argument)
        except Refusal as refusal:
            self.intake.turned_away(self.peer, named(argument), "", refusal)
            raise
        await self.intake.sender(self.peer, envelope)
        self.mail = Transaction(envelope)
        self.say(250, "2.1.0 Ok")

    async def _sender(self, argument: str) -> Envelope:
        """What the session can say of a sender by itself."""
        if self.messages >= self.settings.max_messages:
            raise TooMany("too many messages in one session", code=421, enhanced="4.7.0")
        if self.settings.require_auth and not await self.known():
            raise AuthenticationRequired if self.may_log_in() else StartTlsRequired
        envelope = parse_mail(argument)
        if envelope.size is not None and envelope.size > self.settings.message_size_limit:
            raise MessageTooBig
        return envelope

    async def do_RCPT(self, argument: str) -> None:
        """RFC 5321 4.1.1.3. The same address twice is one recipient."""
        mail = self.need_mail()
        try:
            recipient = await self._recipient(mail, argument)
        except Refusal as refusal:
            self.intake.turned_away(self.peer, mail.envelope.sender, named(argument), refusal)
            raise
        if recipient.address not in mail.addresses:
            mail.accept(recipient, await self.intake.recipient(self.peer, mail.envelope, recipient))
        self.say(250, "2.1.5 Ok")

    async def _recipient(self, mail: Transaction, argument: str) -> Recipient:
        """What the session can say of a recipient by itself."""
        recipient = parse_rcpt(argument, mail.envelope.smtputf8)
        if recipient.address not in mail.addresses:
            await self._need_room(mail)
        return recipient

    async def _need_room(self, mail: Transaction) -> None:
        """Raises TooMany for one recipient too many; those before it stay (RFC 5321 4.5.3.1.10)."""
        count, settings = len(mail.decisions), self.settings
        if count < min(settings.max_recipients, settings.max_recipients_unauthenticated):
            return
        if count >= (settings.max_recipients if await self.known() else settings.max_recipients_unauthenticated):
            raise TooMany("too many recipients")

    def do_RSET(self, argument: str) -> None:
        """RFC 5321 4.1.1.5."""
        no_argument(argument)
        self.forget_mail()
        self.say(250, "2.0.0 Ok")
