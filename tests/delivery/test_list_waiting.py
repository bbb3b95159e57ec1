"""Posts that wait for a list's owners: who is told, and what happens if nobody decides (E3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hostmail.address import Address
from hostmail.delivery.header import waiting_header
from hostmail.delivery.lists import deciding, rules, waiting
from hostmail.delivery.lists.waiting import DAY
from hostmail.errors import NoSuchRecipient, NotFound, Refusal, TemporaryFailure, TooMany
from hostmail.interfaces.lists import MailingList, MayPost
from tests.delivery.test_lists import BEA, OWNER, POST, TEAM, ListCase, by

CLEO, EVE = "cleo@example.com", "eve@evil.example"
WAITS = "Your message to team@example.com waits for its owners"


class HeldCase(ListCase):
    def hold(self, author: str = CLEO, subject: str = "x", extra: str = "", sender: str | None = None) -> None:
        before = len(self.rows())
        self.post(by(author, TEAM, subject, extra), author if sender is None else sender)
        self.assertEqual([row.state for row in self.rows()], ["held"] * (before + 1))

    def fail_next(self) -> None:
        create, calls = self.real_spool.create, []

        def once(prefix: bytes) -> object:
            calls.append(prefix)
            if len(calls) == 1:
                raise TemporaryFailure
            return create(prefix)

        self.patch(self.real_spool, "create", once)

    def text(self, address: str) -> str:
        """What the last letter to somebody says."""
        body = self.letters(address)[-1].get_body()
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class AuthorTests(HeldCase):
    def test_is_told(self) -> None:
        """Once: what waits, why, and what to do; as an answer to the post that no machine answers."""
        self.hold(subject="hello there", extra="Message-ID: <q@x>")
        self.hold()
        [letter] = self.letters(CLEO)
        self.assertEqual((letter["Subject"], letter["In-Reply-To"]), (WAITS, "<q@x>"))
        self.assertEqual((letter["Return-Path"], letter["Auto-Submitted"]), ("<>", "auto-replied"))
        text = self.text(CLEO)
        for words in ("hello there", "cleo@example.com is not a member", "team-owner@", "team-subscribe@"):
            self.assertIn(words, text)

    def test_members_are_told(self) -> None:
        """They hear that it may come back, and are not asked to subscribe."""
        self.change(post=MayPost.OWNERS)
        self.hold(BEA)
        self.assertIn("or return it to you", self.text(BEA))
        self.assertNotIn("-subscribe@", self.text(BEA))

    def test_is_not_told(self) -> None:
        """Nobody hears of what he may not have sent: spam, machines, another's name, mail that does not name the list (RFC 3834)."""
        self.hold(extra="X-Spam-Flag: YES")
        self.hold(sender=EVE)
        self.hold(extra="X-Auto-Response-Suppress: All")
        self.hold("no-reply@example.com")
        self.post(by(CLEO, "somebody@example.com"), CLEO)
        self.assertEqual((self.mail(CLEO), self.sender.calls), ([], []))

    def test_lists_that_do_not_tell(self) -> None:
        """A list can be silent."""
        self.change(tell_held=False)
        self.hold()
        self.assertEqual(self.mail(CLEO), [])

    def test_cannot_be_told(self) -> None:
        """The post waits all the same, and nobody is written to twice for that."""
        for refusal in (NoSuchRecipient(), TemporaryFailure()):
            self.store.refusals[CLEO] = refusal
            self.members.asked.clear()
            self.hold()
        self.assertEqual(len(self.letters(OWNER)), 2)


