"""Conversations with an IMAP session over a wire in memory, on the store in memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.errors import LoginFailed
from hostmail.interfaces.directory import Account
from hostmail.interfaces.events import IEvents
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.imap.account import ImapAccount
from hostmail.protocols.imap.factory import HostmailIMAP4Factory
from hostmail.protocols.imap.limits import CommandLimits
from hostmail.protocols.imap.server import HostmailIMAP4
from hostmail.protocols.imap.settings import ImapSettings
from hostmail.protocols.imap.watch import FolderWatch
from hostmail.storage.memory import MemoryStore
from tests.support.wire import OpenSessions, Wire

ANN = Account(1, "ann@example.com", "example.com", "ann", quota_bytes=20 * 1024 * 1024)
PASSWORD = 'se"cr\\et'
HELLO = (
    b"From: Bob <bob@example.net>\r\nTo: ann@example.com\r\nSubject: hello\r\n"
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <1@example.net>\r\n\r\nHello Ann,\r\nhow are you?\r\n"
)


@implementer(IEvents)
class Bus:
    """Events that arrive on the next turn, as the real ones do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: list[tuple[type, Callable[[Any], None]]] = []

    def publish(self, event: Any) -> None:
        for kind, heard in self._heard:
            if isinstance(event, kind):
                self._clock.callLater(0, heard, event)

    def subscribe(self, kind: type, heard: Callable[[Any], None]) -> Callable[[], None]:
        entry = (kind, heard)
        self._heard.append(entry)
        return lambda: self._heard.remove(entry)


class Portal:
    """Lets Ann in."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.asked: list[PasswordLogin] = []
        self.logged_out = 0
        self.failure: Exception | None = None
        self.delay: Deferred[None] | None = None

    def login(self, credentials: PasswordLogin, mind: Peer, interface: Any) -> Deferred[Any]:
        self.asked.append(credentials)
        failure = credentials.refusal or self.failure
        if failure is not None:
            return fail(failure)
        if (credentials.username, credentials.password) != (ANN.address, PASSWORD):
            return fail(LoginFailed(private="wrong password"))
        mind.account_id, mind.login = ANN.id, ANN.address
        if self.delay is not None:
            return self.delay.addCallback(lambda _: self._avatar(interface))
        return succeed(self._avatar(interface))

    def _avatar(self, interface: Any) -> tuple[Any, ImapAccount, Callable[[], None]]:
        opened = Deferred.fromCoroutine(self.store.open(ANN))
        return interface, ImapAccount(ANN, opened.result), self.log_out

    def log_out(self) -> None:
        self.logged_out += 1


class Talk:
    """One client: what it says, and what it hears."""

    def __init__(self, house: House, wire: Wire | None = None, **settings: Any) -> None:
        self.house = house
        self.wire = wire or Wire()
        factory = HostmailIMAP4Factory(
            portal=house.portal,
            sessions=house.sessions,
            clock=house.clock,
            watch=house.watch,
            settings=ImapSettings("mail.example.com", **settings),
            tls_context=house.tls_context,
        )
        self.server: HostmailIMAP4 = factory.buildProtocol(None)
        self.server.makeConnection(self.wire)
        self.greeting = self.wire.said()
        self._tag = 0

    def sends(self, data: bytes) -> bytes:
        """Octets as they are; what comes back."""
        self.server.dataReceived(data)
        return self.wire.said()

    def asks(self, command: bytes) -> list[bytes]:
        """A command with a tag of its own; the lines of the answer, the tag as `.`."""
        self._tag += 1
        tag = b"t%d" % self._tag
        lines = self.sends(tag + b" " + command + b"\r\n").split(b"\r\n")
        assert lines.pop() == b"", lines
        return [re.sub(rb"^%b " % tag, b". ", line) for line in lines]

    def last(self, command: bytes) -> bytes:
        """The tagged answer only."""
        return self.asks(command)[-1]

    def logs_in(self) -> Talk:
        """Ann."""
        assert self.last(b'LOGIN ann@example.com "se\\"cr\\\\et"').startswith(b". OK")
        return self

    def hangs_up(self) -> None:
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.server.connectionLost(Failure(ConnectionDone()))


class House:
    """Store, portal, sessions, events, clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.events = Bus(self.clock)
        self.store = MemoryStore(now=self.clock.seconds, events=self.events)
        self.portal = Portal(self.store)
        self.sessions = OpenSessions()
        self.watch = FolderWatch(self.events)
        self.tls_context: Any = None


class ImapCase(SynchronousTestCase):
    """A house with one client in it."""

    def setUp(self) -> None:
        self.house = House()
        self.clock = self.house.clock

    def client(self, **settings: Any) -> Talk:
        """A connection that has been greeted."""
        return Talk(self.house, **settings)

    def ann(self, folder: bytes = b"", **settings: Any) -> Talk:
        """Ann, logged in, with a folder selected if she names one."""
        talk = self.client(**settings).logs_in()
        if folder:
            self.assertIn(b"OK", talk.last(b"SELECT " + folder))
        return talk

    def done(self, work: Any) -> Any:
        """The result of a coroutine that does not have to wait."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def put(self, *messages: bytes, folder: str = "INBOX", flags: int = 0, date: int | None = None) -> None:
        """Deliver messages behind everybody's back."""
        for message in messages:
            self.done(self._put(message, folder, flags, date))

    async def _put(self, message: bytes, folder: str, flags: int, date: int | None) -> None:
        account = await self.house.store.open(ANN)
        incoming = await (await account.folder(folder)).begin_append(len(message), flags, (), date)
        incoming.write(message)
        await incoming.commit()

    def events_arrive(self) -> None:
        """Announcements reach whoever listens."""
        self.clock.advance(0)


def small_limits(**octets: int) -> CommandLimits:
    """Limits that are easy to reach."""
    return CommandLimits(**octets)


class Gate:
    """A store, folder or message whose every answer waits until the gate is opened."""

    def __init__(self, inner: Any, waiting: list[Deferred[None]]) -> None:
        self._inner = inner
        self._waiting = waiting

    @staticmethod
    def opened(thing: Any) -> Any:
        """Without gates, for who looks inside."""
        if isinstance(thing, list | tuple):
            return type(thing)(map(Gate.opened, thing))
        return thing._inner if isinstance(thing, Gate) else thing

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        if name in ("close", "size", "name", "write", "abort", "watch"):
            return inner
        if name == "read_now":
            return lambda offset, length: None

        async def slowly(*arguments: Any, **more: Any) -> Any:
            gate: Deferred[None] = Deferred()
            self._waiting.append(gate)
            await gate
            if name == "commit_all":
                arguments = Gate.opened(arguments)
            result = await inner(*arguments, **more)
            return Gate(result, self._waiting) if name in ("folder", "open", "begin_append") else result

        return slowly


class Broken:
    """A store, folder or message that behaves, but for the methods that fail as they are told."""

    def __init__(self, inner: Any, failures: dict[str, BaseException]) -> None:
        self._inner = inner
        self._failures = failures

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        failure = self._failures.get(name)
        if name in ("close", "size", "name", "abort", "watch"):
            return inner
        if name in ("read_now", "write"):
            if failure is None:
                return inner

            def fails(*arguments: Any) -> Any:
                raise failure

            return fails

        async def answers(*arguments: Any, **more: Any) -> Any:
            if failure is not None:
                raise failure
            result = await inner(*arguments, **more)
            return Broken(result, self._failures) if name in ("folder", "open", "begin_append") else result

        return answers
