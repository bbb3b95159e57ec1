"""What became of each message, kept for a while so that anybody who asks "where is my mail?" gets its story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import caseless
from hostmail.errors import Refusal
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.interfaces.threads import InThread
from hostmail.monitoring.finding import COLUMNS, Whose, story
from hostmail.sql.cachefile import CacheFile

FLUSH_SECONDS, FLUSH_AT = 1.0, 500
MOST_WAITING = 50_000
MOST_WORDS = 500
FORGET_EVERY, FORGET_AT_ONCE = 50_000, 10_000
FORGET_EVERY_SECONDS = 86_400.0
REFUSED_PART, REFUSED_OCTETS = 4, 400
"""Refusals may have a quarter of the file; what one of them takes up there with its indexes, roughly."""

_NOT_TAKEN = f"queue_id = '' AND what != '{Happened.LIST}'"
_SCHEMA = f"""
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
DROP INDEX IF EXISTS facts_refused;
CREATE INDEX IF NOT EXISTS facts_not_taken ON facts (id) WHERE {_NOT_TAKEN};
CREATE INDEX IF NOT EXISTS facts_message_id ON facts (message_id) WHERE message_id != '';
CREATE INDEX IF NOT EXISTS facts_sender ON facts (lower(sender)) WHERE sender != '';
CREATE INDEX IF NOT EXISTS facts_recipient ON facts (lower(recipient)) WHERE recipient != '';
"""
_ADD = f"INSERT INTO facts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_OLDEST = "SELECT id FROM (SELECT id, at FROM facts ORDER BY id LIMIT ?) WHERE at < ?"
_OLDEST_REFUSED = _OLDEST.replace("FROM facts", f"FROM facts WHERE {_NOT_TAKEN}")
_REFUSED = f"SELECT count(*) FROM facts WHERE {_NOT_TAKEN}"


@implementer(IHistory)
class History:
    """Facts in an SQLite file, written in a thread in batches a second apart: telling one costs next to nothing.

    What a crash loses of the last second is in the log. Facts are forgotten after `keep_seconds`, and earlier, the oldest first, when the
    file would grow beyond `most_octets`. Refusals have a budget of their own in the file, and in memory while it is being written, for of
    those a stranger can make as many as he likes: they push out none of the stories of mail that was taken, nor what members did with a
    list without any mail.
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
        self._left_out = 0
        self._since_forgetting = FORGET_EVERY
        self._forgotten = 0.0

    def tell(self, fact: MailFact) -> None:
        """Remember it; never raises, never waits. When the disk does not keep up, the newest are left to the log alone, refusals first."""
        is_refusal = not fact.queue_id and fact.what is not Happened.LIST
        if len(self._waiting) >= (MOST_WAITING // 2 if is_refusal else MOST_WAITING):
            self._left_out += 1
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
            if left_out := self._left_out:
                self._left_out = 0
                self.log.warn("history_incomplete: {n} facts, the disk does not keep up; the log has them", n=left_out)
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
        rows = [_row(fact) for fact in facts]
        with self._lock:
            with self._file.writing() as connection:
                connection.executemany(_ADD, rows)
            self._since_forgetting += len(rows)
            if self._since_forgetting >= FORGET_EVERY or self._now() >= self._forgotten + FORGET_EVERY_SECONDS:
                self._since_forgetting, self._forgotten = 0, self._now()
                self._forget()

    def _forget(self) -> None:
        """Old facts go, a few at a time, so that other processes get their turns."""
        while self._forget_some(_OLDEST, FORGET_AT_ONCE, self._now() - self._keep) == FORGET_AT_ONCE:
            pass
        while (excess := self._refused() - self._most_octets // REFUSED_PART // REFUSED_OCTETS) > 0:
            self._forget_some(_OLDEST_REFUSED, min(excess, FORGET_AT_ONCE))
        while self._file.octets() > self._most_octets and self._forget_some(_OLDEST, FORGET_AT_ONCE):
            pass

    def _forget_some(self, chosen: str, most: int, before: float = float("inf")) -> int:
        """Forget what is older, at most so many; how many."""
        with self._file.writing() as connection:
            return connection.execute(f"DELETE FROM facts WHERE id IN ({chosen})", (most, before)).rowcount

    def _refused(self) -> int:
        return int(self._file.ask(_REFUSED)[0][0])

    async def find(
        self, text: str, since: float, most: int, whose: Callable[[str], bool] | None = None
    ) -> list[MailFact]:
        """Facts about messages to or from an address, with a Message-ID, or with a queue id; oldest first, the newest `most` of them.

        Of a message that only a recipient was asked about, other recipients' facts are left out. What became of very many recipients
        alike is told of the last few, with how many more there are. Of all that is about the text, `whose` is asked of the newest
        MOST_LOOKED_AT facts, and of so many parties to their messages as finding.py says. Raises TemporaryFailure.
        """
        self._begin()
        if self._writing is not None:
            await _ended(self._writing)
        found: list[MailFact] = await self._in_thread(self._find, text.strip().strip("<>"), since, most, whose)
        return found

    def _find(self, text: str, since: float, most: int, whose: Whose | None) -> list[MailFact]:
        with self._lock, self._file.reading() as connection:
            return story(connection, text, since, most, whose)

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


def _row(fact: MailFact) -> tuple[object, ...]:
    """As the file takes it: one text that cannot be written must not take a whole batch with it.

    Letters of addresses are folded where they are not ASCII, for SQLite's lower(), by which addresses are found, leaves those alone.
    """
    sender, recipient = (each if each.isascii() else caseless(each) for each in (fact.sender, fact.recipient))
    texts = fact.queue_id, fact.message_id, sender, recipient, fact.words[:MOST_WORDS]
    return (fact.at, fact.what, *(each if each.isascii() else _writable(each) for each in texts))


def _writable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