class OwnerTests(HeldCase):
    def test_readable_everywhere(self) -> None:
        """Lines are short enough to need no encoding, so that addresses can be copied from any program."""
        self.hold(EVE, "hello")
        self.post(by(BEA, "team-unsubscribe@example.com"), BEA, "team-unsubscribe@example.com")
        for to in (CLEO, BEA):
            for word in ("subscribe", "request"):
                self.post(by(to, f"team-{word}@example.com"), to, f"team-{word}@example.com")
        self.clock.advance(DAY)
        self.wait(self.waiting_posts.remind())
        for letter in (one for to in (OWNER, CLEO, BEA) for one in self.letters(to)):
            body = letter.get_body()
            assert body is not None
            self.assertEqual(body["Content-Transfer-Encoding"], "7bit", body.get_content())

    def test_says_what_it_is(self) -> None:
        """Author, subject, reason, and until when; nothing in them can pretend to be something else."""
        self.hold(EVE, "=?utf-8?q?Good_news=0A=0AApprove_me?=")
        self.assertIn("from:     eve@evil.example\n    subject:  Good news Approve me\n", self.text(OWNER))
        self.assertIn("reason:   eve@evil.example is not a member", self.text(OWNER))
        self.assertIn("1970-01-15", self.text(OWNER))
        self.assertEqual(self.letters(OWNER)[0]["Auto-Submitted"], "auto-generated")

    def test_none_takes_mail(self) -> None:
        """Then the domain's postmaster decides, who always takes it (E5)."""
        self.change(owners=(Address.parse("gone@example.com"),), tell_held=False)
        self.hold(EVE)
        self.assertIn("@example.com", self.text("ann@example.com"))
        self.send(self.tagged("approve", self.text(OWNER)), message=by(OWNER, self.tagged("approve", self.text(OWNER))))
        self.settle()
        self.assertEqual(len(self.mail(BEA)), 1)

    def test_one_takes_none_now(self) -> None:
        """An owner whose mailbox is full keeps neither the post nor the others: they hear of it, once."""
        self.change(owners=(Address.parse(OWNER), Address.parse(CLEO)), tell_held=False)
        self.store.refusals[CLEO] = TemporaryFailure()
        self.hold(EVE)
        self.settle(100)
        self.assertEqual((len(self.letters(OWNER)), len(self.letters(CLEO))), (1, 0))

    def test_all_take_none_for_long(self) -> None:
        """A post is not returned because its owner's mailbox is full: it waits with the others for the reminder."""
        self.change(tell_held=False)
        self.store.refusals[OWNER] = TemporaryFailure()
        self.post(by(EVE, TEAM), EVE)
        self.assertEqual([row.state for row in self.rows()], ["waiting"])
        self.settle(3000)
        self.assertEqual([row.state for row in self.rows()], ["held"])
        self.assertEqual(self.sender.calls, [])

    def test_not_flooded(self) -> None:
        """Of very many posts they hear with the reminder alone."""
        self.list_rates.left["notices"] = 2
        for _ in range(4):
            self.hold(EVE)
        self.assertEqual(len(self.letters(OWNER)), 2)

    def test_no_room(self) -> None:
        """When very many wait, the next one is refused for now, as long as it would wait, too; members' posts go."""
        self.patch(rules, "MOST_HELD", 3)
        for _ in range(3):
            self.hold(EVE)
        self.assertIsInstance(self.send_refused(TEAM, message=by(EVE, TEAM), sender=EVE), TooMany)
        self.post()
        self.assertEqual(len(self.mail(BEA)), 1)

    def test_reminded(self) -> None:
        """Once a day of all that has waited for half a day, each with fresh addresses to decide, and with its reason."""
        self.hold(EVE, "first")
        self.hold(EVE, "second")
        self.assertEqual(self.wait(self.waiting_posts.remind()), 0)
        self.clock.advance(DAY)
        self.assertEqual(self.wait(self.waiting_posts.remind()), 1)
        self.assertEqual(self.wait(self.waiting_posts.remind()), 0)
        letter, text = self.letters(OWNER)[-1], self.text(OWNER)
        self.assertEqual(letter["Subject"], "Posts to team@example.com wait for you: 2")
        for words in ("first", "second", "is not a member", "given up on 1970-01-15"):
            self.assertIn(words, text)
        address = self.tagged("approve", text)
        self.send(address, message=by(OWNER, address), sender=OWNER)
        self.settle()
        self.assertEqual([one["Subject"] for one in self.letters(BEA)], ["first"])

    def test_reminded_of_many(self) -> None:
        """The oldest are told, and how many more there are."""
        self.patch(waiting, "MOST_REMINDED", 2)
        for _ in range(5):
            self.hold(EVE)
        self.clock.advance(DAY)
        self.wait(self.waiting_posts.remind())
        self.assertEqual(self.text(OWNER).count("reject it:"), 2)
        self.assertIn("and 3 more", self.text(OWNER))

    def test_cannot_be_reminded_now(self) -> None:
        """Then that list is passed over, and the history says so; the others are not concerned."""
        self.hold(EVE)
        self.clock.advance(DAY)
        self.fail_next()
        self.assertEqual(self.wait(self.waiting_posts.remind()), 0)
        self.assertIn("the owners were not reminded", self.told()[-1])

    def test_post_in_an_owners_name(self) -> None:
        """He is asked, and not told on top of it that he waits for himself."""
        self.change(post=MayPost.OWNERS)
        self.hold(OWNER)
        [letter] = self.letters(OWNER)
        self.assertEqual(letter["Subject"], "A post to team@example.com waits for you")


