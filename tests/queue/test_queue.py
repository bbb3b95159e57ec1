"""Files and rows of what waits."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from twisted.internet.defer import ensureDeferred
from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.envelope import Recipient
from hostmail.errors import ConfigurationError, OutOfSpace, TemporaryFailure
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import IQueue
from hostmail.queue.contracts import QueuedRow
from hostmail.queue.files import MOST_REMEMBERED, QueueFiles, transport_prefix
from hostmail.queue.queue import Queue
from hostmail.queue.rows import Attempt
from hostmail.queue.tables import MIGRATIONS, metadata
from hostmail.sql.database import make_engine
from tests.queue.support import START, QueueCase

FINAL = b"Return-Path: <a@b>\r\nDelivered-To: c@d\r\n"


class PrepareTests(QueueCase):
    def test_contract(self) -> None:
        """The queue is what the contract says."""
        verifyObject(IQueue, self.queue)

    def test_commit(self) -> None:
        """Nothing is seen before commit; then there is a row for each recipient, due at once."""
        prepared = self.prepare("bob@x.example", "eve@y.example", notify=("FAILURE", "DELAY"), ret="HDRS", envid="e1")
        self.assertEqual(self.rows(), [])
        woken: list[bool] = []
        self.queue.woken = lambda: woken.append(True)
        self.wait(prepared.commit())
        self.assertEqual(woken, [True])
        bob, eve = self.rows()
        self.assertEqual((bob.recipient, eve.recipient), ("bob@x.example", "eve@y.example"))
        self.assertEqual((bob.queue_id, bob.sender, bob.account_id, bob.state), ("q1", "ann@example.com", 7, "waiting"))
        self.assertEqual((bob.created, bob.next_attempt, bob.notify), (START, START, "FAILURE,DELAY"))
        self.assertEqual((bob.ret, bob.envid, bob.body, bob.smtputf8), ("HDRS", "e1", "7BIT", False))
        self.assertEqual(Path(bob.path).read_bytes(), b"Received: here\r\nSubject: hi\r\n\r\nbody\r\n")
        self.assertEqual(bob.size, os.path.getsize(bob.path))
        self.assertEqual(self.wait(self.queue.count()), 2)

    def test_together(self) -> None:
        """What is committed together is live in one step, or none of it is."""
        one, two = self.prepare("bob@x.example"), self.prepare("eve@y.example")
        self.failureResultOf(ensureDeferred(one.commit(two, two)))
        self.assertEqual(self.rows(), [])
        self.wait(one.commit(two))
        self.assertEqual([row.recipient for row in self.rows()], ["bob@x.example", "eve@y.example"])

    def test_survives(self) -> None:
        """What was committed is there after a restart (D12)."""
        self.put("bob@x.example")
        self.queue.close()
        self.queue = self.open_queue()
        self.assertEqual([row.recipient for row in self.rows()], ["bob@x.example"])

    def test_abort(self) -> None:
        """An aborted message leaves no file."""
        self.wait(self.prepare("bob@x.example").abort())
        self.assertEqual((self.files, self.rows()), ([], []))

    def test_link(self) -> None:
        """The spool's file is linked, not copied, when it holds nothing of final delivery."""
        spooled = self.spool.create(b"Received: x\r\n")
        self.wait(spooled.seal())
        QueueFiles(self.directory / "files").take("q", spooled)
        self.assertEqual(self.files[0].stat().st_ino, os.stat(spooled.path).st_ino)

    def test_strip(self) -> None:
        """Return-Path and Delivered-To do not travel on."""
        self.put("bob@x.example", prefix=FINAL + b"Received: x\r\n")
        [row] = self.rows()
        self.assertEqual(Path(row.path).read_bytes(), b"Received: x\r\nSubject: hi\r\n\r\nbody\r\n")
        self.assertEqual(row.size, os.path.getsize(row.path))
        self.assertEqual(transport_prefix(FINAL), b"")

    def test_copy_without_links(self) -> None:
        """Where files cannot be linked (another file system) they are copied."""
        with mock.patch("os.link", side_effect=OSError(errno.EXDEV, "other device")):
            self.put("bob@x.example")
        self.assertTrue(self.files[0].read_bytes().endswith(b"body\r\n"))

    def test_disk_full(self) -> None:
        """A full disk is a failure for now with 4.3.1, any other disk trouble 4.3.0, and nothing stays behind."""
        for number, kind in ((errno.ENOSPC, OutOfSpace), (errno.EIO, TemporaryFailure)):
            with mock.patch("os.fsync", side_effect=OSError(number, "no")):
                spooled = self.spool.create(b"")
                waiting = self.queue.prepare("q", spooled, None, [], None)  # type: ignore[arg-type]
                self.failureResultOf(ensureDeferred(waiting), kind)
                spooled.discard()
        self.assertEqual(self.files, [])

    def test_modes(self) -> None:
        """Files are the service's own (LIMITS, Files)."""
        self.put("bob@x.example", prefix=FINAL)
        self.assertEqual(self.files[0].stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.directory / "files").stat().st_mode & 0o777, 0o700)
        self.assertEqual((self.directory / "queue.sqlite").stat().st_mode & 0o777, 0o600)


