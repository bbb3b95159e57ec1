"""One folder's directories on disk: tmp, new and cur, and the names in them."""

from __future__ import annotations

import os
import stat

from hostmail.errors import NoSuchFolder
from hostmail.storage.disk import Disk

NEW, CUR = 0, 1
PLACES = ("new", "cur")
_PARTS = ("tmp", "new", "cur")


class FolderTree:
    """The directory of a folder. Descriptors of new/ and cur/ are kept while it is in use: they are synced again and again."""

    def __init__(self, disk: Disk, path: str) -> None:
        self.disk = disk
        self.path = path
        self._paths = tuple(os.path.join(path, part) for part in PLACES)
        self._fds = [-1, -1]
        self._inodes = [0, 0]

    def make(self) -> None:
        """Make what is missing of it."""
        self.disk.make_directory(self.path)
        for part in _PARTS:
            self.disk.make_directory(os.path.join(self.path, part))
        self.disk.sync_directory(self.path)

    def mtime(self, place: int) -> int:
        """When new/ or cur/ last changed, in nanoseconds; made again if somebody removed it. Raises NoSuchFolder."""
        try:
            status = os.stat(self._paths[place], follow_symlinks=False)
        except FileNotFoundError:
            self._make_again(place)
            status = os.stat(self._paths[place], follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            raise NoSuchFolder(private=f"no directory: {self._paths[place]}")
        if status.st_ino != self._inodes[place] or self._is_removed(place):
            self._close(place)
            self._inodes[place] = status.st_ino
        return status.st_mtime_ns

    def mtime_of_open(self, place: int) -> int:
        """The same for the directory that `fd` has opened, whatever has its name by now."""
        return os.fstat(self.fd(place)).st_mtime_ns

    def _is_removed(self, place: int) -> bool:
        """True if the open directory is no longer there: another one may have got its number."""
        fd = self._fds[place]
        return fd >= 0 and os.fstat(fd).st_nlink == 0

    def _make_again(self, place: int) -> None:
        if not os.path.isdir(self.path):
            raise NoSuchFolder(private=f"vanished: {self.path}")
        self.disk.make_directory(self._paths[place])

    def fd(self, place: int) -> int:
        """A descriptor of new/ or cur/."""
        if self._fds[place] < 0:
            self._fds[place] = self.disk.open_directory(self._paths[place])
        return self._fds[place]

    def names(self, place: int) -> list[str]:
        """The names in new/ or cur/ that can be messages'."""
        return [name for name in self.disk.listdir(self.fd(place)) if name[0] != "."]

    def sync(self, place: int) -> None:
        """The entries of new/ or cur/ are on disk."""
        self.disk.fsync(self.fd(place))

    def open(self, place: int, name: str) -> int:
        """A message's file for reading."""
        return self.disk.open_read(name, self.fd(place))

    def lstat(self, place: int, name: str) -> os.stat_result:
        """About a name, links not followed."""
        return os.stat(name, dir_fd=self.fd(place), follow_symlinks=False)

    def rename(self, place: int, name: str, to_place: int, to_name: str) -> None:
        """Within the folder."""
        self.disk.rename(name, to_name, src_dir_fd=self.fd(place), dst_dir_fd=self.fd(to_place))

    def _close(self, place: int) -> None:
        fd, self._fds[place] = self._fds[place], -1
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        """Let go of the descriptors; they are opened again when needed."""
        for place in (NEW, CUR):
            self._close(place)
