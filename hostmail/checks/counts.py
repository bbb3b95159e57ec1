"""How often something happened in the last hours, in a file that all processes share and that outlasts them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hostmail.sql.cachefile import CacheFile

SLOT_SECONDS = 300
SLOTS_AN_HOUR = 3600 // SLOT_SECONDS
SLOTS_A_DAY = 24 * SLOTS_AN_HOUR

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counts (
    key TEXT NOT NULL, slot INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (key, slot)
) WITHOUT ROWID;
"""
_SUM = "SELECT coalesce(sum(count), 0) FROM counts WHERE key = ? AND slot > ?"
_ADD = "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"


@dataclass(frozen=True, slots=True)
class Counting:
    """Inside one transaction. `slot` is the present one."""

    connection: sqlite3.Connection
    slot: int

    def sum(self, key: str, hours: int) -> int:
        """How much was added to it in the last hours, to the nearest five minutes."""
        found: tuple[int] = self.connection.execute(_SUM, (key, self.slot - hours * SLOTS_AN_HOUR)).fetchone()
        return found[0]

    def add(self, key: str, many: int = 1) -> None:
        """So much more."""
        self.connection.execute(_ADD, (key, self.slot, many))


class Counts:
    """Remembers a day; `now` is Unix time."""

    def __init__(self, *, path: Path, now: Callable[[], float]) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA)
        self._now = now
        self._swept = 0

    @contextmanager
    def writing(self) -> Iterator[Counting]:
        """One step that no other process sees half of; raises TemporaryFailure if the file cannot be read."""
        slot = int(self._now() // SLOT_SECONDS)
        with self._file.writing() as connection:
            self._sweep(connection, slot)
            yield Counting(connection, slot)

    def _sweep(self, connection: sqlite3.Connection, slot: int) -> None:
        """Forget what is older than a day, once in five minutes."""
        if slot != self._swept:
            self._swept = slot
            connection.execute("DELETE FROM counts WHERE slot <= ?", (slot - SLOTS_A_DAY,))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
