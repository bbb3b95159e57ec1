"""From due to done, or to a report."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.queue.lanes import PER_DESTINATION
from hostmail.queue.runner import BATCH
from hostmail.queue.schedule import DAY, HOUR
from tests.queue.support import LATER, START, FakeSender, Result, RunnerCase

NEVER = Result(Refusal("no such user", code=550, enhanced="5.1.1"))


class SendingTests(RunnerCase):
    def test_sent(self) -> None:
        """What the next host takes is gone from the queue, with its file, and without a word."""
        self.put("bob@x.example", "eve@x.example", "zoe@y.example")
        self.start()
        self.assertEqual(self.sender.calls, [["bob@x.example", "eve@x.example"], ["zoe@y.example"]])
        self.assertEqual((self.rows(), self.files, self.reports), ([], [], []))

    def test_senders_of_their_own(self) -> None:
        """Recipients with reverse-paths of their own get transmissions and reports of their own."""
        self.sender.results = {"bob@x.example": NEVER, "eve@x.example": NEVER}
        own = {"bob@x.example": "list-1@example.com", "eve@x.example": "list-2@example.com"}
        self.put(*own, "zoe@x.example", own_senders=own)
        self.assertEqual([row.sender for row in self.rows()], [*own.values(), "ann@example.com"])
        self.assertEqual([row.recipient for row in self.rows("from:LIST-2")], ["eve@x.example"])
        self.start()
        self.assertEqual(self.sender.calls, [["bob@x.example"], ["eve@x.example"], ["zoe@x.example"]])
        self.assertEqual(self.reports, [("failed", ["bob@x.example"]), ("failed", ["eve@x.example"])])

    def test_delay(self) -> None:
        """What is to go a little later is not due before, and does not keep back what came after it."""
        self.put("bob@x.example", delay=60.0)
        self.put("eve@x.example")
        self.start()
        self.assertEqual(self.sender.calls, [["eve@x.example"]])
        self.pass_time(60)
        self.assertEqual(self.sender.calls, [["eve@x.example"], ["bob@x.example"]])

    def test_woken(self) -> None:
        """A message committed later goes at once, without waiting for a timer."""
        self.start()
        self.put("bob@x.example")
        self.assertEqual(self.rows(), [])

    def test_from_another_process(self) -> None:
        """What another process queues is found within seconds."""
        self.start()
        other, self.queue = self.queue, self.open_queue()
        self.put("bob@x.example")
        self.assertEqual(len(self.rows()), 1)
        self.clock.advance(10)
        self.assertEqual(self.rows(), [])
        self.queue = other

    def test_later(self) -> None:
        """A failure for now is tried again after 1, 5 and 15 minutes, and the answer is kept (C9)."""
        self.sender.results["bob@x.example"] = LATER
        self.put("bob@x.example", "eve@x.example")
        self.start()
        [row] = self.rows()
        self.assertEqual((row.recipient, row.attempts, row.last_answer), ("bob@x.example", 1, "451 4.3.0 busy"))
        self.assertTrue(START + 54 <= row.next_attempt <= START + 66)
        self.pass_time(66)
        self.assertEqual(self.rows()[0].attempts, 2)
        self.pass_time(330)
        self.assertEqual(self.rows()[0].attempts, 3)
        self.sender.results.clear()
        self.pass_time(990)
        self.assertEqual(self.rows(), [])

    def test_never(self) -> None:
        """A refusal for good is reported to the sender with the original header, then forgotten (C9)."""
        self.sender.results["bob@x.example"] = NEVER
        self.put("bob@x.example", "eve@x.example")
        self.start()
        self.assertEqual(self.reports, [("failed", ["bob@x.example"])])
        self.assertEqual(self.told, (b"Subject: hi\r\n\r\n", False))
        self.assertEqual((self.rows(), self.files), ([], []))

    def test_one_notice_of_delay_for_all(self) -> None:
        """A sender with many recipients behind one dead server hears of the delay once."""
        to = [f"r{number}@x.example" for number in range(20)]
        self.sender.results.update(dict.fromkeys(to, LATER))
        self.put(*to)
        self.start()
        with capturedLogs() as events:
            self.pass_time(6 * HOUR)
        self.assertEqual(self.reports, [("delayed", to)])
        told = {str(formatEvent(event)) for event in events}
        self.assertIn("message_postponed: q1 from=<ann@example.com> to=<r7@x.example> attempt 2 451 4.3.0 busy", told)

    def test_given_up(self) -> None:
        """After five days of failures there is one notice of delay and one report (C9)."""
        self.sender.results["bob@x.example"] = LATER
        self.put("bob@x.example")
        self.start()
        self.pass_time(4 * HOUR - 120)
        self.assertEqual(self.reports, [])
        self.pass_time(2 * HOUR)
        self.assertEqual(self.reports, [("delayed", ["bob@x.example"])])
        self.pass_time(5 * DAY - 6 * HOUR, step=600)
        self.assertEqual(len(self.reports), 1)
        self.pass_time(HOUR)
        self.assertEqual(self.reports[1:], [("failed", ["bob@x.example"])])
        self.assertEqual(self.rows(), [])

    def test_report_postponed(self) -> None:
        """If the report cannot be stored the row stays: nothing is dropped silently."""
        self.sender.results["bob@x.example"] = NEVER
        self.report_error = TemporaryFailure()
        self.put("bob@x.example")
        self.start()
        self.assertEqual(
            self.rows()[0].last_answer, "given up, but its sender could not be told yet: 550 5.1.1 no such user"
        )
        self.report_error = ZeroDivisionError()
        self.pass_time(330)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.report_error = None
        self.pass_time(330)
        self.assertEqual((self.rows(), self.reports), ([], [("failed", ["bob@x.example"])]))
        self.assertEqual([what for what, _, _ in self.history.story], ["failed"])

    def test_confirmation_is_ours(self) -> None:
        """Where the next host does not do DSN, we confirm that the mail was passed on (RFC 3461 5.2.2)."""
        self.sender.results["bob@x.example"] = Result(dsn=False)
        self.put("bob@x.example", notify=("SUCCESS",))
        self.start()
        self.assertEqual(self.reports, [("relayed", ["bob@x.example"])])
        self.assertEqual(self.told, (b"Subject: hi\r\n\r\n", False))

    def test_our_fault(self) -> None:
        """An error of ours in sending is a failure for now, logged in full."""
        self.sender.error = ZeroDivisionError("inside")
        self.put("bob@x.example")
        self.start()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertNotIn("inside", self.rows()[0].last_answer)
        self.assertEqual(self.rows()[0].attempts, 1)

    def test_limit(self) -> None:
        """At most 10 transmissions to one destination at a time (LIMITS, Relaying)."""
        sender = SlowSender()
        self.sender = sender
        for i in range(PER_DESTINATION + 5):
            self.put(f"r{i}@x.example")
        self.put("other@y.example")
        runner = self.start()
        self.assertEqual(len(sender.going), PER_DESTINATION + 1)
        sender.end_one()
        self.assertEqual(len(sender.going), PER_DESTINATION + 1)
        stopped = runner.stop()
        self.assertNoResult(stopped)
        while sender.going:
            sender.end_one()
        self.successResultOf(stopped)
        self.assertEqual(self.rows(), [])

    def test_lease_is_renewed(self) -> None:
        """A long transmission is not begun a second time, however long it takes (B4)."""
        sender = SlowSender()
        self.sender = sender
        self.put("bob@x.example")
        self.start()
        self.pass_time(3 * HOUR)
        self.assertEqual((len(sender.calls), self.rows()[0].state), (1, "sending"))
        sender.end_one()
        self.assertEqual(self.rows(), [])

    def test_full_house(self) -> None:
        """With 500 recipients under way nothing more is begun until most have ended, and then at once."""
        sender = SlowSender()
        self.sender = sender
        self.put(*(f"r@x{i}.example" for i in range(900)))
        self.start()
        self.pass_time(60)
        self.assertEqual(sum(map(len, sender.calls)), 500)
        for _ in range(375):
            self.assertEqual(len(sender.calls), 500)
            sender.end_one()
        self.assertGreater(len(sender.calls), 500)
        while sender.going:
            sender.end_one()
            self.clock.advance(0)
        self.assertEqual(self.rows(), [])


class SlowSender(FakeSender):
    """Ends a transmission when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.going: list[Deferred[None]] = []

    async def send(self, rows: Any) -> list[Any]:
        self.calls.append([row.recipient for row in rows])
        going: Deferred[None] = Deferred()
        self.going.append(going)
        await going
        return [Result() for _ in rows]

    def end_one(self) -> None:
        self.going.pop(0).callback(None)


