"""What storage asks of the operating system, in one object, so that tests can make a disk fail where they like.

Nothing here follows a symbolic link in the last part of a path, and descriptors never leak into children.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable

from hostmail.errors import OutOfSpace, Refusal, TemporaryFailure, as_refusal

FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SYNC_FILE_RANGE_WRITE = 2
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def _find_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    try:
        found = ctypes.CDLL(None).sync_file_range
    except (OSError, AttributeError):
        return None
    found.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return found  # type: ignore[no-any-return]


class Disk:
    """The real thing."""

    link = staticmethod(os.link)
    rename = staticmethod(os.rename)
    unlink = staticmethod(os.unlink)
    pread = staticmethod(os.pread)
    fsync = staticmethod(os.fsync)
    fdatasync = staticmethod(os.fdatasync)
    statvfs = staticmethod(os.statvfs)
    _start_writing = staticmethod(_find_sync_file_range() or (lambda fd, offset, length, flags: 0))

    def listdir(self, directory: str | int) -> list[str]:
        """The names in a directory, by path or descriptor."""
        return os.listdir(directory)

    def open_read(self, name: str, dir_fd: int | None = None) -> int:
        """A plain file for reading; OSError ELOOP for a symbolic link, EISDIR for what is no plain file."""
        fd = os.open(name, _READ, dir_fd=dir_fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EISDIR, "no plain file")
        return fd

    def open_new(self, path: str, dir_fd: int | None = None) -> int:
        """A new file for writing and reading back; FileExistsError if the name is taken."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, FILE_MODE, dir_fd=dir_fd)

    def open_nameless(self, directory: str) -> int:
        """A file without a name, gone when closed unless linked somewhere; OSError where the file system has none."""
        return os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, FILE_MODE)

    def open_directory(self, path: str) -> int:
        """A directory, for work relative to it."""
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write(self, fd: int, data: bytes) -> None:
        """All of `data`."""
        written = os.write(fd, data)
        while written < len(data):
            data = data[written:]
            written = os.write(fd, data)

    def start_writing(self, fd: int) -> None:
        """A hint: begin to write the file out, so that syncing several files soon costs one journal commit."""
        self._start_writing(fd, 0, 0, _SYNC_FILE_RANGE_WRITE)

    def link_open_file(self, fd: int, dir_fd: int, name: str) -> None:
        """Give an open (nameless) file a name."""
        self.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=dir_fd, follow_symlinks=True)

    def make_directory(self, path: str) -> bool:
        """True if it had to be made; missing parents are a fault of the caller."""
        try:
            os.mkdir(path, DIRECTORY_MODE)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise
            return False
        return True

    def sync_directory(self, path: str) -> None:
        """The entries of a directory are on disk."""
        fd = self.open_directory(path)
        try:
            self.fsync(fd)
        finally:
            os.close(fd)

    def replace_file(self, directory: str, name: str, content: bytes) -> None:
        """A small file with new content, durable: the old one or the new one, never a mixture."""
        temporary = os.path.join(directory, f".{name}.{os.getpid()}.new")
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        try:
            fd = self.open_new(temporary)
            try:
                self.write(fd, content)
                self.fdatasync(fd)
            finally:
                os.close(fd)
            self.rename(temporary, os.path.join(directory, name))
        except OSError:
            self.unlink_if_there(temporary)
            raise
        self.sync_directory(directory)

    def append_file(self, path: str, content: bytes) -> int:
        """More at the end of a plain file, durable; its length then. FileNotFoundError if it is not there."""
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self.write(fd, content)
            self.fdatasync(fd)
            return os.fstat(fd).st_size
        finally:
            os.close(fd)

    def read_small(self, path: str, limit: int = 1 << 20) -> bytes | None:
        """A small plain file's content, up to `limit`; None if there is none to be read."""
        try:
            fd = self.open_read(path)
        except OSError:
            return None
        try:
            return self.pread(fd, limit, 0)
        except OSError:
            return None
        finally:
            os.close(fd)

    def read_whole(self, name: str, size: int, dir_fd: int) -> bytes | None:
        """A plain file of exactly that size; None if it is anything else, or cannot be read."""
        try:
            fd = os.open(name, _READ, dir_fd=dir_fd)
        except OSError:
            return None
        try:
            content = self.pread(fd, size + 1, 0)
        except OSError:
            return None
        finally:
            os.close(fd)
        return content if len(content) == size else None

    def unlink_if_there(self, name: str, dir_fd: int | None = None) -> bool:
        """True if it was there and could be removed."""
        try:
            self.unlink(name, dir_fd=dir_fd)
        except OSError:
            return False
        return True


def storage_refusal(error: BaseException) -> Refusal:
    """What the peer is told of a failure here: no room, or a failure for now; refusals stay what they are."""
    if isinstance(error, OSError) and error.errno in FULL:
        return OutOfSpace(private=repr(error))
    if type(error).__name__ == "FullError":  # apsw's, for SQLITE_FULL
        return OutOfSpace(private=repr(error))
    if isinstance(error, OSError):
        return TemporaryFailure(private=repr(error))
    return as_refusal(error)
