"""What all cases share: the servers' users and who is for what, how mailboxes are filled, and how work is counted."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from samples import internal_date, message
from server import Target, WrongAnswer
from wire import Imap

Figures = dict[str, float]
RECIPIENTS = slice(0, 80)
READERS = range(80, 90)
READERS_MESSAGES = 1000
SIZES = {"1k": (91, 1000), "10k": (90, 10_000), "100k": (92, 100_000)}
LOGINS = range(93, 98)
CHANGED = 98
PUSHED = 99
LEAST_SECONDS = 0.5
RESTS = 120
YOUNG_SECONDS = 4.0  # so long after its last change a server may look at a Maildir again at each SELECT


@dataclass
class Bench:
    """One server under test. `sizes` names the big mailboxes that are there, `big` the one that FETCH and SEARCH read."""

    target: Target
    deliveries: int = 2000
    sizes: tuple[str, ...] = ("1k", "10k")
    big: str = "10k"
    next_number: int = field(default=0)

    @contextmanager
    def cpu(self, figures: Figures, operations: int) -> Iterator[None]:
        """Note the server's CPU microseconds per operation of the block."""
        before = self.target.cpu_seconds()
        yield
        if self.target.pids:
            figures["cpu_us"] = 1e6 * (self.target.cpu_seconds() - before) / operations

    @contextmanager
    def counted(self, figures: Figures, operations: int) -> Iterator[None]:
        """The same, and how many a second."""
        with self.cpu(figures, operations):
            start = time.monotonic()
            yield
            figures["per_s"] = operations / (time.monotonic() - start)

    async def repeated(self, step: Callable[[], Awaitable[None]], operations: int = 1) -> Figures:
        """The median of a step that does so many operations, done again and again for a while; CPU of all of them."""
        times: list[float] = []
        before, begin = self.target.cpu_seconds(), time.monotonic()
        while len(times) < 3 or time.monotonic() - begin < LEAST_SECONDS:
            start = time.monotonic()
            await step()
            times.append(time.monotonic() - start)
        figures = {"per_s": operations / statistics.median(times)}
        if self.target.pids:
            figures["cpu_us"] = 1e6 * (self.target.cpu_seconds() - before) / operations / len(times)
        return figures

    async def rest(self) -> None:
        """Wait until the server has done what it does by the way, such as indexes of what came."""
        for _ in range(RESTS):
            before = self.target.cpu_seconds()
            await asyncio.sleep(1)
            if self.target.cpu_seconds() - before < 0.05:
                return

    async def imap(self, user: int, tls: bool = False) -> Imap:
        """A logged-in IMAP connection."""
        client = await Imap.connect(self.target, tls)
        await client.login(self.target.users[user])
        return client

    def numbers(self, count: int) -> range:
        """Of messages that have not been sent yet."""
        first = self.next_number
        self.next_number += count
        return range(first, first + count)


Case = Callable[[Bench], Awaitable[Figures]]


async def side_by_side(connections: int, jobs: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Run jobs, `connections` at a time."""
    waiting = iter(jobs)

    async def worker() -> None:
        for job in waiting:
            await job()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())


async def fill(bench: Bench, user: int, wanted: int) -> None:
    """Bring an INBOX to `wanted` messages by APPEND, if it is not there yet: message n is the one of that number, and as old."""
    client = await bench.imap(user)
    have = await client.count()
    client.close()
    if have > wanted:
        raise WrongAnswer(f"{bench.target.users[user][0]} holds {have} messages: start anew")
    writer = await bench.imap(user)
    for first in range(have, wanted, 100):
        batch = range(first, min(first + 100, wanted))
        await writer.append_all([(message(number), internal_date(number)) for number in batch])
    writer.close()


async def prepare(bench: Bench, cases: Iterable[str]) -> None:
    """Fill the mailboxes that these cases read."""
    wanted: dict[int, int] = {}
    for case in cases:
        if case.startswith(("pop3", "session", "status")):
            wanted |= dict.fromkeys(READERS, READERS_MESSAGES)
        size = bench.big if case.startswith(("fetch", "search")) else case.rpartition("_")[2]
        if size in SIZES and not case.startswith("idle"):
            wanted |= dict([SIZES[size]])
    order = sorted(wanted.items(), key=lambda item: -item[1])
    await side_by_side(4, (lambda user=user, count=count: fill(bench, user, count) for user, count in order))
    await asyncio.sleep(YOUNG_SECONDS)
    await bench.rest()
