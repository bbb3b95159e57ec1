"""A conversation with one SMTP session: an intake and a portal in memory, and a client that says and hears lines."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.mail import smtp
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import IntoMailbox, Relay
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import LoginFailed, NoSuchRecipient, Refusal, RelayingProhibited
from hostmail.interfaces.delivery import IIntake, ITransaction
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.smtp.delivery import HostmailDelivery
from hostmail.protocols.smtp.factory import HostmailSMTPFactory
from hostmail.protocols.smtp.session import HostmailESMTP
from hostmail.protocols.smtp.settings import SmtpSettings
from tests.support.wire import OpenSessions, Wire

SETTINGS = SmtpSettings("mail.example.com")


@implementer(ITransaction)
class Kept:
    """A transaction in memory."""

    def __init__(self, queue_id: str, envelope: Envelope, recipients: list[str]) -> None:
        self.queue_id, self.envelope, self.recipients = queue_id, envelope, recipients
        self.octets = b""
        self.state = "open"
        self.why: Refusal | None = None
        self.writes = 0
        self.fails: Exception | None = None
        self.write_fails: Exception | None = None
        self.waits: Deferred[None] | None = None
        self.disk: Deferred[None] | None = None

    @property
    def congested(self) -> bool:
        return self.disk is not None and not self.disk.called

    async def drained(self) -> None:
        if self.disk is not None:
            await self.disk

    def write(self, chunk: bytes) -> None:
        assert self.state == "open"
        if self.write_fails is not None:
            raise self.write_fails
        self.octets += chunk
        self.writes += 1

    async def commit(self) -> None:
        assert self.state == "open"
        self.state = "committing"
        if self.waits is not None:
            await self.waits
        if self.fails is not None:
            self.state = "failed"
            raise self.fails
        self.state = "committed"

    def abort(self, why: Refusal | None = None) -> None:
        assert self.state == "open"
        self.state = "aborted"
        self.why = why


@implementer(IIntake)
class Intake:
    """Takes mail for example.com, relays for accounts, knows no `nobody`; can be told to wait or fail."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.open: set[str] = set()
        self.turned: list[tuple[str, str, str]] = []
        self.asked: list[Any] = []
        self.waits: list[Deferred[None]] = []
        self.slow = False
        self.sender_fails: Exception | None = None
        self.recipient_fails: Exception | None = None
        self.begin_fails: Exception | None = None
        self.write_fails: Exception | None = None
        self.commit_fails: Exception | None = None
        self.commit_waits: Deferred[None] | None = None

    async def _wait(self) -> None:
        if self.slow:
            self.waits.append(Deferred())
            await self.waits[-1]

    async def sender(self, peer: Peer, envelope: Envelope) -> None:
        self.asked.append(envelope)
        await self._wait()
        if self.sender_fails is not None:
            raise self.sender_fails

    async def recipient(self, peer: Peer, envelope: Envelope, recipient: Recipient) -> Any:
        self.asked.append(recipient)
        await self._wait()
        if self.recipient_fails is not None:
            raise self.recipient_fails
        if recipient.address.local == "nobody":
            raise NoSuchRecipient
        if recipient.address.domain in ("example.com", ""):
            return IntoMailbox(1, str(recipient.address))
        if peer.account_id is None:
            raise RelayingProhibited
        return Relay(recipient.address)

    async def vouched(self, peer: Peer) -> bool:
        return peer.account_id is not None or peer.ip in self.open

    def turned_away(self, peer: Peer, sender: str, recipient: str, refusal: Refusal) -> None:
        self.turned.append((sender, recipient, refusal.smtp_reply()))

    def begin(self, peer: Peer, envelope: Envelope, decisions: Sequence[tuple[Recipient, Any]]) -> Kept:
        if self.begin_fails is not None:
            raise self.begin_fails
        kept = Kept(f"q{len(self.kept) + 1}", envelope, [str(recipient.address) for recipient, _ in decisions])
        kept.fails, kept.waits, kept.write_fails = self.commit_fails, self.commit_waits, self.write_fails
        self.kept.append(kept)
        return kept


