"""What became of each message, kept for a while so that anybody who asks "where is my mail?" gets its story."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.errors import Refusal
from hostmail.interfaces import Happened, IHistory, InThread, MailFact
from hostmail.sql.cachefile import CacheFile

FLUSH_SECONDS, FLUSH_AT = 1.0, 500
MOST_WAITING = 50_000
MOST_WORDS = 500
FORGET_EVERY, FORGET_AT_ONCE = 50_000, 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    what TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS facts_message ON facts (queue_id) WHERE queue_id != '';
CREATE INDEX IF NOT EXISTS facts_message_id ON facts (message_id) WHERE message_id != '';
CREATE INDEX IF NOT EXISTS facts_sender ON facts (lower(sender)) WHERE sender != '';
CREATE INDEX IF NOT EXISTS facts_recipient ON facts (lower(recipient)) WHERE recipient != '';
"""
_COLUMNS = "at, what, queue_id, message_id, sender, recipient, words"
_ADD = f"INSERT INTO facts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_OLDEST = "SELECT id FROM (SELECT id, at FROM facts ORDER BY id LIMIT ?) WHERE at < ?"
_OLDEST_REFUSED = _OLDEST.replace("FROM facts", "FROM facts WHERE queue_id = ''")
_ABOUT = (
    "SELECT id FROM facts WHERE message_id = :text AND message_id != '' AND at >= :since",
    "SELECT id FROM facts WHERE queue_id = :text AND queue_id != '' AND at >= :since",
    "SELECT id FROM facts WHERE lower(sender) = lower(:text) AND sender != '' AND at >= :since",
    "SELECT id FROM facts WHERE lower(recipient) = lower(:text) AND recipient != '' AND at >= :since",
)


@implementer(IHistory)
class History:
    """Facts in an SQLite file, written in a thread in batches a second apart: telling one costs next to nothing.

    What a crash loses of the last second is in the log. Facts are forgotten after `keep_seconds`, and earlier when the file would grow
    beyond `most_octets`: the oldest refusals first, for of those a stranger can make as many as he likes, then the oldest of all.
    """

    log = Logger()

    def __init__(
        self,
        path: Path,
        *,
        in_thread: InThread,
        clock: IReactorTime,
        now: Callable[[], float],
        keep_seconds: float,
        most_octets: int,
    ) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA, check=False)
        self._lock = Lock()
        self._in_thread = in_thread
        self._clock = clock
        self._now = now
        self._keep = keep_seconds
        self._most_octets = most_octets
        self._waiting: list[MailFact] = []
        self._timer: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None
        self._since_forgetting = FORGET_EVERY

    def tell(self, fact: MailFact) -> None:
        """Remember it; never raises, never waits. When the disk does not keep up, the newest are left to the log alone."""
        if len(self._waiting) >= MOST_WAITING:
            return
        self._waiting.append(fact)
        if len(self._waiting) >= FLUSH_AT:
            self._begin()
        elif self._timer is None:
            self._timer = self._clock.callLater(FLUSH_SECONDS, self._begin)

    def _begin(self) -> None:
        self._cancel_timer()
        if self._writing is None and self._waiting:
            self._writing = Deferred.fromCoroutine(self._write())
            self._writing.addBoth(self._over)

    async def _write(self) -> None:
        while self._waiting:
            facts, self._waiting = self._waiting, []
            if len(facts) == MOST_WAITING:
                self.log.warn("history_incomplete: the disk does not keep up; the log has everything")
            try:
                await self._in_thread(self._add, facts)
            except Refusal as refusal:
                self.log.error("history_not_written: {n} facts: {why}", n=len(facts), why=refusal.private)
            except Exception:  # noqa: BLE001
                self.log.failure("history_not_written: {n} facts", n=len(facts))

    def _over(self, _: object) -> None:
        self._writing = None

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _add(self, facts: Sequence[MailFact]) -> None:
        rows = [(f.at, f.what, f.queue_id, f.message_id, f.sender, f.recipient, f.words[:MOST_WORDS]) for f in facts]
        with self._lock:
            with self._file.writing() as connection:
                connection.executemany(_ADD, rows)
            self._since_forgetting += len(rows)
            if self._since_forgetting >= FORGET_EVERY:
                self._since_forgetting = 0
                self._forget()

    def _forget(self) -> None:
        """Old facts go, a few at a time, so that other processes get their turns."""
        oldest = self._now() - self._keep
        while self._forget_some(oldest) == FORGET_AT_ONCE:
            pass
        for chosen in (_OLDEST_REFUSED, _OLDEST):
            while self._octets() > self._most_octets and self._forget_some(float("inf"), chosen):
                pass

    def _forget_some(self, before: float, chosen: str = _OLDEST) -> int:
        """Forget what is older, at most some of it; how many."""
        with self._file.writing() as connection:
            return connection.execute(f"DELETE FROM facts WHERE id IN ({chosen})", (FORGET_AT_ONCE, before)).rowcount

    def _octets(self) -> int:
        """What is in use of the file: pages of forgotten facts are used again."""
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (self._file.ask(f"PRAGMA {name}")[0][0] for name in names)
        return int((pages - free) * size)

    async def find(self, text: str, since: float, most: int) -> list[MailFact]:
        """Facts about messages to or from an address, with a Message-ID, or with a queue id; oldest first, the newest `most` of them.

        Of a message that only a recipient was asked about, other recipients' facts are left out. Raises TemporaryFailure.
        """
        self._begin()
        if self._writing is not None:
            await _ended(self._writing)
        found: list[MailFact] = await self._in_thread(self._find, text.strip().strip("<>"), since, most)
        return found

    def _find(self, text: str, since: float, most: int) -> list[MailFact]:
        with self._lock, self._file.reading() as connection:
            return _story(connection, text, since, most)

    async def close(self) -> None:
        """Write down what waits, and close the file."""
        self._begin()
        if self._writing is not None:
            await _ended(self._writing)
        self._cancel_timer()
        self._file.close()