class NoWayOutTests(RunnerCase):
    def test_waits(self) -> None:
        """Without a smarthost mail for elsewhere waits, visible, and no attempt is counted (C9)."""
        self.sender.way_out = False
        self.put("bob@x.example")
        self.start()
        self.pass_time(6 * DAY, step=600)
        [row] = self.rows()
        self.assertEqual(
            (row.state, row.attempts, row.last_answer),
            ("waiting", 0, "waiting: no smarthost is set, and direct_delivery is off"),
        )
        self.assertEqual(self.reports, [])
        self.assertEqual(self.history.story, [("postponed", "bob@x.example", row.last_answer)])

    def test_way_found(self) -> None:
        """With a smarthost from the next start on it goes at once."""
        self.sender.way_out = False
        self.put("bob@x.example")
        self.start().stop()
        self.sender = FakeSender()
        self.start()
        self.assertEqual(self.rows(), [])

    def test_for_some(self) -> None:
        """Who has a way out does not wait for those who have none, nor for those of whom nobody can say just now."""

        class Partly(FakeSender):
            async def destination(self, row: Queued) -> str | None:
                if row.recipient == "cyd@x.example":
                    raise TemporaryFailure("directory")
                return None if row.recipient == "bob@x.example" else "x.example"

        self.sender = Partly()
        self.put("ann@x.example", "bob@x.example", "cyd@x.example")
        self.start()
        self.assertEqual(self.sender.calls, [["ann@x.example"]])
        self.assertEqual(
            [(row.recipient, row.attempts) for row in self.rows()], [("bob@x.example", 0), ("cyd@x.example", 1)]
        )


