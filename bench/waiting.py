"""Figures of clients that wait in IDLE: what each costs, and how soon it is told of news."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from arriving import carrier
from samples import message, stuffed
from wire import Imap
from work import PUSHED, RECIPIENTS, Bench, Case, Figures, side_by_side

TIMES = 15
SETTLE_SECONDS = 2.0


async def memory(bench: Bench, sessions: int, tls: bool = False) -> Figures:
    """Memory of a fresh server for each connection in IDLE. The first fifth is not counted: it fills what logging in has left free."""
    if not bench.target.pids or not await asyncio.to_thread(bench.target.restart):
        return {}
    users = RECIPIENTS.stop

    async def enter(number: int) -> Imap:
        client = await bench.imap(number % users, tls)
        await client.select()
        return client

    for user in range(users):
        client = await enter(user)
        await client.say(b"LOGOUT")
        client.close()
    clients: list[Imap] = []

    async def begin(number: int) -> None:
        client = await enter(number)
        await client.idle()
        clients.append(client)

    async def memory_with(count: int) -> int:
        await side_by_side(10, (lambda number=number: begin(number) for number in range(len(clients), count)))
        await asyncio.sleep(SETTLE_SECONDS)
        return bench.target.memory_kb()

    first = await memory_with(sessions // 5)
    each = (await memory_with(sessions) - first) / (sessions - sessions // 5)
    await side_by_side(10, (client.done for client in clients))
    for client in clients:
        client.close()
    await asyncio.sleep(SETTLE_SECONDS)
    return {"kb_each": each}


class Listener:
    """A session in IDLE, and how long after each change it heard of it."""

    def __init__(self, client: Imap) -> None:
        self.client = client
        self.times: dict[str, list[float]] = {}

    async def hears(self, what: str, word: bytes, since: float) -> None:
        """Wait for the news; `since` is when it began to be true."""
        self.times.setdefault(what, []).append(await asyncio.wait_for(self.client.heard(word), 60) - since)

    def medians(self) -> Figures:
        """In milliseconds."""
        return {f"{what}_ms": 1000 * statistics.median(times) for what, times in self.times.items()}


async def push(bench: Bench) -> Figures:
    """From a change by somebody else to the untagged answer of a client in IDLE: a message that comes, STORE, EXPUNGE; each by another
    session of the same server, and by a program that knows only the Maildir."""
    client = await bench.imap(PUSHED)
    await client.select()
    await client.idle()
    listener = Listener(client)
    other = await bench.imap(PUSHED)
    sender = await carrier(bench)
    for number in range(TIMES):
        heard = asyncio.ensure_future(client.heard(b" EXISTS"))
        await sender.send("sender@elsewhere.test", bench.target.users[PUSHED][0], stuffed(message(number)))
        listener.times.setdefault("delivered", []).append(await asyncio.wait_for(heard, 60) - sender.dotted)
    await sender.quit()
    await other.select()
    for _ in range(TIMES):
        await _said(listener, other, "stored", b" FETCH ", b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await _said(listener, other, "expunged", b" EXPUNGE", b"EXPUNGE")
    other.close()
    if bench.target.inboxes:
        await _outside(bench.target.inbox(PUSHED), listener)
    client.close()
    return listener.medians()


async def _said(listener: Listener, other: Imap, what: str, word: bytes, command: bytes) -> None:
    start = time.monotonic()
    _, _ = await asyncio.gather(listener.hears(what, word, start), other.say(command))


async def _outside(inbox: Path, listener: Listener) -> None:
    """Another program brings a message, marks it, removes it: with link, rename and unlink, as the Maildir wants it."""
    owner = inbox.stat()

    async def change(what: str, word: bytes, work: Callable[[], None]) -> None:
        start = time.monotonic()
        work()
        await listener.hears(what, word, start)

    for number in range(TIMES):
        name = f"{time.time_ns()}.bench.{number}"
        temporary = inbox / "tmp" / name
        temporary.write_bytes(message(number).replace(b"\r\n", b"\n"))
        os.chown(temporary, owner.st_uid, owner.st_gid)
        await change("outside_delivered", b" EXISTS", partial(temporary.rename, inbox / "new" / name))
        await asyncio.sleep(0.05)
        file = _the_file(inbox)
        marked = inbox / "cur" / (file.name.partition(":")[0] + ":2,F")
        await change("outside_flagged", b" FETCH ", partial(file.rename, marked))
        await asyncio.sleep(0.05)
        await change("outside_removed", b" EXPUNGE", _the_file(inbox).unlink)


def _the_file(inbox: Path) -> Path:
    """Of the one message there is; a server may have given it another name."""
    (found,) = [file for place in ("new", "cur") for file in (inbox / place).iterdir()]
    return found


CASES: dict[str, Case] = {
    "push": push,
    "idle_1k": partial(memory, sessions=1000),
    "idle_1k_tls": partial(memory, sessions=1000, tls=True),
    "idle_5k": partial(memory, sessions=5000),
    "idle_5k_tls": partial(memory, sessions=5000, tls=True),
}
