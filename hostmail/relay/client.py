"""Connections to one destination: made when needed, used for several messages, closed when nobody wants them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from errno import EADDRNOTAVAIL, EAFNOSUPPORT
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectBindError,
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from hostmail.errors import Refusal
from hostmail.interfaces.queue import Queued
from hostmail.relay.conversation import Content, Conversation, Manners, TlsFailed
from hostmail.relay.failures import Crowded, LoopsBack, NextHopFailure, NoRoute, Sent, counts_more
from hostmail.relay.places import Place, Places
from hostmail.relay.wire import Wire

log = Logger(namespace="relay")

IDLE_SECONDS = 10.0
MOST_MESSAGES = 100
MOST_TALKS = 2
SEARCH_SECONDS = 600.0
TRANSMISSION_SECONDS = 3600.0


class WireFactory(Factory):
    """Makes a Wire per connection."""

    noisy = False

    def __init__(self, clock: IReactorTime, host: str) -> None:
        self._clock = clock
        self._host = host

    def buildProtocol(self, addr: IAddress | None) -> Wire:
        """One connection's protocol."""
        return Wire(self._clock, self._host)


@dataclass(frozen=True, slots=True)
class Way:
    """One host to connect to, and how to talk to it. The lower its preference, the better; `line` names what its connections share."""

    endpoint: IStreamClientEndpoint
    manners: Manners
    line: str = ""
    preference: int = 0


Ways = Callable[[], Awaitable[Sequence[Way]]]
"""The hosts of a destination, best first, at least one; raises the Refusal that holds for all mail there."""


