"""Whoever waits for a folder's news hears of what other programs do to it, once, and of nothing that was announced anyway."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.task import Clock

from hostmail.errors import NoSuchFolder
from hostmail.interfaces.events import FolderChanged
from hostmail.interfaces.mailstore import Drop
from hostmail.monitoring.events import EventBus
from hostmail.storage.freshness import SECOND
from hostmail.storage.lookout import BUSY_SECONDS, Lookout
from hostmail.storage.outside import OutsideChanges
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

LATER = time.time_ns() + 3600 * SECOND  # than all changes: no directory has to be looked at again because it is young


class Kernel(OutsideChanges):
    """It tells when the test says so."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.watched: dict[Callable[[], None], Sequence[str]] = {}

    def watch(self, directories: Sequence[str], heard: Callable[[], None]) -> Callable[[], None]:
        self.watched[heard] = directories
        return lambda: self.watched.pop(heard) and None

    def stirs(self) -> None:
        """A file came or went, or several."""
        for heard in tuple(self.watched):
            heard()
            heard()


class Now:
    """A reactor whose threads' calls come at once."""

    def callFromThread(self, call: Callable[..., object], *arguments: Any) -> None:
        call(*arguments)


class LookoutTests(DiskGround):
    def setUp(self) -> None:
        super().setUp()
        self.kernel = Kernel()
        self.bus = EventBus(reactor=Now())  # type: ignore[arg-type]
        self.options |= {"events": self.bus, "wall": lambda: LATER}
        self.store = self.store_on(self.mktemp())
        self.looks = 0
        self.lookout = self.store.lookout = Lookout(self.clock, self.counted, self.kernel, self.bus)
        self.addCleanup(self.lookout.close)
        self.heard: list[str] = []
        self.announced: list[str] = []
        self.bus.subscribe(FolderChanged, lambda event: self.announced.append(event.folder))
        self.inbox = self.watched("first", self.get(self.fill()))
        self.known = self.get(self.inbox.snapshot()).highestmodseq
        self.stirs()
        self.forget()

    async def counted(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """A thread."""
        self.looks += 1
        return work(*arguments)

    def watched(self, who: str, folder: Any) -> Any:
        """The folder, whose news somebody waits for."""
        self.addCleanup(folder.watch(lambda: self.heard.append(who)))
        return folder

    def stirs(self) -> None:
        """The kernel tells, and time passes."""
        self.kernel.stirs()
        self.clock.advance(0)

    def brought(self, folder: str = "") -> None:
        """By another program, at a time at which nobody else did anything."""
        place = os.path.dirname(self.put("1600000000.x.other", LETTER, folder))
        os.utime(place, ns=(LATER // 2, LATER // 2))

    def forget(self) -> None:
        """What was heard so far."""
        self.heard.clear()
        self.announced.clear()
        self.looks = 0

    def news(self) -> list[int]:
        """UIDs of what has changed, as is known without looking."""
        return [row[0] for row in self.get(self.inbox.changes(self.known, look=False)).changed]

    def test_delivered_outside(self) -> None:
        """One look for all who wait; the change is announced, and known without another look."""
        self.watched("second", self.get(self.folder()))
        self.brought()
        self.stirs()
        self.assertEqual((self.announced, self.heard, self.looks), (["INBOX"], [], 1))
        self.assertEqual(self.news(), [2])

    def test_our_own(self) -> None:
        """The kernel tells of what we did ourselves: nobody looks, nobody hears."""
        self.get(self.deliver([Drop(self.ann, b"", "INBOX")], LETTER))
        self.forget()
        self.stirs()
        self.assertEqual((self.announced, self.heard, self.looks), ([], [], 0))

    def test_by_another_process(self) -> None:
        """What another process has put into the index already is heard, for it announces to its own sessions only."""
        other = self.store_on(self.store.data_dir, events=None)
        folder = self.get(self.get(other.open(self.ann)).folder("INBOX"))
        self.get(folder.set_flags([1], "add", 1, []))
        self.stirs()
        self.assertEqual((self.announced, self.heard), ([], ["first"]))
        self.assertEqual(self.news(), [1])

    def test_while_we_are_at_work(self) -> None:
        """Who changes the mailbox now is not disturbed; the look follows."""
        self.brought()
        with self.inbox._mailbox.lock:
            self.stirs()
            self.stirs()
            self.assertEqual(self.looks, 0)
        self.clock.advance(BUSY_SECONDS)
        self.assertEqual((self.announced, self.looks), (["INBOX"], 1))

    def test_renamed(self) -> None:
        """Who opened a folder before it was renamed hears of it as before, though it is announced under its new name."""
        account = self.get(self.store.open(self.ann))
        self.get(account.create("Old"))
        self.watched("renamed", self.get(account.folder("Old")))
        self.get(account.rename("Old", "New"))
        self.forget()
        self.brought(".New")
        self.stirs()
        self.assertEqual((self.announced, self.heard), (["New"], ["renamed"]))

    def test_deleted(self) -> None:
        """Of a folder that cannot be looked at any more everybody hears, and then why."""
        account = self.get(self.store.open(self.ann))
        self.get(account.create("Work"))
        folder = self.watched("work", self.get(account.folder("Work")))
        self.get(account.delete("Work"))
        self.forget()
        self.stirs()
        self.assertEqual(self.heard, ["work"])
        self.refusal(NoSuchFolder, folder.changes(1, look=False))

    def test_stopped(self) -> None:
        """Who has stopped hears nothing; after the last one the kernel is asked no more."""
        stop = self.get(self.folder()).watch(lambda: self.heard.append("second"))
        stop()
        stop()
        self.assertEqual(len(self.kernel.watched), 1)
        other = self.get(self.folder("Sent"))
        stop = other.watch(lambda: None)
        self.assertEqual(len(self.kernel.watched), 2)
        (paths,) = [paths for paths in self.kernel.watched.values() if ".Sent" in paths[0]]
        self.assertEqual([os.path.basename(path) for path in paths], ["new", "cur"])
        self.kernel.stirs()
        stop()
        self.assertEqual(len(self.kernel.watched), 1)
        self.clock.advance(0)
        self.assertEqual(self.looks, 0)

    def test_closed(self) -> None:
        """Nobody looks any more."""
        self.brought()
        self.kernel.stirs()
        self.lookout.close()
        self.clock.advance(0)
        self.assertEqual((self.announced, self.looks), ([], 0))

    def test_fault(self) -> None:
        """A look that fails in a way nobody thought of is logged."""
        self.brought()
        self.inbox._mailbox.call = lambda *_: 1 / 0
        self.stirs()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
