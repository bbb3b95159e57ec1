"""Figures of mail that is handed in by submission and sent on at once, to a server that takes everything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from samples import is_whole, message, stuffed, unstuffed
from server import WrongAnswer
from wire import Smtp
from work import Bench, Case, Figures, side_by_side

CONNECTIONS = USERS = 10
DOMAINS = 20
FEATURES = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-CHUNKING\r\n250 8BITMIME\r\n"
ANSWERS = {b"EHLO": FEATURES, b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}


class Sink(asyncio.Protocol):
    """One connection of the server that sends on. `took` hears of each message: its recipient and its octets.

    While it lasts it is among `connections`.
    """

    def __init__(self, took: Callable[[str, bytes], None], connections: set[asyncio.Transport]) -> None:
        self._took = took
        self._connections = connections
        self._held = b""
        self._recipient = ""
        self._in_message = False
        self._chunk: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)
        transport.write(b"220 sink.test ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._held += data
        answers = b""
        while True:
            if self._chunk is not None:
                if len(self._held) < self._chunk:
                    break
                answers += self._end_of_chunk(self._chunk)
                continue
            end = b"\r\n.\r\n" if self._in_message else b"\r\n"
            piece, found, rest = self._held.partition(end)
            if not found:
                break
            self._held = rest
            answers += self._end_of(piece) if self._in_message else self._answer(piece)
        if answers:
            self._transport.write(answers)

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
        self._in_message = verb == b"DATA"
        if verb == b"BDAT":
            size, _last = line.split()[1:]
            self._chunk = int(size)
            return b""
        return ANSWERS.get(verb, b"250 2.0.0 ok\r\n")

    def _end_of_chunk(self, size: int) -> bytes:
        """Messages of this size come in one."""
        text, self._held, self._chunk = self._held[:size], self._held[size:], None
        self._took(self._recipient, text)
        return b"250 2.0.0 taken\r\n"

    def _end_of(self, text: bytes) -> bytes:
        self._in_message = False
        self._took(self._recipient, unstuffed(text) + b"\r\n")
        return b"250 2.0.0 taken\r\n"


class Submission(Smtp):
    """By the submission port, over TLS from the first octet on or without."""

    service = "submission"


async def _log_in_once(bench: Bench) -> None:
    """Passwords are hashed on purpose slowly; here it is known users who send."""
    for user in bench.target.users[:USERS]:
        client = await Submission.connect(bench.target)
        await client.log_in(user)
        await client.quit()


async def relay(bench: Bench, tls: bool, each: int) -> Figures:
    """Messages of 4 KB by ten clients, `each` by one connection that logs in; timed until the next server has all of them."""
    count = bench.deliveries // 10 // each * 10 * each
    numbers = bench.numbers(count)
    wanted = Counter(f"r{number}@far{number % DOMAINS}.test" for number in numbers)
    arrived: Counter[str] = Counter()
    everything = asyncio.Event()

    def took(recipient: str, text: bytes) -> None:
        if not is_whole(text):
            raise WrongAnswer(f"the message to {recipient} was changed on its way")
        arrived[recipient] += 1
        if arrived.total() >= count:
            everything.set()

    async def submit(part: range) -> None:
        client = await Submission.connect(bench.target, tls)
        user = bench.target.users[part[0] % USERS] if bench.target.users else None
        if user:
            await client.log_in(user)
        for number in part:
            sender = user[0] if user else "sender@example.test"
            await client.send(sender, f"r{number}@far{number % DOMAINS}.test", stuffed(message(number)))
        await client.quit()

    jobs: list[Callable[[], Awaitable[None]]] = [
        partial(submit, numbers[at : at + each]) for at in range(0, count, each)
    ]
    figures: Figures = {}
    connections: set[asyncio.Transport] = set()
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(lambda: Sink(took, connections), "127.0.0.1", bench.target.sink)
    await _log_in_once(bench)
    try:
        with bench.counted(figures, count):
            await side_by_side(CONNECTIONS, jobs)
            await everything.wait()
    finally:
        sink.close()
        for connection in list(connections):
            connection.close()
        await bench.rest()
    if arrived != wanted:
        raise WrongAnswer(f"{count} messages were handed in, {arrived.total()} came to {len(arrived)} recipients")
    return figures


CASES: dict[str, Case] = {
    "relay": partial(relay, tls=False, each=40),
    "relay_tls": partial(relay, tls=True, each=1),
}
