"""What a file of the tree holds: its size on the wire and its date, from its name where that can be believed, else from itself."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from hostmail.storage.names import MessageName
from hostmail.storage.tree import FolderTree

BLOCK = 1 << 20


class Measured(NamedTuple):
    """`size` on the wire, `file_size` on disk; `converted` 1 where line ends have to be converted; `date` Unix time."""

    size: int
    file_size: int
    date: int
    converted: int


def measure(tree: FolderTree, place: int, name: str, parsed: MessageName, wire_size: int | None) -> Measured | None:
    """About one file; None for what is no plain file. `wire_size` is what a list of another program says.

    A name is believed if its S= is the file's size. Ours say W= only where it differs from S=; others leave it out as
    they like, so that their files are read.
    """
    try:
        status = tree.lstat(place, name)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    size = status.st_size
    if parsed.size == size:
        wire_size = parsed.wire_size or wire_size or (size if parsed.uid is not None else None)
    else:
        wire_size = None
    if wire_size is None:
        wire_size = _count(tree, place, name, size)
    return Measured(wire_size, size, int(status.st_mtime_ns // 1_000_000_000), int(wire_size != size))


def _count(tree: FolderTree, place: int, name: str, size: int) -> int:
    try:
        fd = tree.open(place, name)
    except OSError:
        return size
    try:
        return wire_size_of(tree, fd, size)
    except OSError:
        return size
    finally:
        os.close(fd)


def wire_size_of(tree: FolderTree, fd: int, size: int) -> int:
    """The size with every bare LF counted as CRLF."""
    bare, offset, last = 0, 0, b""
    while offset < size:
        block = tree.disk.pread(fd, BLOCK, offset)
        if not block:
            break
        bare += block.count(b"\n") - block.count(b"\r\n")
        if last == b"\r" and block[:1] == b"\n":
            bare -= 1
        last = block[-1:]
        offset += len(block)
    return offset + bare
