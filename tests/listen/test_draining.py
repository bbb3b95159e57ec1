"""Ending well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.interfaces.admin import ISessions, SessionInfo
from hostmail.listen.draining import drain


@implementer(ISessions)
class Kicked:
    """Sessions that remember that they were asked to go."""

    words = ""

    def kick(self, words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        self.words = words
        return 1

    def admit(self, peer: Peer, kick: Callable[[str], None]) -> SessionInfo:
        raise NotImplementedError

    def logged_in(self, session: SessionInfo) -> None:
        raise NotImplementedError

    def leave(self, session: SessionInfo) -> None:
        raise NotImplementedError

    def all(self) -> Iterable[SessionInfo]:
        return []


class Connection:
    """A connection somebody made to us: it knows its port."""

    server = "port"


class Reactor(Clock):
    """A clock that knows connections."""

    def __init__(self, *connected: Any) -> None:
        super().__init__()
        self.connected = list(connected)

    def getReaders(self) -> list[Any]:
        return self.connected

    def getWriters(self) -> list[Any]:
        return self.connected


class DrainTests(SynchronousTestCase):
    def drain(self, reactor: Reactor) -> Deferred[None]:
        self.sessions = Kicked()
        return Deferred.fromCoroutine(drain(self.sessions, reactor))

    def test_waits(self) -> None:
        """Sessions are told, and the end waits until their connections are closed; our own connections do not count."""
        reactor = Reactor(Connection(), object())
        done = self.drain(reactor)
        self.assertEqual(self.sessions.words, "server is shutting down")
        reactor.advance(1)
        self.assertNoResult(done)
        reactor.connected.pop(0)
        reactor.advance(0.1)
        self.successResultOf(done)

    def test_nobody(self) -> None:
        """Without connections it is over at once."""
        self.successResultOf(self.drain(Reactor()))

    def test_ends(self) -> None:
        """A connection that never closes holds the end up for 15 seconds, not longer."""
        reactor = Reactor(Connection())
        done = self.drain(reactor)
        reactor.pump([0.1] * 140)
        self.assertNoResult(done)
        reactor.pump([0.1] * 11)
        self.successResultOf(done)
