"""Rows that are on disk before anybody may see them: what else has to be done for a message is done in between."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from twisted.internet.defer import ensureDeferred

from hostmail.address import Address
from hostmail.envelope import Recipient
from hostmail.errors import NotFound
from tests.queue.support import QueueCase

DIES = """
import os, signal, sys
from pathlib import Path
from twisted.internet.defer import ensureDeferred
from hostmail.address import Address
from hostmail.envelope import Envelope, Recipient
from hostmail.queue.queue import Queue
from hostmail.storage.spool import Spool

async def at_once(function, *arguments):
    return function(*arguments)

async def take(commits):
    root = Path(sys.argv[1])
    queue = Queue(root, in_thread=at_once, now=lambda: 1_700_000_000.0)
    spooled = Spool(str(root / "spool")).create(b"Received: x\\r\\n")
    spooled.write(b"\\r\\nhi\\r\\n")
    await spooled.seal()
    to = [Recipient(Address.parse("bob@x.example"))]
    prepared = await queue.prepare("q1", spooled, Envelope(None), to, None)
    await prepared.stand_by()
    if commits:
        await prepared.commit()
    os.kill(os.getpid(), signal.SIGKILL)

ensureDeferred(take(sys.argv[2] == "commits")).addErrback(print)
""".replace("\\\\", "\\")


class StandByTests(QueueCase):
    def stand_by(self, *to: str, **more: Any) -> Any:
        prepared = self.prepare(*to, **more)
        self.wait(prepared.stand_by())
        return prepared

    def test_unseen(self) -> None:
        """What stands by is in no list and no number, and nobody sends it, holds it or deletes it."""
        self.stand_by("bob@x.example")
        queue = self.queue
        self.assertEqual((self.rows(), self.wait(queue.count()), self.wait(queue.stats()).messages), ([], 0, 0))
        self.assertEqual((self.wait(queue.lease(60, 9)), self.wait(queue.next_due())), ([], None))
        self.assertEqual((self.wait(queue.retry("")), self.wait(queue.bounce(""))), (0, 0))
        for verb in (queue.hold, queue.release, queue.delete):
            self.assertEqual(self.wait(verb("")), 0)
        self.failureResultOf(ensureDeferred(queue.content("q1")), NotFound)

    def test_commit(self) -> None:
        """Then it is there, held if it is to be, and due; with others that stand by or do not, and recipients it has besides."""
        one, two, three = self.prepare("bob@x.example"), self.prepare("eve@x.example", held="why"), self.prepare("z@x")
        self.wait(one.stand_by(two))
        self.clock.advance(5)
        self.wait(one.commit(two, three, also=[Recipient(Address.parse("ann@x.example"), routed=True)]))
        found = sorted((row.queue_id, row.recipient, row.state) for row in self.rows())
        self.assertEqual(
            found,
            [
                ("q1", "ann@x.example", "waiting"),
                ("q1", "bob@x.example", "waiting"),
                ("q2", "eve@x.example", "held"),
                ("q3", "z@x", "waiting"),
            ],
        )
        self.assertEqual(len(self.wait(self.queue.lease(60, 9))), 3)

    def test_also_at_once(self) -> None:
        """Without standing by a message may have further recipients as well."""
        self.wait(self.prepare("bob@x.example").commit(also=[Recipient(Address.parse("ann@x.example"))]))
        self.assertEqual([row.recipient for row in self.rows()], ["bob@x.example", "ann@x.example"])

    def test_abort(self) -> None:
        """Taken back, nothing stays."""
        prepared = self.stand_by("bob@x.example")
        self.wait(prepared.abort())
        self.wait(self.queue.recover())
        self.assertEqual(self.files, [])

    def test_abort_fails(self) -> None:
        """What cannot be taken back now, on a disk in trouble say, is at the next start; whoever gave up is not told of it."""
        prepared = self.stand_by("bob@x.example")

        async def full(*arguments: Any, **more: Any) -> None:
            raise OSError

        self.patch(self.queue._committer, "write", full)
        self.wait(prepared.abort())
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(len(self.files), 1)
        self.queue.close()
        self.queue = self.open_queue()
        self.wait(self.queue.recover())
        self.assertEqual((self.files, self.rows()), ([], []))

    def die(self, how: str) -> None:
        """A process that is killed (kill -9) while a message stands by, or right after it is committed."""
        command = [sys.executable, "-c", DIES, str(self.directory), how]
        self.assertEqual(subprocess.run(command, check=False).returncode, -signal.SIGKILL)
        self.queue.close()
        self.queue = self.open_queue()
        self.wait(self.queue.recover())

    def test_killed(self) -> None:
        """After a crash in between the message is gone: its client had no 250, and sends it again."""
        self.die("stands by")
        self.assertEqual((self.rows(), self.files), ([], []))

    def test_killed_later(self) -> None:
        """After its commit it is there for good."""
        self.die("commits")
        self.assertEqual([row.recipient for row in self.rows()], ["bob@x.example"])
