"""How often somebody may ask for something: evenly over time, with a minute's worth at once (GCRA). Pure but for the memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
MOST_KNOWN = 10_000
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Room:
    """What is left to somebody. `wait` is how many seconds until he may ask again, 0 if he may now."""

    limit: int
    left: int
    wait: float


class Rates:
    """The times of the last requests, in memory, of those who asked last.

    `now` gives seconds; where they are set back, nobody waits for that.
    """

    def __init__(self, *, per_minute: int, now: Callable[[], float]) -> None:
        self._limit = per_minute
        self._now = now
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def take(self, who: bytes) -> Room:
        """One request more."""
        now, each = self._now(), WINDOW_SECONDS / self._limit
        known = self._full_at.get(who, 0.0)
        until = (known if now < known <= now + WINDOW_SECONDS + _ROUNDING else now) + each
        wait = until - now - WINDOW_SECONDS
        if wait > _ROUNDING:
            return Room(self._limit, 0, wait)
        self._full_at[who] = until
        self._full_at.move_to_end(who)
        if len(self._full_at) > MOST_KNOWN:
            self._full_at.popitem(last=False)
        return Room(self._limit, max(0, round((WINDOW_SECONDS - (until - now)) / each)), 0.0)
