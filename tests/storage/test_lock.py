"""The maildrop lock: excludes POP3 sessions of any process, and never outlives its holder (D10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.envelope import Peer
from hostmail.errors import MaildropInUse, TemporaryFailure
from hostmail.interfaces.mailstore import ILock
from hostmail.storage import lock

PEER = Peer("192.0.2.7", "pop3", login="ann@example.com")
HOLD = """
import sys
from hostmail.storage.lock import try_lock
held = try_lock(sys.argv[1], {"session": 7, "ip": "192.0.2.1"})
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""


class LockCase(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "pop3.lock")
        self.clock = Clock()
        self.asked = 0

    def never(self) -> bool:
        self.asked += 1
        return False

    def acquire(self, wait_seconds: float = 10, take_over: Any = None) -> Deferred[lock.MaildropLock]:
        """Somebody logs in."""
        return Deferred.fromCoroutine(
            lock.acquire(
                self.path, wait_seconds, PEER, take_over or self.never, self.clock, session=5, now=lambda: 99.5
            )
        )

    def other_process(self) -> subprocess.Popen[bytes]:
        """Another process that holds the lock until its input ends."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

        def end() -> None:
            process.communicate()

        self.addCleanup(end)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), b"held\n")
        return process


class Acquiring(LockCase):
    def test_free(self) -> None:
        """A free maildrop is had at once, without asking about holders."""
        held = self.successResultOf(self.acquire())
        self.assertTrue(verifyObject(ILock, held))
        self.assertEqual(self.asked, 0)
        held.release()

    def test_waits(self) -> None:
        """A second session waits inside PASS and goes on when the first ends."""
        first = self.successResultOf(self.acquire())
        second = self.acquire()
        self.clock.pump([lock.POLL_SECONDS] * 20)
        self.assertNoResult(second)
        first.release()
        self.clock.advance(lock.POLL_SECONDS)
        self.successResultOf(second).release()
        self.assertFalse(self.clock.getDelayedCalls())

    def test_gives_up(self) -> None:
        """After the time to wait the answer is [IN-USE], and no lock or timer is left."""
        first = self.successResultOf(self.acquire())
        second = self.acquire(1)
        self.clock.pump([lock.POLL_SECONDS] * 9)
        self.assertNoResult(second)
        self.clock.pump([lock.POLL_SECONDS] * 2)
        self.failureResultOf(second, MaildropInUse)
        self.assertFalse(self.clock.getDelayedCalls())
        first.release()
        self.successResultOf(self.acquire()).release()

    def test_no_wait(self) -> None:
        """With no time to wait the answer comes at once."""
        first = self.successResultOf(self.acquire())
        self.failureResultOf(self.acquire(0), MaildropInUse)
        first.release()

    def test_take_over(self) -> None:
        """A holder that is found dead is dropped, and the lock is had in the same moment."""
        first = self.successResultOf(self.acquire())

        def take_over() -> bool:
            first.release()
            return True

        second = self.successResultOf(self.acquire(take_over=take_over))
        self.failureResultOf(self.acquire(0), MaildropInUse)
        second.release()

    def test_asked_while_waiting(self) -> None:
        """The holder is looked at again and again: it may die during the wait."""
        first = self.successResultOf(self.acquire())
        second = self.acquire()
        self.clock.pump([lock.POLL_SECONDS] * 5)
        self.assertEqual(self.asked, 6)
        second.addErrback(lambda _: None)
        second.cancel()
        first.release()

    def test_cancelled(self) -> None:
        """A client that hangs up while it waits leaves no timer."""
        first = self.successResultOf(self.acquire())
        second = self.acquire()
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.assertFalse(self.clock.getDelayedCalls())
        first.release()

    def test_release_twice(self) -> None:
        """A second release does not free the next holder's lock."""
        first = self.successResultOf(self.acquire())
        first.release()
        second = self.successResultOf(self.acquire())
        first.release()
        self.failureResultOf(self.acquire(0), MaildropInUse)
        second.release()

    def test_forgotten(self) -> None:
        """A lock that nobody refers to any more is free."""
        self.successResultOf(self.acquire())
        self.successResultOf(self.acquire(0)).release()


class Processes(LockCase):
    def test_excluded(self) -> None:
        """Another process's session is a holder like any."""
        process = self.other_process()
        refusal = self.failureResultOf(self.acquire(0), MaildropInUse).value
        self.assertIn(f"held by {{'pid': {process.pid}", refusal.private)
        process.communicate()
        self.successResultOf(self.acquire(0)).release()

    def test_kill(self) -> None:
        """kill -9 leaves no stale lock, only a note that nobody believes."""
        process = self.other_process()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertIsNone(lock.holder(self.path))
        self.successResultOf(self.acquire(0)).release()

    def test_holder(self) -> None:
        """The note tells which process and session holds the lock, and for whom."""
        process = self.other_process()
        self.assertEqual(lock.holder(self.path), {"pid": process.pid, "session": 7, "ip": "192.0.2.1"})


class Showing(LockCase):
    def test_nobody(self) -> None:
        """No file, and a file that nobody holds, mean that nobody holds it."""
        self.assertIsNone(lock.holder(self.path))
        self.successResultOf(self.acquire()).release()
        self.assertIsNone(lock.holder(self.path))
        self.assertEqual(os.path.getsize(self.path), 0)

    def test_note(self) -> None:
        """The holder's login, address and time are shown."""
        held = self.successResultOf(self.acquire())
        self.assertEqual(
            lock.holder(self.path),
            {"pid": os.getpid(), "session": 5, "ip": "192.0.2.7", "login": "ann@example.com", "since": 99.5},
        )
        held.release()

    def test_unreadable_note(self) -> None:
        """A holder without a sensible note is still one."""
        held = self.successResultOf(self.acquire())
        for note in (b"", b"nonsense", b"[1]"):
            with open(self.path, "wb") as file:
                file.write(note)
            self.assertEqual(lock.holder(self.path), {})
        held.release()


class OddFiles(LockCase):
    def test_symbolic_link(self) -> None:
        """A link in the lock's place is not followed."""
        target = f"{self.path}.target"
        os.symlink(target, self.path)
        self.failureResultOf(self.acquire(), TemporaryFailure)
        self.assertFalse(os.path.exists(target))

    def test_no_plain_file(self) -> None:
        """Neither a pipe nor a directory is a lock; the peer hears of a failure for now."""
        os.mkfifo(self.path)
        self.failureResultOf(self.acquire(), TemporaryFailure)
        os.unlink(self.path)
        os.mkdir(self.path)
        self.failureResultOf(self.acquire(), TemporaryFailure)

    def test_mode(self) -> None:
        """The file is the service's own (LIMITS.md, Files)."""
        self.successResultOf(self.acquire()).release()
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
