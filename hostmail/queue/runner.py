"""Takes what is due out of the queue, has it delivered or sent on, and writes down what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
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
from hostmail.errors import MailLoop, Refusal, Returned, SpamNotForwarded
from hostmail.interfaces.history import IHistory
from hostmail.queue.contracts import Decide, Deliver, Leaving, QueuedRow, Report, Sender, SendOn, TakeForList
from hostmail.queue.departures import Departures
from hostmail.queue.outcomes import Outcomes, expected
from hostmail.queue.queue import Queue
from hostmail.queue.room import Room
from hostmail.queue.schedule import Schedule

log = Logger(namespace="queue")

POLL_SECONDS = 10.0
LEASE_SECONDS = 600.0
RENEW_SECONDS = 120.0
BATCH = 200
STOP_SECONDS = 10.0


class Runner:
    """One per queue. It looks when woken, when something falls due, and every few seconds for what other processes queued.

    `decide` routes each recipient afresh, so that mail for a domain that has come or gone while it waited goes the right way.
    What is for elsewhere is the business of its `Departures`.
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
        self._room = Room(self.wake)
        self._departures = Departures(
            queue=queue, sender=sender, outcomes=self._outcomes, room=self._room, now=now, wake=self.wake
        )
        self._jobs: set[Deferred[None]] = set()
        self._timer: IDelayedCall | None = None
        self._looking = False
        self._look_again = False
        self._running = False
        self._renewed = 0.0
        self._behind = True

    async def start(self) -> None:
        """Tidy up after the last run, unless another runner of this process did, and begin."""
        removed = await self._queue.recover()
        if removed:
            log.info("queue_swept: {removed} files without recipients", removed=removed)
        self._running = True
        self._renewed = self._now()
        self._queue.woken, self._queue.retried, self._queue.taker = self.wake, self._departures.forgive, self
        self.wake()

    def stop(self) -> Deferred[Any]:
        """Begin nothing new; fires when what is under way has ended, which it is made to after ten seconds."""
        self._running = False
        if self._queue.taker is self:
            self._queue.woken, self._queue.taker = lambda: None, None
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

    def lease_until(self, coming: int) -> float:
        """New mail need not be looked for, unless older mail would have to wait for it."""
        may_come = self._running and not self._behind and self._room.free() >= coming
        return self._now() + LEASE_SECONDS if may_come else 0.0

    def begin(self, rows: Sequence[QueuedRow]) -> None:
        """Work on new mail, once whoever brought it has had his answer."""
        self._room.take(rows)
        self._keep(ensureDeferred(self._begin_new(rows)))

    async def _begin_new(self, rows: Sequence[QueuedRow]) -> None:
        await deferLater(self._clock, 0)
        if self._running:
            self._begin_all(rows)
        else:
            self._room.leave(rows)
            await self._queue.give_back(rows)

    def _begin_all(self, rows: Sequence[QueuedRow]) -> None:
        """Work on rows that are leased, each message for itself."""
        by_message: dict[int, list[QueuedRow]] = {}
        for row in rows:
            by_message.setdefault(row.message_id, []).append(row)
        for together in by_message.values():
            self._begin(together)

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
            await self._queue.renew(self._room.ids, LEASE_SECONDS)
        free = self._room.free()
        if not free:
            return POLL_SECONDS
        leased = await self._queue.lease(LEASE_SECONDS, min(BATCH, free))
        self._behind = len(leased) == min(BATCH, free)
        self._begin_all(leased)
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
                self._room.leave(rows)

        self._room.take(rows)
        self._keep(ensureDeferred(work()))

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
            await self._departures.send_on(away)

    async def _decided(self, row: QueuedRow) -> Decision:
        if row.returned:
            return Refuse(Returned())
        try:
            decision = await self._decide(Address.parse(row.recipient), routed=row.routed)
        except Exception as error:  # noqa: BLE001
            return Refuse(expected(error, row))
        if row.routed and isinstance(decision, IntoMailbox):
            return replace(decision, addressed=row.addressed, caught=row.caught)
        return decision

    async def _led_on(self, row: QueuedRow, decision: Forward | Several) -> list[tuple[QueuedRow, Refusal | None]]:
        """To the ends that it has by now; the row itself if that cannot be."""
        ends, forwards = further(row, decision), [end for end in targets_of(decision) if isinstance(end, Forward)]
        try:
            leaving, withheld = await self._leaving(row, forwards) if forwards else ((), None)
            if withheld is not None and not ends:
                raise withheld
            await self._queue.split(row, ends, leaving)
            self._outcomes.led_on(row, [*ends, *(one for each in leaving for one in each.recipients)])
            if withheld is not None:
                self._outcomes.withheld(row, [str(each.address) for each in forwards], withheld)
        except Exception as error:  # noqa: BLE001
            return [(row, expected(error, row))]
        return []

    async def _leaving(
        self, row: QueuedRow, forwards: Sequence[Forward]
    ) -> tuple[Sequence[Leaving], SpamNotForwarded | MailLoop | None]:
        """By its forwards; or why it goes no further: it is spam, or has come round."""
        try:
            leaving = await self._forward(await self._queue.open(row), row, forwards)
        except MailLoop as refusal:
            return (), refusal
        return leaving, None if leaving else SpamNotForwarded()

    async def _hand_to_list(self, row: QueuedRow, decision: ForList) -> list[tuple[QueuedRow, Refusal | None]]:
        """What comes of it takes the row's place in one step; the row itself if that failed."""
        try:
            onward = await self._for_list(row, await self._queue.open(row), decision)
            if onward.recipients or onward.leaving:
                await self._queue.split(row, onward.recipients, onward.leaving)
            else:
                await self._queue.finish([row.id])
        except Exception as error:  # noqa: BLE001
            return [(row, expected(error, row))]
        return []

    async def _bring(self, here: Sequence[tuple[QueuedRow, IntoMailbox]]) -> list[tuple[QueuedRow, Refusal | None]]:
        try:
            answers = await self._deliver(await self._queue.open(here[0][0]), here)
        except Exception as error:  # noqa: BLE001
            answers = [expected(error, here[0][0])] * len(here)
        return [(row, answer) for (row, _), answer in zip(here, answers, strict=True)]

    def _timed_out(self) -> None:
        self._timer = None
        self._room.full = False
        self.wake()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            _cancelled(self._timer)
        self._timer = None


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
