"""A letter straight into a mailbox."""

from __future__ import annotations

import email
import email.policy
from random import Random

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.delivery.welcome import Welcome
from hostmail.errors import OutOfSpace, OverQuota
from hostmail.interfaces.directory import Account
from hostmail.interfaces.history import Happened
from tests.delivery.fakes import FakeHistory, FakeSpool, FakeStore

ANN = Account(1, "Ann@one.test", "one.test", "ann")
NOW = 1_800_000_000.0


class WelcomeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.spool, self.store, self.history = FakeSpool(), FakeStore(), FakeHistory()
        self.addCleanup(self.spool.clean)
        self.welcome = Welcome(
            spool=self.spool,
            store=self.store,
            history=self.history,
            hostname="mx.host.test",
            random=Random(1),
            now=lambda: NOW,
        )

    def put(self, subject: str = "Hello", text: str = "Hello\n", account: Account = ANN) -> Deferred[None]:
        return Deferred.fromCoroutine(self.welcome.put(account, subject, text))

    def test_a_whole_message(self) -> None:
        """In the mailbox when this returns, with all the fields a message has, from the domain's postmaster; nobody answers it."""
        self.successResultOf(self.put("Grüße", "Schöne Grüße\n" + "x" * 2000 + "\n.\n"))
        [octets] = self.store.mail["Ann@one.test"]
        self.assertTrue(octets.startswith(b"Return-Path: <>\r\nDelivered-To: Ann@one.test\r\n"))
        self.assertTrue(octets.isascii())
        self.assertTrue(all(len(line) < 998 for line in octets.split(b"\r\n")))
        message = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual((message["Subject"], message["To"]), ("Grüße", "Ann@one.test"))
        self.assertEqual(message["From"], '"one.test mail" <postmaster@one.test>')
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertIsNotNone(message["Date"].datetime)
        self.assertIn("@mx.host.test>", message["Message-ID"])
        self.assertEqual(message.get_content().replace("\r\n", "\n"), "Schöne Grüße\n" + "x" * 2000 + "\n.\n")
        self.assertEqual(self.spool.left, [])

    def test_in_the_history(self) -> None:
        """`hostmail trace` knows it, from us to the mailbox."""
        self.successResultOf(self.put())
        accepted, delivered = self.history.facts
        self.assertEqual((accepted.what, delivered.what), (Happened.ACCEPTED, Happened.DELIVERED))
        self.assertEqual(accepted.queue_id, delivered.queue_id)
        self.assertEqual(delivered.recipient, "Ann@one.test")
        self.assertIn(accepted.message_id.encode(), self.store.mail["Ann@one.test"][0])

    def test_utf8_addresses(self) -> None:
        """They stand in the header as they are (RFC 6532)."""
        self.successResultOf(self.put(account=Account(2, "jörg@one.test", "one.test", "j")))
        self.assertIn("To: jörg@one.test\r\n".encode(), self.store.mail["jörg@one.test"][0])

    def test_no_room(self) -> None:
        """Refusals are the caller's to hear, and leave no file behind."""
        self.store.refusals["Ann@one.test"] = OverQuota()
        self.failureResultOf(self.put(), OverQuota)
        self.assertEqual((self.spool.left, self.history.facts), ([], []))
        self.spool.full = True
        self.failureResultOf(self.put(), OutOfSpace)
