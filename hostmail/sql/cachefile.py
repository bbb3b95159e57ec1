"""SQLite files that several processes share and that may be lost: grants, guessing counters, the history of mail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.logger import Logger

from hostmail.errors import TemporaryFailure
from hostmail.sql.files import alone, make_private

BUSY_TIMEOUT_SECONDS = 1.0
_log = Logger()


class CacheFile:
    """One connection to such a file.

    Nothing is synced, so a write costs microseconds and every process sees it at once; after a power cut the file may be
    damaged, and is then put aside and begun anew. Transactions are a few statements long: it may be used on the reactor's thread.
    `check` looks through all of it for damage at the start, which takes its time where the file is large.
    """

    def __init__(self, *, path: Path, schema: str, check: bool = True) -> None:
        self._path = path
        self._schema = schema
        self.connection = self._open(check)

    def _open(self, check: bool) -> sqlite3.Connection:
        with alone(self._path):
            try:
                return _open(self._path, self._schema, check)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                _log.error("cache_file_damaged: {path}: {error}", path=str(self._path), error=str(error))
                _put_aside(self._path)
                return _open(self._path, self._schema, check=False)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock from the start; raises TemporaryFailure if the file cannot be written."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.rollback()
                raise
        except sqlite3.Error as error:
            if type(error) is sqlite3.DatabaseError:
                # Damage found on the way: another process may have begun a new file already, so it is looked at first.
                self.connection.close()
                self.connection = self._open(check=True)
            raise TemporaryFailure(private=f"{self._path.name}: {error!r}") from error

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _open(path: Path, schema: str, check: bool) -> sqlite3.Connection:
    make_private(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
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