def _ended(work: Deferred[None]) -> Deferred[None]:
    """Fires when it has ended, without taking its result away from others."""
    told: Deferred[None] = Deferred()

    def tell(result: None) -> None:
        told.callback(None)
        return result

    work.addBoth(tell)
    return told


def _story(connection: sqlite3.Connection, text: str, since: float, most: int) -> list[MailFact]:
    ids = sorted({row[0] for query in _ABOUT for row in _newest(connection, query, text, since, most)})[-most:]
    named = _select(connection, "id", ids)
    queue_ids = list(dict.fromkeys(fact.queue_id for _, fact in named if fact.queue_id))
    together = dict(named)
    for number, fact in _select(connection, "queue_id", queue_ids, most * 2):
        together[number] = fact
    facts = [together[number] for number in sorted(together)]
    whole = {f.queue_id for f in facts if text.lower() in (f.sender.lower(), f.queue_id.lower(), f.message_id.lower())}
    concerned = _led_to(text, facts)
    return [f for f in facts if f.queue_id in whole or not f.recipient or f.recipient.lower() in concerned][-most:]


def _newest(connection: sqlite3.Connection, query: str, text: str, since: float, most: int) -> Iterable[tuple[int]]:
    return connection.execute(f"{query} ORDER BY id DESC LIMIT :most", {"text": text, "since": since, "most": most})


def _select(
    connection: sqlite3.Connection, column: str, wanted: Sequence[object], most: int = 1 << 31
) -> list[tuple[int, MailFact]]:
    found: list[tuple[int, MailFact]] = []
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        marks = ",".join("?" * len(some))
        query = f"SELECT id, {_COLUMNS} FROM facts WHERE {column} IN ({marks}) ORDER BY id LIMIT ?"
        rows = connection.execute(query, (*some, most - len(found))).fetchall()
        found += [(row[0], MailFact(row[1], Happened(row[2]), *row[3:])) for row in rows]
    return found


def _led_to(address: str, facts: Sequence[MailFact]) -> set[str]:
    """The address and those it led to by alias or forward."""
    concerned = {address.lower()}
    for fact in facts:
        if fact.what is Happened.LED_TO and fact.recipient.lower() in concerned:
            concerned.add(fact.words.lower())
    return concerned
