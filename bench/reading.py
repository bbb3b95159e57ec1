"""Figures of what reads by IMAP: LOGIN, SELECT, FETCH, SEARCH, STATUS, and a whole session as a mail program has it."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Callable

from samples import NEEDLE, is_whole
from server import WrongAnswer
from wire import Imap, Smtp
from work import LOGINS, READERS, READERS_MESSAGES, SIZES, Bench, Case, Figures, side_by_side

FETCHES = {
    "flags": b"FETCH 1:* (FLAGS)",
    "uid_flags": b"FETCH 1:* (UID FLAGS)",
    "size": b"FETCH 1:* (UID RFC822.SIZE INTERNALDATE)",
    "envelope": b"FETCH 1:* (ENVELOPE)",
    "structure": b"FETCH 1:* (BODYSTRUCTURE)",
    "fields": b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date Message-ID Content-Type References)])",
    "body": b"FETCH 1:* (BODY.PEEK[])",
}
SEARCHES: dict[str, tuple[bytes, Callable[[int], bool]]] = {
    "from": (b'FROM "s42@elsewhere"', lambda number: number % 97 == 42),
    "field": (b'HEADER X-Bench "42 "', lambda number: number % 100 == 42),
    "sent": (b"SENTBEFORE 5-Jan-2025", lambda number: number < 4 * 288),
    "since": (b"SINCE 3-Jan-2025 BEFORE 5-Jan-2025", lambda number: 2 * 288 <= number < 4 * 288),
    "body": (b'BODY "%b"' % NEEDLE, lambda number: number % 100 == 42),
    "everywhere": (b'BODY "lazy dog"', lambda number: True),
}
WARMING_SECONDS = 60.0
SELECTS = 100
LOGIN_COUNT = 300
SESSIONS = 100
PROGRAM_FIELDS = b"From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To"


async def login(bench: Bench) -> Figures:
    """Logins of users that logged in before, ten connections at once."""
    figures: Figures = {}
    for user in LOGINS:
        (await bench.imap(user)).close()

    async def log_in(user: int) -> None:
        client = await bench.imap(user)
        await client.say(b"LOGOUT")
        client.close()

    users = (LOGINS[at % len(LOGINS)] for at in range(LOGIN_COUNT))
    with bench.counted(figures, LOGIN_COUNT):
        await side_by_side(10, (lambda user=user: log_in(user) for user in users))
    return figures


async def _selected(client: Imap, size: str) -> float:
    """Open a big mailbox; how long it took."""
    start = time.monotonic()
    if await client.select() != SIZES[size][1]:
        raise WrongAnswer("imap: wrong number of messages")
    return time.monotonic() - start


def select(size: str) -> Case:
    """SELECT of a mailbox in new sessions."""

    async def case(bench: Bench) -> Figures:
        clients = [await bench.imap(SIZES[size][0]) for _ in range(SELECTS)]
        figures: Figures = {}
        await _selected(clients[0], size)
        with bench.cpu(figures, SELECTS):
            times = [await _selected(client, size) for client in clients]
        for client in clients:
            client.close()
        return {"per_s": 1 / statistics.median(times), **figures}

    return case


def cold(size: str) -> Case:
    """LOGIN and SELECT of a server that has just begun, and of one that knows only the Maildir: of LOGIN too, for there a server may do
    its work as well. That the password is right it knows by then from SMTP."""

    async def fresh(bench: Bench, what: str, *without_index: str) -> Figures:
        user = bench.target.users[SIZES[size][0]]
        await asyncio.to_thread(bench.target.restart, *without_index)
        if "smtp" in bench.target.ports:
            sender = await Smtp.connect(bench.target)
            await sender.log_in(user)
            await sender.quit()
        client = await Imap.connect(bench.target)
        await bench.rest()
        before, start = bench.target.cpu_seconds(), time.monotonic()
        await client.login(user)
        await _selected(client, size)
        took, cost = time.monotonic() - start, bench.target.cpu_seconds() - before
        client.close()
        await bench.rest()
        return {f"{what}_ms": 1000 * took, f"{what}_cpu_ms": 1000 * cost}

    async def case(bench: Bench) -> Figures:
        if not bench.target.restart_words:
            return {}
        without = await fresh(bench, "bare", bench.target.users[SIZES[size][0]][0])
        return without | await fresh(bench, "restarted")

    return case


def fetch(what: str) -> Case:
    """FETCH of all messages of the big mailbox, messages a second."""

    async def case(bench: Bench) -> Figures:
        user, held = SIZES[bench.big]
        client = await bench.imap(user)
        await _selected(client, bench.big)
        _check_fetch(what, await client.say(FETCHES[what]), held)

        async def step() -> None:
            if (await client.say(FETCHES[what])).count(b" FETCH (") != held:
                raise WrongAnswer(f"imap: {what} did not answer for every message")

        figures = await bench.repeated(step, held)
        client.close()
        return figures

    return case


def _check_fetch(what: str, text: bytes, wanted: int) -> None:
    if len(re.findall(rb"(?m)^\* \d+ FETCH ", text)) != wanted:
        raise WrongAnswer(f"imap: {what} did not answer for every message")
    if "flags" in what and text.count(b"FLAGS (") != wanted:
        raise WrongAnswer("imap: flags are missing")
    if what == "uid_flags":
        uids = [int(uid) for uid in re.findall(rb"UID (\d+)", text)]
        if len(uids) != wanted or uids != sorted(set(uids)):
            raise WrongAnswer("imap: UIDs do not rise")
    if what == "envelope" and len(set(re.findall(rb"<bench-(\d+)@elsewhere\.test>", text))) != wanted:
        raise WrongAnswer("imap: wrong Message-IDs in the envelopes")
    if what == "fields" and len(set(re.findall(rb"(?mi)^Subject: Message (\d+) about", text))) != wanted:
        raise WrongAnswer("imap: wrong header fields")
    if what == "body":
        _check_bodies(text, max(1, wanted // 100))


def _check_bodies(text: bytes, each: int = 1) -> None:
    literals = list(re.finditer(rb"BODY\[\] \{(\d+)\}\r\n", text))
    for literal in literals[::each]:
        if not is_whole(text[literal.end() : literal.end() + int(literal[1])]):
            raise WrongAnswer("imap: a message came back changed")
    if not literals:
        raise WrongAnswer("imap: no message came back")


def newest(size: str) -> Case:
    """The newest 50 messages of a mailbox that holds so many, as a mail program that opens it asks for them."""

    async def case(bench: Bench) -> Figures:
        user, held = SIZES[size]
        client = await bench.imap(user)
        await _selected(client, size)

        async def step() -> None:
            text = await client.say(b"FETCH %d:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)" % (held - 49))
            if text.count(b" FETCH (") != 50 or b"<bench-%d@" % (held - 1) not in text:
                raise WrongAnswer("imap: not the newest 50")

        figures = await bench.repeated(step)
        client.close()
        return figures

    return case


def search(what: str) -> Case:
    """SEARCH of the big mailbox: the first one, and later ones, a second."""

    async def case(bench: Bench) -> Figures:
        program, matches = SEARCHES[what]
        user, held = SIZES[bench.big]
        right = [number + 1 for number in range(held) if matches(number)]
        client = await bench.imap(user)
        await _selected(client, bench.big)

        async def step() -> None:
            if await client.found(program) != right:
                raise WrongAnswer(f"imap: SEARCH {program!r} does not find what is there")

        start = time.monotonic()
        await step()
        cold = time.monotonic() - start
        await _warm(client, b"SEARCH " + program, cold)
        figures = await bench.repeated(step)
        client.close()
        return {**figures, "cold_ms": 1000 * cold}

    return case


async def _warm(client: Imap, command: bytes, cold: float) -> None:
    """Wait while a server that makes an index by the way is at it: until searching is no longer getting quicker."""
    if cold < 0.05:
        return
    best, since = cold, time.monotonic()
    while time.monotonic() - since < min(WARMING_SECONDS, 20 * cold):
        await asyncio.sleep(cold)
        start = time.monotonic()
        await client.say(command)
        took = time.monotonic() - start
        if took < 0.9 * best:
            best, since = took, time.monotonic()


async def status(bench: Bench) -> Figures:
    """STATUS of a folder that is not open, as programs ask of every folder every few minutes."""
    client = await bench.imap(READERS[0])

    async def step() -> None:
        if b"MESSAGES %d" % READERS_MESSAGES not in await client.say(b"STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"):
            raise WrongAnswer("imap: wrong STATUS")

    figures = await bench.repeated(step)
    client.close()
    return figures


async def _program(bench: Bench, user: int) -> None:
    """What Thunderbird asks when it opens a folder of 1,000: the lists, all flags, 50 headers, three messages, an answered one, counts."""
    client = await Imap.connect(bench.target)
    await client.say(b"CAPABILITY")
    await client.login(bench.target.users[user])
    await client.say(b'LIST "" "*"')
    await client.say(b'LSUB "" "*"')
    await client.select()
    flags = await client.say(b"UID FETCH 1:* (FLAGS)")
    uids = re.findall(rb"UID (\d+)", flags)
    if len(uids) != READERS_MESSAGES or rb"\Answered" in flags:
        raise WrongAnswer("imap: wrong flags")
    items = b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (%b)])" % PROGRAM_FIELDS
    if (await client.say(b"UID FETCH %b:%b %b" % (uids[-50], uids[-1], items))).count(b" FETCH (") != 50:
        raise WrongAnswer("imap: wrong headers")
    for uid in uids[-3:]:
        _check_bodies(await client.say(b"UID FETCH %b (UID RFC822.SIZE BODY.PEEK[])" % uid))
    for change in (b"+", b"-"):
        await client.say(b"UID STORE %b %bFLAGS (\\Answered)" % (uids[-1], change))
    for folder in (b"Sent", b"Trash", b"Drafts"):
        await client.say(b"STATUS %b (UIDNEXT MESSAGES UNSEEN RECENT)" % folder)
    await client.say(b"NOOP")
    await client.say(b"LOGOUT")
    client.close()


async def session(bench: Bench) -> Figures:
    """Whole sessions of a mail program, ten side by side, each in a mailbox of its own."""
    figures: Figures = {}

    async def sessions(user: int) -> None:
        for _ in range(SESSIONS // len(READERS)):
            await _program(bench, user)

    with bench.counted(figures, SESSIONS):
        await asyncio.gather(*(sessions(user) for user in READERS))
    return figures


CASES: dict[str, Case] = {
    "login": login,
    **{f"select_{size}": select(size) for size in SIZES},
    **{f"newest_{size}": newest(size) for size in SIZES},
    **{f"fetch_{what}": fetch(what) for what in FETCHES},
    **{f"search_{what}": search(what) for what in SEARCHES},
    "status": status,
    "session": session,
}
COLD: dict[str, Case] = {f"cold_{size}": cold(size) for size in SIZES}
