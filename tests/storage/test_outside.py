"""What other programs do to a folder is heard at once, on a real reactor and a real disk."""

from __future__ import annotations

import os
import shutil

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from hostmail.storage.outside import OutsideChanges


class OutsideTests(TestCase):
    """inotify behind it."""

    timeout = 10

    def setUp(self) -> None:
        self.outside = OutsideChanges(reactor)
        self.addCleanup(self.outside.close)
        self.path = self.mktemp()
        os.mkdir(self.path)

    def touch(self, name: str) -> None:
        """Another program."""
        with open(os.path.join(self.path, name), "wb"):
            pass

    async def heard_of(self, change: str) -> None:
        """The change is made, and announced."""
        heard: Deferred[None] = Deferred()
        stop = self.outside.watch([self.path], lambda: heard.called or heard.callback(None))
        if change == "rename":
            os.rename(os.path.join(self.path, "a"), os.path.join(self.path, "b"))
        elif change == "remove":
            os.unlink(os.path.join(self.path, "b"))
        else:
            self.touch("a")
        await heard
        stop()
        stop()

    async def test_changes(self) -> None:
        """New files, renamed ones, removed ones."""
        for change in ("make", "rename", "remove"):
            await self.heard_of(change)

    async def test_several_listeners(self) -> None:
        """Each hears; who has stopped does not."""
        counts = [0, 0]
        both: Deferred[None] = Deferred()

        def second() -> None:
            counts[1] += 1
            if not both.called:
                both.callback(None)

        def first() -> None:
            counts[0] += 1

        stop_first = self.outside.watch([self.path], first)
        stop_second = self.outside.watch([self.path], second)
        stop_first()
        self.touch("a")
        await both
        self.assertEqual(counts, [0, 1])
        stop_second()

    async def test_directories_that_go(self) -> None:
        """A watched directory that is removed takes its watch along; a missing one is none, and nothing for the log."""
        stop = self.outside.watch([self.path], lambda: None)
        shutil.rmtree(self.path)
        stop()
        with capturedLogs() as events:
            self.outside.watch([self.path], lambda: None)()
        self.assertEqual(len(events), 0)

    async def test_others_stay_watched(self) -> None:
        """When one directory is deleted the others are heard of as before, and so is a new one in its place."""
        other, told = self.mktemp(), Deferred[None]()
        os.mkdir(other)
        stop = self.outside.watch([other], lambda: told.called or told.callback(None))
        os.rmdir(other)
        await told
        await self.heard_of("make")
        os.mkdir(other)
        self.path = other
        await self.heard_of("make")
        stop()

    def test_without_a_real_reactor(self) -> None:
        """Where nothing can be watched, nothing is."""
        self.assertFalse(OutsideChanges(Clock()).watch([self.path], lambda: None)())
