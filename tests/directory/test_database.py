"""The directory's database: the tables are there, up to date, private, and safe between processes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect
from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.tables import MIGRATIONS, metadata
from hostmail.sql.database import Database, make_engine
from hostmail.sql.files import make_private


class MigrateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def open(self) -> Database:
        database = Database(self.path)
        self.addCleanup(database.close)
        return database

    def test_makes_the_tables_of_the_code(self) -> None:
        """After the migrations the database has the tables, columns, keys and indexes that the code expects."""
        MIGRATIONS.apply(self.path)
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

        MIGRATIONS.apply(self.path)
        with self.open().reading() as connection:
            self.assertEqual(compare_metadata(MigrationContext.configure(connection), metadata), [])

    def test_latest_is_the_newest_migration(self) -> None:
        """The version that needs no migrating is that of the newest migration."""
        from alembic.script import ScriptDirectory

        import hostmail.directory

        scripts = ScriptDirectory(str(Path(hostmail.directory.__file__).with_name("migrations")))
        self.assertEqual(scripts.get_current_head(), MIGRATIONS.latest)

    def test_from_the_first_release(self) -> None:
        """A database of the first tables keeps its accounts when it is brought up to date."""
        from alembic import command
        from alembic.config import Config

        import hostmail.directory

        make_private(self.path)
        config = Config()
        config.set_main_option("script_location", str(Path(hostmail.directory.__file__).with_name("migrations")))
        engine = make_engine(self.path)
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
        MIGRATIONS.apply(self.path)
        with self.open().reading() as connection:
            rows = connection.exec_driver_sql("SELECT address, password_hash, replaced_hash FROM accounts").all()
        self.assertEqual([tuple(row) for row in rows], [("x@a.test", "{PLAIN}p", None)])
