"""From MAIL to 250: a message into mailboxes and queue."""

from __future__ import annotations

from typing import Any

from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.decisions import IntoMailbox, Relay
from hostmail.delivery.intake import IntakeSettings
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import (
    MailLoop,
    MessageTooBig,
    NoSuchRecipient,
    OutOfSpace,
    OverQuota,
    RelayingProhibited,
    TemporaryFailure,
)
from hostmail.interfaces.delivery import IIntake, ITransaction
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.logins import IRelayGrants
from hostmail.interfaces.mailstore import IMailStore, ISpool, ISpoolFile
from hostmail.interfaces.queue import IQueue
from tests.delivery.intaking import MESSAGE, IntakeCase


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
        self.intake = self.make_intake(settings=IntakeSettings("mail.example.net", 1_000_000))
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


class SubmitTests(IntakeCase):
    def test_refused(self) -> None:
        """Our own mail to nobody raises its refusal."""
        refusal = self.refused(self.intake.submit(Address.parse("nobody@example.com"), MESSAGE))
        self.assertIsInstance(refusal, NoSuchRecipient)
