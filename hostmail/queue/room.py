"""How many recipients are worked on at a time: what is taken out of the queue has a place until it is done with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hostmail.queue.contracts import QueuedRow

MOST_UNDER_WAY = 500
FEW_UNDER_WAY = 125


class Room:
    """The places of one runner. Once they are `full` nobody gets one before most are free again; `cleared` is called then."""

    def __init__(self, cleared: Callable[[], None]) -> None:
        self._cleared = cleared
        self._rows: dict[int, QueuedRow] = {}
        self.full = False

    @property
    def ids(self) -> list[int]:
        """Of the rows that have places."""
        return list(self._rows)

    def free(self) -> int:
        """How many places there are to be had; with none left it is full."""
        if len(self._rows) >= MOST_UNDER_WAY:
            self.full = True
        return 0 if self.full else MOST_UNDER_WAY - len(self._rows)

    def take(self, rows: Sequence[QueuedRow]) -> None:
        """These are worked on now."""
        self._rows.update((row.id, row) for row in rows)

    def leave(self, rows: Sequence[QueuedRow]) -> None:
        """They make room for others; a row that has a place anew meanwhile keeps it."""
        for row in rows:
            if self._rows.get(row.id) is row:
                del self._rows[row.id]
        if self.full and len(self._rows) <= FEW_UNDER_WAY:
            self.full = False
            self._cleared()
