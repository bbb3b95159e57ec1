"""How many requests a token may make: evenly over time, with a minute's worth at once (GCRA)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
MOST_KNOWN = 10_000
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Room:
    """What is left to a token. `wait` is how many seconds until a request is taken again, 0 if this one is."""

    limit: int
    left: int
    wait: float

    def headers(self) -> list[tuple[str, str]]:
        """For the answer (draft-ietf-httpapi-ratelimit-headers); Retry-After for who must wait."""
        seconds = math.ceil(self.wait if self.wait else WINDOW_SECONDS / self.limit)
        found = [
            ("ratelimit-policy", f'"token";q={self.limit};w={WINDOW_SECONDS:.0f}'),
            ("ratelimit", f'"token";r={self.left};t={seconds}'),
        ]
        return [*found, ("retry-after", str(math.ceil(self.wait)))] if self.wait else found


class Rates:
    """The times of the last requests, in memory. `now` are seconds of a clock that goes on evenly."""

    def __init__(self, *, per_minute: int, now: Callable[[], float]) -> None:
        self._limit = per_minute
        self._now = now
        self._full_at: OrderedDict[bytes, float] = OrderedDict()

    def take(self, who: bytes) -> Room:
        """One request more."""
        now, each = self._now(), WINDOW_SECONDS / self._limit
        until = max(self._full_at.get(who, 0.0), now) + each
        wait = until - now - WINDOW_SECONDS
        if wait > _ROUNDING:
            return Room(self._limit, 0, wait)
        self._full_at[who] = until
        self._full_at.move_to_end(who)
        if len(self._full_at) > MOST_KNOWN:
            self._full_at.popitem(last=False)
        return Room(self._limit, max(0, round((WINDOW_SECONDS - (until - now)) / each)), 0.0)
