"""The avatar of an SMTP session: twisted.mail's IMessageDelivery in front of our intake.

Our own session talks to the intake directly. This adapter keeps the promise of the interface that the portal hands out, for
stock protocols and tests: one transaction per recipient, line by line.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from twisted.internet.defer import Deferred
from twisted.mail import smtp
from zope.interface import implementer

from hostmail.address import Address
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import Refusal
from hostmail.protocols.smtp.commands import clean_helo


@implementer(smtp.IMessage)
class LineMessage:
    """A transaction that is fed lines."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def lineReceived(self, line: bytes) -> None:
        """One line without its end."""
        self._transaction.write(line + b"\r\n")

    def eomReceived(self) -> Deferred[str]:
        """Commit; fires with the queue id once all is on disk."""
        return Deferred.fromCoroutine(self._commit())

    async def _commit(self) -> str:
        try:
            await self._transaction.commit()
        except Refusal as refusal:
            raise smtp.SMTPServerError(refusal.code, refusal.smtp_line().encode("ascii", "replace")) from None
        return str(self._transaction.queue_id)

    def connectionLost(self) -> None:
        """The message was cut off: forget it."""
        self._transaction.abort()


@implementer(smtp.IMessageDelivery)
class HostmailDelivery:
    """What a login at the SMTP server yields. `account_id` is whose mail it is."""

    def __init__(self, intake: Any, peer: Peer, account_id: int | None = None) -> None:
        self.intake = intake
        self.peer = peer
        self.account_id = account_id
        self._envelope = Envelope(None)

    def receivedHeader(self, helo: tuple[bytes | None, bytes], origin: Any, recipients: list[Any]) -> bytes:
        """A trace field that names nobody but the client (RFC 5321 4.4)."""
        name = clean_helo((helo[0] or b"unknown").decode("ascii", "replace"))
        return f"Received: from {name} ([{self.peer.ip}]); {formatdate()}".encode("ascii", "replace")

    def validateFrom(self, helo: tuple[bytes, bytes], origin: Any) -> Deferred[Any]:
        """Ask the intake about the sender."""
        return Deferred.fromCoroutine(self._validate_from(origin))

    async def _validate_from(self, origin: Any) -> Any:
        text = str(origin)
        try:
            envelope = Envelope(Address.parse(text) if text else None)
            await self.intake.sender(self.peer, envelope)
        except Refusal as refusal:
            raise smtp.SMTPBadSender(origin, refusal.code, refusal.smtp_line()) from None
        self._envelope = envelope
        return origin

    def validateTo(self, user: Any) -> Deferred[Callable[[], LineMessage]]:
        """Ask the intake about one recipient."""
        return Deferred.fromCoroutine(self._validate_to(user))

    async def _validate_to(self, user: Any) -> Callable[[], LineMessage]:
        envelope = self._envelope
        try:
            recipient = Recipient(Address.parse(str(user)))
            decision = await self.intake.recipient(self.peer, envelope, recipient)
        except Refusal as refusal:
            raise smtp.SMTPBadRcpt(user, refusal.code, refusal.smtp_line()) from None

        def begin() -> LineMessage:
            envelope.recipients.append(recipient)
            return LineMessage(self.intake.begin(self.peer, envelope, [(recipient, decision)]))

        return begin
