"""A wire for protocol tests: what the peer hears and says, with a clock and a session count."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.errors import Refusal
from hostmail.interfaces.admin import ISessions, SessionInfo


@implementer(ITLSTransport)
class Wire(StringTransport):
    """A transport in memory that can begin TLS and be aborted."""

    aborted = False
    tls: Any = None

    def __init__(self, client: str = "192.0.2.7") -> None:
        super().__init__(hostAddress=IPv4Address("TCP", "192.0.2.1", 25), peerAddress=IPv4Address("TCP", client, 40000))
        self.client = client

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.nodelay = enabled

    def startTLS(self, context: Any, normal: bool = True) -> None:
        self.tls = context

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    def said(self) -> bytes:
        """What the server wrote since the last look."""
        value = self.value()
        self.clear()
        return value


@implementer(ISessions)
class OpenSessions:
    """Counts sessions; refuses with `refusal` if it is set."""

    def __init__(self) -> None:
        self.open: list[SessionInfo] = []
        self.refusal: Refusal | None = None
        self.refuse_login: Refusal | None = None

    def admit(self, peer: Peer, kick: Any) -> SessionInfo:
        if self.refusal is not None:
            raise self.refusal
        session = SessionInfo(len(self.open) + 1, peer, 0.0, kick)
        self.open.append(session)
        return session

    def logged_in(self, session: SessionInfo) -> None:
        if self.refuse_login is not None:
            raise self.refuse_login

    def leave(self, session: SessionInfo) -> None:
        if session in self.open:
            self.open.remove(session)

    def all(self) -> list[SessionInfo]:
        return list(self.open)

    def kick(self, words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        hit = [s for s in self.open if account_id in (None, s.peer.account_id) and session_id in (None, s.id)]
        for session in hit:
            session.kick(words)
        return len(hit)


def clock() -> Clock:
    """A clock that stands still."""
    return Clock()
