"""IMAP and POP3 sessions on one Maildir on a real disk, without threads or sockets."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.mail import pop3

from hostmail.envelope import Peer
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.pop3.factory import HostmailPOP3Factory
from hostmail.protocols.pop3.maildrop import Maildrop, take_over_idle
from hostmail.protocols.pop3.settings import Pop3Settings
from hostmail.storage.store import MaildirStore
from tests.protocols.imap.talk import ANN, PASSWORD, ImapCase, Talk
from tests.support.wire import Wire

T = TypeVar("T")
LITERAL = re.compile(rb"\{([0-9]+)\}\r\n\Z")


async def at_once(f: Callable[..., T], *args: Any) -> T:
    """What a thread does, now."""
    return f(*args)


class Door:
    """The portal for POP3: whoever knows Ann's password is Ann."""

    def __init__(self, case: DiskCase) -> None:
        self._case = case

    def login(self, credentials: Any, mind: Any, *interfaces: Any) -> Any:
        return Deferred.fromCoroutine(self._login(credentials, mind))

    async def _login(self, credentials: PasswordLogin, peer: Peer) -> Any:
        assert credentials.password == PASSWORD
        peer.account_id, peer.login = ANN.id, ANN.address
        probe = take_over_idle(self._case.house.sessions, peer, ANN.id)
        drop = await Maildrop.open(self._case.store, ANN, peer, probe)
        return pop3.IMailbox, drop, drop.close


class Pop3Talk:
    """One POP3 client."""

    def __init__(self, case: DiskCase) -> None:
        factory = HostmailPOP3Factory(
            portal=Door(case),
            sessions=case.house.sessions,
            clock=case.clock,
            settings=Pop3Settings("mail.example.com"),
        )
        self.wire = Wire()
        self.server = factory.buildProtocol(None)
        self.server.makeConnection(self.wire)
        self.wire.clear()

    def asks(self, command: str) -> bytes:
        """A command; the whole answer."""
        self.server.dataReceived(command.encode() + b"\r\n")
        return self.wire.said()

    def logs_in(self) -> Pop3Talk:
        """Ann."""
        self.asks("USER ann@example.com")
        said = self.asks(f"PASS {PASSWORD}")
        assert said.startswith(b"+OK"), said
        return self


class DiskCase(ImapCase):
    """Ann's mailbox is a Maildir. `self.clock` does not move by itself."""

    def setUp(self) -> None:
        super().setUp()
        self.ticks = 2_000_000_000 * 10**9
        self.store: Any = MaildirStore(
            self.mktemp(), at_once, self.clock, now=self.clock.seconds, wall=self.wall, events=self.house.events
        )
        self.house.store = self.house.portal.store = self.store
        self.addCleanup(lambda: Deferred.fromCoroutine(self.store.close()))

    def wall(self) -> int:
        """Directories were always changed long ago, so that a change is seen at once."""
        self.ticks += 10**10
        return self.ticks

    def get(self, answer: Awaitable[T]) -> T:
        """The answer of what needs no reactor."""
        return self.successResultOf(Deferred.fromCoroutine(answer))  # type: ignore[arg-type]

    def path(self, *parts: str) -> str:
        """Within Ann's Maildir."""
        return os.path.join(self.store.root_of(ANN), "Maildir", *parts)

    def drop(self, name: str, message: bytes) -> None:
        """Another program delivers."""
        temporary, final = self.path("tmp", name), self.path("new", name)
        with open(temporary, "wb") as file:
            file.write(message)
        os.rename(temporary, final)

    def pop3(self) -> Pop3Talk:
        """A POP3 client that has logged in."""
        return Pop3Talk(self).logs_in()

    def fetched(self, talk: Talk, item: bytes, number: int) -> bytes:
        """What FETCH answers for one item of one message, checked for its frame."""
        said = talk.sends(b"f FETCH %d (%b)\r\n" % (number, item))
        head, tail = b"* %d FETCH (" % number, b")\r\nf OK FETCH completed\r\n"
        assert said.startswith(head), said[:200]
        assert said.endswith(tail), said[-200:]
        return said[len(head) : -len(tail)]
