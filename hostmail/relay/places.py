"""How many connections one host has from us at a time, whatever domains they are for (LIMITS, Relaying).

Thousands of domains have their mail with one provider. A limit for each of them alone would open thousands of connections to him, and
many servers refuse a client that comes with more than a few.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from hostmail.relay.failures import Crowded

PER_HOST = 10
PLACE_SECONDS = 10.0


class Place:
    """One connection's, to be given back when that has ended."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def rest(self, close: Callable[[], None]) -> bool:
        """Whether the connection may stay without work, until somebody else needs the place, who calls `close`; False if one does."""
        if self._line.waiting:
            return False
        self._line.resting[self] = close
        return True

    def work(self) -> None:
        """There is work for it again."""
        self._line.resting.pop(self, None)

    def give_back(self) -> None:
        """The connection has ended, or was never made."""
        self.work()
        self._line.leave()


class Line:
    """The connections from one address of ours to one address of another host."""

    def __init__(self) -> None:
        self.open = 0
        self.waiting: deque[Deferred[Place]] = deque()
        self.resting: dict[Place, Callable[[], None]] = {}

    @property
    def busy(self) -> bool:
        """Whether all places are at work."""
        return self.open - len(self.resting) >= PER_HOST

    def enter(self) -> Place:
        self.open += 1
        return Place(self)

    def leave(self) -> None:
        self.open -= 1
        if self.waiting and self.open < PER_HOST:
            self.waiting.popleft().callback(self.enter())

    def wait(self, clock: IReactorTime) -> Deferred[Place]:
        """For the next place; one where nothing is done is made free."""
        waiting: Deferred[Place] = Deferred(self.waiting.remove)
        self.waiting.append(waiting)
        if self.resting:
            self.resting.popitem()[1]()
        return waiting.addTimeout(PLACE_SECONDS, clock, _crowded)


class Places:
    """The lines by name. One without a name leads to a host that the operator has set: he knows what it bears.

    Lines live as long as one of their places is taken.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()

    def busy(self, name: str) -> bool:
        """Whether somebody who comes now will have to wait."""
        line = self._lines.get(name)
        return line is not None and line.busy

    def take(self, name: str) -> Deferred[Place]:
        """A place, at once or within ten seconds; fails with Crowded."""
        line = self._lines.setdefault(name, Line()) if name else Line()
        return succeed(line.enter()) if line.open < PER_HOST else line.wait(self._clock)


def _crowded(result: object, seconds: float) -> Place:
    raise Crowded
