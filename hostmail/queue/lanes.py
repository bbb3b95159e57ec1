"""One lane per destination: how much goes there at a time, and when it is not even tried, so that a bad one costs others nothing (C9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred

from hostmail.errors import Refusal

PER_DESTINATION = 10
SHORTEST_PAUSE, LONGEST_PAUSE = 60.0, 900.0
FEW_LEFT = 50
MOST_LANES = 10_000
SMOOTHING = 0.2


class Lane:
    """The transmissions to one destination: those that run, and those that wait for their turn.

    When one of them finds nobody to talk to, the destination is *down*: who waits hears of it at once, and so does who comes while the
    pause lasts, which grows with every failure from a minute to a quarter of an hour. After it one goes ahead to see, alone.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._begun: deque[float] = deque()
        self._waiting: deque[Deferred[Refusal | None]] = deque()
        self._failures = 0
        self._down_until = 0.0
        self._trouble: Refusal | None = None
        self._usual_seconds = 0.0
        self.recipients = 0
        self.put_off_until = 0.0
        self.fed = False

    @property
    def empty(self) -> bool:
        """True if nothing is to be remembered."""
        return not (self.recipients or self._failures or self.put_off)

    @property
    def put_off(self) -> bool:
        """True if mail for it waits in the queue until a certain time."""
        return self._now() < self.put_off_until

    @property
    def hungry(self) -> bool:
        """True if mail that was put off could go now."""
        return self.put_off and not (self._failures or self.fed) and self.recipients <= FEW_LEFT

    @property
    def paused_until(self) -> float:
        """When the destination may be tried again."""
        return self._down_until

    @property
    def paused(self) -> bool:
        """True while the destination is not tried."""
        return self._now() < self._down_until

    async def turn(self) -> float | Refusal:
        """Wait for one's turn: when it began, for `done`; or the trouble that the destination has."""
        if self.paused and self._trouble is not None:
            return self._trouble
        if len(self._begun) >= self._limit:
            waiting: Deferred[Refusal | None] = Deferred()
            self._waiting.append(waiting)
            trouble = await waiting
            if trouble is not None:
                return trouble
        begun = self._now()
        self._begun.append(begun)
        return begun

    @property
    def _limit(self) -> int:
        return 1 if self._failures else PER_DESTINATION

    def done(self, begun: float, trouble: Refusal | None) -> None:
        """A turn is over; `trouble` if nobody could be talked to."""
        self._begun.remove(begun)
        if trouble is None:
            self._failures, self._down_until, self._trouble = 0, 0.0, None
            self._usual_seconds += SMOOTHING * (self._now() - begun - self._usual_seconds)
        elif not self.paused:
            self._failures += 1
            self._trouble = trouble
            pause = SHORTEST_PAUSE * 2.0 ** min(self._failures - 1, 10)
            self._down_until = self._now() + min(pause, LONGEST_PAUSE)
            while self._waiting:
                self._waiting.popleft().callback(trouble)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and len(self._begun) < self._limit:
            self._waiting.popleft().callback(None)

    def forgive(self) -> None:
        """Try again at once, whatever was."""
        self._down_until = self.put_off_until = 0.0

    def seconds_to_wait(self) -> float:
        """How long a newcomer will wait for his turn, as things go at present: what has begun takes as long as it has taken already."""
        oldest = self._now() - self._begun[0] if self._begun else 0.0
        return max(oldest, self._usual_seconds) * (len(self._waiting) + 1) / max(len(self._begun), 1)


class Lanes:
    """All destinations in use, and those in trouble. `recipients` are those under way in all of them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lanes: dict[str, Lane] = {}
        self.recipients = 0

    def lane(self, destination: str) -> Lane:
        """Its lane as it is, or an empty one."""
        return self._lanes.get(destination) or Lane(self._now)

    def enter(self, destination: str, recipients: int) -> Lane:
        """So many more are under way there."""
        if destination not in self._lanes and len(self._lanes) >= MOST_LANES:
            # Most destinations of a queue that is full of nonsense are never met again.
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.recipients or lane.paused}
        lane = self._lanes.setdefault(destination, self.lane(destination))
        lane.recipients += recipients
        lane.fed = False
        self.recipients += recipients
        return lane

    def leave(self, destination: str, recipients: int) -> None:
        """They are not any more."""
        self._lanes[destination].recipients -= recipients
        self.recipients -= recipients

    def tidy(self, destination: str) -> None:
        """Forget a lane without mail and trouble."""
        if self.lane(destination).empty:
            self._lanes.pop(destination, None)

    def forgive(self) -> None:
        """Try all of them again at once: somebody says that things are better."""
        for lane in self._lanes.values():
            lane.forgive()
