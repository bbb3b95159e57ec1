"""What came of an attempt: done, again later, or given up with a report. The rows say so before anybody forgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.envelope import Recipient
from hostmail.errors import Refusal, TemporaryFailure, as_refusal
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.queue.contracts import QueuedRow, Report, Sent
from hostmail.queue.queue import Queue
from hostmail.queue.rows import Ages, Attempt
from hostmail.queue.schedule import Schedule

log = Logger(namespace="queue")

PARKED_SECONDS = 900.0
REPORT_AGAIN_SECONDS = 300.0
NO_WAY_OUT = "waiting: no smarthost is set, and direct_delivery is off"
BUSY = "much mail waits for this destination"
UNTOLD = "given up, but its sender could not be told yet: "

Result = tuple[QueuedRow, Refusal | None]
Original = tuple[bytes, bool]
NOTHING: Original = (b"", False)

_EVENTS = {
    Happened.DISCARDED: "message_discarded",
    Happened.WITHHELD: "message_not_forwarded",
    Happened.LED_TO: "recipient_led_on",
    Happened.SENT: "message_sent",
    Happened.DELIVERED: "message_delivered",
    Happened.FAILED: "recipient_failed",
    Happened.HELD: "recipient_held",
    Happened.POSTPONED: "message_postponed",
}


class Outcomes:
    """Writes results into the queue. All rows of one call belong to one message.

    A report is stored before its rows go; if it cannot be, they stay and fail again later: nothing is dropped silently.
    """

    def __init__(
        self,
        queue: Queue,
        report: Report,
        *,
        schedule: Schedule,
        now: Callable[[], float],
        random: Random,
        history: IHistory,
    ) -> None:
        self._queue = queue
        self._report = report
        self._schedule = schedule
        self._now = now
        self._random = random
        self._history = history

    async def sent(self, results: Sequence[tuple[QueuedRow, Sent]]) -> None:
        """Results of sending on: where the next host took the mail but not the wish for a confirmation, that is on us (RFC 3461)."""
        for row, result in results:
            if result.refusal is None:
                self._note(Happened.SENT, row, result.answer)
        relayed = [(row, None) for row, result in results if result.refusal is None and not result.dsn]
        await self._finish([(row, None) for row, result in results if result.refusal is None], relayed, "relayed")
        await self.settle([(row, result.refusal) for row, result in results if result.refusal is not None])

    async def settle(self, results: Sequence[Result]) -> None:
        """Results of delivering here, or failures of either kind; of recipients with several senders, each sender's by themselves."""
        by_sender: dict[str, list[Result]] = {}
        for row, refusal in results:
            by_sender.setdefault(row.sender, []).append((row, refusal))
        for group in by_sender.values():
            await self._settle(group)

    async def _settle(self, results: Sequence[Result]) -> None:
        delivered = [(row, None) for row, refusal in results if refusal is None]
        for row, _ in delivered:
            self._note(Happened.DELIVERED, row, f"the catch-all takes mail for {row.caught}" if row.caught else "")
        await self._finish(delivered, delivered, "delivered")
        # One draw for all, so that they go on together the next time, too.
        chance = self._random.random()
        failed: list[Result] = []
        waiting: list[tuple[QueuedRow, Refusal, float]] = []
        for row, refusal in results:
            if refusal is None:
                continue
            when = self._next(row, chance)
            if refusal.permanent or when is None:
                if not row.last_answer.startswith(UNTOLD):
                    self._note(Happened.FAILED, row, refusal.smtp_reply())
                failed.append((row, refusal))
            else:
                waiting.append((row, refusal, when))
        await self._postpone(waiting)
        await self._give_up(failed)

    async def discard(self, row: QueuedRow) -> None:
        """Its address's owner wants no mail by now that comes to it (E2)."""
        await self._queue.finish([row.id])
        self._note(Happened.DISCARDED, row, "the domain's owner wants unknown names discarded")

    def led_on(self, row: QueuedRow, ends: Sequence[Recipient]) -> None:
        """It goes on under other addresses, each of which has its own outcome."""
        for end in ends:
            if end.address.key != Address.parse(row.recipient).key:
                self._note(Happened.LED_TO, row, str(end.address))

    def withheld(self, row: QueuedRow, addresses: Sequence[str], why: Refusal) -> None:
        """It has an end here, and goes no further to these."""
        for address in addresses:
            self._note(Happened.WITHHELD, replace(row, recipient=address), why.public)

    async def park(self, rows: Sequence[QueuedRow]) -> None:
        """There is no way out at present: the rows wait on, without counting attempts. That is told once."""
        await self._wait_untried(rows, self._now() + PARKED_SECONDS, NO_WAY_OUT)

    async def hold(self, rows: Sequence[QueuedRow], why: str) -> None:
        """They stay until somebody releases them."""
        await self._queue.keep([row.id for row in rows], why)
        for row in rows:
            self._note(Happened.HELD, row, why)

    async def put_back(self, rows: Sequence[QueuedRow], until: float, trouble: Refusal | None = None) -> None:
        """They wait on without counting an attempt, unless their time is up, or a notice is due.

        Nobody can be talked to there, which is `trouble` and told once; or so much mail goes there.
        """
        now = self._now()
        why = trouble or TemporaryFailure(BUSY, enhanced="4.4.5")

        def urgent(row: QueuedRow) -> bool:
            deadline = self._schedule.deadline(row.created, row.sender)
            return now >= deadline or self._schedule.should_warn(row.created, row.sender, now, row.warned)

        waiting = [row for row in rows if not urgent(row)]
        if waiting and trouble:
            await self._wait_untried(waiting, until, trouble.smtp_reply())
        elif waiting:
            await self._queue.park(waiting, until, waiting[0].last_answer or BUSY)
        await self.settle([(row, why) for row in rows if urgent(row)])

    async def _wait_untried(self, rows: Sequence[QueuedRow], until: float, why: str) -> None:
        await self._queue.park(rows, until, why)
        for row in rows:
            if row.last_answer != why:
                self._note(Happened.POSTPONED, row, why)

    async def put_off(self, way: str, until: float, trouble: Refusal | None) -> None:
        """No waiting mail that takes a way is looked at before `until`, unless its time is up, or a notice is due."""
        now, schedule = self._now(), self._schedule
        warn_after = schedule.lifetime if schedule.warn_after is None else schedule.warn_after
        bounce_lifetime = min(schedule.bounce_lifetime, schedule.lifetime)
        ages = Ages(now - warn_after, now - bounce_lifetime, now - schedule.lifetime)
        await self._queue.put_off(way, until, trouble.smtp_reply() if trouble else BUSY, ages)

    def _next(self, row: QueuedRow, chance: float) -> float | None:
        return self._schedule.next_attempt(row.attempts + 1, row.created, row.sender, self._now(), chance)

    async def _postpone(self, waiting: Sequence[tuple[QueuedRow, Refusal, float]]) -> None:
        """Until later; a sender who is to know of the delay hears of all these recipients at once."""
        now = self._now()
        due: list[Result] = [
            (row, refusal)
            for row, refusal, _ in waiting
            if self._schedule.should_warn(row.created, row.sender, now, row.warned)
        ]
        told = {row.id for row, _ in due} if due and await self._told(due, "delayed") else set[int]()
        attempts = [Attempt(row, when, refusal.smtp_reply(), row.id in told) for row, refusal, when in waiting]
        if attempts:
            await self._queue.postpone(attempts)
        for row, _, answer, _ in attempts:
            self._note(Happened.POSTPONED, row, answer)

    async def _give_up(self, failed: Sequence[Result]) -> None:
        if not failed:
            return
        if await self._told(failed, "failed"):
            await self._queue.finish([row.id for row, _ in failed])
            return
        again = self._now() + REPORT_AGAIN_SECONDS
        await self._queue.postpone(
            [Attempt(row, again, UNTOLD + ("" if refusal is None else refusal.smtp_reply())) for row, refusal in failed]
        )

    async def _finish(self, done: Sequence[Result], tell: Sequence[Result], action: str) -> None:
        """Success first, its confirmation after: a lost confirmation must not bring the message a second time."""
        if not done:
            return
        wished = any(row.notify for row, _ in tell)
        original = await self._queue.original(tell[0][0], whole=False) if wished else NOTHING
        await self._queue.finish([row.id for row, _ in done])
        if tell:
            await self._told(tell, action, original)

    async def _told(self, results: Sequence[Result], action: str, original: Original | None = None) -> bool:
        """Whether the report is safe, or none is due."""
        queue_id = results[0][0].queue_id
        try:
            if original is None:
                original = await self._queue.original(results[0][0], whole=_wants_all(results[0][0], action))
            await self._report(results, action, *original)
        except Refusal as refusal:
            why = refusal.smtp_line()
            log.warn("notice_postponed: {queue_id} {action}: {why}", queue_id=queue_id, action=action, why=why)
        except Exception:  # noqa: BLE001
            log.failure("notice_postponed: {queue_id} {action}", queue_id=queue_id, action=action)
        else:
            return True
        return False

    def _note(self, what: Happened, row: QueuedRow, answer: str) -> None:
        self._history.tell(MailFact(self._now(), what, row.queue_id, recipient=row.recipient, words=answer))
        log.info(
            "{event}: {queue_id} from=<{sender}> to=<{recipient}> attempt {attempt} {answer}",
            event=_EVENTS[what],
            queue_id=row.queue_id,
            sender=row.sender,
            recipient=row.recipient,
            attempt=row.attempts + 1,
            answer=answer,
        )


def _wants_all(row: QueuedRow, action: str) -> bool:
    """RET counts for failures alone (RFC 3461 4.3)."""
    return action == "failed" and row.ret.upper() == "FULL"


def expected(error: Exception, row: QueuedRow) -> Refusal:
    """What a failure of our own work means to a recipient: a fault of ours is one for now, and logged with all we know."""
    if not isinstance(error, Refusal):
        log.failure("queue_work_failed: {queue_id} <{to}>", queue_id=row.queue_id, to=row.recipient)
    return as_refusal(error)
