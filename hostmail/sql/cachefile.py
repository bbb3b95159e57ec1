"""SQLite files that several processes share and that may be lost: grants, guessing counters, the history of mail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from hostmail.address import caseless
from hostmail.errors import ConfigurationError, TemporaryFailure
from hostmail.sql.files import alone, make_private

BUSY_TIMEOUT_SECONDS = 1.0
_NOTHING = 0, 0
_log = Logger()


class CacheFile:
    """One connection to such a file.

    Nothing is synced, so a write costs microseconds and every process sees it at once; after a power cut the file may be
    damaged, and is then put aside and begun anew. Transactions are a few statements long: it may be used on the reactor's thread.
    `check` looks through all of it for damage at the start, which takes its time where the file is large. A `durable` one is synced with
    each transaction, and belongs into threads.
    """

    def __init__(self, *, path: Path, schema: str, check: bool = True, durable: bool = False) -> None:
        self._path = path
        self._durable = durable
        self._schema = schema
        self._identity = 0, 0
        self._connection: sqlite3.Connection | None = self._open(check)

    @property
    def connection(self) -> sqlite3.Connection:
        """The file, opened again if it was found damaged: for use within `reading` or `writing`, which answer for its errors."""
        if self._connection is None:
            self._connection = self._open(check=True)
        return self._connection

    def _open(self, check: bool) -> sqlite3.Connection:
        with alone(self._path):
            try:
                connection = _open(self._path, self._schema, check, self._durable)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                _log.error("cache_file_damaged: {path}: {error}", path=str(self._path), error=str(error))
                _put_aside(self._path)
                connection = _open(self._path, self._schema, False, self._durable)
            self._identity = _identity(self._path)
            return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For questions; raises TemporaryFailure if the file cannot be read. A damaged one is begun anew by whoever comes next."""
        try:
            self._follow()
            yield self.connection
        except (sqlite3.Error, ConfigurationError) as error:
            if type(error) is sqlite3.DatabaseError:
                self.close()
            raise TemporaryFailure(private=f"{self._path.name}: {error!r}") from error

    def ask(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of an answer; raises TemporaryFailure."""
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    def octets(self) -> int:
        """What is in use of the file, for pages of rows that are gone are used again; raises TemporaryFailure."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self.ask(f"PRAGMA {name}")[0][0] for name in names)
        return int((pages - free) * size)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from the start; raises TemporaryFailure as `reading` does."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def _follow(self) -> None:
        """Where another process has found damage and begun a new file, that is ours, too."""
        if _identity(self._path) not in (self._identity, _NOTHING):
            self.close()

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _identity(path: Path) -> tuple[int, int]:
    """Which file has that name at present."""
    try:
        found = path.stat()
    except OSError:
        return _NOTHING
    return found.st_dev, found.st_ino


def _open(path: Path, schema: str, check: bool, durable: bool) -> sqlite3.Connection:
    make_private(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
    try:
        connection.create_function("caseless", 1, caseless, deterministic=True)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        if check and connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check found damage")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _put_aside(path: Path) -> None:
    """Keep the damaged file for whoever wants to look; its companions belong to it."""
    path.rename(path.with_name(f"{path.name}.damaged"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
