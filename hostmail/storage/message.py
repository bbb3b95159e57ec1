"""Open messages: octets as on the wire, whatever the file holds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.interfaces.mailstore import IMessage
from hostmail.interfaces.threads import InThread
from hostmail.storage.boxes import Row
from hostmail.storage.damaged import explanation
from hostmail.storage.disk import Disk

T = TypeVar("T")
BLOCK = 64 * 1024
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
log = Logger()


@implementer(IMessage)
class MemoryMessage:
    """Octets at hand: small converted files, and explanations."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Always at once."""
        return self._content[offset : offset + length]

    async def read(self, offset: int, length: int) -> bytes:
        """Up to `length` octets."""
        return self._content[offset : offset + length]

    def read_blocking(self, offset: int, length: int) -> bytes:
        """As `read`, for threads."""
        return self._content[offset : offset + length]

    async def examine(self, look: Callable[[bytes], T]) -> T:
        """What `look` makes of all the octets: they are few."""
        return look(self._content)

    def close(self) -> None:
        """Nothing is held."""


@implementer(IMessage)
class FileMessage:
    """A file with CRLF line ends: plain reads. It stays readable when it is expunged meanwhile.

    If the disk fails in the middle, or somebody cuts the file off while it is open, the rest is filled with blanks: the protocol has
    announced `size` octets already, and a session must not end for one message (D11).
    """

    def __init__(self, disk: Disk, fd: int, size: int, run_in_thread: InThread) -> None:
        self.size = size
        self._disk = disk
        self._fd = fd
        self._run_in_thread = run_in_thread

    def read_now(self, offset: int, length: int) -> bytes | None:
        """From the page cache or not at all."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        buffer = bytearray(length)
        try:
            count = os.preadv(self._fd, [buffer], offset, _NOWAIT)
        except OSError:
            return None
        return bytes(buffer) if count == length else None

    async def read(self, offset: int, length: int) -> bytes:
        """From the page cache, or in a thread."""
        found = self.read_now(offset, length)
        return await self._run_in_thread(self.read_blocking, offset, length) if found is None else found

    def read_blocking(self, offset: int, length: int) -> bytes:
        """As `read`, for threads."""
        length = max(0, min(length, self.size - offset))
        parts: list[bytes] = []
        while length:
            part = self._part(offset, length)
            if not part:
                parts.append(b" " * length)
                break
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)

    async def examine(self, look: Callable[[bytes], T]) -> T:
        """What `look` makes of all the octets, in a thread."""
        return await self._run_in_thread(lambda: look(self.read_blocking(0, self.size)))

    def _part(self, offset: int, length: int) -> bytes:
        try:
            return self._disk.pread(self._fd, length, offset)
        except OSError as error:
            log.error("message_unreadable: {error!r} at {offset}", error=error, offset=offset)
            return b""

    def close(self) -> None:
        """Let go of the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


@implementer(IMessage)
class ConvertedMessage:
    """A file with LF line ends, read as CRLF: where each block of the file begins on the wire is worked out when it is opened."""

    def __init__(self, disk: Disk, fd: int, size: int, run_in_thread: InThread) -> None:
        self._file = FileMessage(disk, fd, size, run_in_thread)
        self._run_in_thread = run_in_thread
        self._starts: list[int] = []
        self.size = 0
        for offset in range(0, size, BLOCK):
            self._starts.append(self.size)
            self.size += len(self._block(offset, self._file.read_blocking))

    def _block(self, offset: int, read: Callable[[int, int], bytes | None]) -> bytes:
        """A block as on the wire; b"" if it cannot be had now."""
        first = max(0, offset - 1)
        raw = read(first, BLOCK + offset - first)
        if raw is None:
            return b""
        before, raw = raw[: offset - first], raw[offset - first :]
        wire = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return wire[1:] if before == b"\r" and raw[:1] == b"\n" else wire

    def read_now(self, offset: int, length: int) -> bytes | None:
        """From the page cache or not at all."""
        found = self._assemble(offset, length, self._file.read_now)
        return found if len(found) == max(0, min(length, self.size - offset)) else None

    async def read(self, offset: int, length: int) -> bytes:
        """From the page cache, or in a thread."""
        found = self.read_now(offset, length)
        if found is not None:
            return found
        return await self._run_in_thread(self.read_blocking, offset, length)

    def read_blocking(self, offset: int, length: int) -> bytes:
        """As `read`, for threads."""
        return self._assemble(offset, length, self._file.read_blocking)

    async def examine(self, look: Callable[[bytes], T]) -> T:
        """What `look` makes of all the octets, in a thread."""
        return await self._run_in_thread(lambda: look(self.read_blocking(0, self.size)))

    def _assemble(self, offset: int, length: int, read: Callable[[int, int], bytes | None]) -> bytes:
        parts: list[bytes] = []
        end = min(offset + length, self.size)
        for number, start in enumerate(self._starts):
            following = self._starts[number + 1] if number + 1 < len(self._starts) else self.size
            if start < end and following > offset:
                block = self._block(number * BLOCK, read)
                parts.append(block[max(0, offset - start) : end - start])
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def message_of(disk: Disk, fd: int, row: Row, run_in_thread: InThread) -> FileMessage | ConvertedMessage:
    """The open file as a message; the descriptor is the message's from here on."""
    size = os.fstat(fd).st_size
    kind = ConvertedMessage if row.converted else FileMessage
    return kind(disk, fd, size, run_in_thread)


def unreadable(error: OSError, row: Row) -> MemoryMessage:
    """The explanation in its place."""
    log.error("message_unreadable: {name} {error!r}", name=row.name, error=error)
    return MemoryMessage(explanation(error, row.uid, row.date))
