"""From the queue into mailboxes."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.decisions import IntoMailbox
from hostmail.delivery.redelivery import Redelivery
from hostmail.errors import NoSuchRecipient, OverQuota
from hostmail.interfaces import Queued
from tests.delivery.fakes import FakeDirectory, FakeSpool, FakeStore


def row(recipient: str) -> Queued:
    return Queued(1, "q", "bob@x.example", recipient, "", 1, None, 0.0, 0.0)


class RedeliveryTests(SynchronousTestCase):
    def test_answers(self) -> None:
        """Each row gets its answer; one mailbox gets one copy, with what final delivery writes."""
        directory = FakeDirectory("ann@example.com", "bea@example.com")
        store, spool = FakeStore(), FakeSpool()
        store.refusals["bea@example.com"] = OverQuota()
        spooled = spool.create(b"Received: then\r\n")
        spooled.write(b"\r\nbody")
        self.successResultOf(ensureDeferred(spooled.seal()))
        ann, bea = IntoMailbox(1, "ann@example.com"), IntoMailbox(2, "bea@example.com")
        waiting = [
            (row("ann@example.com"), ann),
            (row("ann+x@example.com"), ann),
            (row("bea@example.com"), bea),
            (row("gone@example.com"), IntoMailbox(9, "gone@example.com")),
        ]
        redelivery = Redelivery(directory=directory, store=store)
        answers = self.successResultOf(ensureDeferred(redelivery.deliver(spooled, waiting)))
        self.assertEqual(answers[:2], [None, None])
        self.assertIsInstance(answers[2], OverQuota)
        self.assertIsInstance(answers[3], NoSuchRecipient)
        trace = b"Return-Path: <bob@x.example>\r\nDelivered-To: ann@example.com\r\nReceived: then\r\n"
        self.assertEqual(store.mail, {"ann@example.com": [trace + b"\r\nbody"]})
        self.assertEqual(
            self.successResultOf(ensureDeferred(redelivery.deliver(spooled, waiting[3:])))[0].code, NoSuchRecipient.code
        )
        spool.clean()
