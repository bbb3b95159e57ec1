"""A store on a real disk without threads or reactor, for tests that look at files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.directory import Account
from hostmail.storage.disk import Disk
from hostmail.storage.names import MAX_UID, parse
from hostmail.storage.store import MaildirStore
from tests.contracts.fakes import FakeEvents, FakeUsage
from tests.contracts.mailstore_base import StoreGround

T = TypeVar("T")


async def at_once(f: Callable[..., T], *args: Any) -> T:
    """What a thread does, now."""
    return f(*args)


class FaultyDisk(Disk):
    """A disk that fails where `faults` says: an OSError, or something to do first, by the name of the operation."""

    def __init__(self) -> None:
        self.faults: dict[str, OSError | Callable[..., None]] = {}
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def call(*args: Any, **keywords: Any) -> Any:
            self.calls.append(name)
            fault = self.faults.get(name) or self.faults.get("*")
            if isinstance(fault, OSError):
                raise fault
            if fault is not None:
                fault()
            return found(*args, **keywords)

        return call


class DiskGround(StoreGround, SynchronousTestCase):
    """`self.get(coroutine)` is its answer. `self.disk` can be made to fail."""

    def make_store(self, usage: FakeUsage, events: FakeEvents, message_size_limit: int) -> MaildirStore:
        self.disk = FaultyDisk()
        self.clock = Clock()
        self.options = {"usage": usage, "events": events, "message_size_limit": message_size_limit}
        return self.store_on(self.mktemp())

    def store_on(self, data_dir: str, **options: Any) -> MaildirStore:
        """A store on some place, closed at the end."""
        store = MaildirStore(data_dir, at_once, self.clock, disk=self.disk, **{**self.options, **options})
        self.addCleanup(lambda: Deferred.fromCoroutine(store.close()))
        return store

    def make_spool(self) -> Any:
        return self.store.spool

    async def restart(self, store: MaildirStore) -> MaildirStore:
        await store.close()
        return self.store_on(store.data_dir)

    def get(self, answer: Awaitable[T] | Coroutine[Any, Any, T]) -> T:
        """The answer of what needs no reactor."""
        return self.successResultOf(Deferred.fromCoroutine(answer))

    def refusal(self, kind: type[BaseException], answer: Any) -> Any:
        """The refusal that comes instead."""
        return self.failureResultOf(Deferred.fromCoroutine(answer), kind).value

    def root(self, account: Account | None = None) -> str:
        """The account's directory."""
        return self.store.root_of(account or self.ann)

    def place(self, *parts: str) -> str:
        """A path in Ann's Maildir."""
        return os.path.join(self.root(), "Maildir", *parts)

    def files(self, folder: str = "") -> list[str]:
        """Names of a folder's messages, as place/name, by their UIDs, then those that name none: names alone sort by chance."""
        found = [f"{place}/{name}" for place in ("cur", "new") for name in os.listdir(self.place(folder, place))]
        return sorted(found, key=lambda name: (parse(name.partition("/")[2]).uid or MAX_UID, name))

    def put(self, name: str, content: bytes, folder: str = "", place: str = "new") -> str:
        """Another program delivers a file; its path."""
        path = self.place(folder, place, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def drop_index(self, *suffixes: str) -> None:
        """Lose Ann's index, or parts of it."""
        for suffix in suffixes or ("", "-wal", "-shm"):
            path = os.path.join(self.root(), "index.sqlite" + suffix)
            if os.path.exists(path):
                os.unlink(path)

    def crashed_copy(self) -> str:
        """All data as a process that dies now would leave it: somewhere else, for another store."""
        target = self.mktemp()
        shutil.copytree(self.store.data_dir, target, symlinks=True)
        return target
