"""The queue's sender: each message by the route that its sender has, to one of the hosts at its end (C9)."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from hostmail.errors import SendingSuspended
from hostmail.interfaces.queue import Queued
from hostmail.interfaces.threads import InThread
from hostmail.relay.client import Destination, Way, Ways
from hostmail.relay.content import FileContent
from hostmail.relay.contracts import Above, Route, Routes, Silenced
from hostmail.relay.failures import NextHopFailure, Sent
from hostmail.relay.places import Places
from hostmail.relay.ways import Connect, MxWays, Names, smarthost_way

TIDY_ABOVE = 200
MOST_IDLE = 100


class Dispatch:
    """Keeps a Destination for each way to each smarthost and each domain while mail goes there.

    So its connections serve several messages, but none of those who have a way of their own.
    """

    def __init__(
        self,
        *,
        routes: Routes,
        silenced: Silenced,
        above: Above,
        mx: MxWays,
        connect: Connect,
        clock: IReactorTime,
        names: Names,
        in_thread: InThread,
    ) -> None:
        self._routes = routes
        self._silenced = silenced
        self._above = above
        self._mx = mx
        self._connect = connect
        self._clock = clock
        self._names = names
        self._in_thread = in_thread
        self._places = Places(clock)
        self._destinations: dict[tuple[Route, str], Destination] = {}

    async def destination(self, row: Queued) -> str | None:
        """Rows with equal answers go to the same hosts by the same route; None if there is no way out for this one.

        Raises SendingSuspended if its account or domain is: what was taken before goes no further than what would be refused now.
        """
        if name := await self._silenced(row):
            raise SendingSuspended(private=f"outgoing mail of {name} is suspended")
        route = await self._routes(row)
        return route.destination(_domain(row)) if route is not None else None

    async def send(self, rows: Sequence[Queued]) -> list[Sent]:
        """Send one message to recipients of one destination, under one reverse-path; a result for each, in order."""
        route = await self._routes(rows[0])
        if route is None:
            return [Sent(NextHopFailure("there is no way out any more")) for _ in rows]
        above = await self._above(rows[0].sender)
        destination = self._destination(route, _domain(rows[0]))
        content = FileContent(rows[0].path, rows[0].size, self._in_thread, octets=rows[0].octets, above=above)
        try:
            return await destination.send(rows, content)
        finally:
            await content.close()
            content.forget()

    def _destination(self, route: Route, domain: str) -> Destination:
        key = (route, "" if route.smarthost is not None else domain)
        if key not in self._destinations:
            if len(self._destinations) >= TIDY_ABOVE:
                self._tidy()
            self._destinations[key] = Destination(
                ways=self._ways(*key), clock=self._clock, places=self._places, may_keep=self._may_keep
            )
        return self._destinations[key]

    def _may_keep(self) -> bool:
        """Whether one more connection may wait for mail that perhaps comes: a mailing to thousands of domains leaves one in each."""
        return sum(one.idle for one in self._destinations.values()) < MOST_IDLE

    def _tidy(self) -> None:
        """Forget destinations without mail and connections."""
        self._destinations = {key: one for key, one in self._destinations.items() if not one.unused}

    def _ways(self, route: Route, domain: str) -> Ways:
        async def ways() -> Sequence[Way]:
            if route.smarthost is not None:
                return [smarthost_way(route.smarthost, route.sources, self._names, self._connect)]
            return await self._mx.find(domain, route.sources)

        return ways

    def abort(self) -> None:
        """End all connections at once."""
        for destination in self._destinations.values():
            destination.abort()

    def close(self) -> None:
        """Close idle connections; for shutdown, after the runner has stopped."""
        for destination in self._destinations.values():
            destination.close()


def _domain(row: Queued) -> str:
    return row.recipient.rpartition("@")[2].lower()
