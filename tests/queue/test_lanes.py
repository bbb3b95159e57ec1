"""A destination that is down, or slow, costs nothing to others (C9)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.queue.lanes import LONGEST_PAUSE, MOST_LANES, PER_DESTINATION, Lane, Lanes
from hostmail.queue.room import MOST_UNDER_WAY
from hostmail.queue.schedule import DAY, HOUR
from tests.queue.support import START, FakeSender, Result, RunnerCase

DOWN = TemporaryFailure("nobody answers")


class LaneTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lane = Lane(self.clock.seconds)

    def turn(self) -> Deferred[float | Refusal]:
        return ensureDeferred(self.lane.turn())

    def begin(self) -> float:
        begun = self.successResultOf(self.turn())
        assert isinstance(begun, float)
        return begun

    def fail(self) -> None:  # type: ignore[override]
        self.lane.done(self.begin(), DOWN)

    def test_ten_at_a_time(self) -> None:
        """Ten at a time; who waits goes on in the order they came."""
        begun = [self.begin() for _ in range(PER_DESTINATION)]
        waiting = [self.turn() for _ in range(3)]
        self.lane.done(begun[0], None)
        self.successResultOf(waiting[0])
        self.assertNoResult(waiting[1])

    def test_down(self) -> None:
        """When one finds nobody to talk to, who waits need not try, nor who comes in the next minute."""
        begun = [self.begin() for _ in range(PER_DESTINATION)]
        waiting = self.turn()
        self.lane.done(begun[0], DOWN)
        self.assertIs(self.successResultOf(waiting), DOWN)
        self.clock.advance(59)
        self.assertIs(self.successResultOf(self.turn()), DOWN)

    def test_one_goes_ahead(self) -> None:
        """After the pause one goes ahead alone; when he gets through, all follow, and if not, all of them wait for the next pause's end."""
        self.fail()
        for trouble in (DOWN, None):
            self.clock.advance(LONGEST_PAUSE)
            ahead = self.begin()
            others = [self.turn() for _ in range(5)]
            for each in others:
                self.assertNoResult(each)
            self.lane.done(ahead, trouble)
            for each in others:
                self.assertEqual(self.successResultOf(each), trouble or self.clock.seconds())

    def test_growing_pauses(self) -> None:
        """A minute, two, four, eight, and a quarter of an hour from then on."""
        for pause in (60, 120, 240, 480, 900, 900):
            self.fail()
            self.clock.advance(pause - 1)
            self.assertTrue(self.lane.paused)
            self.clock.advance(1)
            self.assertFalse(self.lane.paused)

    def test_failing_together(self) -> None:
        """Ten that fail at the same time are one failure."""
        begun = [self.begin() for _ in range(PER_DESTINATION)]
        for each in begun:
            self.lane.done(each, DOWN)
        self.clock.advance(60)
        self.assertFalse(self.lane.paused)

    def test_forgiven(self) -> None:
        """Somebody who says that things are better gets a try at once."""
        self.fail()
        self.lane.forgive()
        self.begin()

    def test_time_to_wait(self) -> None:
        """A lane that does not move gets longer by the minute, one that moves is as long as its turns are."""
        self.assertEqual(self.lane.seconds_to_wait(), 0.0)
        begun = [self.begin() for _ in range(PER_DESTINATION)]
        waiting = [self.turn() for _ in range(99)]
        self.clock.advance(30)
        self.assertEqual(self.lane.seconds_to_wait(), 300.0)
        for each in begun:
            self.lane.done(each, None)
        self.assertGreater(self.lane.seconds_to_wait(), 100.0)
        self.assertEqual(len([each for each in waiting if each.called]), PER_DESTINATION)

    def test_bounded(self) -> None:
        """Failures of domains that are never met again are forgotten."""
        lanes = Lanes(self.clock.seconds)
        for number in range(MOST_LANES + 1):
            lane = lanes.enter(f"x{number}.example", 1)
            self.lane = lane
            self.fail()
            lanes.leave(f"x{number}.example", 1)
            self.clock.advance(1)
        self.assertLess(len(lanes._lanes), LONGEST_PAUSE)
        self.assertEqual(lanes.recipients, 0)


