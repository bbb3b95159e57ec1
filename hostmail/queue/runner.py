"""Takes what is due out of the queue, has it delivered or sent on, and writes down what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hostmail.address import Address
from hostmail.decisions import (
    Decision,
    Discard,
    ForList,
    Forward,
    IntoMailbox,
    ListCommand,
    Refuse,
    Relay,
    Several,
    ToList,
    targets_of,
)
from hostmail.envelope import Recipient
from hostmail.errors import Refusal, Returned, SpamNotForwarded, as_refusal
from hostmail.interfaces import IHistory
from hostmail.queue.contracts import Decide, Deliver, QueuedRow, Report, Sender, SendOn, Sent, TakeForList
from hostmail.queue.lanes import Lane, Lanes
from hostmail.queue.outcomes import Outcomes
from hostmail.queue.queue import Queue
from hostmail.queue.schedule import Schedule

log = Logger(namespace="queue")

POLL_SECONDS = 10.0
LEASE_SECONDS = 600.0
RENEW_SECONDS = 120.0
BATCH = 200
MOST_UNDER_WAY = 500
FEW_UNDER_WAY = 125
LONGEST_PARKED = 900.0
STOP_SECONDS = 10.0


class Runner:
    """One per queue. It looks when woken, when something falls due, and every few seconds for what other processes queued.

    `decide` routes each recipient afresh, so that mail for a domain that has come or gone while it waited goes the right way. Mail for
    elsewhere that `sender` has no destination for waits, visible and untouched (C9).
    """

    def __init__(
        self,
        *,
        queue: Queue,
        clock: IReactorTime,
        now: Callable[[], float],
        random: Random,
        decide: Decide,
        deliver: Deliver,
        forward: SendOn,
        for_list: TakeForList,
        report: Report,
        sender: Sender,
        history: IHistory,
        schedule: Schedule | None = None,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._decide = decide
        self._deliver = deliver
        self._forward = forward
        self._for_list = for_list
        self._sender = sender
        self._outcomes = Outcomes(
            queue, report, schedule=schedule or Schedule(), now=now, random=random, history=history
        )
        self._now = now
        self._lanes = Lanes(now)
        self._under_way: dict[int, QueuedRow] = {}
        self._crowded = False
        self._jobs: set[Deferred[None]] = set()
        self._timer: IDelayedCall | None = None
        self._looking = False
        self._look_again = False
        self._running = False
        self._renewed = 0.0

    async def start(self) -> None:
        """Tidy up after the last run, unless another runner of this process did, and begin."""
        removed = await self._queue.recover()
        if removed:
            log.info("queue_swept: {removed} files without recipients", removed=removed)
        self._running = True
        self._renewed = self._now()
        self._queue.woken, self._queue.retried = self.wake, self._lanes.forgive
        self.wake()

    def stop(self) -> Deferred[Any]:
        """Begin nothing new; fires when what is under way has ended, which it is made to after ten seconds."""
        self._running = False
        if self._queue.woken == self.wake:
            self._queue.woken = lambda: None
        self._cancel_timer()
        if not self._jobs:
            return succeed(None)
        ended = DeferredList(list(self._jobs))
        impatience = self._clock.callLater(STOP_SECONDS, self._sender.abort)
        ended.addBoth(lambda _: _cancelled(impatience))
        return ended

    def wake(self) -> None:
        """Look for due rows now, or once more if that is just being done."""
        self._look_again = True
        if self._running and not self._looking:
            self._cancel_timer()
            self._keep(ensureDeferred(self._look()))

    async def _look(self) -> None:
        self._looking = True
        delay = 0.0
        while self._running and self._look_again:
            self._look_again = False
            try:
                delay = await self._lease_and_begin()
            except Exception:  # noqa: BLE001
                log.failure("queue_not_readable: trying again")
                delay = POLL_SECONDS
        self._looking = False
        if self._running:
            self._timer = self._clock.callLater(delay, self._timed_out)

    def _keep(self, job: Deferred[None]) -> None:
        """Remember a job until it is over; none may fail unheard."""

        def over(result: object) -> None:
            self._jobs.discard(job)
            if isinstance(result, Failure):
                log.failure("queue_work_failed", result)

        self._jobs.add(job)
        job.addBoth(over)

    async def _lease_and_begin(self) -> float:
        """Start work on what is due; how long to sleep then."""
        now = self._now()
        if now >= self._renewed + RENEW_SECONDS:
            self._renewed = now
            await self._queue.renew(list(self._under_way), LEASE_SECONDS)
        free = MOST_UNDER_WAY - len(self._under_way)
        if free <= 0 or self._crowded:
            self._crowded = True
            return POLL_SECONDS
        leased = await self._queue.lease(LEASE_SECONDS, min(BATCH, free))
        by_message: dict[int, list[QueuedRow]] = {}
        for row in leased:
            by_message.setdefault(row.message_id, []).append(row)
        for rows in by_message.values():
            self._begin(rows)
        if len(leased) == BATCH or self._look_again:
            return 0.0
        due = await self._queue.next_due()
        return POLL_SECONDS if due is None else min(max(due - self._now(), 0.0), POLL_SECONDS)

    def _begin(self, rows: list[QueuedRow]) -> None:
        """Work on one message's rows. Rows whose work breaks down stay leased for a while, and are then taken up again."""

        async def work() -> None:
            try:
                await self._work(rows)
            finally:
                self._over(rows)

        self._under_way.update((row.id, row) for row in rows)
        self._keep(ensureDeferred(work()))

    def _over(self, rows: Sequence[QueuedRow]) -> None:
        """They make room for others; a row that is under way anew meanwhile stays."""
        for row in rows:
            if self._under_way.get(row.id) is row:
                del self._under_way[row.id]
        if self._crowded and len(self._under_way) <= FEW_UNDER_WAY:
            self._crowded = False
            self.wake()

    async def _work(self, rows: list[QueuedRow]) -> None:
        here: list[tuple[QueuedRow, IntoMailbox]] = []
        away: list[QueuedRow] = []
        nowhere: list[tuple[QueuedRow, Refusal | None]] = []
        for row in rows:
            decision = await self._decided(row)
            if isinstance(decision, IntoMailbox):
                here.append((row, decision))
            elif isinstance(decision, Refuse):
                nowhere.append((row, decision.refusal))
            elif isinstance(decision, Discard):
                await self._outcomes.discard(row)
            elif isinstance(decision, Relay):
                away.append(row)
            elif isinstance(decision, ToList | ListCommand):
                nowhere += await self._hand_to_list(row, decision)
            else:
                nowhere += await self._led_on(row, decision)
        if nowhere:
            await self._outcomes.settle(nowhere)
        if here:
            await self._outcomes.settle(await self._bring(here))
        if away:
            await self._send_on(away)

    async def _decided(self, row: QueuedRow) -> Decision:
        if row.returned:
            return Refuse(Returned())
        try:
            decision = await self._decide(Address.parse(row.recipient), routed=row.routed)
        except Exception as error:  # noqa: BLE001
            return Refuse(self._expected(error, row))
        if row.routed and isinstance(decision, IntoMailbox):
            return replace(decision, addressed=row.addressed, caught=row.caught)
        return decision

    async def _led_on(self, row: QueuedRow, decision: Forward | Several) -> list[tuple[QueuedRow, Refusal | None]]:
        """To the ends that it has by now; the row itself if that cannot be."""
        ends, forwards = further(row, decision), [end for end in targets_of(decision) if isinstance(end, Forward)]
        try:
            leaving = await self._forward(await self._queue.open(row), row, forwards) if forwards else ()
            if not (ends or leaving):
                raise SpamNotForwarded()
            await self._queue.split(row, ends, leaving)
            self._outcomes.led_on(row, [*ends, *(one for each in leaving for one in each.recipients)])
        except Exception as error:  # noqa: BLE001
            return [(row, self._expected(error, row))]
        return []

    async def _hand_to_list(self, row: QueuedRow, decision: ForList) -> list[tuple[QueuedRow, Refusal | None]]:
        """What comes of it takes the row's place in one step; the row itself if that failed."""
        try:
            onward = await self._for_list(row, await self._queue.open(row), decision)
            if onward.recipients or onward.leaving:
                await self._queue.split(row, onward.recipients, onward.leaving)
            else:
                await self._queue.finish([row.id])
        except Exception as error:  # noqa: BLE001
            return [(row, self._expected(error, row))]
        return []

    async def _bring(self, here: Sequence[tuple[QueuedRow, IntoMailbox]]) -> list[tuple[QueuedRow, Refusal | None]]:
        try:
            answers = await self._deliver(await self._queue.open(here[0][0]), here)
        except Exception as error:  # noqa: BLE001
            answers = [self._expected(error, here[0][0])] * len(here)
        return [(row, answer) for (row, _), answer in zip(here, answers, strict=True)]

    async def _send_on(self, away: list[QueuedRow]) -> None:
        together: dict[tuple[str, str], list[QueuedRow]] = {}
        nowhere: list[QueuedRow] = []
        unknown: list[tuple[QueuedRow, Refusal | None]] = []
        for row in away:
            try:
                destination = await self._sender.destination(row)
            except Exception as error:  # noqa: BLE001
                unknown.append((row, self._expected(error, row)))
                continue
            if destination is None:
                nowhere.append(row)
            else:
                together.setdefault((destination, row.sender), []).append(row)
        if nowhere:
            await self._outcomes.park(nowhere)
        if unknown:
            await self._outcomes.settle(unknown)
        batches = [ensureDeferred(self._send(name, rows)) for (name, _), rows in together.items()]
        for batch in batches:
            self._keep(batch)
        await DeferredList(batches)

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
        self._over(rows)

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
        elif seconds < POLL_SECONDS:
            self._crowded = True
            await self._outcomes.put_back(rows, self._now() + POLL_SECONDS)
        else:
            until = self._now() + seconds
            await self._outcomes.put_back(rows, until)
            await self._put_off(destination, lane, until, None)

    async def _put_off(self, destination: str, lane: Lane, until: float, trouble: Refusal | None) -> None:
        """Once for as long as it lasts. Smarthosts have no mail in the queue by their name, which is no domain."""
        if not lane.put_off:
            lane.put_off_until = until
            await self._outcomes.put_off(destination, until, trouble)

    async def _feed(self, destination: str, lane: Lane) -> None:
        """A lane that has moved quicker than it looked gets some of the mail that was put off."""
        if lane.hungry:
            lane.fed = True
            if await self._queue.bring_back(destination, lane.put_off_until, BATCH) < BATCH:
                lane.put_off_until = 0.0
            self.wake()

    async def _send_in_lane(self, destination: str, lane: Lane, rows: list[QueuedRow]) -> None:
        """A turn lasts until its results are written down, so that a crash can bring no more messages twice than there are turns."""
        begun = await lane.turn()
        if isinstance(begun, Refusal):
            await self._outcomes.settle([(row, begun) for row in rows])
            return
        try:
            results = list(zip(rows, await self._sender.send(rows), strict=True))
        except Exception as error:  # noqa: BLE001
            refusal = self._expected(error, rows[0])
            lane.done(begun, None)
            await self._outcomes.settle([(row, refusal) for row in rows])
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

    def _expected(self, error: Exception, row: QueuedRow) -> Refusal:
        """A fault of ours is a failure for now, and logged with all we know."""
        if not isinstance(error, Refusal):
            log.failure("queue_work_failed: {queue_id} <{to}>", queue_id=row.queue_id, to=row.recipient)
        return as_refusal(error)

    def _timed_out(self) -> None:
        self._timer = None
        self._crowded = False
        self.wake()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            _cancelled(self._timer)
        self._timer = None


def _unreachable(results: Sequence[Sent]) -> Refusal | None:
    """What keeps everybody from talking to a destination for now, if that is what the results say."""
    refusal = results[0].refusal
    return refusal if refusal and not refusal.permanent and all(each.unreachable for each in results) else None


def further(row: QueuedRow, decision: Forward | Several) -> list[Recipient]:
    """The ends here that a waiting recipient leads to by now, each to be tried for itself: its name has become an alias, say."""
    notify = row.wishes
    final = partial(
        Recipient, notify=notify, orcpt=row.orcpt, routed=True, addressed=row.recipient, own_sender=row.sender
    )
    found = []
    for end in targets_of(decision):
        if isinstance(end, IntoMailbox):
            found.append(final(Address.parse(end.delivered_to), caught=end.caught))
        elif isinstance(end, ToList | ListCommand):
            found.append(final(end.address, routed=False))
        elif isinstance(end, Refuse):
            found.append(final(end.address or Address.parse(row.recipient)))
    return found


def _cancelled(call: IDelayedCall) -> None:
    if call.active():
        call.cancel()
