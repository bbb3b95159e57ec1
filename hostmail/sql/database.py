"""A database that several processes share: connections with the right settings, and short transactions."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from hostmail.address import caseless

BUSY_TIMEOUT_SECONDS = 10


class Database:
    """One process's way to the database at `path`. Everything here blocks, so it belongs into threads.

    Writers of one process queue up at `write_lock` instead of SQLite's busy handler, which sleeps in growing steps; several
    processes are arbitrated by SQLite. `origin` is a name for this process in rows that others read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write_lock = threading.Lock()
        self.origin = secrets.token_hex(8)
        self._engine = make_engine(path)
        self._unsynced = make_engine(path, synchronous="NORMAL")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only view of one moment."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, durable: bool = True) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement on; all or nothing.

        One that is not `durable`, for notes to ourselves, survives a crash of ours at once, and a power cut with the next durable one.
        """
        engine = self._engine if durable else self._unsynced
        with self.write_lock, engine.execution_options(immediate=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        self._unsynced.dispose()
        self._engine.dispose()


def make_engine(path: Path, synchronous: str = "FULL") -> Engine:
    """An engine over the file at `path`, whose connections use WAL, wait for each other, and begin as we say."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, record: Any) -> None:
        # Else the driver begins transactions by itself, late and without the write lock.
        dbapi.isolation_level = None
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute(f"PRAGMA synchronous={synchronous}")
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.create_function("caseless", 1, caseless, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