class PartlySlow(FakeSender):
    """For slow.example nothing ends until `hurry`, everything from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.going: list[Deferred[None]] = []
        self.slow = True

    async def send(self, rows: Any) -> list[Any]:
        if self.slow and rows[0].recipient.endswith("slow.example"):
            self.going.append(Deferred())
            await self.going[-1]
        return await super().send(rows)

    def hurry(self) -> None:
        self.slow = False
        while self.going:
            self.going.pop().callback(None)


class RunnerTests(RunnerCase):
    def put_many(self, count: int, domain: str) -> None:
        for number in range(count // 100):
            self.put(*(f"r{number}.{i}@{domain}" for i in range(100)))

    def attempts(self, domain: str) -> list[Queued]:
        return [row for row in self.rows() if row.recipient.endswith(domain)]

    def test_slow(self) -> None:
        """1,000 recipients at a host that hangs: others go on, and what waits for it keeps its place without an attempt."""
        self.sender = PartlySlow()
        self.put_many(1000, "slow.example")
        self.start()
        self.pass_time(60)
        self.put("bob@quick.example")
        self.assertEqual(self.attempts("quick.example"), [])
        states = {row.state for row in self.rows()}
        self.assertEqual(states, {"sending", "waiting"})
        sending = [row for row in self.rows() if row.state == "sending"]
        self.assertLessEqual(len(sending), MOST_UNDER_WAY / 2)
        self.assertEqual({row.attempts for row in self.rows()}, {0})

    def test_slow_no_more(self) -> None:
        """When a host that hung takes mail again, what was put off for long goes at once."""
        sender = self.sender = PartlySlow()
        self.put_many(1500, "slow.example")
        self.start()
        self.pass_time(1000, step=10)
        due = [row.next_attempt - self.now() for row in self.rows() if row.state == "waiting"]
        self.assertGreater(max(due), 300)
        sender.hurry()
        before = self.clock.seconds()
        while self.rows() and self.clock.seconds() < before + 60:
            self.clock.advance(1)
        self.assertLess(self.clock.seconds(), before + 60)

    def test_slow_for_days(self) -> None:
        """Who waits behind a host that hangs hears of the delay, and gets his mail back when its time is over."""
        self.sender = PartlySlow()
        self.put_many(400, "slow.example")
        self.start()
        self.pass_time(5 * HOUR, step=60)
        self.assertIn("delayed", [action for action, _ in self.reports])
        self.pass_time(5 * DAY, step=600)
        self.assertIn("failed", [action for action, _ in self.reports])

    def test_crowded(self) -> None:
        """Mail whose host has all its connections from us for others' waits a moment: that is no attempt, and no trouble of its domain."""
        self.sender.results["bob@x.example"] = Result(DOWN, crowded=True)
        self.put("bob@x.example")
        self.put("carl@x.example")
        self.start()
        self.clock.advance(0)
        [row] = [each for each in self.rows() if each.recipient == "bob@x.example"]
        self.assertEqual((row.attempts, row.next_attempt), (0, START + 10))
        self.assertIn(["carl@x.example"], self.sender.calls)
        self.sender.results.clear()
        self.pass_time(11, step=1)
        self.assertEqual(self.rows(), [])

    def go_down(self, *to: str, **more: Any) -> None:
        for each in to:
            self.sender.results[each] = Result(DOWN, unreachable=True)
            self.put(each, **more)

    def test_down(self) -> None:
        """A host that cannot be reached is tried by a few of hundreds of messages; all get the reason written down, nobody else waits."""
        self.go_down(*(f"r{number}@down.example" for number in range(300)), '"a@b"@down.example')
        self.put("bob@up.example")
        self.start()
        self.clock.advance(0)
        self.assertEqual(self.attempts("up.example"), [])
        self.assertLessEqual(sum(call[0].endswith("down.example") for call in self.sender.calls), PER_DESTINATION)
        found = {(row.last_answer, row.next_attempt > START + 50) for row in self.rows()}
        self.assertEqual(found, {("451 4.3.0 nobody answers", True)})

    def test_not_looked_at(self) -> None:
        """What waits for a host that is down is not even looked at until the pause is over; what came for others meanwhile goes at once."""
        self.go_down(*(f"r{number}@down.example" for number in range(300)))
        self.start()
        self.clock.advance(0)
        states = [row.attempts for row in self.rows()]
        self.assertGreater(states.count(0), 99)
        self.assertEqual(self.wait(self.queue.lease(1.0, 500)), [])
        self.pass_time(59, step=1)
        self.assertEqual([row.attempts for row in self.rows()][-100:], [0] * 100)
        calls = len(self.sender.calls)
        self.pass_time(10, step=1)
        self.assertEqual(len(self.sender.calls), calls + 1)

    def test_down_for_days(self) -> None:
        """Each sender hears of the delay once, and gets his mail back when its time is over."""
        self.go_down(*(f"r{number}@down.example" for number in range(50)))
        self.start()
        self.pass_time(3.9 * HOUR, step=30)
        self.assertEqual(self.reports, [])
        self.pass_time(1.1 * HOUR, step=30)
        self.assertEqual([action for action, _ in self.reports], ["delayed"] * 50)
        self.pass_time(5 * DAY, step=600)
        self.assertEqual([action for action, _ in self.reports[50:]], ["failed"] * 50)
        self.assertEqual(self.rows(), [])

    def test_senders_of_their_own(self) -> None:
        """Whoever a copy's bounces go to hears of its delay, and who takes none does not, whatever the message's own sender is."""
        self.go_down("r0@down.example")
        self.go_down("r1@down.example", sender="", own_senders={"r1@down.example": "list@example.com"})
        self.go_down("r2@down.example", sender="")
        self.start()
        self.pass_time(5 * HOUR, step=30)
        self.assertEqual(sorted(self.reports), [("delayed", ["r0@down.example"]), ("delayed", ["r1@down.example"])])

    def test_up_again(self) -> None:
        """When the host is back its mail goes, after the pause or when an operator says so."""
        for number in range(30):
            self.sender.results[f"r{number}@down.example"] = Result(DOWN, unreachable=True)
            self.put(f"r{number}@down.example")
        self.start()
        self.sender.results.clear()
        self.put("new@down.example")
        self.assertEqual(len(self.rows()), 31)
        self.wait(self.queue.retry("new@"))
        self.assertEqual(len(self.rows()), 30)
        self.pass_time(120)
        self.assertEqual(self.rows(), [])

    def down_smarthost(self, count: int) -> list[int]:
        """Everything goes to one host, which is down; how many rows are taken out of the queue each time."""
        self.sender.smarthost = "smart.example:25"
        self.go_down(*(f"r{number}@x{number}.example" for number in range(count)))
        looks: list[int] = []
        lease = self.queue.lease

        async def counted(seconds: float, limit: int) -> Any:
            leased = await lease(seconds, limit)
            looks.append(len(leased))
            return leased

        self.patch(self.queue, "lease", counted)
        self.start()
        self.clock.advance(0)
        return looks

    def test_smarthost_down(self) -> None:
        """What waits for a smarthost that is down is looked at once, whatever domain it is for, and then waits for its next pause's end."""
        looks = self.down_smarthost(900)
        self.assertEqual(sum(looks), 900)
        self.assertLessEqual(len(self.sender.calls), PER_DESTINATION)
        self.assertEqual(
            {(row.last_answer, row.state) for row in self.rows()}, {("451 4.3.0 nobody answers", "waiting")}
        )
        looks.clear()
        self.pass_time(59, step=1)
        self.assertEqual(sum(looks), 0)
        for number in range(900):
            self.assertEqual(
                self.history.story.count(("postponed", f"r{number}@x{number}.example", "451 4.3.0 nobody answers")), 1
            )

    def test_one_goes_ahead(self) -> None:
        """After a pause few are looked at, and only one is tried; the others wait on in one step."""
        looks = self.down_smarthost(900)
        looks.clear()
        self.sender.calls.clear()
        self.pass_time(62, step=1)
        self.assertEqual(len(self.sender.calls), 1)
        self.assertLessEqual(sum(looks), MOST_UNDER_WAY)
        self.assertEqual(len([row for row in self.rows() if row.next_attempt < self.now() + 60]), 0)

    def test_smarthost_up_again(self) -> None:
        """When it is there again all goes."""
        self.down_smarthost(900)
        self.sender.results.clear()
        self.pass_time(120, step=1)
        self.assertEqual(self.rows(), [])

    def test_another_way(self) -> None:
        """Mail that takes another way since then is found when the pause is over, as if nothing had been."""
        self.down_smarthost(5)
        self.sender.smarthost = "other.example:25"
        self.sender.results.clear()
        self.pass_time(120, step=1)
        self.assertEqual(self.rows(), [])

    def test_others_ways(self) -> None:
        """Who takes another way to the same domain is not kept waiting."""
        self.down_smarthost(5)
        self.sender.smarthost = ""
        self.put("new@x1.example")
        self.assertNotIn("new@x1.example", [row.recipient for row in self.rows()])

    def test_suspended(self) -> None:
        """Mail of who may send nothing by now is held, with the reason, and not returned; others' goes (A9)."""
        self.sender.suspended = {7}
        self.put("a@x.example", "b@x.example")
        self.put("c@x.example", account_id=8)
        self.start()
        self.assertEqual(
            [(row.recipient, row.state) for row in self.rows()], [("a@x.example", "held"), ("b@x.example", "held")]
        )
        self.assertEqual({row.last_answer for row in self.rows()}, {"account 7 is suspended"})
        self.assertIn(("held", "a@x.example", "account 7 is suspended"), self.history.story)
        self.assertEqual(self.reports, [])
        self.wait(self.queue.release(""))
        self.assertEqual({row.state for row in self.rows()}, {"held"})
        self.sender.suspended.clear()
        self.pass_time(3600)
        self.assertEqual(len(self.rows()), 2)
        self.wait(self.queue.release(""))
        self.assertEqual(self.rows(), [])

    def test_much_for_one(self) -> None:
        """A host that works gets all its mail without a pause, however much there is."""
        self.put_many(2000, "x.example")
        self.start()
        while self.rows():
            self.clock.advance(0)
        self.assertEqual(self.clock.seconds(), 0.0)