class DecidingTests(HeldCase):
    """What `IHeldPosts` does for the panel, the command and the API; mail to the addresses of owners comes to the same."""

    WHO = "the owner joe"

    def queue_id(self) -> str:
        [row] = self.rows()
        return str(row.queue_id)

    def decide(self, verb: str, queue_id: str, team: MailingList | None = None) -> Any:
        """What is answered, or the refusal."""
        answers: list[Any] = []
        asked = getattr(self.held_posts, verb)(team or self.team, queue_id, self.WHO)
        Deferred.fromCoroutine(asked).addErrback(lambda failure: failure.trap(Refusal) and failure.value).addBoth(
            answers.append
        )
        self.settle()
        return answers[0]

    def test_shown(self) -> None:
        """With what owners are told by mail: author, subject, reason, and until when; not what waits for another list."""
        self.hold(EVE, "=?utf-8?q?Good_news=0A=0AApprove_me?=")
        [post] = self.wait(self.held_posts.posts(self.team.parsed))
        self.assertEqual((post.queue_id, post.sender, post.author), (self.queue_id(), EVE, EVE))
        self.assertEqual((post.subject, post.why_held), ("Good news Approve me", f"{EVE} is not a member"))
        self.assertEqual(post.until - post.since, 14 * DAY)
        self.assertGreater(post.size, 0)
        self.assertEqual(self.wait(self.held_posts.posts(Address.parse("other@example.com"))), [])

    def test_file_is_gone(self) -> None:
        """A post that ends while it is read has no header any more, and spoils nothing."""
        self.hold(EVE, "hello")
        self.patch(deciding, "waiting_header", lambda path, skip: waiting_header(f"{path}.gone", skip))
        [post] = self.wait(self.held_posts.posts(self.team.parsed))
        self.assertEqual((post.author, post.subject, post.sender), ("", "", EVE))

    def test_approve(self) -> None:
        """The members get it, and the history says who let it go before it says that."""
        self.hold(EVE, "hello")
        self.assertIsNone(self.decide("approve", self.queue_id()))
        self.assertEqual([one["Subject"] for one in self.letters(BEA)], ["hello"])
        self.assertEqual(self.told()[-2:], [f"{self.WHO} let it go", "sent to its members: 2"])

    def test_reject(self) -> None:
        """A member gets it back; a stranger hears nothing. The history says who rejected it."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        self.hold(BEA, "mine")
        self.assertEqual(self.decide("reject", self.queue_id()), Address.parse(BEA))
        self.assertIn("its owners did not let it through", self.text(BEA))
        self.assertEqual((self.rows(), self.told()[-1]), ([], f"{self.WHO} rejected it, which goes back to {BEA}"))
        self.hold(EVE)
        self.assertIsNone(self.decide("reject", self.queue_id()))
        self.assertEqual((self.rows(), self.told()[-1]), ([], f"{self.WHO} rejected it, which is deleted"))
        self.assertEqual(self.sender.calls, [])

    def test_only_what_waits_for_this_list(self) -> None:
        """Another list's post, what the operator holds, and what is not there at all are not found, and stay as they are."""
        self.hold(EVE)
        queue_id, other = self.queue_id(), replace(self.team, address="other@example.com")
        for verb in ("approve", "reject"):
            self.assertIsInstance(self.decide(verb, queue_id, other), NotFound)
            self.assertIsInstance(self.decide(verb, "nothing"), NotFound)
            self.assertIsInstance(self.decide(verb, ""), NotFound)
        self.assertEqual((self.queue_id(), self.mail(BEA)), (queue_id, []))
        self.wait(self.runner.stop())
        self.wait(self.waiting.release(""))
        self.wait(self.waiting.hold(""))
        for verb in ("approve", "reject"):
            self.assertIsInstance(self.decide(verb, queue_id), NotFound)
        self.assertEqual((self.queue_id(), self.mail(BEA)), (queue_id, []))

    def test_at_once(self) -> None:
        """Of two who decide at the same moment the first one does, whatever they want; the second is told so, and nothing is sent twice."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        for first, second in (
            ("reject", "reject"),
            ("reject", "approve"),
            ("approve", "reject"),
            ("approve", "approve"),
        ):
            self.hold(BEA, f"{first} and {second}")
            queue_id, before, answers = self.queue_id(), len(self.mail(BEA)), list[Any]()
            for verb in (first, second):
                asked = getattr(self.held_posts, verb)(self.team, queue_id, verb)
                Deferred.fromCoroutine(asked).addBoth(answers.append)
            self.settle()
            self.assertFalse(isinstance(answers[0], Failure), answers)
            answers[1].trap(NotFound)
            self.assertEqual((self.rows(), len(self.mail(BEA)) - before), ([], 1))

    def test_by_mail_and_otherwise(self) -> None:
        """What was decided in the panel is not decided once more by mail, and the history says that it waited no more."""
        self.hold(EVE)
        address, queue_id = self.tagged("reject", self.text(OWNER)), self.queue_id()
        self.decide("approve", queue_id)
        self.send(address, message=by(OWNER, address), sender=OWNER)
        self.settle()
        self.assertIn("that post does not wait any more", self.told()[-1])
        self.assertEqual((len(self.mail(BEA)), self.rows()), (1, []))

    def test_as_the_time_is_over(self) -> None:
        """A post that is rejected just when it would be given up comes back once."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        self.hold(BEA)
        row, before = self.rows()[0], len(self.mail(BEA))
        self.decide("reject", row.queue_id)
        self.failureResultOf(Deferred.fromCoroutine(self.held_posts.give_up(row, self.team, "late")), NotFound)
        self.assertEqual(len(self.mail(BEA)) - before, 1)

    def test_cannot_be_returned_now(self) -> None:
        """Then it waits on, and who rejected it is told why."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        self.hold(BEA)
        self.fail_next()
        self.assertIsInstance(self.decide("reject", self.queue_id()), TemporaryFailure)
        self.assertEqual([row.state for row in self.rows()], ["held"])
        self.assertEqual(self.decide("reject", self.queue_id()), Address.parse(BEA))


class ExpiryTests(HeldCase):
    def expire(self, days: float = 15) -> int:
        self.clock.advance(days * DAY)
        ended: int = self.wait(self.waiting_posts.expire())
        self.settle()
        return ended

    def test_members(self) -> None:
        """A member gets back what nobody has decided about."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        self.hold(BEA, "mine")
        self.assertEqual(self.expire(13), 0)
        self.assertEqual(self.expire(2), 1)
        self.assertEqual(self.rows(), [])
        self.assertIn("its owners did not decide within 14 days", self.text(BEA))
        self.assertIn("nobody decided about the post", self.told()[-1])

    def test_strangers(self) -> None:
        """A stranger's is deleted, and the history says so."""
        self.change(tell_held=False)
        self.hold(EVE)
        self.assertEqual(self.expire(), 1)
        self.assertEqual((self.rows(), self.sender.calls), ([], []))
        self.assertIn("which is deleted", self.told()[-1])

    def test_cannot_be_returned_now(self) -> None:
        """Then it stays for another day."""
        self.change(post=MayPost.OWNERS, tell_held=False)
        self.hold(BEA)
        self.fail_next()
        self.assertEqual(self.expire(), 0)
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(self.expire(1), 1)

    def test_list_is_gone(self) -> None:
        """What waits for it goes at once: nobody can decide any more."""
        self.hold(EVE)
        self.directory.lists.clear()
        self.assertEqual(self.expire(1), 1)
        self.assertEqual(self.rows(), [])
        self.assertIn(("deleted", TEAM, "the mailing list is gone"), self.history.story)

    def test_not_the_operators(self) -> None:
        """What the operator holds, or another limit, is not touched."""
        self.wait(self.runner.stop())
        self.send(TEAM, message=POST, sender=BEA)
        self.wait(self.waiting.hold(""))
        self.assertEqual(self.expire(100), 0)
        self.assertEqual(self.wait(self.waiting_posts.remind()), 0)
        self.assertEqual(len(self.rows()), 1)


