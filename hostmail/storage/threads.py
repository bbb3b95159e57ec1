"""Where storage waits for disks: threads of its own, so that a slow disk stops nobody who needs none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from threading import Thread
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")


class RunInThread(Protocol):
    """Run `f(*args)` where it may block; what it returns or raises comes back on the reactor's thread."""

    def __call__(self, f: Callable[..., T], *args: Any) -> Awaitable[T]: ...


class StorageThreads:
    """A pool of threads for one store. `stop` lets running work finish."""

    def __init__(self, reactor: IReactorThreads, size: int = 8) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=1, maxthreads=size, name="storage")
        # Work that matters is waited for by `stop`; a start that fails must not leave a process that never ends.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._pool.start()

    def run(self, f: Callable[..., T], *args: Any) -> Deferred[T]:
        """As `RunInThread`."""
        return deferToThreadPool(self._reactor, self._pool, f, *args)

    def stop(self) -> None:
        """No more work; returns when the last thread is done."""
        self._pool.stop()
