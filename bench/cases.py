"""The figures. Each case is a coroutine function of a Bench that returns {metric: value}; wrong answers end the run."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from limits import durable_files
from samples import NEEDLE, is_whole, message, stuffed, unstuffed
from server import Target, WrongAnswer
from wire import Imap, Pop3, Smtp

Figures = dict[str, float]
RECIPIENTS = slice(0, 80)
POP3_USERS = slice(80, 90)
BIG = 90
LOGINS = slice(91, 100)
FETCHES = {
    "flags": b"FETCH 1:* (FLAGS)",
    "size": b"FETCH 1:* (UID RFC822.SIZE INTERNALDATE)",
    "envelope": b"FETCH 1:* (ENVELOPE)",
    "structure": b"FETCH 1:* (BODYSTRUCTURE)",
    "fields": b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID Content-Type References)])",
    "body": b"FETCH 1:* (BODY.PEEK[])",
}
SEARCHES: dict[str, tuple[bytes, Callable[[int], bool]]] = {
    "from": (b'SEARCH FROM "s42@elsewhere"', lambda number: number % 97 == 42),
    "field": (b'SEARCH HEADER X-Bench "42 "', lambda number: number % 100 == 42),
    "sent": (b"SEARCH SENTBEFORE 5-Jan-2025", lambda number: number < 4 * 288),
    "body": (b'SEARCH BODY "%b"' % NEEDLE, lambda number: number % 100 == 42),
    "everywhere": (b'SEARCH BODY "lazy dog"', lambda number: True),
}
WARMING_SECONDS = 60.0


@dataclass
class Bench:
    """What the cases share. `deliveries`, `messages` (in the big mailbox) and `idlers` are how much is done."""

    target: Target
    deliveries: int = 2000
    messages: int = 10_000
    pop3_messages: int = 200
    idlers: int = 500
    next_number: int = field(default=0)

    @contextmanager
    def cpu(self, figures: Figures, operations: int) -> Iterator[None]:
        """Note the server's CPU microseconds per operation of the block."""
        before = self.target.cpu_seconds()
        yield
        if self.target.pids:
            figures["cpu_us"] = 1e6 * (self.target.cpu_seconds() - before) / operations

    async def imap(self, user: int) -> Imap:
        """A logged-in IMAP connection."""
        client = await Imap.connect(self.target)
        await client.login(self.target.users[user])
        return client