@dataclass
class FakeTaker:
    """Takes what it has room for."""

    room: int
    rows: list[QueuedRow] = field(default_factory=list)

    def lease_until(self, coming: int) -> float:
        return START + 600.0 if coming <= self.room else 0.0

    def begin(self, rows: Sequence[QueuedRow]) -> None:
        self.rows += rows


class TakenTests(QueueCase):
    """Mail that somebody works on as soon as it is safe."""

    def setUp(self) -> None:
        super().setUp()
        self.queue.taker = self.taker = FakeTaker(3)
        self.woken: list[bool] = []
        self.queue.woken = lambda: self.woken.append(True)

    def test_taken(self) -> None:
        """He gets what a look into the tables would have found, and the octets; nobody else does, and nobody looks."""
        self.spool.in_memory = True
        self.put("bob@x.example", "eve@y.example", notify=("DELAY",), ret="FULL", for_domain="x.example")
        octets = b"Received: here\r\nSubject: hi\r\n\r\nbody\r\n"
        self.assertEqual([row.octets for row in self.taker.rows], [octets, octets])
        self.assertEqual([replace(row, octets=None) for row in self.taker.rows], self.rows())
        self.assertEqual({row.state for row in self.rows()}, {"sending"})
        self.assertEqual((self.wait(self.queue.lease(600.0, 10)), self.woken), ([], []))

    def test_together(self) -> None:
        """Messages that are committed together are taken together."""
        one, two = self.prepare("bob@x.example"), self.prepare("eve@y.example")
        self.wait(one.commit(two))
        self.assertEqual([row.recipient for row in self.taker.rows], ["bob@x.example", "eve@y.example"])
        self.assertEqual(len({row.message_id for row in self.taker.rows}), 2)

    def test_no_room(self) -> None:
        """Who has no room for all of them gets none: they wait for their turn."""
        self.put(*(f"r{number}@x.example" for number in range(4)))
        self.assertEqual((self.taker.rows, self.woken), ([], [True]))
        self.assertEqual(len(self.wait(self.queue.lease(600.0, 10))), 4)

    def test_later(self) -> None:
        """What is held, or to be tried later, is not taken."""
        self.put("bob@x.example", held="too much")
        self.put("eve@x.example", delay=60.0)
        self.assertEqual((self.taker.rows, self.woken), ([], [True, True]))
        self.assertEqual([row.state for row in self.rows()], ["held", "waiting"])

    def test_gone(self) -> None:
        """What was meant for somebody who has stopped meanwhile is due."""
        prepared = self.prepare("bob@x.example")
        leases = self.taker.lease_until

        def lease_and_stop(coming: int) -> float:
            self.queue.taker = None
            return leases(coming)

        self.taker.lease_until = lease_and_stop  # type: ignore[method-assign]
        self.wait(prepared.commit())
        self.assertEqual(self.woken, [True])
        [row] = self.wait(self.queue.lease(600.0, 10))
        self.assertEqual((row.attempts, row.last_answer), (0, ""))

    def test_large(self) -> None:
        """Only small messages are remembered."""
        self.spool.in_memory = True
        for size in (MOST_REMEMBERED, MOST_REMEMBERED + 1):
            spooled = self.spool.create(b"")
            spooled.write(b"x" * size)
            self.wait(spooled.seal())
            kept = QueueFiles(self.directory / "files").take("q", spooled, spooled.body())
            self.assertEqual(kept.octets is None, size > MOST_REMEMBERED)

    def test_names_are_synced(self) -> None:
        """The directory is synced once there are new names in it, and again if that went wrong."""
        files = QueueFiles(self.directory / "files")
        (self.directory / "files").rename(self.directory / "away")
        files.sync_directory()
        (self.directory / "away").rename(self.directory / "files")
        spooled = self.spool.create(b"")
        self.wait(spooled.seal())
        files.take("q", spooled, b"")
        (self.directory / "files").rename(self.directory / "away")
        for _ in range(2):
            self.assertRaises(TemporaryFailure, files.sync_directory)
        (self.directory / "away").rename(self.directory / "files")
        files.sync_directory()
        (self.directory / "files").rename(self.directory / "away")
        files.sync_directory()


