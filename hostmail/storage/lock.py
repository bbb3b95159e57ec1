"""The maildrop lock of RFC 1939, section 4, as BEHAVIOURS D10 wants it: only a live, busy holder keeps others out.

It is an flock on a file in the account's directory. The kernel gives it back when its holder dies, however that happens, so
there is nothing to clean up after a crash. What the file contains is for display only (`hostmail session list`): who
holds it can only be learned by trying.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.errors import MaildropInUse, TemporaryFailure
from hostmail.interfaces.mailstore import ILock

POLL_SECONDS = 0.1
MAX_NOTE = 4096
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

Held = TypeVar("Held")


@implementer(ILock)
class MaildropLock:
    """A lock that is held for as long as this object's descriptor is open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give it back; twice is fine."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.ftruncate(descriptor, 0)
            except OSError:
                pass  # the note is only for display, and a full disk must not keep a lock
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


async def acquire(
    path: str,
    wait_seconds: float,
    peer: Peer,
    take_over: Callable[[], bool],
    clock: IReactorTime,
    *,
    session: int = 0,
    now: Callable[[], float] | None = None,
) -> MaildropLock:
    """Hold the lock at `path`, or raise MaildropInUse after `wait_seconds` of `clock`.

    While another session holds it, `take_over()` is asked at each try: it looks at the holder, may drop it when it is
    dead or idle too long, and then returns True. The lock is a second descriptor's in the same process too, so two
    sessions of one process exclude each other as those of two processes do. `now` dates the note (default: the clock).
    """
    since = now or clock.seconds

    def attempt() -> MaildropLock | None:
        return try_lock(path, {"session": session, "ip": peer.ip, "login": peer.login, "since": since()})

    try:
        return await patiently(attempt, wait_seconds, take_over, clock)
    except MaildropInUse:
        raise MaildropInUse(private=f"held by {holder(path)}") from None


async def patiently(
    attempt: Callable[[], Held | None], wait_seconds: float, take_over: Callable[[], bool], clock: IReactorTime | None
) -> Held:
    """Try until `attempt()` gives something; without a clock there is no waiting, only one take-over."""
    deadline = clock.seconds() + wait_seconds if clock is not None else 0.0
    while True:
        held = attempt()
        if held is None and take_over():
            held = attempt()
        if held is not None:
            return held
        if clock is None or clock.seconds() >= deadline:
            raise MaildropInUse
        await _pause(clock, min(POLL_SECONDS, max(0.0, deadline - clock.seconds())))


def _pause(clock: IReactorTime, seconds: float) -> Deferred[None]:
    paused: Deferred[None] = Deferred(lambda _: call.cancel())
    call = clock.callLater(seconds, paused.callback, None)
    return paused


def try_lock(path: str, note: dict[str, Any]) -> MaildropLock | None:
    """One try without waiting; None if somebody else holds it. Raises TemporaryFailure for what is no plain file."""
    try:
        descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o600)
    except OSError as error:
        raise TemporaryFailure(private=f"maildrop lock: {error}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise TemporaryFailure(private=f"maildrop lock is no plain file: {path}")
        if not _flock(descriptor):
            os.close(descriptor)
            return None
        _write_note(descriptor, {"pid": os.getpid(), **note})
    except BaseException:
        os.close(descriptor)
        raise
    return MaildropLock(descriptor)


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise TemporaryFailure(private=f"maildrop lock: {error}") from error
    return True


def _write_note(descriptor: int, note: dict[str, Any]) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode()[:MAX_NOTE], 0)
    except OSError:
        pass  # as in release: a note that cannot be written costs a line in a list, not the user's mail


def holder(path: str) -> dict[str, Any] | None:
    """Who holds the lock: pid, session, ip, login, since; {} for a holder without a readable note, None for nobody.

    Takes a shared lock for an instant, which no other look-up minds, and which a POP3 login meets only as one more try.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read_note(descriptor)
        return None
    finally:
        os.close(descriptor)


def _read_note(descriptor: int) -> dict[str, Any]:
    try:
        note = json.loads(os.pread(descriptor, MAX_NOTE, 0))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
