"""Who is signed in to the panel: sessions are kept here, and a browser has nothing but a number that nobody can guess.

The file holds a hash of that number, so that who reads the file cannot be anybody. Whether the account behind a session still exists,
and has the same password, is asked at every request (ISignIn.actor); here are only its times.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from hostmail.sql.cachefile import CacheFile

ABSOLUTE_SECONDS, HALF_SECONDS = 12 * 3600.0, 600.0
IDLE_SECONDS, OPERATOR_IDLE_SECONDS = 1800.0, 900.0
PER_SUBJECT = 50
_NOTED_EVERY, _SWEEP_EVERY = 30.0, 100
_ID_OCTETS = 32
_KINDS = ("person", "domain", "account")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, credential TEXT NOT NULL, login TEXT NOT NULL,
    is_half INTEGER NOT NULL, began REAL NOT NULL, seen REAL NOT NULL, ip TEXT NOT NULL, program TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS sessions_subject ON sessions (subject);
CREATE INDEX IF NOT EXISTS sessions_seen ON sessions (seen);
"""
_COLUMNS = "id, subject, credential, login, is_half, began, seen, ip, program"
_NEW = (
    "INSERT INTO sessions (subject, credential, login, is_half, began, seen, ip, program, hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_KEEP = (
    "DELETE FROM sessions WHERE subject = ?1 AND is_half = ?2 AND id NOT IN"
    " (SELECT id FROM sessions WHERE subject = ?1 AND is_half = ?2 ORDER BY seen DESC, id DESC LIMIT ?3)"
)


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser that is signed in; `is_half` if the code of its second factor is still to come. Times are Unix time."""

    id: int
    subject: str
    credential: str
    login: str
    is_half: bool
    began: float
    seen: float
    ip: str
    program: str


def has_ended(session: WebSession, now: float, idle_seconds: float = IDLE_SECONDS) -> bool:
    """Whether its time is up: twelve hours after the login, or so long without a request."""
    if session.is_half:
        return now >= session.began + HALF_SECONDS
    return now >= session.began + ABSOLUTE_SECONDS or now >= session.seen + idle_seconds


def number_of(subject: str) -> int | None:
    """What the connections of "person:3", "domain:4" or "account:17" are counted under; never a number that an account has."""
    kind, _, number = subject.partition(":")
    if kind not in _KINDS or not number.isdecimal():
        return None
    return -(int(number) * len(_KINDS) + _KINDS.index(kind) + 1)


def new_token() -> str:
    """What a browser gets: 256 bits."""
    return token_urlsafe(_ID_OCTETS)


def csrf_token(token: str) -> str:
    """What every form carries: another site can send our cookie, but cannot know this."""
    return hmac.new(token.encode("utf-8", "replace"), b"form", sha256).hexdigest()


def is_csrf_token(given: str, token: str) -> bool:
    """Whether a form came from a page that we gave this browser; takes the same time whatever is wrong with it."""
    return bool(token) and hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token(token).encode("ascii"))


class WebSessions:
    """All of them, over restarts. `now` is Unix time."""

    def __init__(self, *, path: Path, now: Callable[[], float]) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA)
        self._now = now
        self._until_sweep = 0

    def begin(
        self, *, subject: str, credential: str, login: str, ip: str, program: str = "", is_half: bool = False
    ) -> str:
        """Somebody has signed in; the token for his browser, always a new one. His oldest sessions end beyond 50.

        Those that wait for a code are counted for themselves: who knows a password only ends nobody's sessions.
        """
        token, now = new_token(), self._now()
        values = (subject, credential, login[:254], is_half, now, now, ip, program[:200], _hash(token))
        with self._file.writing() as connection:
            self._sweep(now)
            connection.execute(_NEW, values)
            connection.execute(_KEEP, (subject, is_half, PER_SUBJECT))
        return token

    def find(self, token: str) -> WebSession | None:
        """The session with this token, if its time is not up."""
        if not token:
            return None
        rows = self._file.ask(f"SELECT {_COLUMNS} FROM sessions WHERE hash = ?", (_hash(token),))
        session = _session(rows[0]) if rows else None
        return session if session is not None and not has_ended(session, self._now()) else None

    def used(self, session: WebSession) -> None:
        """It has made a request."""
        now = self._now()
        if now - session.seen >= _NOTED_EVERY:
            with self._file.writing() as connection:
                connection.execute("UPDATE sessions SET seen = ? WHERE id = ?", (now, session.id))

    def renew(self, session: WebSession, credential: str) -> None:
        """Who has just changed his own password here stays signed in, in this browser alone."""
        with self._file.writing() as connection:
            connection.execute("UPDATE sessions SET credential = ? WHERE id = ?", (credential, session.id))
        self.end_others(session.subject, session.id)

    def of(self, subject: str) -> list[WebSession]:
        """All of one subject, the last used first."""
        query = f"SELECT {_COLUMNS} FROM sessions WHERE subject = ? AND NOT is_half ORDER BY seen DESC, id DESC"
        found = [_session(row) for row in self._file.ask(query, (subject,))]
        return [session for session in found if not has_ended(session, self._now())]

    def end(self, token: str) -> None:
        """The browser with this token is signed in no more."""
        self._delete("hash = ?", _hash(token))

    def end_one(self, subject: str, session_id: int) -> bool:
        """End one of a subject's own sessions; False if he has none with this number."""
        return self._delete("subject = ? AND id = ?", subject, session_id) > 0

    def end_others(self, subject: str, kept_id: int) -> int:
        """End all sessions of a subject but this one; how many."""
        return self._delete("subject = ? AND id != ?", subject, kept_id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _delete(self, where: str, *values: object) -> int:
        with self._file.writing() as connection:
            return connection.execute(f"DELETE FROM sessions WHERE {where}", values).rowcount  # type: ignore[arg-type]

    def _sweep(self, now: float) -> None:
        """Now and then, forget those whose time is up."""
        self._until_sweep -= 1
        if self._until_sweep < 0:
            self._until_sweep = _SWEEP_EVERY
            self._file.connection.execute("DELETE FROM sessions WHERE seen <= ?", (now - IDLE_SECONDS,))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _session(row: tuple[int, str, str, str, int, float, float, str, str]) -> WebSession:
    number, subject, credential, login, is_half, *rest = row
    return WebSession(number, subject, credential, login, bool(is_half), *rest)  # type: ignore[arg-type]
