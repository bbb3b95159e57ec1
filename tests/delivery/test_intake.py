"""From MAIL to 250: a message into mailboxes and queue."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.checks.gate import Gate
from hostmail.checks.holding import HeldRoom
from hostmail.checks.sending import SendingRates
from hostmail.decisions import IntoMailbox, Relay
from hostmail.delivery.intake import Intake, IntakeSettings
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import (
    BadAddress,
    BrokenOff,
    MailLoop,
    MessageTooBig,
    NoSuchRecipient,
    OutOfSpace,
    OverQuota,
    Refusal,
    RelayingProhibited,
    SpamNotForwarded,
    TemporaryFailure,
)
from hostmail.interfaces.delivery import IIntake, ITransaction
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.history import Happened
from hostmail.interfaces.logins import IRelayGrants
from hostmail.interfaces.mailstore import IMailStore, ISpool, ISpoolFile
from hostmail.interfaces.queue import IQueue
from hostmail.routing.router import Router
from tests.delivery.fakes import (
    FakeAnswered,
    FakeDirectory,
    FakeGrants,
    FakeHistory,
    FakeQueue,
    FakeSenders,
    FakeSpool,
    FakeStore,
    any_for_lists,
)
from tests.queue.support import at_once

MESSAGE = b"From: bob@other.example\r\nSubject: hello\r\n\r\nHow are you?\r\n"


class IntakeCase(SynchronousTestCase):
    """An intake with three mailboxes, and the stages around it."""

    def setUp(self) -> None:
        self.directory = FakeDirectory("ann@example.com", "bea@example.com", "cleo@example.com")
        self.store, self.spool, self.queue, self.grants = FakeStore(), FakeSpool(), FakeQueue(), FakeGrants()
        self.addCleanup(self.spool.clean)
        self.caught: list[str] = []
        router = Router(self.directory, hostname="mail.example.net")
        self.gate = Gate(
            directory=self.directory,
            store=self.store,
            grants=self.grants,
            message_size_limit=100_000,
            pop_before_smtp=True,
            sending=SendingRates(path=Path(self.mktemp()), now=lambda: 1e9, per_hour=300, per_day=2000),
            held_room=HeldRoom(held=self.queue.held, recipients=20, octets=10_000),
            decide=router.decide,
        )
        self.history = FakeHistory()
        self.answered = FakeAnswered()
        self.intake = Intake(
            directory=self.directory,
            store=self.store,
            spool=self.spool,
            queue=self.queue,
            router=router,
            gate=self.gate,
            settings=IntakeSettings("mail.example.net", 100_000),
            now=lambda: 1_700_000_000.0,
            random=Random(7),
            in_thread=at_once,
            history=self.history,
            senders=FakeSenders(),
            answered=self.answered,
            claim_hold_notice=lambda account_id: True,
            judge_for_list=any_for_lists,
            caught=self.caught.append,
        )
        self.peer = Peer("192.0.2.7", "smtp", helo="client.example", esmtp=True)
        self.login = Peer("192.0.2.7", "submission", esmtp=True, tls=True, account_id=1, login="ann@example.com")

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))

    def refused(self, coroutine: Coroutine[Any, Any, Any]) -> Refusal:
        refusal = self.failureResultOf(ensureDeferred(coroutine), Refusal).value
        assert isinstance(refusal, Refusal)
        return refusal

    def begin(
        self, *recipients: Any, peer: Peer | None = None, sender: str = "bob@other.example", ret: str = ""
    ) -> Any:
        peer = peer or self.peer
        envelope = Envelope(Address.parse(sender) if sender else None, ret=ret)
        self.wait(self.intake.sender(peer, envelope))
        decisions = []
        for each in recipients:
            recipient = each if isinstance(each, Recipient) else Recipient(Address.parse(each))
            decisions.append((recipient, self.wait(self.intake.recipient(peer, envelope, recipient))))
        return self.intake.begin(peer, envelope, decisions)

    def send(self, *recipients: Any, message: bytes = MESSAGE, **more: Any) -> None:
        transaction = self.begin(*recipients, **more)
        transaction.write(message)
        self.wait(transaction.commit())

    def send_refused(self, *recipients: Any, message: bytes = MESSAGE, **more: Any) -> Refusal:
        transaction = self.begin(*recipients, **more)
        transaction.write(message)
        return self.refused(transaction.commit())

    def mail(self, address: str) -> list[bytes]:
        return self.store.mail.get(address, [])


class StoryTests(IntakeCase):
    """What `hostmail trace` will tell."""

    def test_delivered_and_queued(self) -> None:
        """Who brought a message, and what became of it for each recipient."""
        self.directory.lead("info@example.com", "ann@example.com", "far@elsewhere.example")
        self.send("info@example.com", "x@else.example", peer=self.login, message=b"Message-ID: <m1@x>\r\n\r\nhi\r\n")
        accepted, *ends = self.history.facts
        self.assertEqual((accepted.what, accepted.message_id), (Happened.ACCEPTED, "m1@x"))
        self.assertEqual(accepted.words, "from 192.0.2.7 by submission as ann@example.com, 26 octets")
        self.assertEqual({fact.queue_id for fact in ends}, {accepted.queue_id})
        self.assertEqual(
            self.history.story[1:],
            [
                ("led to", "info@example.com", "ann@example.com"),
                ("led to", "info@example.com", "far@elsewhere.example"),
                ("delivered", "ann@example.com", ""),
                ("queued", "far@elsewhere.example", "forwarded by info@example.com"),
                ("queued", "x@else.example", ""),
            ],
        )

    def test_refused_at_rcpt(self) -> None:
        """Who was told no, and with which words."""
        recipient = Recipient(Address.parse("nobody@example.com"))
        refusal = self.refused(self.intake.recipient(self.peer, Envelope(Address.parse("eve@x.example")), recipient))
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.queue_id, fact.sender), (Happened.REFUSED, "", "eve@x.example"))
        self.assertEqual(fact.recipient, "nobody@example.com")
        self.assertEqual(fact.words, f"550 {refusal.smtp_line()} (192.0.2.7 by smtp)")

    def test_one_end_of_two_names(self) -> None:
        """Where two names lead to one address outside, or to one that was named as well, each has its story all the same."""
        self.directory.lead("info@example.com", "far@elsewhere.example")
        self.directory.lead("sales@example.com", "Far@elsewhere.example")
        self.send("info@example.com", "sales@example.com")
        led = [fact for fact in self.history.story if fact[0] == "led to"]
        self.assertEqual([name for _, name, _ in led], ["info@example.com", "sales@example.com"])
        self.history.facts.clear()
        self.send("far@elsewhere.example", "info@example.com", peer=self.login)
        self.assertIn(("led to", "info@example.com", "far@elsewhere.example"), self.history.story)

    def test_caught(self) -> None:
        """Mail that a catch-all took says so at its end, here or elsewhere."""
        self.directory.set("example.com", catch_all="default")
        self.send("nobody@example.com")
        self.directory.set("example.com", catch_all="far@elsewhere.example")
        self.send("nobody+x@example.com")
        words = "the catch-all takes mail for nobody@example.com"
        self.assertEqual(
            self.history.story[1:3],
            [("led to", "nobody@example.com", "ann@example.com"), ("delivered", "ann@example.com", words)],
        )
        self.assertIn(
            ("queued", "far@elsewhere.example", f"forwarded by nobody+x@example.com, {words}"), self.history.story
        )

    def test_forward_of_spam(self) -> None:
        """Whose mail is not forwarded learns it under his own name, too."""
        self.directory.lead("info@example.com", "ann@example.com", "far@elsewhere.example")
        self.send("info@example.com", message=b"X-Spam-Flag: YES\r\n\r\nhi\r\n")
        self.assertIn(("led to", "info@example.com", "far@elsewhere.example"), self.history.story)

    def test_refused_at_mail(self) -> None:
        """A sender who is told no before he has named anybody, with the login he used."""
        refusal = self.refused(self.intake.sender(self.login, Envelope(Address.parse("eve@x.example"), size=1 << 40)))
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.sender, fact.recipient), (Happened.REFUSED, "eve@x.example", ""))
        self.assertEqual(fact.words, f"552 {refusal.smtp_line()} (192.0.2.7 by submission as ann@example.com)")

    def test_refused_after_data(self) -> None:
        """A message that is not taken after all, found by its Message-ID, too; whoever has found that out."""
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m1@x>\r\n\r\n")
        transaction.write(b"x" * 200_000)
        self.refused(transaction.commit())
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m2@x>\r\n\r\n")
        transaction.abort(MessageTooBig())
        self.assertEqual([(what, to) for what, to, _ in self.history.story], [("refused", "ann@example.com")] * 2)
        self.assertEqual([fact.message_id for fact in self.history.facts], ["m1@x", "m2@x"])

    def test_message_id_of_ours(self) -> None:
        """A message that came without a Message-ID is found by the one that we gave it."""
        self.send("x@else.example", peer=self.login, message=b"Subject: hi\r\n\r\nhi\r\n")
        [given] = re.findall(rb"(?m)^Message-ID: <(.*)>\r$", self.queue.committed[0].content)
        self.assertEqual(self.history.facts[0].message_id, given.decode())

    def test_found_by_its_message_id(self) -> None:
        """Also where it was refused or cut off within its header, or for the line ends of its header."""
        for header in (
            b"Message-ID: <m1@x>\r\nSubj",
            b"Message-ID: <m1@x>\nSubject: hi\n\nhi\n",
            b"Message-Id:\r\n <m1@x>\r\n\r\n",
        ):
            transaction = self.begin("ann@example.com")
            transaction.write(header)
            transaction.abort(BrokenOff())
        self.assertEqual([fact.message_id for fact in self.history.facts], ["m1@x"] * 3)

    def test_cut_off(self) -> None:
        """A client that goes away before the end was refused nothing, but whoever waits for that mail can learn of it."""
        self.begin("ann@example.com").abort()
        self.assertEqual(self.history.story, [])
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m1@x>\r\n\r\n")
        transaction.abort(BrokenOff("the client was silent"))
        self.assertEqual(
            self.history.story, [("broken off", "ann@example.com", "the client was silent (192.0.2.7 by smtp)")]
        )
        self.assertEqual(self.history.facts[0].message_id, "m1@x")

    def test_no_room_to_begin(self) -> None:
        """A message that DATA is refused for, since there is no room for its file, was refused to each of its recipients."""
        self.spool.full = True
        self.assertRaises(OutOfSpace, self.begin, "ann@example.com", "bea@example.com")
        self.assertEqual(
            [(what, to) for what, to, _ in self.history.story],
            [("refused", "ann@example.com"), ("refused", "bea@example.com")],
        )

    def test_refused_by_the_session(self) -> None:
        """What the session turns away by itself is told as it was written."""
        self.intake.turned_away(self.peer, "eve@x.example", "no address", BadAddress())
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.queue_id, fact.recipient), (Happened.REFUSED, "", "no address"))

    def test_our_own(self) -> None:
        """A message that we wrote says so."""
        self.wait(self.intake.submit(Address.parse("ann@example.com"), b"Subject: hi\r\n\r\n"))
        self.assertEqual(self.history.facts[0].words, "from this server itself, 15 octets")

    def test_ends_that_are_tried_again(self) -> None:
        """What waits in the queue for another try has not been given up: trouble for now, or a report that could not be stored."""
        for number in range(12):
            self.directory.lead(f"n{number}@example.com", f"n{number + 1}@example.com")
        self.directory.lead("info@example.com", "ann@example.com", "n0@example.com")
        self.send("info@example.com")
        self.assertEqual(
            {what for what, _, words in self.history.story if words.startswith("451 4.3.5")}, {"postponed"}
        )
        self.history.facts.clear()
        self.store.refusals["bea@example.com"] = OverQuota("full")
        self.store.refusals["cleo@example.com"] = TemporaryFailure()
        self.send("ann@example.com", "bea@example.com", sender="cleo@example.com")
        told = [(what, to) for what, to, _ in self.history.story]
        self.assertIn(("postponed", "bea@example.com"), told)
        self.assertNotIn(("failed", "bea@example.com"), told)

    def test_mailboxes_that_say_no(self) -> None:
        """A full mailbox beside one that has room, and the report to the sender."""
        self.directory.add("bob@example.com")
        self.store.refusals["bob@example.com"] = OverQuota("full")
        self.send("ann@example.com", "bob@example.com")
        story = sorted((what, to) for what, to, _ in self.history.story if to != "bob@other.example")
        self.assertIn(("delivered", "ann@example.com"), story)
        self.assertIn(("failed", "bob@example.com"), story)
        self.assertIn(("reported", "bob@example.com"), story)


class ContractTests(IntakeCase):
    def test_interfaces(self) -> None:
        """Intake, transaction and the stand-ins are what the contracts say."""
        verifyObject(IIntake, self.intake)
        transaction = self.begin("ann@example.com")
        verifyObject(ITransaction, transaction)
        transaction.abort()
        verifyObject(IDirectory, self.directory)
        verifyObject(IMailStore, self.store)
        verifyObject(IQueue, self.queue)
        verifyObject(IRelayGrants, self.grants)
        verifyObject(ISpool, self.spool)
        verifyObject(ISpoolFile, self.spool.files[0])

    def test_recipients(self) -> None:
        """RCPT gets a decision, or its refusal at once (ARCHITECTURE 4)."""
        envelope = Envelope(None)
        ask = self.intake.recipient
        into = self.wait(ask(self.peer, envelope, Recipient(Address.parse("Ann+x@example.com")))).decision
        self.assertIsInstance(into, IntoMailbox)
        self.assertEqual(into.delivered_to, "ann@example.com")
        away = Recipient(Address.parse("bob@other.example"))
        self.assertIsInstance(self.wait(ask(self.login, envelope, away)).decision, Relay)
        self.assertIsInstance(self.refused(ask(self.peer, envelope, away)), RelayingProhibited)
        nobody = Recipient(Address.parse("nobody@example.com"))
        self.assertIsInstance(self.refused(ask(self.peer, envelope, nobody)), NoSuchRecipient)


class LocalTests(IntakeCase):
    def test_one_mailbox(self) -> None:
        """The mailbox gets the message behind Return-Path, Delivered-To and Received, and can link the spool's file."""
        self.send("ann@example.com")
        [got] = self.mail("ann@example.com")
        trace, _, rest = got.partition(b"From: bob")
        self.assertTrue(
            trace.startswith(
                b"Return-Path: <bob@other.example>\r\nDelivered-To: ann@example.com\r\nReceived: from client."
            )
        )
        self.assertIn(b"by mail.example.net with ESMTP id ", trace)
        self.assertIn(b"for <ann@example.com>;", trace)
        self.assertEqual(b"From: bob" + rest, MESSAGE)
        self.assertEqual(self.store.linked, ["ann@example.com"])
        self.assertEqual(self.spool.left, [])
        self.assertTrue(self.spool.files[0].sealed)

    def test_any_chunks(self) -> None:
        """However the octets come in, the same message comes out."""
        transaction = self.begin("ann@example.com")
        for i in range(len(MESSAGE)):
            transaction.write(MESSAGE[i : i + 1])
        self.wait(transaction.commit())
        self.assertTrue(self.mail("ann@example.com")[0].endswith(b"\r\n" + MESSAGE))

    def test_several_mailboxes(self) -> None:
        """Each mailbox gets its own marks, and nobody learns of the others."""
        self.send("ann@example.com", "bea@example.com")
        self.assertIn(b"Delivered-To: bea@example.com\r\n", self.mail("bea@example.com")[0])
        self.assertNotIn(b"ann@example.com", self.mail("bea@example.com")[0])
        self.assertNotIn(b"for <", self.mail("ann@example.com")[0])

    def test_one_copy(self) -> None:
        """Several addresses of one mailbox make one copy."""
        self.send("ann@example.com", "ann+shop@example.com", "postmaster@example.com")
        self.assertEqual(len(self.mail("ann@example.com")), 1)

    def test_null_sender(self) -> None:
        """A bounce has an empty Return-Path."""
        self.send("ann@example.com", sender="")
        self.assertTrue(self.mail("ann@example.com")[0].startswith(b"Return-Path: <>\r\n"))

    def test_return_path_is_ours(self) -> None:
        """A Return-Path that came with the message is dropped, folded or not (RFC 5321 4.4)."""
        self.send("ann@example.com", message=b"return-path:\r\n <x@y>\r\n" + MESSAGE)
        got = self.mail("ann@example.com")[0]
        self.assertNotIn(b"x@y", got)
        self.assertTrue(got.endswith(b"\r\n" + MESSAGE))

    def test_header_only(self) -> None:
        """A message that is nothing but header, or nothing at all, is delivered as it is."""
        self.send("ann@example.com", message=b"Subject: x\r\n")
        self.send("ann@example.com", message=b"")
        self.assertTrue(self.mail("ann@example.com")[0].endswith(b"\r\nSubject: x\r\n"))

    def test_body_at_once(self) -> None:
        """A message without any header keeps its body."""
        self.send("ann@example.com", message=b"\r\nReturn-Path: <kept@x>\r\n")
        self.assertTrue(self.mail("ann@example.com")[0].endswith(b"\r\n\r\nReturn-Path: <kept@x>\r\n"))

    def test_endless_header(self) -> None:
        """A header over 256 KiB passes; memory stays bounded (LIMITS, Messages)."""
        self.intake = Intake(
            directory=self.directory,
            store=self.store,
            spool=self.spool,
            queue=self.queue,
            router=Router(self.directory),
            gate=self.gate,
            settings=IntakeSettings("mail.example.net", 1_000_000),
            now=lambda: 1.0,
            random=Random(7),
            in_thread=at_once,
            history=self.history,
            senders=FakeSenders(),
            answered=self.answered,
            claim_hold_notice=lambda account_id: True,
            judge_for_list=any_for_lists,
        )
        message = b"X-Long: " + b"a" * 60 + b"\r\n"
        self.send("ann@example.com", message=message * 5000)
        self.assertTrue(self.mail("ann@example.com")[0].endswith(message * 5000))

    def test_abort(self) -> None:
        """An aborted message leaves nothing."""
        transaction = self.begin("ann@example.com")
        transaction.write(MESSAGE)
        transaction.abort()
        self.assertEqual((self.spool.left, self.mail("ann@example.com")), ([], []))

    def test_local_mail_has_no_responsible_comment(self) -> None:
        """A stranger's mail is attributed to nobody."""
        self.send("ann@example.com")
        self.assertNotIn(b"mail check", self.mail("ann@example.com")[0])