class ChangeTests(QueueCase):
    def test_pattern(self) -> None:
        """list, retry and delete find queue ids, senders and recipients by any part in any case; % is a plain character."""
        self.put("bob@x.example", sender="Ann@example.com")
        self.put("eve@y.example", sender="carl@example.com")
        self.assertEqual([row.recipient for row in self.rows("q2")], ["eve@y.example"])
        self.assertEqual([row.recipient for row in self.rows("aNN@")], ["bob@x.example"])
        self.assertEqual([row.recipient for row in self.rows("@Y.")], ["eve@y.example"])
        self.assertEqual(self.rows("%"), [])

    def test_delete(self) -> None:
        """A deleted row is gone; the file goes with its last recipient."""
        self.put("bob@x.example", "eve@y.example")
        changed: list[tuple[str, str]] = []
        self.assertEqual(self.wait(self.queue.delete("bob@", changed.extend)), 1)
        self.assertEqual(len(self.files), 1)
        self.assertEqual(self.wait(self.queue.delete("eve@", changed.extend)), 1)
        self.assertEqual(changed, [("q1", "bob@x.example"), ("q1", "eve@y.example")])
        self.assertEqual((self.files, self.rows()), ([], []))

    def test_deleted_while_it_is_sent(self) -> None:
        """What comes of a message that was deleted while it was sent touches no other that came since (a number given twice lost it)."""
        self.put("bob@x.example")
        [sent] = self.wait(self.queue.lease(60.0, 10))
        self.assertEqual(self.wait(self.queue.delete("bob@")), 1)
        self.put("eve@y.example")
        self.wait(self.queue.finish([sent.id]))
        self.wait(self.queue.postpone([Attempt(sent, START + 3600, "450 later")]))
        [left] = self.rows()
        self.assertEqual((left.recipient, left.next_attempt, left.last_answer), ("eve@y.example", START, ""))
        self.assertEqual(len(self.files), 1)

    def test_numbers_are_given_once(self) -> None:
        """A number of a row that is gone is nobody else's, whichever way rows come and go, and over a restart."""
        seen: list[set[int]] = []
        to = [Recipient(Address.parse(f"{name}@z.example")) for name in ("carl", "dora")]
        for _ in range(3):
            self.put("bob@x.example", "eve@y.example")
            rows = self.wait(self.queue.lease(60.0, 10))
            self.wait(self.queue.split(rows[0], to))
            seen.append({row.id for row in (*rows, *self.rows())})
            self.wait(self.queue.delete(""))
            self.queue.close()
            self.queue = self.open_queue()
        self.assertEqual(seen, [{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}])

    def test_retry(self) -> None:
        """retry makes waiting rows due now and wakes the runner; rows being sent are left alone."""
        self.put("bob@x.example")
        [row] = self.wait(self.queue.lease(60.0, 10))
        self.assertEqual(self.wait(self.queue.retry("")), 0)
        self.wait(self.queue.postpone([Attempt(row, START + 3600, "450 later")]))
        woken: list[bool] = []
        self.queue.woken = lambda: woken.append(True)
        self.clock.advance(5)
        self.assertEqual(self.wait(self.queue.retry("bob")), 1)
        [row] = self.rows()
        self.assertEqual((row.next_attempt, row.attempts, row.last_answer, woken), (START + 5, 1, "450 later", [True]))

    def test_lease(self) -> None:
        """What is leased is nobody else's until the lease runs out, and it can be renewed."""
        self.put("bob@x.example")
        self.assertEqual(len(self.wait(self.queue.lease(60.0, 10))), 1)
        self.assertEqual(self.rows()[0].state, "sending")
        self.assertEqual(self.wait(self.queue.lease(60.0, 10)), [])
        self.clock.advance(50)
        self.wait(self.queue.renew([self.rows()[0].id], 60.0))
        self.clock.advance(50)
        self.assertEqual(self.wait(self.queue.lease(60.0, 10)), [])
        self.clock.advance(20)
        self.assertEqual(len(self.wait(self.queue.lease(60.0, 10))), 1)

    def test_lease_order(self) -> None:
        """Oldest first, as many as asked for, and nothing that is not due."""
        for name in ("a", "b", "c"):
            self.put(f"{name}@x.example")
            self.clock.advance(1)
        first = self.wait(self.queue.lease(60.0, 1))
        self.assertEqual([row.recipient for row in first], ["a@x.example"])
        self.wait(self.queue.postpone([Attempt(first[0], START + 100, "later")]))
        self.assertEqual(
            [row.recipient for row in self.wait(self.queue.lease(60.0, 9))], ["b@x.example", "c@x.example"]
        )
        self.assertEqual(self.wait(self.queue.next_due()), START + 100)

    def test_recover(self) -> None:
        """A restart frees what was being sent, and removes files without rows once they are old."""
        self.put("bob@x.example")
        self.prepare("lost@x.example")
        self.wait(self.queue.lease(600.0, 10))
        self.assertEqual(self.wait(self.queue.recover()), 0)
        self.assertEqual(self.rows()[0].state, "waiting")
        old = self.files[0].stat().st_ctime + 3601
        queue = Queue(self.directory, in_thread=self.queue._in_thread, now=lambda: old)
        self.addCleanup(queue.close)
        self.assertEqual(self.wait(queue.recover()), 1)
        self.assertEqual([str(path) for path in self.files], [self.rows()[0].path])

    def test_open(self) -> None:
        """A waiting message opens as a sealed spool file with its trace fields apart, and reports get its header."""
        self.put("bob@x.example")
        [row] = self.wait(self.queue.lease(60.0, 1))
        file = self.wait(self.queue.open(row))
        verifyObject(ISpoolFile, file)
        self.assertEqual((file.prefix, file.size), (b"Received: here\r\n", row.size))
        self.wait(file.seal())
        file.discard()
        self.assertRaises(TypeError, file.write, b"x")
        self.assertEqual(self.wait(self.queue.original(row, whole=False)), (b"Subject: hi\r\n\r\n", False))
        self.assertEqual(self.wait(self.queue.original(row, whole=True)), (b"Subject: hi\r\n\r\nbody\r\n", True))
        self.files[0].unlink()
        self.failureResultOf(ensureDeferred(self.queue.open(row)), TemporaryFailure)
        self.assertEqual(self.wait(self.queue.original(row, whole=True)), (b"", False))
        self.wait(self.queue.finish([row.id]))

    def test_many(self) -> None:
        """A thousand recipients are one message."""
        self.put(*(f"r{i}@x.example" for i in range(1000)))
        rows = self.wait(self.queue.lease(60.0, 2000))
        self.assertEqual(len(rows), 1000)
        self.wait(self.queue.finish([row.id for row in rows]))
        self.assertEqual((self.wait(self.queue.count()), self.files), (0, []))

    def test_not_once_more(self) -> None:
        """What is done, but could not be written down, is not handed out again when its lease is over, nor is anything before it is."""
        self.put("a@x.example")
        [row] = self.wait(self.queue.lease(60.0, 9))
        self.put("b@x.example")
        write = self.queue._committer.write

        async def full(*step: Any, **more: Any) -> Any:
            raise OSError(errno.ENOSPC, "full")

        self.queue._committer.write = full  # type: ignore[method-assign]
        self.failureResultOf(ensureDeferred(self.queue.finish([row.id])), OSError)
        self.clock.advance(61)
        self.failureResultOf(ensureDeferred(self.queue.lease(60.0, 9)), OSError)
        self.queue._committer.write = write  # type: ignore[method-assign]
        self.assertEqual([each.recipient for each in self.wait(self.queue.lease(60.0, 9))], ["b@x.example"])
        self.assertEqual(len(self.files), 1)


