"""Figures of what changes a mailbox: STORE, COPY, MOVE and EXPUNGE of 1,000 messages in one command each."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable

from cases import LOGINS, Bench, Figures, fill
from server import WrongAnswer
from wire import Imap

USER = LOGINS.start + 3
COUNT = 1000


async def _opened(bench: Bench) -> Imap:
    """A mailbox of 1,000 messages, and an empty folder beside it."""
    await fill(bench, USER, COUNT)
    client = await bench.imap(USER)
    if b"Bench" not in await client.say(b'LIST "" Bench'):
        await client.say(b"CREATE Bench")
    if await client.select("Bench"):
        await client.say(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        await client.say(b"EXPUNGE")
    await client.select()
    return client


async def _timed(bench: Bench, client: Imap, *commands: bytes) -> Figures:
    """Messages a second over all the commands."""
    figures: Figures = {}
    with bench.cpu(figures, COUNT * len(commands)):
        start = time.monotonic()
        for command in commands:
            await client.say(command)
        figures["per_s"] = COUNT * len(commands) / (time.monotonic() - start)
    return figures


async def imap_store(bench: Bench) -> Figures:
    """A flag set on 1,000 messages and taken away again, twice."""
    client = await _opened(bench)
    flags = b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"STORE 1:* -FLAGS.SILENT (\\Flagged)"
    figures = await _timed(bench, client, *flags, *flags)
    client.close()
    return figures


async def imap_copy(bench: Bench) -> Figures:
    """1,000 messages into another folder."""
    client = await _opened(bench)
    figures = await _timed(bench, client, b"COPY 1:* Bench")
    await _check(client, "Bench", COUNT)
    client.close()
    return figures


async def imap_move(bench: Bench) -> Figures:
    """1,000 messages into another folder, and back again."""
    client = await _opened(bench)
    figures = await _timed(bench, client, b"MOVE 1:* Bench")
    await _check(client, "Bench", COUNT)
    await client.select("Bench")
    await client.say(b"MOVE 1:* INBOX")
    client.close()
    return figures


async def imap_expunge(bench: Bench) -> Figures:
    """1,000 messages that are marked already."""
    client = await _opened(bench)
    await client.say(b"COPY 1:* Bench")
    await client.select("Bench")
    await client.say(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    figures = await _timed(bench, client, b"EXPUNGE")
    await _check(client, "Bench", 0)
    client.close()
    return figures


async def imap_status(bench: Bench) -> Figures:
    """STATUS of a folder that is not open, as programs ask of every folder every few minutes."""
    client = await bench.imap(USER)
    figures: Figures = {}
    command = b"STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"
    with bench.cpu(figures, 300):
        start = time.monotonic()
        for _ in range(300):
            await client.say(command)
        figures["per_s"] = 300 / (time.monotonic() - start)
    client.close()
    return figures


async def _check(client: Imap, folder: str, wanted: int) -> None:
    text = await client.say(b"STATUS %b (MESSAGES)" % folder.encode())
    found = re.search(rb"MESSAGES (\d+)", text)
    if found is None or int(found[1]) != wanted:
        raise WrongAnswer(f"imap: {wanted} messages expected in {folder}: {text!r}")


CHANGES: dict[str, Callable[[Bench], Awaitable[Figures]]] = {
    "imap_status": imap_status,
    "imap_store": imap_store,
    "imap_copy": imap_copy,
    "imap_move": imap_move,
    "imap_expunge": imap_expunge,
}