class RefusedTests(IntakeCase):
    def test_too_big(self) -> None:
        """A message over the limit is refused whatever SIZE promised, with 552 5.3.4 (D3)."""
        refusal = self.send_refused("ann@example.com", message=MESSAGE + b"x" * 100_000)
        self.assertIsInstance(refusal, MessageTooBig)
        self.assertIn("100000", refusal.public)
        self.assertEqual((self.mail("ann@example.com"), self.spool.left), ([], []))

    def test_hops(self) -> None:
        """More than 50 Received fields are a loop."""
        self.send("ann@example.com", message=b"Received: x\r\n" * 50 + MESSAGE)
        refusal = self.send_refused("ann@example.com", message=b"Received: x\r\n" * 51 + MESSAGE)
        self.assertIsInstance(refusal, MailLoop)

    def test_delivered_before(self) -> None:
        """A message that carries the mailbox's own Delivered-To is in a loop; other mailboxes get it."""
        looping = b"Delivered-To: ANN@example.com\r\n" + MESSAGE
        self.assertIsInstance(self.send_refused("ann@example.com", message=looping), MailLoop)
        self.send("bea@example.com", message=looping)
        self.assertEqual(len(self.mail("bea@example.com")), 1)

    def test_no_room_on_the_server(self) -> None:
        """A full disk is said before DATA begins (LIMITS, Files)."""
        self.spool.full = True
        self.assertRaises(OutOfSpace, self.begin, "ann@example.com")

    def test_disk_trouble(self) -> None:
        """A write that failed means a failure for now, and nothing is delivered (D12)."""
        self.spool.failure = TemporaryFailure()
        self.assertIsInstance(self.send_refused("ann@example.com"), TemporaryFailure)
        self.assertEqual(self.mail("ann@example.com"), [])

    def test_removed_meanwhile(self) -> None:
        """An account removed between RCPT and the end of DATA gets nothing (D13)."""
        transaction = self.begin("ann@example.com")
        del self.directory.all_accounts[1]
        self.assertIsInstance(self.refused(transaction.commit()), NoSuchRecipient)

    def test_nobody_has_room(self) -> None:
        """If no mailbox has room, the sender's server hears it and no report is made (D4)."""
        self.store.refusals = {"ann@example.com": OverQuota("full"), "bea@example.com": OverQuota("full")}
        refusal = self.send_refused("ann@example.com", "bea@example.com")
        self.assertIsInstance(refusal, OverQuota)
        self.assertEqual(self.queue.prepared, [])

    def test_now_wins_over_never(self) -> None:
        """If nobody has it and one could have it later, the answer is temporary."""
        self.store.refusals = {"ann@example.com": OverQuota(), "bea@example.com": TemporaryFailure()}
        self.assertFalse(self.send_refused("ann@example.com", "bea@example.com").permanent)


