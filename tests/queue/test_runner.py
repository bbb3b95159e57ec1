"""From due to done, or to a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from hostmail.address import Address
from hostmail.decisions import Discard, Forward, IntoMailbox, Refuse, Several, ToList
from hostmail.delivery.forwarding import Leaving
from hostmail.delivery.lists.posts import Rewritten
from hostmail.delivery.lists.work import Onward
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import MailLoop, NoSuchRecipient, OverQuota, RecipientSuspended, Refusal, TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.queue.lanes import PER_DESTINATION
from hostmail.queue.runner import BATCH
from hostmail.queue.schedule import DAY, HOUR
from tests.queue.support import START, FakeSender, Result, RunnerCase

LATER = Result(TemporaryFailure("busy"))
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


class LocalTests(RunnerCase):
    def test_delivered(self) -> None:
        """A recipient who is ours gets it into his mailbox, wherever the rest goes."""
        self.decisions["ann@example.com"] = IntoMailbox(1, "ann@example.com")
        self.put("ann@example.com", "bob@x.example", notify=("SUCCESS",))
        self.start()
        self.assertEqual(self.delivered, ["ann@example.com"])
        self.assertEqual((self.rows(), self.reports), ([], [("delivered", ["ann@example.com"])]))

    def test_over_quota(self) -> None:
        """A mailbox without room is reported, one in trouble tried again (D4)."""
        for name in ("ann", "bea"):
            self.decisions[f"{name}@example.com"] = IntoMailbox(1, f"{name}@example.com")
        self.answers = [OverQuota("full"), TemporaryFailure()]
        self.put("ann@example.com", "bea@example.com")
        self.start()
        self.assertEqual(self.reports, [("failed", ["ann@example.com"])])
        self.assertEqual([row.recipient for row in self.rows()], ["bea@example.com"])

    def test_removed(self) -> None:
        """A recipient that routing refuses by now is reported."""
        self.decisions["ann@example.com"] = Refuse(NoSuchRecipient())
        self.put("ann@example.com")
        self.start()
        self.assertEqual(self.reports, [("failed", ["ann@example.com"])])

    def test_became_an_alias(self) -> None:
        """A recipient that leads to several ends by now is replaced by these: each is tried, and reported, for itself (E1)."""
        ann, bea = Address("ann", "example.com"), Address("bea", "example.com")
        out = Address("bob", "x.example")
        ends = (IntoMailbox(1, "ann@example.com"), Forward(out, ann), Refuse(RecipientSuspended(), bea))
        self.decisions["all@example.com"] = Several(ends)
        self.decisions["ann@example.com routed"] = ends[0]
        self.decisions["bea@example.com routed"] = Refuse(RecipientSuspended())
        self.put("all@example.com")
        self.start()
        self.assertEqual(self.delivered, ["ann@example.com"])
        self.assertEqual(self.sender.calls, [["bob@x.example"]])
        self.assertEqual(dict(self.reports), {"failed": ["bea@example.com"], "delivered": ["ann@example.com"]})
        self.assertEqual(self.rows(), [])

    def test_written_down_first(self) -> None:
        """A connection's next message waits until it is written down that the last one is gone: a crash can bring no more of them twice."""
        writing: list[Deferred[None]] = []
        finish = self.queue.finish

        async def slow(ids: Sequence[int]) -> None:
            writing.append(Deferred())
            await writing[-1]
            await finish(ids)

        self.queue.finish = slow  # type: ignore[method-assign]
        for number in range(PER_DESTINATION + 2):
            self.put(f"r{number}@x.example")
        self.start()
        assert isinstance(self.sender, FakeSender)
        self.assertEqual(len(self.sender.calls), PER_DESTINATION)
        writing[0].callback(None)
        self.assertEqual(len(self.sender.calls), PER_DESTINATION + 1)
        for each in writing[1:]:
            each.callback(None)

    def test_forwarded(self) -> None:
        """What leaves by a forward is a message of its own, no account's, under its own reverse-path and with our mark (E1)."""
        self.decisions["all@example.com"] = Forward(Address("bob", "x.example"), Address("all", "example.com"))
        self.put("all@example.com", "eve@x.example")
        self.sender.results.update({"bob@x.example": LATER, "eve@x.example": LATER})
        self.start()
        before, row = self.rows()
        self.assertEqual((before.sender, before.recipient, before.account_id), ("ann@example.com", "eve@x.example", 7))
        self.assertEqual((row.sender, row.recipient, row.account_id), ("rewritten@example.test", "bob@x.example", None))
        self.assertNotEqual(before.path, row.path)
        self.assertEqual(row.size, before.size + len(b"Delivered-To: x\r\n"))
        self.assertEqual(len(self.files), 2)

    def test_not_to_be_forwarded(self) -> None:
        """One that may not be forwarded, and has no other end, comes back; other ends get it."""
        self.forwarded = False
        forward = Forward(Address("bob", "x.example"), Address("all", "example.com"))
        ann = self.decisions["ann@example.com routed"] = IntoMailbox(1, "ann@example.com")
        self.decisions.update({"all@example.com": forward, "both@example.com": Several((forward, ann))})
        self.put("all@example.com", "both@example.com")
        self.start()
        self.assertEqual(self.reports, [("failed", ["all@example.com"]), ("delivered", ["ann@example.com"])])
        self.assertEqual(self.delivered, ["ann@example.com"])
        self.assertEqual(self.files, [])

    def test_comes_round(self) -> None:
        """A message that its forwarder has sent on before ends there; it comes back if it has no other end."""
        self.forward_error = MailLoop()
        forward = Forward(Address("bob", "x.example"), Address("all", "example.com"))
        ann = self.decisions["ann@example.com routed"] = IntoMailbox(1, "ann@example.com")
        self.decisions.update({"all@example.com": forward, "both@example.com": Several((forward, ann))})
        self.put("all@example.com", "both@example.com")
        self.start()
        self.assertEqual(self.reports, [("failed", ["all@example.com"]), ("delivered", ["ann@example.com"])])
        self.assertEqual(self.delivered, ["ann@example.com"])

    def test_forward_in_trouble(self) -> None:
        """Where the way on cannot be made just now the recipient waits; nothing is left of the attempt."""
        self.decisions["all@example.com"] = Forward(Address("bob", "x.example"), Address("all", "example.com"))
        self.forward_error = TemporaryFailure()
        self.put("all@example.com")
        self.start()
        [row] = self.rows()
        self.assertEqual((row.recipient, row.attempts, row.state), ("all@example.com", 1, "waiting"))
        self.assertEqual(len(self.files), 1)

    def test_routed(self) -> None:
        """A mailbox that had to wait is not routed again; how it was addressed, and what was caught, is still known then (E4)."""
        self.decisions["ann@example.com routed"] = IntoMailbox(1, "ann@example.com")
        self.put("ann@example.com", routed=True, addressed="typo@example.com", caught="typo@example.com")
        self.start()
        [decision] = self.decided
        self.assertEqual((decision.addressed, decision.caught), ("typo@example.com", "typo@example.com"))
        self.assertEqual(self.rows(), [])
        words = "the catch-all takes mail for typo@example.com"
        self.assertEqual(self.history.story, [("delivered", "ann@example.com", words)])

    def test_became_a_discarded_name(self) -> None:
        """A recipient whose mail its domain's owner discards by now is done (E2)."""
        self.decisions["any@example.com"] = Discard("any@example.com")
        self.put("any@example.com")
        self.start()
        self.assertEqual((self.delivered, self.reports, self.rows()), ([], [], []))
        [(what, recipient, _)] = self.history.story
        self.assertEqual((what, recipient), ("discarded", "any@example.com"))

    def test_story_of_being_led_on(self) -> None:
        """Where a recipient leads by now is told, and what becomes of it there."""
        forward = Forward(Address("bob", "x.example"), Address("all", "example.com"))
        ann = self.decisions["ann@example.com routed"] = IntoMailbox(1, "ann@example.com")
        self.decisions["all@example.com"] = Several((forward, ann))
        self.put("all@example.com")
        self.start()
        led = [(recipient, words) for what, recipient, words in self.history.story if what == "led to"]
        self.assertEqual(sorted(led), [("all@example.com", "ann@example.com"), ("all@example.com", "bob@x.example")])
        ends = {(what, recipient) for what, recipient, _ in self.history.story if what != "led to"}
        self.assertEqual(ends, {("delivered", "ann@example.com"), ("sent", "bob@x.example")})

    def test_our_fault(self) -> None:
        """Errors of ours keep the mail: in routing, and when the file cannot be read."""
        self.decide_error = ZeroDivisionError()
        self.put("ann@example.com")
        self.start()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.decide_error = None
        self.decisions["ann@example.com"] = IntoMailbox(1, "ann@example.com")
        self.files[0].rename(self.directory / "aside")
        self.pass_time(66)
        self.assertEqual(self.rows()[0].attempts, 2)
        (self.directory / "aside").rename(self.rows()[0].path)
        self.pass_time(400)
        self.assertEqual((self.rows(), self.delivered), ([], ["ann@example.com"]))


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