@implementer(IRealm)
@dataclass
class Realm:
    """Notes the account in the peer, as the real one does."""

    intake: Intake
    logged_out: int = 0

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        assert smtp.IMessageDelivery in interfaces
        mind.account_id, mind.login = 7, avatarId
        return smtp.IMessageDelivery, HostmailDelivery(self.intake, mind, 7), self._log_out

    def _log_out(self) -> None:
        self.logged_out += 1


class Checker:
    """One account; can be told to wait or to fail."""

    def __init__(self) -> None:
        self.seen: list[PasswordLogin] = []
        self.waits: Deferred[None] | None = None
        self.fails: Exception | None = None

    def requestAvatarId(self, credentials: PasswordLogin) -> Deferred[Any]:
        self.seen.append(credentials)
        failure = credentials.refusal or self.fails
        if failure is not None:
            return fail(failure)
        if (credentials.username, credentials.password) == ("ann@example.com", "sekrit"):
            answer = self.waits or succeed(None)
            return answer.addCallback(lambda _: credentials.username)
        return fail(Failure(LoginFailed(private="wrong password")))


class CheckedPortal(Portal):
    """A portal with one checker, whatever the credentials' interface."""

    def __init__(self, realm: Realm, checker: Checker) -> None:
        super().__init__(realm)
        self.checker = checker

    def login(self, credentials: Any, mind: Any, *interfaces: Any) -> Deferred[Any]:
        checked = self.checker.requestAvatarId(credentials)
        return checked.addCallback(self.realm.requestAvatar, mind, *interfaces)


def plain(user: str = "ann@example.com", password: str = "sekrit", authzid: str = "") -> str:
    """A PLAIN response."""
    return b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


class Conversation(SynchronousTestCase):
    """Says what a client says and compares what it hears."""

    settings = SETTINGS
    client = "192.0.2.7"
    tls_context: Any = None

    def setUp(self) -> None:
        self.clock, self.sessions, self.intake = Clock(), OpenSessions(), Intake()
        self.realm, self.checker = Realm(self.intake), Checker()
        self.connect()
        self.hears("220 mail.example.com ESMTP")

    def connect(self, **changes: Any) -> None:
        """Open a (further) session."""
        self.factory = HostmailSMTPFactory(
            portal=CheckedPortal(self.realm, self.checker),
            intake=self.intake,
            sessions=self.sessions,
            clock=self.clock,
            settings=replace(self.settings, **changes),
            tls_context=self.tls_context,
        )
        self.wire = Wire(self.client)
        self.session: HostmailESMTP = self.factory.buildProtocol(None)
        self.session.makeConnection(self.wire)

    def says(self, *lines: str) -> None:
        """Send lines, all in one segment."""
        self.sends("".join(f"{line}\r\n" for line in lines).encode())

    def sends(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.session.dataReceived(octets)

    def hears(self, *replies: str) -> None:
        """Exactly these replies were written since the last look."""
        self.assertEqual(self.wire.said().decode().splitlines(), list(replies))

    def hears_codes(self, *codes: str) -> None:
        """Replies beginning with these codes."""
        heard = self.wire.said().decode().splitlines()
        self.assertEqual([line[: len(code)] for line, code in zip(heard, codes, strict=False)], list(codes), heard)
        self.assertEqual(len(heard), len(codes), heard)

    def says_hello(self) -> None:
        """EHLO, its answer unheard."""
        self.says("EHLO client.example")
        self.wire.clear()

    def begins_mail(self, *recipients: str) -> None:
        """MAIL and RCPT, up to DATA."""
        self.says_hello()
        recipients = recipients or ("ann@example.com",)
        self.says("MAIL FROM:<bob@example.net>", *(f"RCPT TO:<{recipient}>" for recipient in recipients))
        self.wire.clear()

    def hangs_up(self) -> None:
        """The line is gone."""
        self.session.connectionLost()

    def address(self, text: str) -> Address:
        """Shorthand."""
        return Address.parse(text)
