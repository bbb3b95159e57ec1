"""Intake, spool, queue and runner together, as the appliance has them: what a customer sends, and what comes back."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import DeferredLock
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from hostmail.address import Address
from hostmail.delivery.intake import IntakeSettings
from hostmail.delivery.lists.commands import Commands
from hostmail.delivery.lists.deciding import HeldPosts
from hostmail.delivery.lists.holding import Holding
from hostmail.delivery.lists.letters import Letters
from hostmail.delivery.lists.oneclick import OneClick
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.posts import Posts
from hostmail.delivery.lists.rules import ListRules
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.waiting import WaitingPosts
from hostmail.delivery.lists.work import Lists
from hostmail.delivery.redelivery import Redelivery
from hostmail.errors import NoSuchRecipient, Refusal, TemporaryFailure
from hostmail.queue.queue import Queue
from hostmail.queue.runner import Runner
from hostmail.routing.router import Router
from hostmail.storage.spool import Spool
from tests.delivery.fakes import FakeAnswered, FakeHistory, FakeSenders
from tests.delivery.intaking import IntakeCase
from tests.delivery.listfakes import FakeListRates, FakeMembers
from tests.queue.support import FakeSender, Result, at_once


class _Unreadable(bytes):
    """Octets that break whoever takes them."""

    def __len__(self) -> int:
        raise TypeError


class WholeWayCase(IntakeCase):
    """Everything between MAIL and another host, but mailboxes and the directory."""

    def setUp(self) -> None:
        super().setUp()
        root = Path(self.mktemp())
        self.clock = Clock()
        self.router = Router(self.directory)
        self.waiting = Queue(root / "queue", in_thread=at_once, now=self.clock.seconds)
        self.addCleanup(self.waiting.close)
        self.real_spool = Spool(str(root / "spool"))
        self.history = FakeHistory()
        self.answered = FakeAnswered()
        self.members = FakeMembers()
        self.list_rates = FakeListRates()
        self.zone: dict[str, str] = {}
        self.web = "https://mail.example.net:8443"
        self.dns_fails = False
        self.intake = self.make_intake(
            spool=self.real_spool,
            queue=self.waiting,
            settings=IntakeSettings("mail.example.net", 1_000_000),
            now=self.clock.seconds,
            judge_for_list=self.make_rules().judge,
        )
        self.sender = FakeSender()
        redelivery = Redelivery(
            directory=self.directory,
            store=self.store,
            answering=self.intake.answering,
            senders=FakeSenders(),
            one_click=self.make_one_click(),
            forward_spam=False,
            in_thread=at_once,
        )
        self.runner = Runner(
            queue=self.waiting,
            clock=self.clock,
            now=self.clock.seconds,
            random=Random(8),
            decide=self.router.decide,
            deliver=redelivery.deliver,
            forward=redelivery.send_on,
            for_list=self.make_lists().take,
            report=self.intake.notices.report,
            sender=self.sender,
            history=self.history,
        )
        self.addCleanup(self.runner.stop)

    def send(self, *recipients: Any, **more: Any) -> None:
        super().send(*recipients, **more)
        self.clock.advance(0)

    def make_rules(self) -> ListRules:
        """As `compose` makes them."""
        return ListRules(
            directory=self.directory,
            members=self.members,
            queue=self.waiting,
            rates=self.list_rates,
            now=self.clock.seconds,
        )

    def make_letters(self) -> Letters:
        """As `compose` makes them."""
        return Letters(self.intake.submit, hostname="mail.example.net", now=self.clock.seconds, random=Random(9))

    def make_one_click(self) -> OneClick:
        """As `compose` makes it; `web` is where the panel is."""
        return OneClick(
            directory=self.directory,
            members=self.members,
            letters=self.make_letters(),
            telling=ListTelling(self.history, self.clock.seconds),
            web=lambda domain: self.web,
        )

    def make_lists(self) -> Lists:
        """As `compose` makes them."""
        common = ListParts(
            directory=self.directory,
            members=self.members,
            queue=self.waiting,
            letters=self.make_letters(),
            telling=ListTelling(self.history, self.clock.seconds),
            rates=self.list_rates,
            in_thread=at_once,
            now=self.clock.seconds,
            keep_seconds=14 * 86_400.0,
            deciding=DeferredLock(),
        )
        self.held_posts = HeldPosts(common)
        self.waiting_posts = WaitingPosts(common, self.held_posts)
        posts = Posts(common, rules=self.make_rules(), holding=Holding(common), texts=self.texts)
        commands = Commands(common, self.held_posts)
        return Lists(directory=self.directory, post=posts.take, command=commands.take)

    async def texts(self, name: str) -> list[str]:
        if name in self.zone:
            return [self.zone[name]]
        raise NoSuchRecipient if not self.dns_fails else TemporaryFailure

    def rows(self) -> list[Any]:
        found: list[Any] = self.wait(self.waiting.list())
        return found


class Elsewhere(Refusal):
    """What another server says."""

    elsewhere = True


class WholeWayTests(WholeWayCase):
    def test_waits_as_it_was_sent(self) -> None:
        """Mail for elsewhere waits in a file of its own, clean of final delivery, and the spool is empty again."""
        self.send("ann@example.com", "bob@x.example", peer=self.login, sender="ann@example.com")
        [row] = self.rows()
        content = Path(row.path).read_bytes()
        self.assertTrue(content.startswith(b"Received: "))
        self.assertIn(b"\r\n\r\nHow are you?\r\n", content)
        self.assertEqual((row.account_id, row.size), (1, len(content)))
        self.assertEqual(os.listdir(self.real_spool.directory), [])
        self.assertEqual(len(self.mail("ann@example.com")), 1)

    def test_the_log_tells_the_story(self) -> None:
        """One line for what was taken: who brought it, from whom, to whom, how big, and what we did."""
        with capturedLogs() as events:
            self.send("ann@example.com", "bob@x.example", peer=self.login, sender="ann@example.com")
        [told] = [text for text in map(str, map(formatEvent, events)) if text.startswith("message_accepted")]
        [row] = self.rows()
        self.assertIn(f"{row.queue_id} from=<ann@example.com> to ann@example.com, bob@x.example size=", told)
        self.assertIn("mailboxes=1 queued=1 (submission 192.0.2.7 ann@example.com)", told)

    def test_a_report_that_cannot_be_written(self) -> None:
        """A fault while we write a message of our own leaves nothing in the spool."""
        writing = self.intake.submit(Address.parse("ann@example.com"), _Unreadable(b"Subject: x"))
        self.assertRaises(TypeError, writing.send, None)
        self.assertEqual(os.listdir(self.real_spool.directory), [])

    def test_who_is_vouched_for(self) -> None:
        """The session hears from the intake whether somebody answers for its client (C2)."""
        self.assertFalse(self.wait(self.intake.vouched(self.peer)))
        self.assertTrue(self.wait(self.intake.vouched(self.login)))

    def test_big_message(self) -> None:
        """A message that did not fit into memory waits whole."""
        self.send("bob@x.example", peer=self.login, sender="ann@example.com", message=b"\r\n" + b"x" * 500_000)
        [row] = self.rows()
        self.assertTrue(Path(row.path).read_bytes().endswith(b"\r\n" + b"x" * 500_000))

    def test_bounce(self) -> None:
        """What another host refuses comes back into the sender's mailbox, with the reason (C9)."""
        self.sender.results["bob@x.example"] = Result(Refusal("x said: 550 who?", code=550, enhanced="5.1.1"))
        self.wait(self.runner.start())
        self.send("bob@x.example", peer=self.login, sender="ann@example.com")
        [bounce] = self.mail("ann@example.com")
        self.assertTrue(bounce.startswith(b"Return-Path: <>\r\n"))
        self.assertIn(b"Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n", bounce)
        self.assertIn(b"Subject: hello", bounce)
        self.assertEqual(self.rows(), [])

    def test_forwarded_after_waiting(self) -> None:
        """Who has become a forward while his mail waited: it leaves in our name, as at once (E1)."""
        self.sender.results["bob@x.example"] = Result(TemporaryFailure())
        self.wait(self.runner.start())
        self.send("bob@x.example", peer=self.login, sender="sam@sam.example", message=b"Subject: x\r\n\r\nbody\r\n")
        [waits] = self.rows()
        content = Path(waits.path).read_bytes()
        self.sender.results["carl@y.example"] = Result(TemporaryFailure())
        self.directory.add("zoe@x.example")
        self.directory.lead("bob@x.example", "carl@y.example")
        self.clock.advance(66)
        [row] = self.rows()
        self.assertEqual((row.sender, row.recipient), ("srs0=x=y=sam.example=sam@x.example", "carl@y.example"))
        self.assertEqual(
            (row.orcpt, row.queue_id, row.created), ("rfc822;bob@x.example", waits.queue_id, waits.created)
        )
        self.assertEqual(Path(row.path).read_bytes(), b"Delivered-To: bob@x.example\r\n" + content)
        self.assertFalse(Path(waits.path).exists())

    def test_forwarded_to_a_secret_address(self) -> None:
        """Whose forward is refused elsewhere is named as the sender knows him, and not where he has his mail sent (RFC 3464 4.2)."""
        for refusal, seconds, words in (
            (
                Elsewhere("mx.x.example said: 550 5.1.1 <secret@x.example> is gone", enhanced="5.1.1"),
                0,
                "5.1.1 | does not take it",
            ),
            (
                Elsewhere("mx.x.example is silent", code=451, enhanced="4.4.1"),
                6 * 86400,
                "5.4.1 | could not be reached",
            ),
        ):
            status, told = words.split(" | ")
            self.sender.results["secret@x.example"] = Result(refusal)
            self.directory.lead("info@example.com", "secret@x.example")
            self.wait(self.runner.start())
            self.send("info@example.com", peer=self.login, sender="ann@example.com")
            while seconds > 0:
                self.clock.advance(3600)
                seconds -= 3600
            *_, bounce = self.mail("ann@example.com")
            self.assertIn(
                f"Final-Recipient: rfc822; info@example.com\r\nAction: failed\r\nStatus: {status}\r\n".encode(), bounce
            )
            self.assertIn(
                f"{refusal.code} {refusal.enhanced} the address to which this mail is forwarded {told}\r\n".encode(),
                bounce,
            )
            for each in self.mail("ann@example.com"):
                self.assertNotIn(b"x.example", each)

    def test_comes_round_after_waiting(self) -> None:
        """Who has become a forward while mail waited that he has sent on before: it ends here, and its sender hears of it (E1)."""
        self.sender.results["bob@x.example"] = Result(TemporaryFailure())
        self.wait(self.runner.start())
        message = b"Delivered-To: <Bob@x.example>\r\nSubject: x\r\n\r\nbody\r\n"
        self.send("bob@x.example", peer=self.login, sender="ann@example.com", message=message)
        self.directory.add("zoe@x.example")
        self.directory.lead("bob@x.example", "carl@y.example")
        self.clock.advance(66)
        self.assertEqual(self.rows(), [])
        [bounce] = self.mail("ann@example.com")
        self.assertIn(b"Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.4.6\r\n", bounce)

    def test_spam_that_has_waited(self) -> None:
        """What was judged spam is not forwarded after a wait either: its sender hears of it, for we have taken it."""
        self.sender.results["bob@x.example"] = Result(TemporaryFailure())
        self.wait(self.runner.start())
        self.send("bob@x.example", peer=self.login, sender="ann@example.com", message=b"X-Spam-Flag: YES\r\n\r\n.\r\n")
        self.directory.add("zoe@x.example")
        self.directory.lead("bob@x.example", "carl@y.example")
        self.clock.advance(66)
        self.assertEqual(self.rows(), [])
        [bounce] = self.mail("ann@example.com")
        self.assertIn(b"Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\nStatus: 5.7.1\r\n", bounce)

    def test_story_of_spam_that_has_waited(self) -> None:
        """Where a copy was kept the sender hears nothing, but whoever asks learns that it was not forwarded."""
        self.sender.results["bob@x.example"] = Result(TemporaryFailure())
        self.wait(self.runner.start())
        self.send("bob@x.example", peer=self.login, sender="ann@example.com", message=b"X-Spam-Flag: YES\r\n\r\n.\r\n")
        self.directory.add("bob@x.example")
        self.directory.lead("bob@x.example", "carl@y.example", keep_copy=True)
        self.clock.advance(66)
        self.assertEqual((self.rows(), len(self.mail("bob@x.example"))), ([], 1))
        told = ("not forwarded", "carl@y.example", "this message was judged spam and is not forwarded")
        self.assertIn(told, self.history.story)

    def test_mailbox_in_trouble(self) -> None:
        """A mailbox in trouble gets its copy once the trouble is over, with the trace of its arrival (D4)."""
        self.wait(self.runner.start())
        self.store.refusals["bea@example.com"] = TemporaryFailure()
        self.send("ann@example.com", "bea@example.com")
        self.assertEqual([row.recipient for row in self.rows()], ["bea@example.com"])
        self.store.refusals.clear()
        self.clock.advance(66)
        [late] = self.mail("bea@example.com")
        self.assertTrue(
            late.startswith(b"Return-Path: <bob@other.example>\r\nDelivered-To: bea@example.com\r\nReceived: ")
        )
        self.assertEqual(late.count(b"Delivered-To"), 1)
        self.assertEqual(self.rows(), [])