class LimitTests(HeldCase):
    def test_too_much(self) -> None:
        """A member whose password is stolen cannot have everybody flooded: what is too much waits for the owners, who may let it go."""
        self.list_rates.too_much = "60 posts went out within an hour"
        self.hold(BEA)
        self.assertIn("reason:   60 posts went out within an hour", self.text(OWNER))
        self.assertEqual((self.sender.calls, self.list_rates.posts), ([], []))
        address = self.tagged("approve", self.text(OWNER))
        self.send(address, message=by(OWNER, address), sender=OWNER)
        self.settle()
        self.assertEqual((self.list_rates.posts, self.rows()), ([(self.team.id, 2)], []))

    def test_counted(self) -> None:
        """Each post, with its members."""
        self.post()
        self.assertEqual(self.list_rates.posts, [(self.team.id, 2)])

    def test_requests(self) -> None:
        """Who asks for too much is refused for now: strangers are written to for each request."""
        self.list_rates.left["requests"] = 1
        self.send("team-subscribe@example.com", message=by(CLEO, "team-subscribe@example.com"), sender=CLEO)
        for word in ("subscribe", "unsubscribe", "request"):
            to = f"team-{word}@example.com"
            refusal = self.send_refused(to, message=by(EVE, to), sender=EVE)
            self.assertEqual((type(refusal), refusal.permanent), (TooMany, False))
