"""Working on the data directly while the service is not running: the same verbs, in this process.

The verbs are coroutines that need a turning reactor, the command is not; so the reactor turns in a thread of its own for as long as the
command lasts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import blockingCallFromThread

from hostmail.actor import Actor
from hostmail.interfaces.admin import IAdmin

Caller = Callable[[str, Mapping[str, Any]], Any]
Closing = Callable[[], Awaitable[None]]


@contextmanager
def in_background(
    reactor: Any, begin: Callable[[], Awaitable[tuple[IAdmin, Closing]]], actor: Actor
) -> Iterator[Caller]:
    """A way to call verbs from here as `actor`: `begin` opens the data (on the reactor's thread) and says how to close it."""
    turning = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
    started = threading.Event()
    reactor.callWhenRunning(started.set)
    turning.start()
    started.wait()
    try:
        admin, close = _wait(reactor, begin)
        try:
            yield lambda verb, arguments: _wait(reactor, lambda: admin.call(verb, arguments, actor))
        finally:
            _wait(reactor, close)
    finally:
        reactor.callFromThread(reactor.stop)
        turning.join()


def _wait(reactor: Any, work: Callable[[], Awaitable[Any]]) -> Any:
    def begun() -> Deferred[Any]:
        return ensureDeferred(_awaited(work))

    return blockingCallFromThread(reactor, begun)


async def _awaited(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()


def become_owner(data_dir: Path, system: Any = os) -> bool:
    """Run as root, go on as the data's owner: files that root makes would lock the service out of its own data.

    True if that was done; it cannot be undone.
    """
    if system.geteuid() != 0 or not data_dir.exists():
        return False
    owner = data_dir.stat()
    if owner.st_uid == 0:
        return False
    system.setgroups([])
    system.setgid(owner.st_gid)
    system.setuid(owner.st_uid)
    return True
