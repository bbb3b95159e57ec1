"""A message as BDAT sends it (RFC 3030): the same text as by DATA, in chunks of known size, without dots to double."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from hostmail.relay.stuffing import LineEnds

ReadBlock = Callable[[], Awaitable[bytes]]
"""The next block of a message; empty at its end."""


async def chunks(read: ReadBlock) -> AsyncIterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last one; an empty message is an empty last one."""
    lines = LineEnds()
    held = b""
    while block := await read():
        piece = lines.feed(block)
        if held and piece:
            yield held, False
        held = piece or held
    yield held + lines.finish(), True


def bdat(chunk: bytes, last: bool) -> str:
    """The command that goes before a chunk."""
    return f"BDAT {len(chunk)} LAST" if last else f"BDAT {len(chunk)}"
