"""What is stored, per account and domain, and the domain's quota on it (D2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zope.interface import implementer

from hostmail.errors import OverQuota, Refusal, TemporaryFailure
from hostmail.interfaces.directory import IUsage, Usage
from hostmail.sql.database import BUSY_TIMEOUT_SECONDS, Database

_FIND = """
    SELECT a.domain_id, d.quota_bytes, coalesce(u.bytes, 0), coalesce(u.messages, 0), coalesce(t.bytes, 0)
    FROM accounts a JOIN domains d ON d.id = a.domain_id
    LEFT JOIN account_usage u ON u.account_id = a.id LEFT JOIN domain_usage t ON t.domain_id = a.domain_id
    WHERE a.id = ?"""
_SET_ACCOUNT = "INSERT OR REPLACE INTO account_usage (account_id, bytes, messages) VALUES (?, ?, ?)"
_ADD_TO_DOMAIN = """
    INSERT INTO domain_usage (domain_id, bytes, messages) VALUES (?1, ?2, ?3)
    ON CONFLICT (domain_id) DO UPDATE SET bytes = bytes + ?2, messages = messages + ?3"""


@implementer(IUsage)
class StoredUsage:
    """Charges accounts, from any thread.

    SQLite has one writer at a time whatever we do, so the threads share one connection, with its statements compiled, and queue
    at the database's lock: that costs less than a connection each and SQLite's sleeping between tries. Commits are not synced: absolute
    numbers are written again with the account's next message, and the account's own index has them safe.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._connection = sqlite3.connect(
            database.path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False
        )
        self._connection.execute("PRAGMA synchronous=NORMAL")

    def charge(self, account_id: int, used: Usage, growing: bool) -> None:
        """Record new absolute usage; OverQuota if `growing` beyond the domain's quota. Removed accounts are nobody's.

        Raises TemporaryFailure when the database cannot be written.
        """
        with self._transaction():
            self._charge(account_id, used, growing)

    def charge_all(self, charges: Sequence[tuple[int, Usage]]) -> list[Refusal | None]:
        """`charge` of several growing accounts for one commit; each one's OverQuota, or None."""
        with self._transaction():
            return [self._refusal(account_id, used) for account_id, used in charges]

    def _refusal(self, account_id: int, used: Usage) -> Refusal | None:
        try:
            self._charge(account_id, used, True)
        except OverQuota as refusal:
            return refusal
        return None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._database.write_lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise TemporaryFailure(private=f"usage: {error!r}") from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        with self._database.write_lock:
            self._connection.close()

    def _charge(self, account_id: int, used: Usage, growing: bool) -> None:
        execute = self._connection.execute
        found = execute(_FIND, (account_id,)).fetchone()
        if found is None:
            return
        domain_id, quota, old_bytes, old_messages, total = found
        more = used.bytes - old_bytes
        if growing and more > 0 and quota is not None and total + more > quota:
            left = max(0, quota - total)
            raise OverQuota(
                f"mailbox full: its domain has {left} octets left", f"domain quota {quota}, {more} more wanted"
            )
        execute(_SET_ACCOUNT, (account_id, used.bytes, used.messages))
        execute(_ADD_TO_DOMAIN, (domain_id, more, used.messages - old_messages))
