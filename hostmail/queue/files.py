"""The files of waiting messages: linked from the spool where that can be, synced in any case. Everything here blocks."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from zope.interface import implementer

from hostmail.errors import OutOfSpace, TemporaryFailure
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.message.headers import header_end, remove_field

COPY_BLOCK = 256 * 1024
MAX_HEADER = MAX_RETURNED = 64 * 1024
MOST_REMEMBERED = 16 * 1024
ORPHAN_AGE_SECONDS = 3600

_NO_LINKS = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.ENOSYS})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def transport_prefix(prefix: bytes) -> bytes:
    """The trace fields that travel on: Return-Path and Delivered-To belong to final delivery alone (RFC 5321 4.4)."""
    return remove_field(remove_field(prefix, b"return-path"), b"delivered-to")


class Kept(NamedTuple):
    """A file of the queue: its name, how many octets of trace fields it begins with, and a small one's octets."""

    name: str
    prefix_length: int
    octets: bytes | None


class QueueFiles:
    """One directory of message files, each with a name of its own that nobody else ever uses."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._new_names = False
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self, queue_id: str, spooled: ISpoolFile, body: bytes | None = None, mark: bytes = b"") -> Kept:
        """Keep a sealed spool file's octets durably.

        `mark` is a field to go above those. `body` is what it holds behind its prefix, where that is in memory. The file's name is there
        for good after `sync_directory`. Raises OutOfSpace or TemporaryFailure and leaves nothing behind then.
        """
        name = f"{queue_id}-{secrets.token_hex(4)}"
        kept = mark + transport_prefix(spooled.prefix)
        target = self._directory / name
        octets = None if body is None else kept + body
        with _disk_trouble():
            try:
                if octets is not None:
                    _write_new(target, octets)
                else:
                    if kept != spooled.prefix or not _linked(spooled.path, target):
                        _copy(spooled.path, len(spooled.prefix), kept, target)
                    _sync(target)
            except BaseException:
                self.remove(name)
                raise
        self._new_names = True
        return Kept(name, len(kept), octets if octets is not None and len(octets) <= MOST_REMEMBERED else None)

    def sync_directory(self) -> None:
        """Make the names of all files so far durable; raises OutOfSpace or TemporaryFailure."""
        if not self._new_names:
            return
        self._new_names = False
        try:
            with _disk_trouble():
                _sync(self._directory)
        except BaseException:
            self._new_names = True
            raise

    def path(self, name: str) -> str:
        """Where the file is."""
        return str(self._directory / name)

    def remove(self, *names: str) -> None:
        """Nobody waits for them any more; a file that is gone already is fine."""
        for name in names:
            with _missing_is_fine():
                os.unlink(self._directory / name)

    def original(self, name: str, skip: int, whole: bool) -> tuple[bytes, bool]:
        """The message without our trace fields if `whole` is wanted and it is not too large, else its header; and whether it is all.

        Nothing if the file cannot be read: a report without the message is better than none.
        """
        try:
            with open(self._directory / name, "rb") as file:
                file.seek(skip)
                top = file.read(MAX_RETURNED + 1 if whole else MAX_HEADER)
        except OSError:
            return b"", False
        if whole and len(top) <= MAX_RETURNED:
            return top, True
        return top[: header_end(top[:MAX_HEADER])], False

    def content(self, path: str) -> bytes:
        """The whole file; raises TemporaryFailure if it cannot be read, or is gone since."""
        with _disk_trouble(), open(path, "rb") as file:
            return file.read()

    def waiting(self, name: str, prefix_length: int) -> WaitingFile:
        """The file as a sealed spool file, for mailboxes; raises TemporaryFailure if it cannot be read."""
        path = self._directory / name
        with _disk_trouble(), open(path, "rb") as file:
            prefix = file.read(prefix_length)
            return WaitingFile(str(path), prefix, os.fstat(file.fileno()).st_size)

    def sweep(self, known: Collection[str], now: float) -> int:
        """Remove files that no row names: what a crash between linking and committing leaves. How many.

        Files whose entry is younger than an hour stay, for another process may just be about to commit them.
        """
        removed = 0
        for entry in list(os.scandir(self._directory)):
            with _missing_is_fine():
                if entry.name not in known and entry.stat().st_ctime < now - ORPHAN_AGE_SECONDS:
                    os.unlink(entry.path)
                    removed += 1
        return removed


@implementer(ISpoolFile)
class WaitingFile:
    """A queued message as a spool file that is sealed already and not ours to discard."""

    def __init__(self, path: str, prefix: bytes, size: int) -> None:
        self.path = path
        self.prefix = prefix
        self.size = size

    def body(self) -> bytes | None:
        """It is in its file only."""
        return None

    def write(self, chunk: bytes) -> None:
        """It is complete: a fault of ours."""
        raise TypeError("a queued message does not change")

    async def seal(self) -> None:
        """It is sealed."""

    def discard(self) -> None:
        """The queue removes its files itself."""


def _write_new(target: Path, octets: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(octets)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(path: str, skip: int, prefix: bytes, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(path, "rb") as source, os.fdopen(descriptor, "wb") as copy:
        source.seek(skip)
        copy.write(prefix)
        while block := source.read(COPY_BLOCK):
            copy.write(block)


def _linked(path: str, target: Path) -> bool:
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = OutOfSpace if error.errno in _NO_ROOM else TemporaryFailure
        raise kind(private=repr(error)) from error


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        pass
