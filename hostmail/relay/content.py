"""A queued message as the sending side reads it: in blocks, in threads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.threads import InThread
from hostmail.message.sevenbit import CannotConvertError, seven_bit
from hostmail.relay.chunks import ReadBlock

BLOCK = 256 * 1024


class FileContent:
    """The file at `path` of `size` octets, which may be at hand, with fields `above`. A small one costs one visit to a thread, or none.

    Raises TemporaryFailure if it cannot be read.
    """

    def __init__(
        self, path: str, size: int, in_thread: InThread, *, octets: bytes | None = None, above: bytes = b""
    ) -> None:
        self._path = path
        self.size = size + len(above)
        self._octets = octets
        self._above = above
        self._in_thread = in_thread
        self._file: BinaryIO | None = None
        self._first = b""
        self._converted: ConvertedContent | None = None

    async def open(self) -> ReadBlock:
        """Begin at the start; each call of the result is the next block, empty at the end."""
        await self.close()
        if self._octets is not None:
            self._first = self._above + self._octets
        else:
            self._file, first = await self._reading(_open, self._path)
            self._first = self._above + first
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

    async def seven_bit(self) -> ConvertedContent:
        """The message for a host that takes no 8-bit text; raises Refusal for one that cannot be converted (see `sevenbit`)."""
        if self._converted is None:
            self._converted = ConvertedContent(await self._reading(_convert, self._path, self._above), self._in_thread)
        return self._converted

    async def is_ascii(self, header_only: bool) -> bool:
        """Whether the whole message, or just its header, can go to a server that knows nothing but ASCII."""
        answer: bool = await self._reading(_is_ascii, self._path, header_only)
        return answer

    def forget(self) -> None:
        """Nobody will read it any more."""
        if self._converted is not None:
            self._converted.forget()

    async def _reading(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return await self._in_thread(function, *args)
        except OSError as error:
            raise TemporaryFailure(private=repr(error)) from error


class ConvertedContent:
    """A converted message, in a file that has no name."""

    def __init__(self, file: BinaryIO, in_thread: InThread) -> None:
        self._file = file
        self._in_thread = in_thread
        self.size = file.seek(0, os.SEEK_END)

    async def open(self) -> ReadBlock:
        """As `FileContent.open`."""
        self._file.seek(0)
        return self._read

    async def _read(self) -> bytes:
        block: bytes = await self._in_thread(self._file.read, BLOCK)
        return block

    async def close(self) -> None:
        """It is kept for the next host."""

    def forget(self) -> None:
        """Nobody will read it any more."""
        self._file.close()


def _convert(path: str, above: bytes) -> BinaryIO:
    with open(path, "rb") as source:
        octets = above + source.read()
    try:
        converted = seven_bit(octets)
    except CannotConvertError as error:
        raise Refusal(f"the next server takes no 8-bit text, and {error}", code=554, enhanced="5.6.3") from None
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(converted)
    file.flush()
    return file


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
