"""hostmail.directory.database: the tables are there, up to date, private, and safe between processes."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.database import LATEST, Database, migrate
from hostmail.directory.tables import metadata
from hostmail.errors import ConfigurationError


class MigrateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.url = f"sqlite:///{self.path}"

    def open(self) -> Database:
        database = Database(url=self.url)
        self.addCleanup(database.close)
        return database

    def test_makes_the_tables_of_the_code(self) -> None:
        """After the migrations the database has the tables, columns, keys and indexes that the code expects."""
        migrate(self.url)
        with self.open().reading() as connection:
            found = inspect(connection)
            self.assertEqual({*found.get_table_names()} - {"alembic_version"}, {*metadata.tables})
            for name, table in metadata.tables.items():
                columns = {column["name"]: column for column in found.get_columns(name)}
                self.assertEqual([*columns], [column.name for column in table.columns])
                for column in table.columns:
                    there = columns[column.name]
                    self.assertEqual(str(there["type"]), str(column.type.compile(connection.dialect)))
                    self.assertEqual(there["nullable"], column.nullable, f"{name}.{column.name}")
                indexes = {str(index["name"]) for index in found.get_indexes(name)}
                self.assertEqual(indexes, {str(index.name) for index in table.indexes})

    def test_no_differences_by_alembic(self) -> None:
        """Alembic's own comparison finds nothing to add."""
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        migrate(self.url)
        with self.open().reading() as connection:
            self.assertEqual(compare_metadata(MigrationContext.configure(connection), metadata), [])

    def test_latest_is_the_newest_migration(self) -> None:
        """The version that needs no migrating is that of the newest migration."""
        from alembic.script import ScriptDirectory

        import hostmail.directory

        scripts = ScriptDirectory(str(Path(hostmail.directory.__file__).with_name("migrations")))
        self.assertEqual(scripts.get_current_head(), LATEST)

    def test_twice(self) -> None:
        """Migrating an up-to-date database changes nothing."""
        migrate(self.url)
        before = self.path.read_bytes()
        migrate(self.url)
        self.assertEqual(self.path.read_bytes(), before)

    def test_unusable(self) -> None:
        """A file that is no database, or cannot be opened, is a problem of data_dir and not a traceback."""
        self.path.write_text("this is no database, whatever its name says")
        with self.assertRaisesRegex(ConfigurationError, "data_dir: .* cannot be used: file is not a database"):
            migrate(self.url)
        with self.assertRaisesRegex(ConfigurationError, "data_dir: .* cannot be made: No such file"):
            migrate("sqlite:////nowhere/at/all.sqlite")

    def test_from_the_first_release(self) -> None:
        """A database of the first tables keeps its accounts when it is brought up to date."""
        from alembic import command
        from alembic.config import Config

        import hostmail.directory
        from hostmail.directory.database import make_engine, private_file

        private_file(self.url)
        config = Config()
        config.set_main_option("script_location", str(Path(hostmail.directory.__file__).with_name("migrations")))
        engine = make_engine(self.url)
        with engine.execution_options(immediate=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "v0001")
            connection.exec_driver_sql(
                "INSERT INTO domains (id, name, main_login, main_login_key, created) VALUES (1, 'a.test', 'a', 'a', 0)"
            )
            connection.exec_driver_sql(
                "INSERT INTO accounts (domain_id, address, address_key, directory, password_hash, created)"
                " VALUES (1, 'x@a.test', 'x@a.test', 'x', '{PLAIN}p', 0)"
            )
        engine.dispose()
        migrate(self.url)
        with self.open().reading() as connection:
            rows = connection.exec_driver_sql("SELECT address, password_hash, replaced_hash FROM accounts").all()
        self.assertEqual([tuple(row) for row in rows], [("x@a.test", "{PLAIN}p", None)])

    def test_side_by_side(self) -> None:
        """Two who start at the same moment both find the tables made."""
        failures: list[BaseException] = []

        def start() -> None:
            try:
                migrate(self.url)
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
        migrate(self.url)
        database = self.open()
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM changes")
        modes = {stat.S_IMODE(os.stat(path).st_mode) for path in self.path.parent.glob(f"{self.path.name}*")}
        self.assertEqual(modes, {0o600})

    def test_newer_database(self) -> None:
        """A database of a newer version is not touched, and the reason is told."""
        migrate(self.url)
        with self.open().writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")
        self.assertIn("newer hostmail", str(self.assertRaises(ConfigurationError, migrate, self.url)))

    def test_other_engines(self) -> None:
        """What is no SQLite file is refused at once, in words."""
        for url in ("sqlite://", "sqlite:///:memory:", "postgresql:///mail"):
            self.assertRaises(ConfigurationError, migrate, url)

    def test_all_or_nothing(self) -> None:
        """A transaction that fails half-way leaves nothing behind."""
        migrate(self.url)
        database = self.open()
        row = "INSERT INTO account_usage VALUES (1, 2, 3)"
        with self.assertRaises(IntegrityError), database.writing() as connection:
            connection.exec_driver_sql(row)
            connection.exec_driver_sql(row)
        with database.reading() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT count(*) FROM account_usage").scalar(), 0)
