"""Figures of messages that come: by SMTP (a server that only keeps mail takes them by LMTP), by submission, by APPEND."""

from __future__ import annotations

import asyncio
from functools import partial

from limits import durable_files
from samples import is_whole, message, stuffed
from server import WrongAnswer
from wire import Imap, Lmtp, Smtp
from work import CHANGED, LOGINS, RECIPIENTS, SIZES, Bench, Case, Figures

INTO_ONE = 200
APPENDS = 300


async def carrier(bench: Bench) -> Smtp:
    """A connection by which mail is brought."""
    return await (Smtp if "smtp" in bench.target.ports else Lmtp).connect(bench.target)


async def limits(bench: Bench) -> Figures:
    """Durable files a second on the server's disk: the ceiling for delivery."""
    if not bench.target.data:
        return {}
    return {"per_s": await asyncio.to_thread(durable_files, bench.target.data)}


async def delivery(bench: Bench) -> Figures:
    """4 KB messages to 80 mailboxes over 10 connections, counted by IMAP afterwards."""
    recipients = bench.target.users[RECIPIENTS]
    before = await _counts(bench)
    share = bench.deliveries // 10
    figures: Figures = {}

    async def deliver(numbers: range) -> None:
        client = await carrier(bench)
        for number in numbers:
            address = recipients[number % len(recipients)][0]
            await client.send("sender@elsewhere.test", address, stuffed(message(number)))
        await client.quit()

    with bench.counted(figures, share * 10):
        await asyncio.gather(*(deliver(bench.numbers(share)) for _ in range(10)))
    arrived = await _counts(bench) - before
    if arrived != share * 10:
        raise WrongAnswer(f"{share * 10} messages accepted, {arrived} arrived")
    return figures


async def _counts(bench: Bench) -> int:
    """Messages in all recipients' mailboxes."""
    total = 0
    for user in range(RECIPIENTS.start, RECIPIENTS.stop):
        client = await bench.imap(user)
        total += await client.count()
        client.close()
    return total


def delivery_into(size: str) -> Case:
    """4 KB messages to one mailbox that holds so many, over one connection; they are removed again."""

    async def case(bench: Bench) -> Figures:
        user, held = SIZES[size]
        sender = await carrier(bench)
        figures: Figures = {}
        with bench.counted(figures, INTO_ONE):
            for number in bench.numbers(INTO_ONE):
                await sender.send("sender@elsewhere.test", bench.target.users[user][0], stuffed(message(number)))
        await sender.quit()
        client = await bench.imap(user)
        if await client.select() != held + INTO_ONE:
            raise WrongAnswer(f"imap: not all messages arrived in the mailbox of {size}")
        await client.say(b"STORE %d:* +FLAGS.SILENT (\\Deleted)" % (held + 1))
        await client.say(b"EXPUNGE")
        client.close()
        return figures

    return case


async def submission(bench: Bench) -> Figures:
    """4 KB messages for elsewhere over ten connections that have logged in, until the last 250: what the queue takes."""
    share = bench.deliveries // 10
    figures: Figures = {}
    clients = [await Smtp.connect(bench.target) for _ in range(10)]
    for at, client in enumerate(clients):
        await client.log_in(bench.target.users[LOGINS[at % len(LOGINS)]])

    async def submit(client: Smtp, numbers: range) -> None:
        for number in numbers:
            await client.send("sender@example.test", f"r{number}@elsewhere.test", stuffed(message(number)))
        await client.quit()

    with bench.counted(figures, share * 10):
        await asyncio.gather(*(submit(client, bench.numbers(share)) for client in clients))
    return figures


async def imap_append(bench: Bench, connections: int = 1) -> Figures:
    """APPEND of 4 KB to one folder, each answered before the connection's next."""
    keeper = await emptied(bench, CHANGED, b"Append")
    clients = [await bench.imap(CHANGED) for _ in range(connections)]
    figures: Figures = {}

    async def append(client: Imap, numbers: range) -> None:
        for number in numbers:
            await client.append(message(number), b"Append")

    with bench.counted(figures, APPENDS):
        await asyncio.gather(
            *(append(client, range(at, APPENDS, connections)) for at, client in enumerate(clients)),
        )
    for client in clients:
        client.close()
    if await keeper.select("Append") != APPENDS:
        raise WrongAnswer("imap: not every APPEND is there")
    for number in (1, APPENDS):
        if not is_whole(
            (await keeper.say(b"FETCH %d BODY.PEEK[]" % number)).partition(b"}\r\n")[2].rpartition(b")\r\n")[0]
        ):
            raise WrongAnswer("imap: a message came back changed")
    keeper.close()
    return figures


async def emptied(bench: Bench, user: int, folder: bytes) -> Imap:
    """A session of that user, who has this folder, and nothing in it."""
    client = await bench.imap(user)
    if folder not in await client.say(b'LIST "" ' + folder):
        await client.say(b"CREATE " + folder)
    if await client.select(folder.decode()):
        await client.say(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        await client.say(b"EXPUNGE")
    await client.say(b"CLOSE")
    return client


CASES: dict[str, Case] = {
    "limits": limits,
    "delivery": delivery,
    **{f"delivery_{size}": delivery_into(size) for size in SIZES},
    "submission": submission,
    "append": imap_append,
    "append_10": partial(imap_append, connections=10),
}
