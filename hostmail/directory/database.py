"""The directory's database: connections with the right settings, short transactions, and bringing it up to date."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hostmail.errors import ConfigurationError

BUSY_TIMEOUT_SECONDS = 10
LATEST = "v0002"


class InThread(Protocol):
    """Runs `function(*args)` in a thread and answers with its result on the reactor."""

    def __call__(self, function: Callable[..., Any], *args: Any) -> Awaitable[Any]: ...


class Database:
    """One process's way to the directory's database.

    `writing` and `reading` block, so they belong into threads. Writers of one process queue up at `write_lock` instead of
    SQLite's busy handler, which sleeps in growing steps; several processes are arbitrated by SQLite.
    """

    def __init__(self, *, url: str) -> None:
        self.url = url
        self.path = private_file(url)
        self.write_lock = threading.Lock()
        self.origin = secrets.token_hex(8)
        self._engine = make_engine(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only view of one moment."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement on; all or nothing."""
        with self.write_lock, self._engine.execution_options(immediate=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        self._engine.dispose()


def private_file(url: str) -> Path:
    """The path in an SQLite URL, the file made with mode 0600 if it is new (SQLite gives its WAL the same mode)."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigurationError(
            f"the directory needs a URL like sqlite:////var/lib/hostmail/directory.sqlite, not {url}"
        )
    path = Path(parsed.database)
    try:
        # Never open a database that is there: closing it again would drop the locks of this process's connections to it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError(f"data_dir: {path} cannot be made: {error.strerror}") from None
    return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process brings the database up to date meanwhile: changing to WAL fails at once where two try it."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError(f"data_dir: {lock} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make_engine(url: str) -> Engine:
    """An engine whose connections use WAL, wait for each other, and begin as we say.

    Facts are few and precious, so their commits are synced (`synchronous=FULL`); usage counters have a connection of their own.
    """
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, record: Any) -> None:
        # Else the driver begins transactions by itself, late and without the write lock.
        dbapi.isolation_level = None
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def migrate(url: str) -> None:
    """Create or upgrade the tables. Blocks; safe when several processes do it at once; raises ConfigurationError.

    Nothing is imported or written if they are up to date, so every start may call it.
    """
    with _alone(private_file(url)):
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                if _version(connection) == LATEST:
                    return
            with engine.execution_options(immediate=True).begin() as connection:
                _upgrade(connection)
        except DBAPIError as error:
            raise ConfigurationError(f"data_dir: {engine.url.database} cannot be used: {error.orig}") from error
        finally:
            engine.dispose()


def _version(connection: Connection) -> str:
    """The migration this database is at, "" for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


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
        raise ConfigurationError(f"the directory database was written by a newer hostmail (its tables are {found})")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
