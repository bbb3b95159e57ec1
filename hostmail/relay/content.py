"""A queued message as the sending side reads it: in blocks, in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from hostmail.errors import TemporaryFailure
from hostmail.interfaces import InThread
from hostmail.relay.wire import ReadBlock

BLOCK = 256 * 1024


class FileContent:
    """The file at `path`. A small one costs one visit to a thread; raises TemporaryFailure if it cannot be read."""

    def __init__(self, path: str, in_thread: InThread) -> None:
        self._path = path
        self._in_thread = in_thread
        self._file: BinaryIO | None = None
        self._first = b""

    async def open(self) -> ReadBlock:
        """Begin at the start; each call of the result is the next block, empty at the end."""
        await self.close()
        self._file, self._first = await self._reading(_open, self._path)
        return self._read

    async def _read(self) -> bytes:
        first, self._first = self._first, b""
        if first or self._file is None:
            return first
        block: bytes = await self._reading(self._file.read, BLOCK)
        return block

    async def close(self) -> None:
        """Let go of the file; twice is fine."""
        file, self._file = self._file, None
        if file is not None:
            await self._in_thread(file.close)

    async def is_ascii(self, header_only: bool) -> bool:
        """Whether the whole message, or just its header, can go to a server that knows nothing but ASCII."""
        answer: bool = await self._reading(_is_ascii, self._path, header_only)
        return answer

    async def _reading(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return await self._in_thread(function, *args)
        except OSError as error:
            raise TemporaryFailure(private=repr(error)) from error


def _open(path: str) -> tuple[BinaryIO | None, bytes]:
    file = open(path, "rb")  # noqa: SIM115
    try:
        first = file.read(BLOCK)
    except BaseException:
        file.close()
        raise
    if len(first) < BLOCK:
        file.close()
        return None, first
    return file, first


def _is_ascii(path: str, header_only: bool) -> bool:
    with open(path, "rb") as file:
        if not header_only:
            return all(block.isascii() for block in iter(lambda: file.read(BLOCK), b""))
        for line in file:
            if not line.strip(b"\r\n"):
                break
            if not line.isascii():
                return False
    return True
