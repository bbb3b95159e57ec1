"""What somebody has sent and only tried so far: kept for the moment until he says yes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

MOST, MOST_OF_ONE, KEPT_SECONDS = 100, 2, 900.0

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Kept:
    session: int
    about: str
    until: float
    rows: Rows


class KeptRows:
    """Rows by a key that is theirs alone. In memory only, for there are passwords in them; few, and not for long. `now` is Unix time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, session: int, about: str, rows: Rows) -> str:
        """Their key; the oldest go where there are too many, those of the same session first."""
        own = [key for key, kept in self._kept.items() if kept.session == session]
        for key in own[: len(own) + 1 - MOST_OF_ONE]:
            del self._kept[key]
        key = token_hex(16)
        self._kept[key] = _Kept(session, about, self._now() + KEPT_SECONDS, rows)
        self.sweep()
        return key

    def take(self, session: int, about: str, key: str) -> Rows | None:
        """Those that this session has left about this, once; None if there are none any more."""
        self.sweep()
        found = self._kept.get(key)
        if found is None or (found.session, found.about) != (session, about):
            return None
        del self._kept[key]
        return found.rows

    def sweep(self) -> None:
        """Forget what is too old, or too much. Whoever has the panel asks at every request: nothing is kept for want of a next file."""
        while self._kept and (len(self._kept) > MOST or next(iter(self._kept.values())).until <= self._now()):
            self._kept.popitem(last=False)
