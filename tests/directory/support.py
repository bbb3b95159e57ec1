"""A directory on disk for tests: threads that run at once, and announcements that arrive at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.changes import DirectoryChanges
from hostmail.directory.reading import Directory
from hostmail.directory.tables import MIGRATIONS
from hostmail.interfaces.events import DirectoryChanged
from hostmail.sql.database import Database
from tests.support.aloud import Aloud

T = TypeVar("T")
HASH = "{PLAIN}secret"


class Threads:
    """Runs at once, and counts: how often a question went to the database."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, function: Callable[..., T], *args: Any) -> T:
        self.runs += 1
        return function(*args)


class DirectoryTestCase(SynchronousTestCase):
    """Has `directory`, `changes`, `events` over a new database with example.com in it."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        MIGRATIONS.apply(self.path)
        self.clock = Clock()
        self.events, self.threads = Aloud(), Threads()
        self.database, self.directory, self.changes = self.process(self.events, self.threads)
        self.get(self.changes.add_domain("example.com"))
        self.events.published.clear()

    def process(self, events: Aloud, threads: Threads) -> tuple[Database, Directory, DirectoryChanges]:
        """What one process has of the directory."""
        database = Database(self.path)
        self.addCleanup(database.close)
        directory = Directory(database=database, in_thread=threads, events=events)
        changes = DirectoryChanges(database=database, in_thread=threads, events=events, now=self.clock.seconds)
        return database, directory, changes

    def get(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What it returns, which must be there at once."""
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, coroutine: Coroutine[Any, Any, Any], kind: type[BaseException]) -> Any:
        """The exception it raises."""
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), kind).value

    def changed(self) -> list[DirectoryChanged]:
        """The announcements since the last time."""
        published, self.events.published = self.events.published, []
        return published
