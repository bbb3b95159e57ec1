"""Answers that leave at the end of the turn in which they were written, without asking the kernel first whether there is room.

Twisted's own connection has itself called when its socket can be written, which it almost always can: two system calls and one more event
for every answer. Here everything written in one turn of the reactor goes out in one piece as soon as that turn is over; only
what the kernel does not take at once waits for it, as usual.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger(namespace="listen")


class Outbox:
    """The connections that have written in this turn."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._due: list[PromptConnection] = []

    def add(self, connection: PromptConnection) -> None:
        """It is to be flushed before anything else is waited for."""
        if not self._due:
            self._clock.callLater(0, self._flush)
        self._due.append(connection)

    def _flush(self) -> None:
        due, self._due = self._due, []
        for connection in due:
            try:
                connection.flush()
            except Exception:  # noqa: BLE001 - one connection's trouble is not the others'
                log.failure("connection_failed: {connection!r}", connection=connection)
                connection.abortConnection()


class PromptConnection(tcp.Server):
    """One accepted connection. It is due in the outbox, or registered with the reactor, or has nothing to write."""

    _is_due = _is_registered = False

    def __init__(self, outbox: Outbox, *args: Any) -> None:
        self._outbox = outbox
        super().__init__(*args)

    def startWriting(self) -> None:
        """There is something to write, or to end."""
        if not (self._is_due or self._is_registered):
            self._is_due = True
            self._outbox.add(self)

    def stopWriting(self) -> None:
        """Everything is written, or the connection is lost."""
        self._is_due = False
        if self._is_registered:
            self._is_registered = False
            super().stopWriting()

    def flush(self) -> None:
        """Write what the kernel takes; the rest, and the end of the connection, are the reactor's."""
        if not self._is_due:
            return
        if not self.disconnecting and self.doWrite() is None and not self._is_due:
            return
        self._is_due, self._is_registered = False, True
        super().startWriting()


def make_prompt(port: Any, outbox: Outbox) -> None:
    """Have a port's connections write promptly; ports that are not TCP's stay as they are."""
    if isinstance(port, tcp.Port) and not isinstance(port, unix.Port):
        port.transport = partial(PromptConnection, outbox)  # type: ignore[assignment]
