"""How much one customer may send to other hosts: a stolen password must not make us a spammer (LIMITS, Relaying and sending)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from hostmail.checks.responsible import OPERATOR, Responsible
from hostmail.errors import TooMany
from hostmail.sql.cachefile import CacheFile

SLOT_SECONDS = 300
SLOTS_AN_HOUR = 3600 // SLOT_SECONDS
SLOTS_A_DAY = 24 * SLOTS_AN_HOUR
PATIENCE = 10

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counts (
    key TEXT NOT NULL, slot INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (key, slot)
) WITHOUT ROWID;
"""
_SUMS = "SELECT coalesce(sum(count) FILTER (WHERE slot > ?), 0), coalesce(sum(count), 0) FROM counts WHERE key = ? AND slot > ?"
_ADD = "INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1"


class Verdict(Enum):
    """What becomes of one recipient more."""

    SEND = "sent"
    REFUSE = "refused"
    HOLD = "held"


def judge(refused_in_hour: int, held_in_day: int, most_held: int) -> Verdict:
    """Beyond the limits a burst is refused for now, so that a mail program's user notices, and an honest server slows
    down; whoever goes on is given the impression of success, and his mail waits for somebody to look at it. That, too, has an end.
    """
    if refused_in_hour < PATIENCE or held_in_day >= most_held:
        return Verdict.REFUSE
    return Verdict.HOLD


class SendingRates:
    """Counts the recipients elsewhere that each account has named in the last hour and the last day, to the nearest five minutes.

    What is sent by an account's relay grant counts for the account, and for the client's address, which may have half of what an
    account may: whoever shares that address shares the grant. What the operator opened by hand is not counted. Counters are in a file
    that all processes share, and outlast them. `now` is Unix time.
    """

    def __init__(self, *, path: Path, now: Callable[[], float], per_hour: int, per_day: int) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA)
        self._now = now
        self._per_hour = per_hour
        self._per_day = per_day
        self._swept = 0

    def count(self, responsible: Responsible, ip: str) -> bool:
        """One recipient more; True if its mail is to be held. Raises TooMany, and TemporaryFailure if the counters cannot be read."""
        if responsible.account_id == OPERATOR:
            return False
        slot = int(self._now() // SLOT_SECONDS)
        account = responsible.account_id
        shares = [(f"account {account}", 1)]
        if responsible.how == "grant":
            shares.append((f"client {ip}", 2))
        with self._file.writing() as connection:
            self._sweep(connection, slot)
            excess = next((words for key, share in shares if (words := self._excess(connection, key, share, slot))), "")
            verdict = self._verdict(connection, account, slot) if excess else Verdict.SEND
            keys = [key for key, _ in shares] if verdict is Verdict.SEND else [f"{verdict.value} {account}"]
            connection.executemany(_ADD, [(key, slot) for key in keys])
        if verdict is Verdict.REFUSE:
            words = f"you have sent to {excess}: please go on later, or ask your provider"
            raise TooMany(words, "sending limit", code=452, enhanced="4.7.1")
        return verdict is Verdict.HOLD

    def _verdict(self, connection: sqlite3.Connection, account: int, slot: int) -> Verdict:
        """On one who has reached his limit."""
        refused, _ = _sums(connection, f"refused {account}", slot)
        _, held = _sums(connection, f"held {account}", slot)
        return judge(refused, held, self._per_day)

    def claim_notice(self, account_id: int) -> bool:
        """True once a day: somebody has to be told that mail of this account is held."""
        slot, key = int(self._now() // SLOT_SECONDS), f"noticed {account_id}"
        with self._file.writing() as connection:
            _, noticed = _sums(connection, key, slot)
            if not noticed:
                connection.execute(_ADD, (key, slot))
        return not noticed

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _excess(self, connection: sqlite3.Connection, key: str, share: int, slot: int) -> str:
        """Which limit is reached, in words; "" if none is."""
        recent, today = _sums(connection, key, slot)
        if recent >= max(self._per_hour // share, 1):
            return f"{recent} recipients within an hour"
        return f"{today} recipients within a day" if today >= max(self._per_day // share, 1) else ""

    def _sweep(self, connection: sqlite3.Connection, slot: int) -> None:
        """Forget what is older than a day, once in five minutes."""
        if slot != self._swept:
            self._swept = slot
            connection.execute("DELETE FROM counts WHERE slot <= ?", (slot - SLOTS_A_DAY,))


def _sums(connection: sqlite3.Connection, key: str, slot: int) -> tuple[int, int]:
    """How many in the last hour, and in the last day."""
    hour, day = connection.execute(_SUMS, (slot - SLOTS_AN_HOUR, key, slot - SLOTS_A_DAY)).fetchone()
    return hour, day
