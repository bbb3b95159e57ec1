"""Bringing a database's tables up to date at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from hostmail.errors import ConfigurationError
from hostmail.sql.database import make_engine
from hostmail.sql.files import alone, make_private


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one set of tables.

    `what` names the tables' owner in messages, `scripts` is the directory of Alembic's migrations, `latest` the newest of them (a
    test compares), and `version_table` keeps which one a database is at: each owner has its own, so that they may share a database.
    """

    what: str
    scripts: Path
    latest: str
    version_table: str

    def apply(self, path: Path) -> None:
        """Create or upgrade the tables in the file at `path`. Blocks; safe when several processes do it at once.

        Nothing is imported or written if they are up to date, so every start may call it. Raises ConfigurationError.
        """
        make_private(path)
        with alone(path):
            engine = make_engine(path)
            try:
                with engine.connect() as connection:
                    if self.version(connection) == self.latest:
                        return
                with engine.execution_options(immediate=True).begin() as connection:
                    self._upgrade(connection)
            except DBAPIError as error:
                raise ConfigurationError(f"data_dir: {path} cannot be used: {error.orig}") from error
            finally:
                engine.dispose()

    def version(self, connection: Connection) -> str:
        """The migration this database is at, "" for an empty one."""
        if not inspect(connection).has_table(self.version_table):
            return ""
        return str(connection.exec_driver_sql(f"SELECT version_num FROM {self.version_table}").scalar() or "")

    def _upgrade(self, connection: Connection) -> None:
        # Alembic and its template engine cost a fifth of a second: only who needs them pays.
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(self.scripts).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        found = self.version(connection)
        if found and found not in known:
            raise ConfigurationError(f"{self.what} was written by a newer hostmail (its tables are {found})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
