"""Hearing of changes that another process made: a look at SQLite's change counter every second."""

from __future__ import annotations

import sqlite3

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hostmail.interfaces.events import DirectoryChanged, IEvents
from hostmail.sql.database import Database

INTERVAL_SECONDS = 1.0


class ForeignChanges:
    """Publishes what other processes changed (the `hostmail` command above all), as if it had been changed here.

    The counter tells in microseconds that nobody wrote; since usage is written all the time, the list of changes tells whether
    it concerns us. It reads on the reactor's thread: readers of a WAL never wait.
    """

    log = Logger()

    def __init__(self, *, database: Database, events: IEvents, clock: IReactorTime) -> None:
        self._database = database
        self._events = events
        self._connection: sqlite3.Connection | None = None
        self._counter = self._last = 0
        self._looking = LoopingCall(self._look_safely)
        self._looking.clock = clock

    def start(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        """Begin to look; what was changed before now is taken as known."""
        self._connection = sqlite3.connect(self._database.path, isolation_level=None, timeout=0)
        self._last = self._connection.execute("SELECT coalesce(max(id), 0) FROM changes").fetchone()[0]
        self._counter = self._data_version(self._connection)
        self._looking.start(interval_seconds, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._connection is not None:
            self._looking.stop()
            self._connection.close()
            self._connection = None

    def look(self) -> int:
        """Publish what is new; how many changes that were."""
        connection = self._connection
        if connection is None or (counter := self._data_version(connection)) == self._counter:
            return 0
        query = "SELECT id, origin, domain, account_id, credentials, removed FROM changes WHERE id > ? ORDER BY id"
        rows = connection.execute(query, (self._last,)).fetchall()
        self._counter = counter
        published = 0
        for self._last, origin, domain, account_id, credentials, removed in rows:
            if origin != self._database.origin:
                self._events.publish(DirectoryChanged(domain, account_id, bool(credentials), bool(removed)))
                published += 1
        return published

    def _look_safely(self) -> None:
        with self.log.failuresHandled("foreign_changes_not_read"):
            self.look()

    def _data_version(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