class ListTests(RunnerCase):
    """What a mailing list makes of its mail."""

    TEAM = Address("team", "example.com")

    def setUp(self) -> None:
        super().setUp()
        self.decisions["team@example.com"] = ToList(1, self.TEAM, 1000)

    def test_done(self) -> None:
        """A row that a list has done with is gone, and no mailbox has it."""
        self.put("team@example.com")
        self.start()
        self.assertEqual(self.for_lists, [("team@example.com", self.decisions["team@example.com"])])
        self.assertEqual((self.rows(), self.files, self.delivered), ([], [], []))

    def test_held(self) -> None:
        """The same message can be held in its place."""
        self.onward = Onward([Recipient(self.TEAM, routed=True, held="why")])
        self.put("team@example.com")
        self.start()
        self.assertEqual([(row.state, row.last_answer) for row in self.rows()], [("held", "why")])

    def test_expanded(self) -> None:
        """Another message goes to the members in its place, each with a sender of his own; its time begins anew."""
        self.onward = Onward(leaving=[self.leaving("a@x.test", "b@y.test")])
        self.put("team@example.com")
        self.clock.advance(1000)
        self.start()
        rows = self.rows()
        self.assertEqual([row.sender for row in rows], ["v1@example.com", "v2@example.com"])
        self.assertEqual({row.created for row in rows}, {self.now()})
        self.assertEqual([file.read_bytes() for file in self.files], [b"List-Id: <x>\r\nReceived: here\r\nnew\r\n"])

    def leaving(self, *to: str) -> Leaving:
        recipients = [
            Recipient(Address.parse(each), own_sender=f"v{number}@example.com", delay=60)
            for number, each in enumerate(to, 1)
        ]
        content = Rewritten(b"Received: here\r\n", b"new\r\n")
        return Leaving(Envelope(self.TEAM, recipients=recipients), recipients, b"List-Id: <x>\r\n", content, anew=True)

    def test_refused(self) -> None:
        """What a list refuses goes back; what fails for now waits."""
        self.onward = NoSuchRecipient()
        self.put("team@example.com")
        self.start()
        self.assertEqual((self.rows(), self.reports), ([], [("failed", ["team@example.com"])]))
        self.onward = TemporaryFailure()
        self.put("team@example.com")
        self.pass_time(60)
        self.assertEqual([row.attempts for row in self.rows()], [1])

    def test_becomes_a_list_among_others(self) -> None:
        """A waiting recipient that leads to a list and to somebody else by now goes to both."""
        ends = (IntoMailbox(1, "ann@example.com"), ToList(1, self.TEAM, 1000))
        self.decisions |= {"all@example.com": Several(ends), "ann@example.com routed": ends[0]}
        self.put("all@example.com")
        self.start()
        self.assertEqual(self.delivered, ["ann@example.com"])
        self.assertEqual([name for name, _ in self.for_lists], ["team@example.com"])