class MigrationTests(QueueCase):
    def test_tables(self) -> None:
        """The migrations make exactly the tables that the statements use."""
        engine = make_engine(self.directory / "queue.sqlite")
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": MIGRATIONS.version_table})
            self.assertEqual(compare_metadata(context, metadata), [])

    def test_domains(self) -> None:
        """What waits from before has its domain."""
        self.put("bob@x.example", '"b@b"@y.example')
        self.queue.close()
        file = self.directory / "queue.sqlite"
        with contextlib.closing(sqlite3.connect(file)) as connection:
            self.take_back(connection)
            connection.execute("DROP INDEX queue_recipients_domain")
            connection.execute("ALTER TABLE queue_recipients DROP COLUMN domain")
            connection.execute(f"UPDATE {MIGRATIONS.version_table} SET version_num='v0005'")
            connection.commit()
        MIGRATIONS.apply(file)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            found = connection.execute("SELECT domain, way FROM queue_recipients ORDER BY id").fetchall()
        self.assertEqual(found, [("x.example", "x.example"), ("y.example", "y.example")])

    def take_back(self, connection: sqlite3.Connection) -> None:
        """Undo v0007 to v0009."""
        connection.execute("DROP TABLE queue_given")
        connection.execute("DROP INDEX queue_recipients_way")
        connection.execute("ALTER TABLE queue_recipients DROP COLUMN way")
        connection.execute("CREATE INDEX queue_recipients_domain ON queue_recipients (domain, state, next_attempt)")
        connection.execute("ALTER TABLE queue_messages DROP COLUMN for_domain")

    def test_whose(self) -> None:
        """What waits from before and is no account's goes on by its sender's domain."""
        self.put("bob@x.example", sender="list@Example.org")
        self.put("bob@x.example", sender="ann@example.com")
        self.queue.close()
        file = self.directory / "queue.sqlite"
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE queue_messages SET account_id=NULL WHERE id=1")
            self.take_back(connection)
            connection.execute(f"UPDATE {MIGRATIONS.version_table} SET version_num='v0006'")
            connection.commit()
        MIGRATIONS.apply(file)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            found = connection.execute("SELECT for_domain FROM queue_messages ORDER BY id").fetchall()
        self.assertEqual(found, [("example.org",), ("",)])

    def test_numbers(self) -> None:
        """New mail gets numbers behind those of what waits from before."""
        self.put("bob@x.example", "eve@y.example")
        self.queue.close()
        file = self.directory / "queue.sqlite"
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("DROP TABLE queue_given")
            connection.execute(f"UPDATE {MIGRATIONS.version_table} SET version_num='v0008'")
            connection.commit()
        MIGRATIONS.apply(file)
        self.queue = self.open_queue()
        self.put("carl@x.example")
        self.assertEqual([row.id for row in self.rows()], [1, 2, 3])

    def test_again(self) -> None:
        """Bringing up to date what is up to date changes nothing."""
        MIGRATIONS.apply(self.directory / "queue.sqlite")

    def test_newer(self) -> None:
        """A queue written by a newer release is not touched."""
        self.queue.close()
        connection: Any = sqlite3.connect(self.directory / "queue.sqlite")
        connection.execute(f"UPDATE {MIGRATIONS.version_table} SET version_num='v9999'")
        connection.commit()
        connection.close()
        self.assertRaises(ConfigurationError, MIGRATIONS.apply, self.directory / "queue.sqlite")