async def side_by_side(connections: int, jobs: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Run jobs, `connections` at a time."""
    waiting = iter(jobs)

    async def worker() -> None:
        for job in waiting:
            await job()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())


# ---------------------------------------------------------------------------------------------------------------- set-up


async def fill(bench: Bench, user: int, wanted: int) -> None:
    """Bring an INBOX to `wanted` messages by APPEND, if it is not there yet."""
    client = await bench.imap(user)
    have = await client.count()
    client.close()
    if have > wanted:
        raise WrongAnswer(f"{bench.target.users[user][0]} holds {have} messages: start anew")

    async def batch(numbers: range) -> None:
        writer = await bench.imap(user)
        await writer.append([message(number) for number in numbers])
        writer.close()

    parts = (range(first, min(first + 100, wanted)) for first in range(have, wanted, 100))
    await side_by_side(4, (lambda part=part: batch(part) for part in parts))


async def prepare(bench: Bench) -> None:
    """Fill the mailboxes that are read."""
    await fill(bench, BIG, bench.messages)
    for user in range(POP3_USERS.start, POP3_USERS.stop):
        await fill(bench, user, bench.pop3_messages)


# ----------------------------------------------------------------------------------------------------------------- cases


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

    async def deliver(first: int) -> None:
        client = await Smtp.connect(bench.target)
        for number in range(first, first + share):
            address = recipients[number % len(recipients)][0]
            await client.send("sender@elsewhere.test", address, stuffed(message(number)))
        await client.quit()

    begin = bench.next_number
    bench.next_number += share * 10
    with bench.cpu(figures, share * 10):
        start = time.monotonic()
        await asyncio.gather(*(deliver(begin + n * share) for n in range(10)))
        figures["per_s"] = share * 10 / (time.monotonic() - start)
    arrived = await _counts(bench) - before
    if arrived != share * 10:
        raise WrongAnswer(f"{share * 10} messages accepted, {arrived} arrived")
    return figures


async def submission(bench: Bench) -> Figures:
    """4 KB messages for elsewhere over ten connections that have logged in, until the last 250: what the queue takes."""
    share = bench.deliveries // 10
    figures: Figures = {}
    clients = [await Smtp.connect(bench.target) for _ in range(10)]
    for client, user in zip(clients, bench.target.users[LOGINS.start :] + bench.target.users, strict=False):
        await client.log_in(user)

    async def submit(client: Smtp, first: int) -> None:
        for number in range(first, first + share):
            await client.send("sender@example.test", f"r{number}@elsewhere.test", stuffed(message(number)))
        await client.quit()

    begin = bench.next_number
    bench.next_number += share * 10
    with bench.cpu(figures, share * 10):
        start = time.monotonic()
        await asyncio.gather(*(submit(client, begin + n * share) for n, client in enumerate(clients)))
        figures["per_s"] = share * 10 / (time.monotonic() - start)
    return figures


async def _counts(bench: Bench) -> int:
    """Messages in all recipients' mailboxes."""
    total = 0
    for user in range(RECIPIENTS.start, RECIPIENTS.stop):
        client = await bench.imap(user)
        total += await client.count()
        client.close()
    return total


async def pop3_retr(bench: Bench) -> Figures:
    """Ten clients fetch all their messages, one after another."""
    figures: Figures = {}
    total = bench.pop3_messages * 10

    async def fetch_all(user: tuple[str, str]) -> None:
        client = await Pop3.connect(bench.target)
        if await client.login(user) != bench.pop3_messages:
            raise WrongAnswer("pop3: wrong number of messages")
        for number in range(1, bench.pop3_messages + 1):
            text = await client.fetch(f"RETR {number}")
            if number % 50 == 1 and not is_whole(unstuffed(text)):
                raise WrongAnswer("pop3: a message came back changed")
        await client.quit()

    with bench.cpu(figures, total):
        start = time.monotonic()
        await asyncio.gather(*(fetch_all(user) for user in bench.target.users[POP3_USERS]))
        figures["per_s"] = total / (time.monotonic() - start)
    return figures


async def pop3_check(bench: Bench) -> Figures:
    """Checks for new mail (login, STAT, UIDL, QUIT), ten clients at once."""
    figures: Figures = {}
    users = bench.target.users[POP3_USERS]

    async def check(user: tuple[str, str]) -> None:
        for _ in range(20):
            client = await Pop3.connect(bench.target)
            await client.login(user)
            await client.fetch("UIDL")
            await client.quit()

    with bench.cpu(figures, 200):
        start = time.monotonic()
        await asyncio.gather(*(check(user) for user in users))
        figures["per_s"] = 200 / (time.monotonic() - start)
    return figures


async def imap_login(bench: Bench) -> Figures:
    """Logins of users that logged in before, ten connections at once."""
    figures: Figures = {}
    for user in range(LOGINS.start, LOGINS.stop):
        (await bench.imap(user)).close()

    async def log_in(number: int) -> None:
        client = await bench.imap(LOGINS.start + number % 9)
        await client.say(b"LOGOUT")
        client.close()

    with bench.cpu(figures, 300):
        start = time.monotonic()
        await side_by_side(10, (lambda number=number: log_in(number) for number in range(300)))
        figures["per_s"] = 300 / (time.monotonic() - start)
    return figures


async def imap_select(bench: Bench) -> Figures:
    """SELECT of the big mailbox, in new sessions."""
    times = []
    for _ in range(9):
        client = await bench.imap(BIG)
        start = time.monotonic()
        if await client.select() != bench.messages:
            raise WrongAnswer("imap: wrong number of messages")
        times.append(time.monotonic() - start)
        client.close()
    return {"ms": 1000 * statistics.median(times)}


def imap_fetch(what: str) -> Callable[[Bench], Awaitable[Figures]]:
    """FETCH of all messages of the big mailbox."""

    async def case(bench: Bench) -> Figures:
        client = await bench.imap(BIG)
        await client.select()
        figures: Figures = {}
        times = []
        rounds = 1 if what == "body" else 5
        with bench.cpu(figures, bench.messages * rounds):
            for _ in range(rounds):
                start = time.monotonic()
                text = await client.say(FETCHES[what])
                times.append(time.monotonic() - start)
        _check_fetch(what, text, bench.messages)
        client.close()
        return {"per_s": bench.messages / statistics.median(times), **figures}

    case.__doc__ = f"{FETCHES[what].decode()} of the big mailbox, messages a second."
    return case


def _check_fetch(what: str, text: bytes, wanted: int) -> None:
    if len(re.findall(rb"(?m)^\* \d+ FETCH ", text)) != wanted:
        raise WrongAnswer(f"imap: {what} did not answer for every message")
    if what == "body":
        for literal in list(re.finditer(rb"BODY\[\] \{(\d+)\}\r\n", text))[:: max(1, wanted // 100)]:
            if not is_whole(text[literal.end() : literal.end() + int(literal[1])]):
                raise WrongAnswer("imap: a message came back changed")


def imap_search(what: str) -> Callable[[Bench], Awaitable[Figures]]:
    """SEARCH of the big mailbox."""

    async def case(bench: Bench) -> Figures:
        program, matches = SEARCHES[what]
        client = await bench.imap(BIG)
        await client.select()
        cold = await _timed(client, program)
        await _warm(client, program, cold)
        figures: Figures = {"cold_ms": 1000 * cold}
        times = []
        with bench.cpu(figures, 5 * bench.messages):
            for _ in range(5):
                start = time.monotonic()
                found = (await client.say(program)).partition(b"\r\n")[0].split()[2:]
                times.append(time.monotonic() - start)
        client.close()
        if len(found) != sum(map(matches, range(bench.messages))):
            raise WrongAnswer(f"imap: {len(found)} messages found by {program!r}")
        return {"ms": 1000 * statistics.median(times), **figures}

    case.__doc__ = f"{SEARCHES[what][0].decode()} in the big mailbox: the first one, and later ones."
    return case


async def _timed(client: Imap, command: bytes) -> float:
    start = time.monotonic()
    await client.say(command)
    return time.monotonic() - start


async def _warm(client: Imap, program: bytes, cold: float) -> None:
    """Wait while a server that makes an index by the way is at it: until searching is no longer getting quicker."""
    if cold < 0.05:
        return
    best, since = cold, time.monotonic()
    while time.monotonic() - since < min(WARMING_SECONDS, 20 * cold):
        await asyncio.sleep(cold)
        took = await _timed(client, program)
        if took < 0.9 * best:
            best, since = took, time.monotonic()


async def imap_append(bench: Bench) -> Figures:
    """APPEND of 4 KB, one connection, each answered before the next."""
    figures: Figures = {}
    client = await bench.imap(LOGINS.start)
    with bench.cpu(figures, 300):
        start = time.monotonic()
        for number in range(300):
            await client.append([message(number)])
        figures["per_s"] = 300 / (time.monotonic() - start)
    client.close()
    return figures


async def idle(bench: Bench) -> Figures:
    """Memory of the server per connection in IDLE, and how soon after the final dot its client is told of a message."""
    users = RECIPIENTS.stop
    fresh = await asyncio.to_thread(bench.target.restart)
    for user in range(users):
        client = await bench.imap(user)
        await client.select()
        client.close()
    await asyncio.sleep(1)
    before = bench.target.memory_kb()
    clients: list[Imap] = []

    async def begin(number: int) -> None:
        client = await bench.imap(number % users)
        await client.select()
        await client.idle()
        clients.append(client)

    await side_by_side(10, (lambda number=number: begin(number) for number in range(bench.idlers)))
    await asyncio.sleep(1)
    figures: Figures = {}
    if bench.target.pids and fresh:
        figures["kb_each"] = (bench.target.memory_kb() - before) / bench.idlers
    if "smtp" in bench.target.ports:
        figures["accepted_ms"], figures["notified_ms"] = await _notification(bench)
    for client in clients:
        client.close()
    return figures


async def _notification(bench: Bench) -> tuple[float, float]:
    """Milliseconds from the final dot to the 250, and to the notification: medians of 20 messages."""
    listener = await bench.imap(LOGINS.start + 1)
    await listener.select()
    await listener.idle()
    sender = await Smtp.connect(bench.target)
    address = bench.target.users[LOGINS.start + 1][0]
    accepted, notified = [], []
    for number in range(20):
        heard = asyncio.ensure_future(listener.heard(b" EXISTS"))
        heard.add_done_callback(lambda _: notified.append(time.monotonic() - sender.dotted))
        await sender.send("sender@elsewhere.test", address, stuffed(message(number)))
        accepted.append(time.monotonic() - sender.dotted)
        await heard
        await asyncio.sleep(0)
    await sender.quit()
    listener.close()
    return 1000 * statistics.median(accepted), 1000 * statistics.median(notified)


CASES: dict[str, Callable[[Bench], Awaitable[Figures]]] = {
    "limits": limits,
    "delivery": delivery,
    "submission": submission,
    "pop3_retr": pop3_retr,
    "pop3_check": pop3_check,
    "imap_login": imap_login,
    "imap_select": imap_select,
    **{f"imap_fetch_{what}": imap_fetch(what) for what in FETCHES},
    **{f"imap_search_{what}": imap_search(what) for what in SEARCHES},
    "imap_append": imap_append,
    "idle": idle,
}
