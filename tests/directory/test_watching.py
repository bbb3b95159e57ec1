"""hostmail.directory.watching: what another process changes is known within a second."""

from __future__ import annotations

from sqlalchemy import text

from hostmail.directory import transaction
from hostmail.directory.usage import StoredUsage
from hostmail.directory.watching import ForeignChanges
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.events import DirectoryChanged
from tests.directory.support import HASH, DirectoryTestCase, Threads
from tests.support.aloud import Aloud


class ForeignChangesTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        _, _, self.elsewhere = self.process(Aloud(), Threads())
        self.watch = ForeignChanges(database=self.database, events=self.events, clock=self.clock)
        self.watch.start()
        self.addCleanup(self.watch.stop)

    def test_heard_within_a_second(self) -> None:
        """A change by another process is published here, with what ends logins (A6), and caches forget."""
        self.assertIsNone(self.get(self.directory.login("ann@example.com")))
        ann = self.get(self.elsewhere.add_account("ann@example.com", password_hash=HASH))
        self.get(self.elsewhere.set_password("ann@example.com", HASH))
        self.assertEqual(self.changed(), [])
        self.clock.advance(1)
        self.assertEqual(
            self.changed(),
            [DirectoryChanged("example.com", ann.id), DirectoryChanged("example.com", ann.id, credentials=True)],
        )
        self.assertIsNotNone(self.get(self.directory.login("ann@example.com")))

    def test_once(self) -> None:
        """Each change is published once; our own were already."""
        self.get(self.changes.add_domain("own.net"))
        self.get(self.elsewhere.add_domain("foreign.net"))
        self.changed()
        self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual(self.changed(), [DirectoryChanged("foreign.net")])

    def test_upgraded_hashes_are_noticed(self) -> None:
        """Our own silent upgrade of a hash (A7) is in our caches within a second, and ends no login."""
        ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.get(self.directory.login("ann@example.com"))
        self.get(self.changes.upgrade_hash(ann.id, HASH, "{ARGON2ID}x"))
        self.changed()
        self.clock.advance(1)
        self.assertEqual(self.changed(), [DirectoryChanged("example.com", ann.id)])
        self.assertEqual(self.get(self.directory.login("ann@example.com")), (ann, "{ARGON2ID}x"))

    def test_usage_is_no_change(self) -> None:
        """Mail that arrives drops nobody's caches."""
        ann = self.get(self.elsewhere.add_account("ann@example.com", password_hash=HASH))
        self.clock.advance(1)
        self.changed()
        usage = StoredUsage(database=self.database)
        self.addCleanup(usage.close)
        usage.charge(ann.id, Usage(1, 1), growing=True)
        self.clock.advance(1)
        self.assertEqual(self.changed(), [])

    def test_a_failure_is_logged_and_tried_again(self) -> None:
        """A database in trouble stops nobody from looking again."""
        with self.database.writing() as connection:
            connection.execute(text("ALTER TABLE changes RENAME TO aside"))
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        with self.database.writing() as connection:
            connection.execute(text("ALTER TABLE aside RENAME TO changes"))
        self.get(self.elsewhere.add_domain("foreign.net"))
        self.clock.advance(1)
        self.assertEqual(self.changed(), [DirectoryChanged("foreign.net")])

    def test_stopped(self) -> None:
        """After stop nothing is looked for; stopping twice is fine."""
        self.watch.stop()
        self.watch.stop()
        self.get(self.elsewhere.add_domain("foreign.net"))
        self.clock.advance(5)
        self.assertEqual(self.changed(), [])
        self.assertEqual(self.watch.look(), 0)

    def test_the_list_is_bounded(self) -> None:
        """Old announcements are forgotten, so that the list does not grow for ever."""
        self.patch(transaction, "KEPT_CHANGES", 3)
        for number in range(9):
            self.get(self.changes.set_domain("example.com", quota_bytes=number + 1))
        with self.database.reading() as connection:
            self.assertLessEqual(connection.execute(text("SELECT count(*) FROM changes")).scalar_one(), 4)
