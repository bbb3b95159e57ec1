"""The file that a message becomes: written once, synced once, then linked wherever a copy of it belongs."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from hostmail.interfaces.mailstore import CachedMessage
from hostmail.storage.disk import Disk
from hostmail.storage.mailbox import Tools
from hostmail.storage.spool import SpoolFile

MAX_SUMMARISED = 1 << 20
_BLOCK = 1 << 20


class MessageFile:
    """An open, complete file. `facts` is what the index keeps about its content, None for giants (made when asked for)."""

    def __init__(self, disk: Disk, fd: int, size: int, date: int, facts: CachedMessage | None, name: str = "") -> None:
        self.size = size
        self.date = date
        self.facts = facts
        self._disk = disk
        self._fd = fd
        self._name = name

    def link(self, dir_fd: int, name: str) -> None:
        """One more name for it; a copy where the file system allows no more links.

        A nameless file whose only name was taken away again, when a delivery was undone, gets no second one (ENOENT).
        """
        try:
            if self._name:
                self._disk.link(self._name, name, dst_dir_fd=dir_fd, follow_symlinks=False)
            else:
                self._disk.link_open_file(self._fd, dir_fd, name)
        except OSError as error:
            if error.errno not in (errno.EMLINK, errno.EXDEV, errno.ENOENT):
                raise
            self._copy(dir_fd, name)

    def _copy(self, dir_fd: int, name: str) -> None:
        fd = self._disk.open_new(name, dir_fd)
        try:
            copy_range(self._fd, fd, 0, self.size)
            os.utime(fd, (self.date, self.date))
            self._disk.fdatasync(fd)
        except BaseException:
            self._disk.unlink_if_there(name, dir_fd)
            raise
        finally:
            os.close(fd)

    def start_writing(self) -> None:
        """A hint before `sync`."""
        self._disk.start_writing(self._fd)

    def sync(self) -> None:
        """Its octets are on disk."""
        self._disk.fdatasync(self._fd)

    def close(self) -> None:
        """Links stay; the file is gone if it has none."""
        os.close(self._fd)
        if self._name:
            self._disk.unlink_if_there(self._name)


def copy_range(source: int, target: int, offset: int, end: int) -> None:
    """Octets from one file to the end of another."""
    while offset < end:
        copied = os.sendfile(target, source, offset, min(_BLOCK, end - offset))
        if not copied:
            raise OSError(errno.EIO, "file ended early")
        offset += copied


class Source:
    """A sealed message for use in a thread. Make it on the reactor's thread; `files` are made, and closed, in the thread."""

    def __init__(self, spooled: Any) -> None:
        self.prefix: bytes = spooled.prefix
        self._size: int = spooled.size
        self._body: bytes | None = None
        self._fd = -1
        if isinstance(spooled, SpoolFile):
            self._body = spooled.body()
            if self._body is None:
                self._fd = spooled.duplicate()
        else:
            self._fd = os.open(spooled.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def close(self) -> None:
        """Let go of the spool file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def file(self, tools: Tools, directory: str, prefix: bytes, date: int) -> MessageFile:
        """The message with `prefix` in front, in a file of its own in `directory` if it cannot be the spool's."""
        disk = tools.disk
        if self._body is None and prefix == self.prefix:
            os.utime(self._fd, (date, date))
            return MessageFile(disk, os.dup(self._fd), self._size, date, self._facts(tools, b"", 0))
        size = self._size - len(self.prefix) + len(prefix)
        fd, name = _open_file(disk, directory, tools.unique)
        try:
            if self._body is not None:
                content = prefix + self._body
                disk.write(fd, content)
                facts: CachedMessage | None = tools.facts(0, content)
            else:
                disk.write(fd, prefix)
                copy_range(self._fd, fd, len(self.prefix), self._size)
                facts = self._facts(tools, prefix, len(self.prefix))
            os.utime(fd, (date, date))
        except BaseException:
            os.close(fd)
            if name:
                disk.unlink_if_there(name)
            raise
        return MessageFile(disk, fd, size, date, facts, name)

    def _facts(self, tools: Tools, prefix: bytes, skip: int) -> CachedMessage | None:
        if self._size > MAX_SUMMARISED:
            return None
        return tools.facts(0, prefix + tools.disk.pread(self._fd, self._size, skip))


def _open_file(disk: Disk, directory: str, unique: Callable[[], str]) -> tuple[int, str]:
    """A nameless file, or where the file system has none, one whose name is to be removed later."""
    try:
        return disk.open_nameless(directory), ""
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            raise
        path = os.path.join(directory, unique())
        return disk.open_new(path), path