class MixedTests(IntakeCase):
    def test_some_have_room(self) -> None:
        """Those with room get it, the sender a report about the others, the client 250 (D4)."""
        self.store.refusals["bea@example.com"] = OverQuota("mailbox full: there is no space left")
        self.send("ann@example.com", "bea@example.com")
        self.assertEqual(len(self.mail("ann@example.com")), 1)
        [notice] = self.queue.committed
        self.assertEqual((notice.recipients, notice.envelope.reverse_path), (["bob@other.example"], None))
        self.assertIn(b"Final-Recipient: rfc822; bea@example.com\r\nAction: failed\r\nStatus: 5.2.2", notice.content)
        self.assertIn(b"552 5.2.2 mailbox full: there is no space left", notice.content)
        self.assertIn(b"Subject: hello", notice.content)
        self.assertNotIn(b"How are you", notice.content)

    def test_whole_message_returned(self) -> None:
        """Who asks for it (RET=FULL) has a small message back whole; a large one's header (RFC 3461 4.3)."""
        self.store.refusals["bea@example.com"] = OverQuota()
        for in_memory in (True, False):
            transaction = self.begin("ann@example.com", "bea@example.com", ret="FULL")
            self.spool.files[-1].in_memory = in_memory
            transaction.write(MESSAGE)
            self.wait(transaction.commit())
            self.assertEqual(b"How are you" in self.queue.committed[-1].content, in_memory)

    def test_report_to_a_local_sender(self) -> None:
        """A sender of ours finds the report in his mailbox."""
        self.store.refusals["bea@example.com"] = OverQuota()
        self.send("ann@example.com", "bea@example.com", sender="cleo@example.com")
        [notice] = self.mail("cleo@example.com")
        self.assertTrue(notice.startswith(b"Return-Path: <>\r\nDelivered-To: cleo@example.com\r\n"))
        self.assertIn(b"multipart/report", notice)

    def test_no_report_for_the_null_sender(self) -> None:
        """There is never a report about a report (LIMITS, Messages)."""
        self.store.refusals["bea@example.com"] = OverQuota()
        self.send("ann@example.com", "bea@example.com", sender="")
        self.assertEqual(self.queue.prepared, [])

    def test_unwanted_report(self) -> None:
        """NOTIFY=NEVER is honoured (RFC 3461)."""
        self.store.refusals["bea@example.com"] = OverQuota()
        self.send("ann@example.com", Recipient(Address.parse("bea@example.com"), ("NEVER",)))
        self.assertEqual(self.queue.prepared, [])

    def test_trouble_with_one(self) -> None:
        """A mailbox in trouble for now is tried again from the queue; the others have their mail."""
        self.store.refusals["bea@example.com"] = TemporaryFailure()
        self.send("ann@example.com", "bea@example.com")
        [waiting] = self.queue.committed
        self.assertEqual(waiting.recipients, ["bea@example.com"])
        self.assertEqual(len(self.mail("ann@example.com")), 1)

    def test_report_that_cannot_be_sent(self) -> None:
        """If the report finds no way, the queue keeps the recipient and will try both again: nothing is dropped silently."""
        self.store.refusals = {"bea@example.com": OverQuota(), "cleo@example.com": TemporaryFailure()}
        self.send("ann@example.com", "bea@example.com", sender="cleo@example.com")
        self.assertEqual(self.queue.committed[0].recipients, ["bea@example.com"])

    def test_report_that_nobody_takes(self) -> None:
        """A sender that takes no mail gets no report; the message is accepted all the same, and the log knows."""
        self.store.refusals["bea@example.com"] = OverQuota()
        self.send("ann@example.com", "bea@example.com", sender="nobody@example.com")
        self.assertEqual((self.queue.prepared, len(self.mail("ann@example.com"))), ([], 1))

    def test_confirmation(self) -> None:
        """NOTIFY=SUCCESS is answered when the message is in the mailbox (RFC 3461)."""
        self.send(Recipient(Address.parse("ann@example.com"), ("SUCCESS",), "rfc822;ann+2Bx@example.com"))
        [notice] = self.queue.committed
        self.assertIn(b"Original-Recipient: rfc822;ann+x@example.com\r\n", notice.content)
        self.assertIn(b"Action: delivered\r\nStatus: 2.0.0", notice.content)

    def test_confirmation_that_cannot_be_sent(self) -> None:
        """A lost confirmation does not undo the delivery."""
        self.queue.failure = TemporaryFailure()
        self.send(Recipient(Address.parse("ann@example.com"), ("SUCCESS",)))
        self.assertEqual(len(self.mail("ann@example.com")), 1)

    def test_our_fault_in_reporting(self) -> None:
        """An error of ours while reporting never brings the message a second time: the queue keeps what was not told."""
        self.store.refusals["bea@example.com"] = OverQuota()
        failures = [ZeroDivisionError()]
        tell = self.intake.notices.tell

        async def broken(*args: Any) -> None:
            if failures:
                raise failures.pop()
            await tell(*args)

        self.intake.notices.tell = broken  # type: ignore[method-assign]
        self.send("ann@example.com", "bea@example.com")
        self.assertEqual(self.queue.committed[0].recipients, ["bea@example.com"])
        failures.append(ZeroDivisionError())
        self.send(Recipient(Address.parse("cleo@example.com"), ("SUCCESS",)))
        self.assertEqual(len(self.mail("cleo@example.com")), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class ElsewhereTests(IntakeCase):
    def test_queued(self) -> None:
        """Mail for elsewhere waits in the queue, attributed, without Return-Path and Delivered-To."""
        self.send("bob@other.example", peer=self.login, sender="ann@example.com")
        [waiting] = self.queue.committed
        self.assertEqual((waiting.account_id, waiting.recipients), (1, ["bob@other.example"]))
        self.assertTrue(waiting.content.startswith(b"Received: "))
        self.assertIn(b"(authenticated as ann@example.com)", waiting.content)
        self.assertIn(b"with ESMTPSA id", waiting.content)

    def test_granted(self) -> None:
        """Mail under a relay grant names the account that opened it (C4)."""
        self.wait(self.grants.grant("192.0.2.7", 2, "bea@example.com"))
        self.send("bob@other.example", sender="x@example.com")
        [waiting] = self.queue.committed
        self.assertEqual(waiting.account_id, 2)
        self.assertIn(b"(relaying by mail check of bea@example.com)", waiting.content)

    def test_missing_fields(self) -> None:
        """Our own users' mail leaves with Date and Message-ID (RFC 6409 8); what is there stays, and strangers' mail is not touched."""
        self.send("bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertIn(b"\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <", self.queue.committed[0].content)
        complete = b"Message-ID: <1@x>\r\nDate: x\r\n" + MESSAGE
        self.send("bob@other.example", peer=self.login, sender="ann@example.com", message=complete)
        self.assertTrue(self.queue.committed[1].content.endswith(b"\r\n" + complete))

    def test_here_and_elsewhere(self) -> None:
        """One message for here and elsewhere is committed to both; the spool's file is fit for the queue."""
        self.send("ann@example.com", "bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertTrue(self.queue.committed[0].content.startswith(b"Received: "))
        self.assertTrue(self.mail("ann@example.com")[0].startswith(b"Return-Path: <ann@example.com>\r\nDelivered-To: "))

    def test_queue_in_trouble(self) -> None:
        """If the queue cannot take it, no mailbox gets it either, and the client tries again."""
        self.queue.failure = OutOfSpace()
        refusal = self.send_refused("ann@example.com", "bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertIsInstance(refusal, OutOfSpace)
        self.assertEqual(self.mail("ann@example.com"), [])

    def test_queue_fails_at_the_last_step(self) -> None:
        """No 250 without the queue, and its preparations are taken back."""
        self.queue.commit_failure = TemporaryFailure()
        refusal = self.send_refused("ann@example.com", "bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertFalse(refusal.permanent)
        self.assertTrue(self.queue.prepared[0].aborted)
        self.assertEqual(self.spool.left, [])

    def test_local_refusal_beside_the_queue(self) -> None:
        """A full mailbox beside a queued recipient means a report, not a refusal (D4)."""
        self.store.refusals["bea@example.com"] = OverQuota()
        self.send("bea@example.com", "bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertEqual([each.recipients for each in self.queue.committed], [["bob@other.example"]])
        self.assertIn(b"Action: failed", self.mail("ann@example.com")[0])


class ForwardTests(IntakeCase):
    """What leaves in the name of somebody here (E1)."""

    def setUp(self) -> None:
        super().setUp()
        self.directory.lead("info@example.com", "far@elsewhere.example")

    def test_sender_rewritten(self) -> None:
        """A sender from elsewhere is rewritten into the forwarder's domain; the message is the same."""
        self.send("info@example.com", sender="bob@other.example")
        [queued] = self.queue.committed
        self.assertEqual(queued.envelope.sender, "srs0=x=y=other.example=bob@example.com")
        self.assertEqual(queued.recipients, ["far@elsewhere.example"])
        self.assertTrue(queued.content.endswith(MESSAGE))

    def test_own_and_null_sender(self) -> None:
        """A sender of the forwarder's own domain may stay; nobody stays nobody."""
        self.send("info@example.com", sender="ann@example.com")
        self.send("info@example.com", sender="")
        self.assertEqual([each.envelope.sender for each in self.queue.committed], ["ann@example.com", ""])

    def test_sender_of_another_domain_here(self) -> None:
        """No domain's mail leaves under the name of another one that is hosted here, whose way out it would take (C9)."""
        self.directory.add("zoe@example.org")
        self.send("info@example.com", sender="zoe@example.org")
        [queued] = self.queue.committed
        self.assertEqual(queued.envelope.sender, "srs0=x=y=example.org=zoe@example.com")

    def test_no_account(self) -> None:
        """What is forwarded is not mail of the account that sent it: the forwarder's domain says which way it takes (C9)."""
        self.send("info@example.com", "bob@other.example", peer=self.login, sender="ann@example.com")
        self.assertEqual([each.account_id for each in self.queue.committed], [1, None])

    def test_loop(self) -> None:
        """It leaves with our mark, and ends where it comes back with that: its sender is told."""
        self.send("info@example.com")
        [queued] = self.queue.committed
        self.assertTrue(queued.prefix.startswith(b"Delivered-To: info@example.com\r\nReceived:"))
        refusal = self.send_refused("info@example.com", message=queued.content)
        self.assertIsInstance(refusal, MailLoop)

    def test_loop_in_utf8(self) -> None:
        """A forwarder's address in UTF-8 makes no mail of the kind that servers without SMTPUTF8 cannot take, and its loop ends as well."""
        self.directory.lead("j\u00f6rg@example.com", "far@elsewhere.example")
        self.send("j\u00f6rg@example.com")
        [queued] = self.queue.committed
        self.assertTrue(queued.prefix.isascii())
        self.assertTrue(queued.prefix.startswith(b"Delivered-To: j+C3+B6rg@example.com\r\nReceived:"))
        refusal = self.send_refused("j\u00f6rg@example.com", message=queued.prefix + MESSAGE)
        self.assertIsInstance(refusal, MailLoop)

    def test_loop_beside_a_mailbox(self) -> None:
        """A loop at one end keeps the message from nobody else."""
        self.send("info@example.com", "ann@example.com", message=b"Delivered-To: INFO@example.com\r\n" + MESSAGE)
        self.assertEqual(len(self.mail("ann@example.com")), 1)
        [report] = self.queue.committed
        self.assertEqual((report.envelope.sender, report.recipients), ("", ["bob@other.example"]))


class SpamForwardTests(IntakeCase):
    """Mail judged spam is not forwarded."""

    SPAM = b"X-Spam-Flag: YES\r\n" + MESSAGE

    def setUp(self) -> None:
        super().setUp()
        self.directory.lead("info@example.com", "far@elsewhere.example")
        self.directory.lead("both@example.com", "far@elsewhere.example", "ann@example.com")

    def test_refused(self) -> None:
        """With no other end it is refused, so that nobody else hears of it."""
        refusal = self.send_refused("info@example.com", message=self.SPAM)
        self.assertIsInstance(refusal, SpamNotForwarded)
        self.assertEqual(self.queue.prepared, [])

    def test_kept(self) -> None:
        """The kept copy is kept, and the rest is in the message's story."""
        self.send("both@example.com", message=self.SPAM)
        self.assertEqual((len(self.mail("ann@example.com")), self.queue.prepared), (1, []))
        self.assertIn(
            ("not forwarded", "far@elsewhere.example", "this message was judged spam and is not forwarded"),
            self.history.story,
        )

    def test_beside_a_list(self) -> None:
        """A list that is named beside the forward decides for itself."""
        self.directory.add_list("team@example.com", "ann@example.com")
        self.send("info@example.com", "team@example.com", message=self.SPAM)
        self.assertEqual([waiting.recipients for waiting in self.queue.committed], [["team@example.com"]])

    def test_setting(self) -> None:
        """Who wants it has it forwarded."""
        self.intake._parts = replace(self.intake._parts, forward_spam=True)
        self.send("info@example.com", message=self.SPAM)
        self.assertEqual(self.queue.committed[0].recipients, ["far@elsewhere.example"])


class SubmitTests(IntakeCase):
    def test_refused(self) -> None:
        """Our own mail to nobody raises its refusal."""
        refusal = self.refused(self.intake.submit(Address.parse("nobody@example.com"), MESSAGE))
        self.assertIsInstance(refusal, NoSuchRecipient)
