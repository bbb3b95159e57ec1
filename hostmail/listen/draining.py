"""Ending well: open sessions are told that the server goes down, and get a moment to finish what they do."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import deferLater

from hostmail.interfaces.admin import ISessions

GRACE_SECONDS, LOOK_SECONDS = 15.0, 0.1


async def drain(sessions: ISessions, reactor: Any, grace_seconds: float = GRACE_SECONDS) -> None:
    """Kick every session, and return when the last connection is closed or the grace is over.

    A session that is just storing a message answers first, so that nothing that was stored is sent again. Connections are counted at
    the reactor: a kicked session is none any more, though it may still have its answer to send.
    """
    sessions.kick("server is shutting down")
    until = reactor.seconds() + grace_seconds
    while open_connections(reactor) and reactor.seconds() < until:
        await deferLater(reactor, LOOK_SECONDS, lambda: None)


def open_connections(reactor: Any) -> int:
    """How many connections that somebody made to us are still open: they alone know the port they came in by."""
    seen = {id(one): one for one in (*reactor.getReaders(), *reactor.getWriters())}
    return sum(1 for one in seen.values() if getattr(one, "server", None) is not None)
