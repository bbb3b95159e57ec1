"""Figures of POP3, plain and over TLS."""

from __future__ import annotations

import asyncio
from functools import partial

from samples import is_whole, unstuffed
from server import WrongAnswer
from wire import Pop3
from work import READERS, READERS_MESSAGES, Bench, Case, Figures

CHECKS_EACH = 20


async def _logged_in(bench: Bench, user: int, tls: bool) -> Pop3:
    """A session that has asked for the unique-ids, as all of them do."""
    client = await Pop3.connect(bench.target, tls)
    if await client.login(bench.target.users[user]) != READERS_MESSAGES:
        raise WrongAnswer("pop3: wrong number of messages")
    lines = (await client.fetch("UIDL")).splitlines()
    if len(lines) != READERS_MESSAGES or len({line.split()[1] for line in lines}) != READERS_MESSAGES:
        raise WrongAnswer("pop3: wrong unique-ids")
    return client


async def retr(bench: Bench, tls: bool = False) -> Figures:
    """Ten clients log in, ask for the unique-ids, and fetch all their messages, one after another."""
    figures: Figures = {}

    async def fetch_all(user: int) -> None:
        client = await _logged_in(bench, user, tls)
        for number in range(1, READERS_MESSAGES + 1):
            text = await client.fetch(f"RETR {number}")
            if number % 50 == 1 and not is_whole(unstuffed(text)):
                raise WrongAnswer("pop3: a message came back changed")
        await client.quit()

    with bench.counted(figures, READERS_MESSAGES * len(READERS)):
        await asyncio.gather(*(fetch_all(user) for user in READERS))
    return figures


async def check(bench: Bench, tls: bool = False) -> Figures:
    """Looks for new mail (login, STAT, UIDL, QUIT), ten clients at once."""
    figures: Figures = {}

    async def look(user: int) -> None:
        for _ in range(CHECKS_EACH):
            await (await _logged_in(bench, user, tls)).quit()

    with bench.counted(figures, CHECKS_EACH * len(READERS)):
        await asyncio.gather(*(look(user) for user in READERS))
    return figures


CASES: dict[str, Case] = {
    "pop3_check": check,
    "pop3_check_tls": partial(check, tls=True),
    "pop3_retr": retr,
    "pop3_retr_tls": partial(retr, tls=True),
}
