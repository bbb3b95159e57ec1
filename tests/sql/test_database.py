"""hostmail.sql: tables brought up to date, private files, and transactions, safe between processes."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.tables import MIGRATIONS
from hostmail.errors import ConfigurationError
from hostmail.sql.database import Database


class DatabaseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def open(self) -> Database:
        database = Database(self.path)
        self.addCleanup(database.close)
        return database

    def test_twice(self) -> None:
        """Migrating an up-to-date database changes nothing."""
        MIGRATIONS.apply(self.path)
        before = self.path.read_bytes()
        MIGRATIONS.apply(self.path)
        self.assertEqual(self.path.read_bytes(), before)

    def test_unusable(self) -> None:
        """A file that is no database, or cannot be opened, is a problem of data_dir and not a traceback."""
        self.path.write_text("this is no database, whatever its name says")
        with self.assertRaisesRegex(ConfigurationError, "data_dir: .* cannot be used: file is not a database"):
            MIGRATIONS.apply(self.path)
        with self.assertRaisesRegex(ConfigurationError, "data_dir: .* cannot be made: No such file"):
            MIGRATIONS.apply(Path("/nowhere/at/all.sqlite"))

    def test_side_by_side(self) -> None:
        """Two who start at the same moment both find the tables made."""
        failures: list[BaseException] = []

        def start() -> None:
            try:
                MIGRATIONS.apply(self.path)
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=start) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_private(self) -> None:
        """The database and its companions are the service's alone (LIMITS Files)."""
        MIGRATIONS.apply(self.path)
        database = self.open()
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM changes")
        modes = {stat.S_IMODE(os.stat(path).st_mode) for path in self.path.parent.glob(f"{self.path.name}*")}
        self.assertEqual(modes, {0o600})

    def test_newer_database(self) -> None:
        """A database of a newer version is not touched, and the reason is told."""
        MIGRATIONS.apply(self.path)
        with self.open().writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")
        self.assertIn("newer hostmail", str(self.assertRaises(ConfigurationError, MIGRATIONS.apply, self.path)))

    def test_all_or_nothing(self) -> None:
        """A transaction that fails half-way leaves nothing behind."""
        MIGRATIONS.apply(self.path)
        database = self.open()
        row = "INSERT INTO account_usage VALUES (1, 2, 3)"
        with self.assertRaises(IntegrityError), database.writing() as connection:
            connection.exec_driver_sql(row)
            connection.exec_driver_sql(row)
        with database.reading() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT count(*) FROM account_usage").scalar(), 0)
