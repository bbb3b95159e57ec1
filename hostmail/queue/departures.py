"""Mail that leaves: which recipients go together, when it is their destination's turn, and who waits so that others have room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from hostmail.errors import Refusal, SendingSuspended
from hostmail.queue.contracts import QueuedRow, Sender, Sent
from hostmail.queue.lanes import Lane, Lanes
from hostmail.queue.outcomes import Outcomes, Result, expected
from hostmail.queue.queue import Queue
from hostmail.queue.room import MOST_UNDER_WAY, Room

log = Logger(namespace="queue")

SOON_SECONDS = 10.0
LONGEST_PARKED = 900.0
FED_AT_ONCE = 200


class Departures:
    """Sends rows on by `sender`, each destination in its own lane, and writes down what came of it.

    `wake` has the queue looked through, for more is due than was. Mail that `sender` has no destination for waits, visible and
    untouched (C9).
    """

    def __init__(
        self,
        *,
        queue: Queue,
        sender: Sender,
        outcomes: Outcomes,
        room: Room,
        now: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._outcomes = outcomes
        self._room = room
        self._now = now
        self._wake = wake
        self._lanes = Lanes(now)
        self.forgive = self._lanes.forgive

    async def send_on(self, rows: Sequence[QueuedRow]) -> None:
        """Returns when these recipients of one message have been tried, or wait for room."""
        together: dict[tuple[str, str], list[QueuedRow]] = {}
        nowhere: list[QueuedRow] = []
        silenced: dict[str, list[QueuedRow]] = {}
        unknown: list[Result] = []
        for row in rows:
            try:
                destination = await self._sender.destination(row)
            except SendingSuspended as refusal:
                silenced.setdefault(refusal.private, []).append(row)
                continue
            except Exception as error:  # noqa: BLE001
                unknown.append((row, expected(error, row)))
                continue
            if destination is None:
                nowhere.append(row)
            else:
                row.way = destination
                together.setdefault((destination, row.sender), []).append(row)
        if nowhere:
            await self._outcomes.park(nowhere)
        for why, held in silenced.items():
            await self._outcomes.hold(held, why)
        if unknown:
            await self._outcomes.settle(unknown)
        await DeferredList(
            [ensureDeferred(self._send(name, rows)).addErrback(_unheard_of) for (name, _), rows in together.items()]
        )

    async def _send(self, destination: str, rows: list[QueuedRow]) -> None:
        """One transmission, when it is its turn in its lane; one that finds no room there waits in the queue."""
        if self._full(self._lanes.lane(destination), len(rows)):
            await self._send_later(destination, self._lanes.lane(destination), rows)
        else:
            lane = self._lanes.enter(destination, len(rows))
            try:
                await self._send_in_lane(destination, lane, rows)
            finally:
                self._lanes.leave(destination, len(rows))
            await self._feed(destination, lane)
            self._lanes.tidy(destination)
        self._room.leave(rows)

    def _full(self, lane: Lane, count: int) -> bool:
        """Whether with so many more a destination would have more places than it leaves to all others."""
        free = MOST_UNDER_WAY - self._lanes.recipients - count
        return lane.recipients > 0 and lane.recipients + count > free

    async def _send_later(self, destination: str, lane: Lane, rows: Sequence[QueuedRow]) -> None:
        """Back into the queue without an attempt. Where the lane moves quickly, nothing else is looked for until it has room again.

        Where it does not, all other mail that goes there is put off as well, so that nobody has to leaf through it.
        """
        seconds = min(lane.seconds_to_wait(), LONGEST_PARKED)
        if lane.put_off:
            await self._outcomes.put_back(rows, lane.put_off_until)
        elif seconds < SOON_SECONDS:
            self._room.full = True
            await self._outcomes.put_back(rows, self._now() + SOON_SECONDS)
        else:
            until = self._now() + seconds
            await self._outcomes.put_back(rows, until)
            await self._put_off(destination, lane, until, None)

    async def _put_off(self, destination: str, lane: Lane, until: float, trouble: Refusal | None) -> None:
        """Once for as long as it lasts. What was never looked at is found by its domain, where all mail for that goes to its own hosts."""
        if not lane.put_off:
            lane.put_off_until = until
            await self._outcomes.put_off(destination, until, trouble)

    async def _feed(self, destination: str, lane: Lane) -> None:
        """A lane that has moved quicker than it looked gets some of the mail that was put off."""
        if lane.hungry:
            lane.fed = True
            if await self._queue.bring_back(destination, lane.put_off_until, FED_AT_ONCE) < FED_AT_ONCE:
                lane.put_off_until = 0.0
            self._wake()

    async def _send_in_lane(self, destination: str, lane: Lane, rows: list[QueuedRow]) -> None:
        """A turn lasts until its results are written down, so that a crash can bring no more messages twice than there are turns."""
        begun = await lane.turn()
        if isinstance(begun, Refusal):
            await self._outcomes.put_back(rows, lane.paused_until, begun)
            return
        try:
            results = list(zip(rows, await self._sender.send(rows), strict=True))
        except Exception as error:  # noqa: BLE001
            refusal = expected(error, rows[0])
            lane.done(begun, None)
            await self._outcomes.settle([(row, refusal) for row in rows])
            return
        if all(result.crowded for _, result in results):
            lane.done(begun, None)
            await self._outcomes.put_back(rows, self._now() + SOON_SECONDS)
            return
        trouble = _unreachable([result for _, result in results])
        if trouble is not None:
            lane.done(begun, trouble)
            await self._outcomes.sent(results)
            await self._put_off(destination, lane, lane.paused_until, trouble)
            return
        try:
            await self._outcomes.sent(results)
        finally:
            lane.done(begun, None)


def _unreachable(results: Sequence[Sent]) -> Refusal | None:
    """What keeps everybody from talking to a destination for now, if that is what the results say."""
    refusal = results[0].refusal
    return refusal if refusal and not refusal.permanent and all(each.unreachable for each in results) else None


def _unheard_of(failure: Failure) -> None:
    log.failure("queue_work_failed", failure)
