"""Who changed what, from where, and by which way: kept for a year, beside the history of mail."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from threading import Lock

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import caseless
from hostmail.interfaces.admin import AuditEntry, IAudit
from hostmail.interfaces.threads import InThread
from hostmail.sql.cachefile import CacheFile

KEEP_SECONDS = 365 * 86_400.0
MOST_OCTETS = 256 << 20
FORGET_EVERY, FORGET_AT_ONCE = 1_000, 1_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    login TEXT NOT NULL,
    role TEXT NOT NULL,
    way TEXT NOT NULL,
    ip TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    arguments TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_at ON entries (at);
"""
_FIELDS = ("at", "login", "role", "way", "ip", "verb", "subject", "arguments", "outcome")
_COLUMNS = ", ".join(_FIELDS)
_ADD = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIELDS))})"
_row = attrgetter(*_FIELDS)
_CASELESS = "CASE length({0}) WHEN length(CAST({0} AS BLOB)) THEN lower({0}) ELSE caseless({0}) END"
"""What caseless() says of a column; of texts that are ASCII SQLite knows it, without asking Python for each row under the lock."""
_SUBJECT, _LOGIN = _CASELESS.format("subject"), _CASELESS.format("login")
_FIND = f"""SELECT {_COLUMNS}, number FROM entries
WHERE at >= :since AND (:before IS NULL OR number < :before) AND (:about = '' OR instr({_SUBJECT}, :about))
AND (:by = '' OR {_LOGIN} = :by OR instr({_LOGIN}, :by || ' (') = 1)
ORDER BY number DESC LIMIT :most"""
_OLDEST = "DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE at < ? ORDER BY number LIMIT ?)"
_OLDEST_REFUSED = _OLDEST.replace("WHERE at < ?", "WHERE at < ? AND outcome != 'done'")


@implementer(IAudit)
class Audit:
    """Entries in an SQLite file that is synced before anything is done, so that what was done is in it, whatever happens then.

    Those of a login's tokens, whose names follow it in brackets, are found under the login as well.
    Where the file would grow beyond `most_octets`, refused attempts are forgotten first: of those anybody who may sign in can make as
    many as he likes. `now` is Unix time.
    """

    log = Logger(namespace="admin")

    def __init__(
        self, path: Path, *, in_thread: InThread, now: Callable[[], float], most_octets: int = MOST_OCTETS
    ) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA, check=False, durable=True)
        self._lock = Lock()
        self._in_thread = in_thread
        self._now = now
        self._most_octets = most_octets
        self._since_forgetting = FORGET_EVERY

    async def begin(self, entry: AuditEntry) -> int:
        """See `IAudit`."""
        return await self._in_thread(self._begin, entry)

    async def end(self, number: int, outcome: str) -> None:
        """What became of it; that it was begun is what counts, so this never raises."""
        with self.log.failuresHandled("audit_incomplete: entry {number} was {outcome}", number=number, outcome=outcome):
            await self._in_thread(self._end, number, outcome)

    async def find(self, since: float, by: str, about: str, most: int, before: int | None = None) -> list[AuditEntry]:
        """See `IAudit`."""
        found: list[AuditEntry] = await self._in_thread(self._find, since, by, about, most, before)
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self, entry: AuditEntry) -> int:
        with self._lock:
            with self._file.writing() as connection:
                number = connection.execute(_ADD, _row(entry)).lastrowid or 0
            self._since_forgetting += 1
            if self._since_forgetting >= FORGET_EVERY:
                self._since_forgetting = 0
                self._forget()
        return number

    def _end(self, number: int, outcome: str) -> None:
        with self._lock, self._file.writing() as connection:
            connection.execute("UPDATE entries SET outcome = ? WHERE number = ?", (outcome, number))

    def _find(self, since: float, by: str, about: str, most: int, before: int | None) -> list[AuditEntry]:
        asked = {"since": since, "by": caseless(by), "about": caseless(about), "most": most, "before": before}
        with self._lock, self._file.reading() as connection:
            return [AuditEntry(*row) for row in connection.execute(_FIND, asked)]

    def _forget(self) -> None:
        while self._forget_some(_OLDEST, self._now() - KEEP_SECONDS) == FORGET_AT_ONCE:
            pass
        for chosen in (_OLDEST_REFUSED, _OLDEST):
            while self._file.octets() > self._most_octets and self._forget_some(chosen, float("inf")):
                pass

    def _forget_some(self, chosen: str, before: float) -> int:
        with self._file.writing() as connection:
            return connection.execute(chosen, (before, FORGET_AT_ONCE)).rowcount