class LifeTests(RunnerCase):
    def test_stop(self) -> None:
        """A stopped runner touches nothing any more."""
        runner = self.start()
        self.successResultOf(runner.stop())
        self.put("bob@x.example")
        runner.wake()
        self.pass_time(60)
        self.assertEqual(len(self.rows()), 1)

    def test_stopping_waits_ten_seconds(self) -> None:
        """What is under way may end by itself; after ten seconds it is ended, and the mail stays for later."""
        self.sender.waits = Deferred()
        self.put("bob@x.example")
        stopped = self.start().stop()
        self.pass_time(9)
        self.assertNoResult(stopped)
        self.pass_time(1)
        self.successResultOf(stopped)
        [row] = self.rows()
        self.assertEqual((row.state, row.last_answer), ("waiting", "451 4.3.0 stopped"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_reload_sends_nothing_twice(self) -> None:
        """The next runner of the same process leaves alone what the last one is still sending."""
        waits: Deferred[None] = Deferred()
        self.sender.waits = waits
        self.put("bob@x.example")
        first = self.start()
        second = self.start()
        stopped = first.stop()
        self.pass_time(5)
        self.assertEqual(self.sender.calls, [["bob@x.example"]])
        self.sender.waits = None
        waits.callback(None)
        self.successResultOf(stopped)
        self.put("eve@x.example")
        self.assertEqual(self.sender.calls, [["bob@x.example"], ["eve@x.example"]])
        self.successResultOf(second.stop())

    def test_new_mail(self) -> None:
        """Nobody looks for new mail in the tables; it goes once whoever brought it has had his answer."""
        self.start()
        self.queue.lease = broken  # type: ignore[method-assign,assignment]
        self.wait(self.prepare("bob@x.example").commit())
        self.assertEqual(self.sender.calls, [])
        self.clock.advance(0)
        self.assertEqual((self.sender.calls, self.rows()), ([["bob@x.example"]], []))

    def test_new_mail_waits_its_turn(self) -> None:
        """Mail that has waited goes before new mail where there is more of it than goes at once."""
        self.put(*(f"r{number}@x.example" for number in range(BATCH)))
        lease, waits = self.queue.lease, Deferred[None]()

        async def slow(seconds: float, limit: int) -> Any:
            leased = await lease(seconds, limit)
            await waits
            return leased

        self.queue.lease = slow  # type: ignore[method-assign]
        runner = self.start()
        self.put("new@x.example")
        self.assertEqual([row.state for row in self.rows("to:new@x.example")], ["waiting"])
        waits.callback(None)
        self.pass_time(1)
        self.assertEqual(self.sender.calls[-1], ["new@x.example"])
        self.assertNotEqual(runner.lease_until(1), 0.0)

    def test_stopped_before_it_began(self) -> None:
        """New mail that its runner has no time for any more is the next one's."""
        first = self.start()
        self.wait(self.prepare("bob@x.example").commit())
        stopped = first.stop()
        self.start()
        self.clock.advance(0)
        self.successResultOf(stopped)
        self.assertEqual((self.sender.calls, self.rows()), ([["bob@x.example"]], []))

    def test_killed_with_new_mail(self) -> None:
        """New mail that was being sent when the process died is sent by the next one at once."""
        self.start()
        self.wait(self.prepare("bob@x.example").commit())
        self.assertEqual([row.state for row in self.rows()], ["sending"])
        self.queue = self.open_queue()
        self.start()
        self.assertEqual((self.sender.calls, self.rows()), ([["bob@x.example"]], []))

    def test_after_a_crash(self) -> None:
        """What was being sent when the process died is sent by the next one at once."""
        self.put("bob@x.example")
        self.wait(self.queue.lease(600.0, 10))
        self.queue = self.open_queue()
        self.start()
        self.assertEqual(self.rows(), [])

    def test_database_in_trouble(self) -> None:
        """A database that cannot be read is tried again, and the log tells."""
        lease, self.queue.lease = self.queue.lease, broken  # type: ignore[method-assign,assignment]
        self.put("bob@x.example")
        self.start()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.queue.lease = lease  # type: ignore[method-assign]
        self.clock.advance(10)
        self.assertEqual(self.rows(), [])

    def test_writing_in_trouble(self) -> None:
        """A result that cannot be written down is heard of, and the row taken up again when its lease is over."""
        finish, self.queue.finish = self.queue.finish, broken  # type: ignore[method-assign,assignment]
        self.put("bob@x.example")
        self.start()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.queue.finish = finish  # type: ignore[method-assign]
        self.pass_time(620)
        self.assertEqual(self.rows(), [])


async def broken(*args: Any) -> Any:
    """In place of a database."""
    raise ZeroDivisionError
