"""Rows that are kept in memory for a moment and then written together: a flood of changes costs no transaction each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

Key = TypeVar("Key")
Row = TypeVar("Row")


class WriteBehind(Generic[Key, Row]):
    """What has changed of each key's row, until `write` adds it to the file, `seconds` after the first change.

    A crash takes what was not written. What `write` cannot write is lost, too: `lost` is the name of the event that the log then has.
    """

    def __init__(
        self,
        write: Callable[[Mapping[Key, Row]], Awaitable[None]],
        *,
        clock: IReactorTime,
        seconds: float,
        most: int,
        log: Logger,
        lost: str,
    ) -> None:
        self._write = write
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._log = log
        self._lost = lost
        self._rows: dict[Key, Row] = {}
        self._due: IDelayedCall | None = None
        self._turn = DeferredLock()

    def change(self, key: Key, changed: Callable[[Row | None], Row]) -> None:
        """Keep what `changed` makes of the row since the last writing, None for none; new keys beyond `most` are left out."""
        known = self._rows.get(key)
        if known is None and len(self._rows) >= self._most:
            return
        self._rows[key] = changed(known)
        if self._due is None:
            self._due = self._clock.callLater(self._seconds, self._write_soon)

    async def flush(self) -> None:
        """Returns once all that was changed before is written, or lost."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        async with self._turn:
            rows, self._rows = self._rows, {}
            if rows:
                with self._log.failuresHandled(f"{self._lost}: {{count}}", count=len(rows)):
                    await self._write(rows)

    def _write_soon(self) -> None:
        self._due = None
        Deferred.fromCoroutine(self.flush())
