"""A POP3 conversation in memory: a portal with one account, a store, a wire."""

from __future__ import annotations

from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.mail import pop3
from twisted.trial.unittest import SynchronousTestCase

from hostmail.envelope import Peer
from hostmail.errors import BareLogin, LoginFailed
from hostmail.interfaces.directory import Account
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.pop3.factory import HostmailPOP3Factory
from hostmail.protocols.pop3.maildrop import Maildrop, take_over_idle
from hostmail.protocols.pop3.session import HostmailPOP3
from hostmail.protocols.pop3.settings import Pop3Settings
from hostmail.storage.memory import MemoryStore
from tests.support.wire import OpenSessions, Wire

ANN = Account(1, "ann@example.test", "example.test", "ann")
ONE = b"Subject: one\r\n\r\nfirst line\r\n.dot\r\nlast\r\n"
TWO = b"Subject: two\r\n\r\nno line end"


class Door(Portal):
    """A portal that knows ann; `held` keeps logins waiting until they are released."""

    def __init__(self, store: Any, sessions: OpenSessions, clock: Clock) -> None:
        self.store, self.sessions, self.clock = store, sessions, clock
        self.held: list[Deferred[None]] = []
        self.hold = False
        self.fault: Exception | None = None
        self.asked: list[PasswordLogin] = []

    def login(self, credentials: Any, mind: Any, *interfaces: Any) -> Any:
        return Deferred.fromCoroutine(self._login(credentials, mind))

    async def _login(self, credentials: PasswordLogin, peer: Peer) -> Any:
        self.asked.append(credentials)
        if self.hold:
            gate: Deferred[None] = Deferred()
            self.held.append(gate)
            await gate
        fault = credentials.refusal or self.fault
        if fault is not None:
            raise fault
        if "@" not in credentials.username:
            raise BareLogin(private="bare name")
        if (credentials.username, credentials.password) != (ANN.address, "se cret"):
            raise LoginFailed(private="wrong password")
        peer.account_id, peer.login = ANN.id, ANN.address
        probe = take_over_idle(self.sessions, peer, ANN.id)
        drop = await Maildrop.open(self.store, ANN, peer, probe)
        return pop3.IMailbox, drop, drop.close


class Conversation(SynchronousTestCase):
    """`hears` sends one line, `says` is what came back."""

    settings = Pop3Settings(hostname="mail.example.test")
    tls_context: Any = None
    messages: tuple[bytes, ...] = (ONE, TWO)

    def setUp(self) -> None:
        self.clock = Clock()
        self.sessions = OpenSessions()
        self.store: Any = MemoryStore(now=self.clock.seconds, clock=self.clock)
        for message in self.messages:
            self.store.put(ANN, message)
        self.door = Door(self.store, self.sessions, self.clock)
        self.session, self.wire = self.connect()
        self.greeting = self.wire.said()

    def connect(self) -> tuple[HostmailPOP3, Wire]:
        factory = HostmailPOP3Factory(
            portal=self.door,
            sessions=self.sessions,
            clock=self.clock,
            settings=self.settings,
            tls_context=self.tls_context,
        )
        session = factory.buildProtocol(None)
        wire = Wire()
        session.makeConnection(wire)
        return session, wire

    def hears(self, *lines: str) -> None:
        self.session.dataReceived("".join(line + "\r\n" for line in lines).encode())

    def says(self, line: str = "") -> str:
        """Everything said since; the first line must begin with `line`."""
        said = self.wire.said().decode()
        self.assertTrue(said.startswith(line), said)
        return said

    def log_in(self) -> None:
        self.hears("USER ann@example.test", "PASS se cret")
        self.says("+OK send your password\r\n+OK 2 messages")
