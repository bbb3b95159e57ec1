"""What waits and is for mailboxes and lists here."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from hostmail.address import Address
from hostmail.decisions import Discard, Forward, IntoMailbox, Refuse, Several, ToList
from hostmail.delivery.forwarding import Leaving
from hostmail.delivery.lists.posts import Rewritten
from hostmail.delivery.lists.work import Onward
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import MailLoop, NoSuchRecipient, OverQuota, RecipientSuspended, TemporaryFailure
from hostmail.queue.lanes import PER_DESTINATION
from tests.queue.support import LATER, FakeSender, RunnerCase


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
