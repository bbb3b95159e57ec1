"""POP before SMTP: the addresses whose user has checked mail within the window (C2-C6)."""

from __future__ import annotations

import builtins
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import normal_ip
from hostmail.auth.networks import client
from hostmail.errors import BadValue
from hostmail.interfaces.events import DirectoryChanged, IEvents
from hostmail.interfaces.logins import Grant, IRelayGrants
from hostmail.sql.cachefile import CacheFile

WINDOW_SECONDS = 30 * 60.0
ACCOUNTS_PER_ADDRESS = 5
SWEEP_SECONDS = 10.0
WARN_AGAIN_SECONDS = 3600.0
_WARNED_NETWORKS = 1_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS grants (
    ip TEXT NOT NULL, account_id INTEGER NOT NULL, login TEXT NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (ip, account_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grants_until ON grants (until);
CREATE INDEX IF NOT EXISTS grants_account ON grants (account_id);
"""
_UPSERT = """
INSERT INTO grants (ip, account_id, login, until) VALUES (?, ?, ?, ?)
ON CONFLICT (ip, account_id) DO UPDATE SET login = excluded.login, until = max(until, excluded.until)
"""
_FIND = "SELECT ip, account_id, login, until FROM grants WHERE ip = ? AND until > ? ORDER BY until DESC LIMIT 1"
_LIST = "SELECT ip, account_id, login, until FROM grants WHERE until > ? ORDER BY ip, until DESC"
_SHARERS = "SELECT count(*) FROM grants WHERE ip = ? AND account_id > 0 AND until > ?"


@implementer(IRelayGrants)
class RelayGrants:
    """Grants in a file that all processes share, so that one is seen everywhere before the login's OK is sent (C3).

    Nothing runs in the background: an entry past its time counts as absent and is swept out by a later grant. A grant is for
    exactly one address, IPv6 included. When more than `accounts_per_address` accounts share one (a NAT, a proxy) that is logged once an
    hour, and with `honour_shared` off none of them may relay without AUTH (C6); what the operator opened himself still counts.
    `now` is Unix time, which all processes have in common. `window_seconds` and `honour_shared` may be changed while running.
    """

    log = Logger()

    def __init__(
        self,
        *,
        path: Path,
        now: Callable[[], float],
        events: IEvents | None = None,
        window_seconds: float = WINDOW_SECONDS,
        accounts_per_address: int = ACCOUNTS_PER_ADDRESS,
        honour_shared: bool = True,
    ) -> None:
        self._now = now
        self.window_seconds = window_seconds
        self._limit = accounts_per_address
        self.honour_shared = honour_shared
        self._warned: OrderedDict[str, float] = OrderedDict()
        self._next_sweep = 0.0
        self._file = CacheFile(path=path, schema=_SCHEMA)
        if events is not None:
            events.subscribe(DirectoryChanged, self._directory_changed)

    async def grant(self, ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        """Open or renew; never shortens. Raises BadValue for what is no IP address, TemporaryFailure if it cannot be written."""
        ip = _checked(ip)
        now = self._now()
        until = now + (self.window_seconds if seconds is None else seconds)
        with self._file.writing() as connection:
            if now >= self._next_sweep:
                connection.execute("DELETE FROM grants WHERE until <= ?", (now,))
                self._next_sweep = now + SWEEP_SECONDS
            connection.execute(_UPSERT, (ip, account_id, login, until))
            sharers = self._sharers(ip, now)
        if sharers > self._limit and self._is_news(client(ip), now):
            self.log.warn(
                "relay_grant_shared: {accounts} accounts hold a grant from {ip}; {done}",
                accounts=sharers,
                ip=ip,
                done="they may relay" if self.honour_shared else "they must log in to send",
            )

    async def find(self, ip: str) -> Grant | None:
        """The live grant for exactly this address that ends last."""
        ip, now = normal_ip(ip), self._now()
        if not self.honour_shared and self._sharers(ip, now) > self._limit:
            query = _FIND.replace("until > ?", "until > ? AND account_id = 0")
        else:
            query = _FIND
        return next((Grant(*row) for row in self._file.ask(query, (ip, now))), None)

    async def list(self) -> builtins.list[Grant]:
        """All live grants by address."""
        return [Grant(*row) for row in self._file.ask(_LIST, (self._now(),))]

    async def revoke(self, ip: str | None = None, account_id: int | None = None) -> int:
        """Close by address, by account, by both, or all; how many live ones."""
        return self._revoke(None if ip is None else normal_ip(ip), account_id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_news(self, network: str, now: float) -> bool:
        """True once an hour for each network: its users keep coming and going."""
        if now < self._warned.get(network, 0.0):
            return False
        self._warned.pop(network, None)
        self._warned[network] = now + WARN_AGAIN_SECONDS
        if len(self._warned) > _WARNED_NETWORKS:
            self._warned.popitem(last=False)
        return True

    def _sharers(self, ip: str, now: float) -> int:
        return int(self._file.ask(_SHARERS, (ip, now))[0][0])

    def _revoke(self, ip: str | None, account_id: int | None) -> int:
        conditions = {"ip = ?": ip, "account_id = ?": account_id}
        chosen = {condition: value for condition, value in conditions.items() if value is not None}
        where = " AND ".join(["until > ?", *chosen])
        if not self._file.ask(f"SELECT 1 FROM grants WHERE {where} LIMIT 1", (self._now(), *chosen.values())):
            return (
                0  # Suspending a domain asks for each of its accounts, and hardly one has a grant: that must not write.
            )
        with self._file.writing() as connection:
            return connection.execute(f"DELETE FROM grants WHERE {where}", (self._now(), *chosen.values())).rowcount

    def _directory_changed(self, event: DirectoryChanged) -> None:
        """A new password, a suspension or a removal closes what the account had opened (C4)."""
        if event.account_id and (event.credentials or event.removed):
            closed = self._revoke(None, event.account_id)
            if closed:
                self.log.info("relay_grants_revoked: {n} of account {account}", n=closed, account=event.account_id)


@lru_cache(4096)
def _checked(ip: str) -> str:
    try:
        return str(ipaddress.ip_address(normal_ip(ip.strip())))
    except ValueError:
        raise BadValue(f"{ip} is not an IP address") from None
