"""SQLite's files, made as the service wants them: private, and changed by one process at a time where SQLite itself cannot see to it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostmail.errors import ConfigurationError


def make_private(path: Path) -> None:
    """Make the file with mode 0600 if it is new (SQLite gives its WAL the same mode); raises ConfigurationError.

    One that is there is never opened: closing it again would drop the locks of this process's connections to it (POSIX locks
    belong to the process).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError(f"data_dir: {path} cannot be made: {error.strerror}") from None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other process sets the database at `path` up meanwhile: changing to WAL fails at once where two try it.

    Raises ConfigurationError if the lock's file, `path` with `.lock` after it, cannot be opened.
    """
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
