"""Who tried to sign in, and what came of it: so that "it says wrong password" has an answer where people look (F4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.interfaces.logins import ILoginAttempts, LoginAttempt
from hostmail.interfaces.threads import InThread
from hostmail.sql.cachefile import CacheFile
from hostmail.sql.writebehind import WriteBehind

WRITE_AFTER_SECONDS = 2.0
MOST_UNWRITTEN = 10_000
KINDS_AN_ACCOUNT, KINDS_OF_STRANGERS = 100, 2_000
KEEP_SECONDS = 90 * 86_400.0
SWEEP_EVERY = 200
MOST_LOGIN = 254
CHECKS = ("pop3", "pop3s", "imap", "imaps", "webmail")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    account_id INTEGER NOT NULL,
    login TEXT NOT NULL,
    refused TEXT NOT NULL,
    protocol TEXT NOT NULL,
    ip TEXT NOT NULL,
    tls INTEGER NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (account_id, login, refused, protocol, ip, tls)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_by_age ON attempts (account_id, last);
"""
_COLUMNS = "account_id, login, refused, protocol, ip, tls, first, last, count"
_ADD = f"""
INSERT INTO attempts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count, last = excluded.last
"""
_OF_ACCOUNT = f"SELECT {_COLUMNS} FROM attempts WHERE account_id = ? ORDER BY last DESC LIMIT ?"
_LAST_CHECKS = f"""
SELECT {_COLUMNS.replace("last", "max(last)")} FROM json_each(?) AS asked JOIN attempts ON account_id = asked.value
WHERE refused = '' AND protocol IN {CHECKS} GROUP BY account_id
"""
"""Beside max(), SQLite answers with the other columns of that very row."""
_TOO_MANY = """
DELETE FROM attempts WHERE account_id = :account AND last < (
    SELECT last FROM attempts WHERE account_id = :account ORDER BY last DESC LIMIT 1 OFFSET :most)
"""
Kind = tuple[int, str, str, str, str, bool]


@implementer(ILoginAttempts)
class LoginAttempts:
    """Attempts that are alike are one row with a count, so a client that polls costs an addition in memory.

    They are written a few seconds later, in a thread; a power cut may take those. Of one account the newest KINDS_AN_ACCOUNT rows are
    kept, of logins that are no account's KINDS_OF_STRANGERS in all, each for 90 days. `now` is Unix time.
    """

    log = Logger()

    def __init__(self, *, path: Path, in_thread: InThread, clock: IReactorTime, now: Callable[[], float]) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA, check=False)
        self._lock = Lock()
        self._in_thread = in_thread
        self._now = now
        self._unwritten = WriteBehind(
            partial(in_thread, self._write),
            clock=clock,
            seconds=WRITE_AFTER_SECONDS,
            most=MOST_UNWRITTEN,
            log=self.log,
            lost="login_attempts_lost",
        )
        self._until_sweep = 0

    def tell(self, account_id: int, login: str, refused: str, peer: Peer) -> None:
        """One attempt more; never raises, never waits. Kinds beyond MOST_UNWRITTEN within one interval are not counted."""
        login = login[:MOST_LOGIN].encode("utf-8", "replace").decode()
        kind = (account_id, login, refused, peer.protocol, peer.ip, peer.tls)
        now = self._now()

        def counted(known: LoginAttempt | None) -> LoginAttempt:
            if known is None:
                return LoginAttempt(*kind, first=now, last=now)
            return replace(known, last=now, count=known.count + 1)

        self._unwritten.change(kind, counted)

    async def of_account(self, account_id: int, most: int = KINDS_AN_ACCOUNT) -> list[LoginAttempt]:
        """The newest first; account 0 has what was no account's login. Raises TemporaryFailure."""
        await self.flush()
        found: list[LoginAttempt] = await self._in_thread(self._ask, _OF_ACCOUNT, (account_id, most))
        return found

    async def last_checks(self, account_ids: Sequence[int]) -> dict[int, LoginAttempt]:
        """When each account's mail was checked last, if it was; raises TemporaryFailure."""
        await self.flush()
        found: list[LoginAttempt] = await self._in_thread(self._ask, _LAST_CHECKS, (json.dumps(list(account_ids)),))
        return {attempt.account_id: attempt for attempt in found}

    async def flush(self) -> None:
        """Write down what is only in memory; what cannot be written is logged and counted no more."""
        await self._unwritten.flush()

    async def close(self) -> None:
        """Write down what waits, and close the file."""
        await self.flush()
        self._file.close()

    def _write(self, unwritten: Mapping[Kind, LoginAttempt]) -> None:
        attempts = unwritten.values()
        rows = [(a.account_id, a.login, a.refused, a.protocol, a.ip, a.tls, a.first, a.last, a.count) for a in attempts]
        with self._lock, self._file.writing() as connection:
            connection.executemany(_ADD, rows)
            for account in {attempt.account_id for attempt in attempts}:
                most = KINDS_AN_ACCOUNT if account else KINDS_OF_STRANGERS
                connection.execute(_TOO_MANY, {"account": account, "most": most - 1})
            self._until_sweep -= 1
            if self._until_sweep < 0:
                self._until_sweep = SWEEP_EVERY
                connection.execute("DELETE FROM attempts WHERE last < ?", (self._now() - KEEP_SECONDS,))

    def _ask(self, query: str, values: Sequence[object]) -> list[LoginAttempt]:
        with self._lock:
            rows = self._file.ask(query, values)
        return [replace(LoginAttempt(*row), tls=bool(row[5])) for row in rows]
