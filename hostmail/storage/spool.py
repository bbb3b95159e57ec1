"""Messages being received: in memory while they are small, in a file of DATA/spool as soon as they are not, or somebody asks for its path.

A spool file is never what a recipient gets promised: deliveries and the queue link or copy it and sync that. So nothing here is
synced, and whatever a dead process left in the directory is nobody's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from zope.interface import implementer

from hostmail.errors import OutOfSpace, Refusal
from hostmail.interfaces.mailstore import ISpool, ISpoolFile
from hostmail.storage.disk import Disk, storage_refusal
from hostmail.storage.names import UniqueNames

IN_MEMORY = 64 * 1024
LEFT_BEHIND_SECONDS = 24 * 3600
SPACE_CHECK_SECONDS = 1.0
MIN_FREE_BYTES = 200 << 20
MIN_FREE_SHARE = 0.02


@implementer(ISpoolFile)
class SpoolFile:
    """See `ISpoolFile`. Used by the reactor's thread; `path` may be asked for by another one once it is sealed."""

    def __init__(self, disk: Disk, directory: str, unique: Callable[[], str], prefix: bytes) -> None:
        self.prefix = prefix
        self.size = len(prefix)
        self._disk = disk
        self._directory = directory
        self._unique = unique
        self._name = ""
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._fd = -1
        self._has_name = False
        self._fault: Refusal | None = None
        self._discarded = False

    @property
    def path(self) -> str:
        """Its path; the file is made if it was not needed before. Raises OutOfSpace, TemporaryFailure."""
        path = self._named()
        if self._discarded:
            return path
        try:
            self._spill()
            if not self._has_name:
                fd = self._disk.open_directory(self._directory)
                try:
                    self._disk.link_open_file(self._fd, fd, self._name)
                finally:
                    os.close(fd)
                self._has_name = True
        except OSError as error:
            raise storage_refusal(error) from error
        return path

    def _named(self) -> str:
        self._name = self._name or self._unique()
        return os.path.join(self._directory, self._name)

    def write(self, chunk: bytes) -> None:
        """More octets; disk errors are kept until `seal`."""
        self.size += len(chunk)
        if self._fault is not None:
            return
        self._chunks.append(chunk)
        self._buffered += len(chunk)
        if self._buffered > IN_MEMORY:
            try:
                self._spill()
            except OSError as error:
                self._fault = storage_refusal(error)
                self._chunks.clear()

    def _spill(self) -> None:
        """What is in memory goes to the file."""
        if self._fd < 0:
            self._open()
            self._disk.write(self._fd, self.prefix)
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._buffered = 0
            self._disk.write(self._fd, data)

    def _open(self) -> None:
        try:
            self._fd = self._disk.open_nameless(self._directory)
        except OSError as error:
            if storage_refusal(error).__class__ is OutOfSpace:
                raise
            self._fd = self._disk.open_new(self._named())
            self._has_name = True

    async def seal(self) -> None:
        """No more writes; raises OutOfSpace or TemporaryFailure for any that failed."""
        if self._fault is None and self._fd >= 0:
            try:
                self._spill()
            except OSError as error:
                self._fault = storage_refusal(error)
        if self._fault is not None:
            raise self._fault

    def body(self) -> bytes | None:
        """What was written, without the prefix, if it is in memory."""
        if self._fd >= 0:
            return None
        if len(self._chunks) > 1:
            self._chunks[:] = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    def duplicate(self) -> int:
        """Another descriptor of the file, for a thread: `discard` cannot close it under its feet."""
        return os.dup(self._fd)

    def discard(self) -> None:
        """Remove the file; twice is fine. What was linked elsewhere stays."""
        if self._discarded:
            return
        self._discarded = True
        self._chunks.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._has_name:
            self._disk.unlink_if_there(self._named())


@implementer(ISpool)
class Spool:
    """DATA/spool. Refuses new messages when the file system is nearly full (LIMITS.md): reading goes on then."""

    def __init__(
        self,
        directory: str,
        disk: Disk | None = None,
        seconds: Callable[[], float] = time.monotonic,
        unique: UniqueNames | None = None,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self.directory = directory
        self._disk = disk or Disk()
        self._seconds = seconds
        self._unique = unique or UniqueNames()
        self._min_free_bytes = min_free_bytes
        self._space_checked = float("-inf")
        self._is_full = False
        os.makedirs(directory, 0o700, exist_ok=True)

    def create(self, prefix: bytes) -> SpoolFile:
        """A new one; raises OutOfSpace."""
        if self.is_nearly_full():
            raise OutOfSpace(private="file system nearly full")
        return SpoolFile(self._disk, self.directory, self._unique, prefix)

    def is_nearly_full(self) -> bool:
        """Whether the file system is; looked at every few seconds."""
        now = self._seconds()
        if now - self._space_checked >= SPACE_CHECK_SECONDS:
            self._space_checked = now
            try:
                free = self._disk.statvfs(self.directory)
            except OSError as error:
                raise storage_refusal(error) from error
            least = max(self._min_free_bytes, int(MIN_FREE_SHARE * free.f_blocks * free.f_frsize))
            self._is_full = free.f_bavail * free.f_frsize < min(least, free.f_blocks * free.f_frsize // 2)
        return self._is_full

    def sweep(self, now: float) -> int:
        """Remove what dead processes left more than a day ago; how many. `now` is Unix time."""
        swept = 0
        for entry in os.scandir(self.directory):
            try:
                if entry.is_file(follow_symlinks=False) and now - entry.stat().st_mtime > LEFT_BEHIND_SECONDS:
                    swept += self._disk.unlink_if_there(entry.path)
            except OSError:
                continue
        return swept