class Destination:
    """Where mail goes by any of several hosts. How many transmissions run side by side is the caller's business: each has a connection.

    The next host is tried when one cannot be talked to or takes no mail at all, and for recipients that one refused for now before the
    message was sent (RFC 5321 5.1): two hosts at most, and none after ten minutes without one that talks. What goes wrong later is for
    the next attempt: a message is not sent twice to one recipient in a row. A connection that has done its work waits for more, if it
    `may_keep` so, and nobody else needs its place.

    Among hosts that are equally good, those come first that have a place for one more connection. For one of the best a place is waited
    for: worse ones are not there for their relief.
    """

    def __init__(
        self,
        *,
        ways: Ways,
        clock: IReactorTime,
        places: Places | None = None,
        may_keep: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ways = ways
        self._places = places or Places(clock)
        self._may_keep = may_keep
        self._clock = clock
        self._idle: dict[Conversation, IDelayedCall] = {}
        self._wires: dict[Conversation, Wire] = {}
        self._held: dict[Conversation, Place] = {}
        self._connecting: set[Deferred[Any]] = set()
        self._users = 0
        self._stopped = False

    @property
    def unused(self) -> bool:
        """True if no mail is on its way and no connection is open."""
        return not (self._users or self._wires)

    @property
    def idle(self) -> int:
        """How many connections wait for more mail."""
        return len(self._idle)

    async def send(self, rows: Sequence[Queued], content: Content) -> list[Sent]:
        """Send one message; a result for each row. Never raises for what other hosts do."""
        self._users += 1
        try:
            while (conversation := self._take()) is not None:
                results = await self._send(conversation, rows, content)
                if results is not None:
                    return results
            return await self._by_new_connections(rows, content)
        finally:
            self._users -= 1

    async def _by_new_connections(self, rows: Sequence[Queued], content: Content) -> list[Sent]:
        try:
            ways = sorted(await self._ways(), key=self._rank)
        except Refusal as refusal:
            return [Sent(refusal, unreachable=True) for _ in rows]
        results: dict[int, Sent] = {}
        pending, talks = list(rows), 0
        patience = self._clock.seconds() + SEARCH_SECONDS
        for way in ways:
            try:
                conversation = await self._begin(way)
            except Refusal as refusal:
                _remember(results, pending, refusal)
                if self._stopped or isinstance(refusal, LoopsBack | Crowded) or self._clock.seconds() >= patience:
                    break
                continue
            sent = await self._send(conversation, pending, content, fresh=True)
            assert sent is not None
            results.update((row.id, one) for row, one in zip(pending, sent, strict=True))
            pending = [row for row, one in zip(pending, sent, strict=True) if one.refusal and not one.refusal.permanent]
            talks += 1
            if not pending or conversation.body_begun or talks == MOST_TALKS or self._stopped:
                break
        return [results[row.id] for row in rows]

    def _rank(self, way: Way) -> tuple[int, bool]:
        return way.preference, self._places.busy(way.line)

    async def _send(
        self, conversation: Conversation, rows: Sequence[Queued], content: Content, fresh: bool = False
    ) -> list[Sent] | None:
        """The results; None if a used connection turned out to be dead before anything was said, so that another one may be tried."""
        patience = self._clock.callLater(TRANSMISSION_SECONDS, conversation.give_up)
        try:
            results = await conversation.send(rows, content)
        except Exception:
            conversation.close()
            raise
        finally:
            if patience.active():
                patience.cancel()
        broken = all(isinstance(sent.refusal, NextHopFailure) for sent in results)
        if broken and not fresh and not conversation.body_begun and not conversation.usable:
            return None
        self._give_back(conversation)
        return results

    def _take(self) -> Conversation | None:
        """The connection used last, if it is still good."""
        while self._idle:
            conversation, timer = self._idle.popitem()
            timer.cancel()
            self._held[conversation].work()
            if conversation.usable:
                return conversation
            conversation.close()
        return None

    def _give_back(self, conversation: Conversation) -> None:
        may_stay = conversation.usable and conversation.messages < MOST_MESSAGES and self._may_keep()
        if may_stay and self._held[conversation].rest(partial(self._expire, conversation)):
            self._idle[conversation] = self._clock.callLater(IDLE_SECONDS, self._expire, conversation)
        else:
            conversation.close()

    def _expire(self, conversation: Conversation) -> None:
        """It has waited long enough, or others need its place."""
        timer = self._idle.pop(conversation)
        if timer.active():
            timer.cancel()
        conversation.close()

    async def _begin(self, way: Way) -> Conversation:
        """A connection ready for mail; where TLS is not a must, one without if TLS fails (RFC 7435)."""
        try:
            return await self._connect(way, way.manners)
        except TlsFailed as failure:
            if way.manners.tls == "must":
                raise
            log.warn("tls_failed: {host}: {why}", host=way.manners.host, why=failure.private)
            return await self._connect(way, replace(way.manners, tls="never"))

    async def _connect(self, way: Way, manners: Manners) -> Conversation:
        if self._stopped:
            raise _stopped()
        place = await self._until(self._places.take(way.line), manners.host)
        try:
            wire = await self._until(way.endpoint.connect(WireFactory(self._clock, manners.host)), manners.host)
        except Refusal:
            place.give_back()
            raise
        conversation = Conversation(wire, manners)
        self._wires[conversation], self._held[conversation] = wire, place
        wire.lost = partial(self._lost, conversation)
        try:
            await conversation.begin()
        except Exception:
            wire.close(politely=wire.idle)
            raise
        return conversation

    def _lost(self, conversation: Conversation) -> None:
        if conversation in self._idle:
            self._idle.pop(conversation).cancel()
        del self._wires[conversation]
        self._held.pop(conversation).give_back()

    async def _until(self, connecting: Deferred[Any], host: str) -> Any:
        """What comes of one step towards a connection with `host`; raises NextHopFailure."""
        self._connecting.add(connecting)
        try:
            return await connecting
        except Crowded:
            raise
        except Exception as error:
            raise (_stopped() if self._stopped else _trouble(host, error)) from error
        finally:
            self._connecting.discard(connecting)

    def abort(self) -> None:
        """End all connections, whatever they are doing: this process is about to stop. What was not answered will be sent again."""
        self._stopped = True
        for connecting in list(self._connecting):
            connecting.cancel()
        for wire in list(self._wires.values()):
            wire.abort(_stopped())

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            conversation, timer = self._idle.popitem()
            timer.cancel()
            conversation.close()


def _stopped() -> NextHopFailure:
    return NextHopFailure("this server was being stopped", enhanced="4.3.2")


def _remember(results: dict[int, Sent], rows: Sequence[Queued], refusal: Refusal) -> None:
    """What they hear of if no further host can be talked to."""
    for row in rows:
        known = results.get(row.id)
        if known is None or (known.unreachable and known.refusal and counts_more(refusal, known.refusal)):
            crowded = isinstance(refusal, Crowded)
            results[row.id] = Sent(refusal, unreachable=not crowded, crowded=crowded)


def _trouble(host: str, error: Exception) -> NextHopFailure:
    words, number = f"{host} {_why(error)}", getattr(error, "osError", None)
    no_such_address = number == EADDRNOTAVAIL and not isinstance(error, ConnectBindError)
    if isinstance(error, NoRouteError) or number == EAFNOSUPPORT or no_such_address:
        return NoRoute(words, repr(error))
    return NextHopFailure(words, repr(error))


def _why(error: Exception) -> str:
    if isinstance(error, DNSLookupError):
        return "is not known in the DNS"
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections"
    if isinstance(error, TimeoutError):
        return "does not answer"
    if isinstance(error, ConnectBindError) and error.osError == EADDRNOTAVAIL:
        return "cannot be connected to from the source address that is set: it is not this machine's"
    return "cannot be reached" if isinstance(error, ConnectError) else "cannot be connected to"
