"""Calls that come while one is under way share the next: one visit to a thread, and one statement, for many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


class Together(Generic[T]):
    """Has `work` done for the items of all who have asked since it began last."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._work = work
        self._items: list[T] = []
        self._waiting: list[Deferred[None]] = []
        self._running = False

    async def do(self, items: Sequence[T]) -> None:
        """Returns once it is done for these; raises what went wrong with the call that they were in."""
        done: Deferred[None] = Deferred()
        self._items += items
        self._waiting.append(done)
        if not self._running:
            self._running = True
            Deferred.fromCoroutine(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            items, self._items = self._items, []
            waiting, self._waiting = self._waiting, []
            try:
                await self._work(items)
            except Exception:  # noqa: BLE001 - whoever asked gets it
                failure = Failure()
                for each in waiting:
                    each.errback(failure)
            else:
                for each in waiting:
                    each.callback(None)
        self._running = False
