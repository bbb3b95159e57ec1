"""Figures of what changes a mailbox: STORE, COPY, MOVE and EXPUNGE of 1,000 messages in one command each."""

from __future__ import annotations

from arriving import emptied
from server import WrongAnswer
from wire import Imap
from work import CHANGED, Bench, Case, Figures, fill

COUNT = 1000
STORES = (b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"STORE 1:* -FLAGS.SILENT (\\Flagged)")


async def _opened(bench: Bench) -> Imap:
    """A mailbox of 1,000 messages, and an empty folder beside it."""
    await fill(bench, CHANGED, COUNT)
    client = await emptied(bench, CHANGED, b"Bench")
    if await client.select() != COUNT:
        raise WrongAnswer(f"imap: not {COUNT} messages")
    return client


async def _timed(bench: Bench, client: Imap, *commands: bytes) -> Figures:
    """Messages a second over all the commands."""
    figures: Figures = {}
    with bench.counted(figures, COUNT * len(commands)):
        for command in commands:
            await client.say(command)
    return figures


async def store(bench: Bench) -> Figures:
    """A flag set on 1,000 messages and taken away again, three times."""
    client = await _opened(bench)
    figures = await _timed(bench, client, *STORES, *STORES, *STORES)
    for command, right in zip(STORES, (COUNT, 0), strict=True):
        await client.say(command)
        other = await bench.imap(CHANGED)
        await other.select()
        if len(await other.found(b"FLAGGED")) != right:
            raise WrongAnswer("imap: STORE did not store")
        other.close()
    client.close()
    return figures


async def copy(bench: Bench) -> Figures:
    """1,000 messages into another folder."""
    client = await _opened(bench)
    figures = await _timed(bench, client, b"COPY 1:* Bench")
    await _check(client, b"Bench", COUNT)
    client.close()
    return figures


async def move(bench: Bench) -> Figures:
    """1,000 messages into another folder, and back again."""
    client = await _opened(bench)
    figures = await _timed(bench, client, b"MOVE 1:* Bench")
    await _check(client, b"Bench", COUNT)
    await client.select("Bench")
    await client.say(b"MOVE 1:* INBOX")
    client.close()
    return figures


async def expunge(bench: Bench) -> Figures:
    """1,000 messages that are marked already."""
    client = await _opened(bench)
    await client.say(b"COPY 1:* Bench")
    await client.select("Bench")
    await client.say(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    figures = await _timed(bench, client, b"EXPUNGE")
    await _check(client, b"Bench", 0)
    client.close()
    return figures


async def _check(client: Imap, folder: bytes, wanted: int) -> None:
    found = await client.count(folder)
    if found != wanted:
        raise WrongAnswer(f"imap: {wanted} messages expected in {folder!r}, not {found}")


CASES: dict[str, Case] = {"store": store, "copy": copy, "move": move, "expunge": expunge}
