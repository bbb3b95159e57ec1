"""Messages into mailboxes, many at once (group commit): whoever waits for a thread meanwhile shares the next one.

In this order, so that what is answered with success survives kill -9 and power loss (D12), and what is not leaves
nothing: the file complete and synced; then, in one transaction of the account's index, room taken, a UID given, the file linked into
the folder, the directory synced, the row; commit. A crash before the commit leaves at most a whole message that was
not acknowledged, with its UID in its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from traceback import format_exc

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from hostmail.errors import Refusal
from hostmail.interfaces.threads import InThread
from hostmail.storage.arriving import Arrival, Group, into_mailboxes
from hostmail.storage.content import MessageFile, Source
from hostmail.storage.disk import storage_refusal
from hostmail.storage.mailbox import Tools

log = Logger()

LONG_SECONDS = 0.1


@dataclass(slots=True)
class Consignment:
    """One message and all its arrivals."""

    source: Source
    date: int
    arrivals: list[Arrival]

    def refuse(self, refusal: Refusal) -> None:
        """All that have no refusal yet."""
        for arrival in self.arrivals:
            arrival.refusal = arrival.refusal or refusal


class Deliverer:
    """Collects consignments and carries them out in threads, up to `most` in one.

    One thread as a rule: several make smaller groups, and hand the interpreter's lock to each other at every system call, which
    costs a third of a message's processor time. Others begin, up to `parallel`, when more wait than the next group takes, or when the
    one that began last is so long at work that it must be the disk that it waits for.
    """

    def __init__(
        self,
        run_in_thread: InThread,
        tools: Tools,
        directory: str,
        parallel: int = 3,
        most: int = 64,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run_in_thread = run_in_thread
        self._tools = tools
        self._directory = directory
        self._parallel = parallel
        self._most = most
        self._seconds = seconds
        self._waiting: list[tuple[Consignment, Deferred[None]]] = []
        self._running = 0
        self._began = 0.0

    def deliver(self, consignment: Consignment) -> Deferred[None]:
        """Fires when every arrival has its answer."""
        done: Deferred[None] = Deferred()
        self._waiting.append((consignment, done))
        if self._running < self._parallel and self._is_help_due():
            self._running += 1
            Deferred.fromCoroutine(self._work())
        return done

    def _is_help_due(self) -> bool:
        return len(self._waiting) > self._running * self._most or self._seconds() - self._began > LONG_SECONDS

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._began = self._seconds()
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                try:
                    await self._run_in_thread(deliver_all, self._tools, self._directory, [item[0] for item in batch])
                except Exception as error:  # noqa: BLE001 - every arrival gets an answer, whatever happens
                    log.error("delivery_failed: {trace}", trace=format_exc())
                    for consignment, _ in batch:
                        consignment.refuse(storage_refusal(error))
                for _, done in batch:
                    done.callback(None)
        finally:
            self._running -= 1


def deliver_all(tools: Tools, directory: str, consignments: list[Consignment]) -> None:
    """In a thread: all files first, then each mailbox once."""
    files: list[MessageFile] = []
    arriving: dict[int, Group] = {}
    try:
        for consignment in consignments:
            _prepare_files(tools, directory, consignment, files, arriving)
        if len(files) > 1:
            for file in files:
                file.start_writing()
        failed = {id(file): refusal for file in files if (refusal := _synced(file)) is not None}
        groups = [[item for item in group if _not_failed(item, failed)] for group in arriving.values()]
        into_mailboxes([group for group in groups if group])
    finally:
        for file in files:
            file.close()
        for consignment in consignments:
            consignment.source.close()


def _prepare_files(
    tools: Tools,
    directory: str,
    consignment: Consignment,
    files: list[MessageFile],
    arriving: dict[int, Group],
) -> None:
    by_prefix: dict[bytes, MessageFile] = {}
    for arrival in consignment.arrivals:
        file = by_prefix.get(arrival.prefix)
        if file is None:
            try:
                file = consignment.source.file(tools, directory, arrival.prefix, consignment.date)
            except OSError as error:
                arrival.refusal = storage_refusal(error)
                continue
            by_prefix[arrival.prefix] = file
            files.append(file)
        arriving.setdefault(id(arrival.mailbox), []).append((arrival, file))


def _synced(file: MessageFile) -> Refusal | None:
    try:
        file.sync()
    except OSError as error:
        return storage_refusal(error)
    return None


def _not_failed(item: tuple[Arrival, MessageFile], failed: dict[int, Refusal]) -> bool:
    arrival, file = item
    arrival.refusal = failed.get(id(file))
    return arrival.refusal is None
