"""Guessing is slowed, and a correct login is not (A8, LIMITS Logins).

The numbers are pure functions; `Throttle` keeps the counters in a file that all processes share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.auth.networks import client, neighbourhood
from hostmail.config.limits import Limits
from hostmail.errors import Overloaded
from hostmail.interfaces.events import DirectoryChanged, IEvents
from hostmail.interfaces.logins import IThrottle, Throttled
from hostmail.sql.cachefile import CacheFile

HOUR, DAY = 3600.0, 86_400.0
_FORGOTTEN_AFTER = 6 * HOUR
_SWEEP_EVERY = 100


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """How much guessing is borne. Failures are per hour, all else in seconds."""

    first_delay: float = 2.0
    longest_delay: float = 15.0
    failures_per_client: int = 100
    blocked_for: float = 15 * 60.0
    failures_per_account: int = 50
    known_for: float = 30 * DAY

    @classmethod
    def of(cls, limits: Limits) -> ThrottleLimits:
        """Those of the configuration."""
        return cls(
            first_delay=limits.failed_login_delay,
            longest_delay=limits.failed_login_delay_most,
            failures_per_client=limits.failed_logins_per_ip,
            failures_per_account=limits.failed_logins_per_account,
            blocked_for=limits.failed_login_block,
        )


def decayed(value: float, seconds: float) -> float:
    """What is left of a counter after a while: a steady n events an hour keep it near n."""
    return value * math.exp(-max(0.0, seconds) / HOUR)


def delay_after(
    failures_of_pair: float, failures_of_client: float, strangers_on_account: float, limits: ThrottleLimits
) -> float:
    """How long a failed login waits for its answer.

    It doubles with each failure of one login from one client; a client that many share gets there ten times more slowly; an account
    that is guessed at from all over the world is slow for all strangers at once.
    """
    if strangers_on_account > limits.failures_per_account:
        return limits.longest_delay
    steps = max(failures_of_pair - 1, (failures_of_client - 1) / 10, 0.0)
    return min(limits.longest_delay, limits.first_delay * 2.0 ** min(round(steps, 1), 30.0))


_SCHEMA = """
CREATE TABLE IF NOT EXISTS failures (what TEXT PRIMARY KEY, value REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failures_at ON failures (at);
CREATE TABLE IF NOT EXISTS blocked (client TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
    account_id INTEGER NOT NULL, network TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (account_id, network)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS known_at ON known (at);
"""


_NEWS = """
SELECT EXISTS (SELECT 1 FROM known WHERE account_id = ? AND network = ? AND at > ?),
       EXISTS (SELECT 1 FROM failures WHERE what = ?)
"""


_THROTTLED = """
SELECT substr(failures.what, 8), failures.value, failures.at, coalesce(blocked.until, 0)
FROM failures LEFT JOIN blocked ON blocked.client = substr(failures.what, 8) AND blocked.until > ?
WHERE failures.what >= 'client ' AND failures.what < 'client!'
"""


@implementer(IThrottle)
class Throttle:
    """Counts failed logins per client (an IPv4 address or an IPv6 /64), per login and client, and per account.

    A client from whose neighbourhood (/24, /64) the account was opened within 30 days is known: it is never blocked on that
    account. Sessions without an IP address (UNIX sockets) are counted per login only. `now` is Unix time.
    """

    log = Logger()

    def __init__(
        self,
        *,
        path: Path,
        now: Callable[[], float],
        events: IEvents | None = None,
        limits: ThrottleLimits | None = None,
    ) -> None:
        self._now = now
        self._limits = limits or ThrottleLimits()
        self._file = CacheFile(path=path, schema=_SCHEMA)
        self._until_sweep = 0
        if events is not None:
            events.subscribe(DirectoryChanged, self._directory_changed)

    def admit(self, ip: str, account_id: int | None) -> None:
        """Raises Overloaded if the client is blocked and not known on this account (None: there is no such account)."""
        query = "SELECT until FROM blocked WHERE client = ? AND until > ?"
        found = self._file.ask(query, (client(ip), self._now()))
        if found and (account_id is None or not self.is_known(ip, account_id)):
            private = f"logins from {ip} are refused for a while after too many failures"
            raise Overloaded(private=private, wait=found[0][0] - self._now())

    def is_known(self, ip: str, account_id: int) -> bool:
        """True if this account was opened from this neighbourhood lately."""
        query = "SELECT 1 FROM known WHERE account_id = ? AND network = ? AND at > ?"
        since = self._now() - self._limits.known_for
        return bool(self._file.ask(query, (account_id, neighbourhood(ip), since)))

    def failed(self, ip: str, login: str, account_id: int | None, *, guessing: bool = True) -> float:
        """Count a failed login; the seconds its answer should take. `account_id` as in `admit`.

        What is no guessing (a device that keeps sending its owner's old password) waits like any other, and blocks nobody.
        """
        asker, now = client(ip), self._now()
        # What is no account is counted like one, or the delay would tell which logins there are.
        target = f"account {account_id}" if account_id is not None else _nobody(login)
        stranger = account_id is None or not self.is_known(ip, account_id)
        with self._file.writing() as connection:
            self._sweep(now)
            pair = self._count(_pair(asker, login), now)
            of_client = self._count(f"client {asker}", now) if guessing and asker else 0.0
            on_account = self._count(target, now) if guessing and stranger else 0.0
            blocked = of_client >= self._limits.failures_per_client
            if blocked:
                until = now + self._limits.blocked_for
                connection.execute("INSERT OR REPLACE INTO blocked (client, until) VALUES (?, ?)", (asker, until))
        if blocked:
            self.log.warn("client_blocked: {client} after {n} failed logins", client=asker, n=round(of_client))
        return delay_after(pair, of_client, on_account, self._limits)

    def succeeded(self, ip: str, login: str, account_id: int) -> None:
        """A correct login: its client is known from now on, and its own typing errors are forgiven.

        Written only when it says something new, since clients that poll come here all the time.
        """
        asker, network, now = client(ip), neighbourhood(ip), self._now()
        pair = _pair(asker, login)
        [(is_fresh, had_failed)] = self._file.ask(_NEWS, (account_id, network, now - DAY, pair))
        if (is_fresh or not network) and not had_failed:
            return
        with self._file.writing() as connection:
            connection.execute("DELETE FROM failures WHERE what = ?", (pair,))
            if network:
                connection.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (account_id, network, now))

    def throttled(self, most: int) -> list[Throttled]:
        """Clients that have failed lately, those that are refused first, then by their failures; at most so many."""
        rows = self._file.ask(_THROTTLED, (self._now(),))
        found = [Throttled(row[0], round(decayed(row[1], self._now() - row[2]), 1), row[2], row[3]) for row in rows]
        return sorted(found, key=lambda one: (-one.until, -one.failures))[:most]

    def forgive(self, ip: str) -> bool:
        """Begin anew with the client that has this address, or is named so in `throttled`; False if nothing was known of it."""
        asker = client(ip.partition("/")[0])
        if not asker:
            return False
        pairs = f"pair {asker} "
        failures = "DELETE FROM failures WHERE what = ? OR substr(what, 1, ?) = ?"
        with self._file.writing() as connection:
            blocked = connection.execute("DELETE FROM blocked WHERE client = ?", (asker,)).rowcount
            failed = connection.execute(failures, (f"client {asker}", len(pairs), pairs)).rowcount
        return blocked + failed > 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _count(self, what: str, now: float) -> float:
        """One more of `what`; how many that are by now."""
        connection = self._file.connection
        row = connection.execute("SELECT value, at FROM failures WHERE what = ?", (what,)).fetchone()
        value = 1.0 + (decayed(row[0], now - row[1]) if row else 0.0)
        connection.execute("INSERT OR REPLACE INTO failures (what, value, at) VALUES (?, ?, ?)", (what, value, now))
        return value

    def _sweep(self, now: float) -> None:
        """Now and then, forget what no longer matters: the file holds no more than a few hours' failures."""
        self._until_sweep -= 1
        if self._until_sweep >= 0:
            return
        self._until_sweep = _SWEEP_EVERY
        connection = self._file.connection
        connection.execute("DELETE FROM failures WHERE at <= ?", (now - _FORGOTTEN_AFTER,))
        connection.execute("DELETE FROM blocked WHERE until <= ?", (now,))
        connection.execute("DELETE FROM known WHERE at <= ?", (now - self._limits.known_for,))

    def _directory_changed(self, event: DirectoryChanged) -> None:
        """A removed account's history is nobody's; ids are never used again, so this is only tidying."""
        if not event.removed or not event.account_id:
            return
        known = "SELECT 1 FROM known WHERE account_id = ? LIMIT 1"
        if self._file.ask(known, (event.account_id,)):
            with self._file.writing() as connection:
                connection.execute("DELETE FROM known WHERE account_id = ?", (event.account_id,))


def _pair(asker: str, login: str) -> str:
    """The key of one login from one client."""
    return f"pair {asker} {writable(login)}"


def _nobody(login: str) -> str:
    """The key of a login that is no account's."""
    return f"nobody {writable(login)}"


def writable(login: str) -> str:
    """What a peer sent, bounded, and as text even where its octets are no UTF-8."""
    return login[:254].encode("utf-8", "backslashreplace").decode()
