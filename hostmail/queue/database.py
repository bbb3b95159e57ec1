"""The queue's database file: its connections, short transactions, and bringing its tables up to date."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect

from hostmail.errors import ConfigurationError

BUSY_TIMEOUT_SECONDS = 10
LATEST = "v0001"
VERSION_TABLE = "queue_alembic_version"


class Database:
    """One process's way to the queue's rows. Everything here blocks, so it belongs into threads.

    Commits are synced (`synchronous=FULL`): a 250 rests on them (D12). Those that are only notes to ourselves, such as leases, are not;
    the next synced one makes them safe as well.
    """

    def __init__(self, path: Path) -> None:
        self._write_lock = threading.Lock()
        self._engine = make_engine(path)
        self._unsynced = make_engine(path, synchronous="NORMAL")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only view of one moment."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, durable: bool = True) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement on; all or nothing."""
        engine = self._engine if durable else self._unsynced
        with self._write_lock, engine.execution_options(immediate=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        self._unsynced.dispose()
        self._engine.dispose()


def make_engine(path: Path, synchronous: str = "FULL") -> Engine:
    """An engine over the file at `path` (made with mode 0600 if new), whose connections use WAL and begin as we say."""
    # Never open a database that is there: closing it again would drop the locks of this process's connections to it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, record: Any) -> None:
        # Else the driver begins transactions by itself, late and without the write lock.
        dbapi.isolation_level = None
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute(f"PRAGMA synchronous={synchronous}")
        dbapi.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def migrate(path: Path) -> None:
    """Create or upgrade the tables. Blocks; safe when several processes do it at once; raises ConfigurationError."""
    engine = make_engine(path)
    try:
        with engine.connect() as connection:
            if _version(connection) == LATEST:
                return
        with engine.execution_options(immediate=True).begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()


def _version(connection: Connection) -> str:
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar() or "")


def _upgrade(connection: Connection) -> None:
    # Alembic and its template engine cost a fifth of a second: only who needs them pays.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _version(connection)
    if found and found not in known:
        raise ConfigurationError(f"the queue was written by a newer hostmail (its tables are {found})")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
