"""From MAIL to 250: what goes on to elsewhere."""

from __future__ import annotations

from dataclasses import replace

from hostmail.errors import (
    MailLoop,
    OutOfSpace,
    OverQuota,
    SpamNotForwarded,
    TemporaryFailure,
)
from tests.delivery.intaking import MESSAGE, IntakeCase


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
