"""The directory with real threads, a real reactor, and a second process's connections beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from hostmail.directory.changes import DirectoryChanges
from hostmail.directory.reading import Directory
from hostmail.directory.tables import MIGRATIONS
from hostmail.directory.usage import StoredUsage
from hostmail.interfaces.directory import Usage
from hostmail.monitoring.events import EventBus
from hostmail.sql.database import Database
from tests.directory.support import HASH


class TogetherTests(TestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        MIGRATIONS.apply(self.path)
        self.pool = ThreadPool(0, 4)
        self.pool.start()
        self.addCleanup(self.pool.stop)

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await deferToThreadPool(reactor, self.pool, function, *args)

    def process(self) -> tuple[Database, Directory, DirectoryChanges]:
        events = EventBus(reactor=reactor)  # type: ignore[arg-type]
        database = Database(self.path)
        self.addCleanup(database.close)
        directory = Directory(database=database, in_thread=self.in_thread, events=events)
        return (
            database,
            directory,
            DirectoryChanges(database=database, in_thread=self.in_thread, events=events, now=time.time),
        )

    async def test_a_change_counts_when_it_returns(self) -> None:
        """Whoever awaits a change and asks then, sees it: the caches have heard before he goes on (E7)."""
        _, directory, changes = self.process()
        await changes.add_domain("example.com")
        await changes.add_account("ann@example.com", password_hash=HASH)
        for number in range(20):
            stored = f"{{PLAIN}}{number}"
            await changes.set_password("ann@example.com", stored)
            login = await directory.login("ann@example.com")
            assert login is not None
            self.assertEqual(login[1], stored)

    async def test_two_processes(self) -> None:
        """Two that change facts and charge usage at once neither fail nor lose anything."""
        everything: list[Deferred[None]] = []
        for number in range(2):
            database, _, changes = self.process()
            usage = StoredUsage(database=database)
            self.addCleanup(usage.close)
            everything.append(Deferred.fromCoroutine(self.busy(f"example{number}.com", changes, usage)))
        await gatherResults(everything)
        _, directory, _ = self.process()
        self.assertEqual(len(await directory.accounts()), 20)
        for domain in await directory.domains():
            self.assertEqual(await directory.domain_usage(domain.name), Usage(100, 10))

    async def busy(self, domain: str, changes: DirectoryChanges, usage: StoredUsage) -> None:
        await changes.add_domain(domain, quota_bytes=1000)
        for number in range(10):
            account = await changes.add_account(f"user{number}@{domain}", password_hash=HASH)
            await self.in_thread(usage.charge, account.id, Usage(10, 1), True)
