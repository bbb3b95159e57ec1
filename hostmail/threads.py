"""Threads for what may block: disks, databases, password hashes."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from hostmail.errors import TemporaryFailure

T = TypeVar("T")
_Job = tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]


class Threads:
    """Up to `size` of them, begun as they are needed. `stop` lets everything that was asked for be done.

    Twisted's own pool takes half as much processor time again for each visit, for its queue is a team with locks; here it is one queue.
    """

    def __init__(self, reactor: IReactorFromThreads, size: int, name: str) -> None:
        self._reactor = reactor
        self._size = size
        self._name = name
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._unfinished = 0
        self._stopped = False

    def run(self, f: Callable[..., T], *args: Any) -> Deferred[T]:
        """As `interfaces.InThread`; raises TemporaryFailure after `stop`."""
        if self._stopped:
            raise TemporaryFailure(private=f"the {self._name} threads have stopped")
        done: Deferred[T] = Deferred()
        self._unfinished += 1
        self._queue.put((done, f, args))
        if len(self._threads) < min(self._unfinished, self._size):
            # Work that matters is waited for by `stop`; a start that fails must not leave a process that never ends.
            thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return done

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            done, f, args = job
            try:
                result = f(*args)
            except BaseException:  # noqa: BLE001 - whoever asked is told
                result = Failure()
            self._reactor.callFromThread(self._finished, done, result)
            job = done = f = args = result = None  # type: ignore[assignment] # a thread at rest keeps nothing alive

    def _finished(self, done: Deferred[Any], result: Any) -> None:
        self._unfinished -= 1
        done.callback(result)

    def stop(self) -> None:
        """No more work; returns when the last thread is done."""
        self._stopped = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
