"""Big messages on their way to a slow disk."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.delivery.writing import AT_ONCE, BLOCK, SpoolWriter
from tests.delivery.fakes import FakeSpool, FakeSpoolFile


class SlowDisk:
    """Threads that finish when told to."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], None]] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()

        def finish() -> None:
            try:
                done.callback(function(*args))
            except ValueError:
                done.errback()

        self.steps.append(finish)
        return done

    def finish_one(self) -> None:
        """The oldest write ends."""
        self.steps.pop(0)()


class WriterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool, self.disk = FakeSpool(), SlowDisk()
        self.addCleanup(self.spool.clean)
        self.file: FakeSpoolFile = self.spool.create(b"")
        self.writer = SpoolWriter(self.file, self.disk.run)

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        return ensureDeferred(coroutine)

    def close(self) -> Deferred[Any]:
        """Finish everything."""
        done = self.begin(self.writer.close())
        while self.disk.steps:
            self.disk.finish_one()
        return done

    def content(self) -> bytes:
        self.successResultOf(self.begin(self.file.seal()))
        return self.file.message()

    def test_small_messages_need_no_thread(self) -> None:
        """64 KiB are in the spool's memory anyhow."""
        self.writer.write(b"a" * AT_ONCE)
        self.assertEqual(self.disk.steps, [])
        self.successResultOf(self.close())
        self.assertEqual(self.content(), b"a" * AT_ONCE)

    def test_two_blocks_and_no_more(self) -> None:
        """While one block is being written another one may be collected; then the sender waits."""
        self.writer.write(b"a" * BLOCK)
        self.assertFalse(self.writer.congested)
        self.writer.write(b"b" * BLOCK)
        self.assertTrue(self.writer.congested)
        waiting = self.begin(self.writer.drained())
        self.assertNoResult(waiting)
        self.disk.finish_one()
        self.successResultOf(waiting)
        self.assertFalse(self.writer.congested)
        self.successResultOf(self.close())
        self.assertEqual(self.content(), b"a" * BLOCK + b"b" * BLOCK)

    def test_one_write_at_a_time(self) -> None:
        """Blocks cannot overtake each other."""
        for letter in b"abc":
            self.writer.write(bytes([letter]) * BLOCK)
        self.assertEqual(len(self.disk.steps), 1)
        self.successResultOf(self.close())
        self.assertEqual(self.content(), b"a" * BLOCK + b"b" * BLOCK + b"c" * BLOCK)

    def test_discarded_while_a_thread_writes(self) -> None:
        """The file goes when the thread is done with it, and not under its feet."""
        self.writer.write(b"a" * BLOCK)
        waiting = self.begin(self.writer.drained())
        self.writer.discard()
        self.assertEqual(len(self.spool.left), 1)
        self.disk.finish_one()
        self.assertEqual((self.spool.left, self.disk.steps), ([], []))
        self.successResultOf(waiting)
        self.writer.discard()

    def test_a_fault_is_raised_at_the_end(self) -> None:
        """Where somebody is there to answer it."""
        self.file._file.close()
        self.writer.write(b"a" * BLOCK)
        self.failureResultOf(self.close(), ValueError)

    @given(st.lists(st.integers(0, 2 * BLOCK), max_size=8), st.data())
    def test_nothing_is_lost_or_mixed_up(self, sizes: list[int], data: st.DataObject) -> None:
        """Whatever the pieces, and whenever the disk is done."""
        self.setUp()
        expected = b"".join(bytes([n]) * size for n, size in enumerate(sizes))
        for number, size in enumerate(sizes):
            self.writer.write(bytes([number]) * size)
            if self.disk.steps and data.draw(st.booleans()):
                self.disk.finish_one()
        self.successResultOf(self.close())
        self.assertEqual(self.content(), expected)
