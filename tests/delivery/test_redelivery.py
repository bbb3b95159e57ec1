"""hostmail.delivery.redelivery: local mail that had to wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.decisions import IntoMailbox
from hostmail.delivery.answering import Arrived
from hostmail.delivery.autoreply import why_not
from hostmail.delivery.redelivery import Redelivery
from hostmail.errors import NoSuchRecipient, OverQuota, Refusal, TemporaryFailure
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued
from tests.delivery.fakes import FakeDirectory, FakeSenders, FakeSpool, FakeStore
from tests.delivery.listfakes import FakeOneClick
from tests.queue.support import at_once

ANN, BEA = IntoMailbox(1, "ann@example.com"), IntoMailbox(2, "bea@example.com")


def row(recipient: str) -> Queued:
    return Queued(1, "q1", "bob@x.example", recipient, "/nowhere", 1, None, 0.0, 0.0)


class RedeliveryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = FakeDirectory("ann@example.com", "bea@example.com")
        self.store, self.spool = FakeStore(), FakeSpool()
        self.addCleanup(self.spool.clean)
        self.considered: list[Arrived] = []
        self.prefix = b"Received: then\r\n"
        self.redelivery = Redelivery(
            directory=self.directory,
            store=self.store,
            answering=self,  # type: ignore[arg-type]
            senders=FakeSenders(),
            one_click=FakeOneClick(),
            forward_spam=False,
            in_thread=at_once,
        )

    def consider(self, arrived: Arrived) -> None:
        self.considered.append(arrived)

    def spooled(self) -> ISpoolFile:
        spooled = self.spool.create(self.prefix)
        spooled.write(b"Subject: hi\r\n\r\nbody")
        self.successResultOf(ensureDeferred(spooled.seal()))
        return spooled

    def deliver(self, *waiting: tuple[str, IntoMailbox]) -> list[Refusal | None]:
        rows = [(row(recipient), decision) for recipient, decision in waiting]
        answers: list[Refusal | None] = self.successResultOf(
            ensureDeferred(self.redelivery.deliver(self.spooled(), rows))
        )
        return answers

    def test_addressed(self) -> None:
        """A copy that was addressed to another name says so."""
        self.deliver(("ann@example.com", replace(ANN, addressed="all@example.com")))
        [copy] = self.store.mail["ann@example.com"]
        self.assertIn(b"X-Original-To: all@example.com\r\nDelivered-To: ann@example.com\r\nReceived: then", copy)

    def test_answers(self) -> None:
        """Each row gets its answer; one mailbox gets one copy, with what final delivery writes."""
        self.store.refusals["bea@example.com"] = OverQuota()
        gone = ("gone@example.com", IntoMailbox(9, "gone@example.com"))
        answers = self.deliver(("ann@example.com", ANN), ("ann+x@example.com", ANN), ("bea@example.com", BEA), gone)
        self.assertEqual(answers[:2], [None, None])
        self.assertIsInstance(answers[2], OverQuota)
        self.assertIsInstance(answers[3], NoSuchRecipient)
        trace = b"Return-Path: <bob@x.example>\r\nDelivered-To: ann@example.com\r\nReceived: then\r\n"
        self.assertEqual(self.store.mail, {"ann@example.com": [trace + b"Subject: hi\r\n\r\nbody"]})
        self.assertIsInstance(self.deliver(gone)[0], NoSuchRecipient)

    def test_autoresponders(self) -> None:
        """Late mail is answered as well (E4): once for a mailbox, and not for one that was not filled."""
        self.directory.autoresponders = {1: Autoresponder(1, "", "away"), 2: Autoresponder(2, "", "away")}
        self.store.refusals["bea@example.com"] = OverQuota()
        self.deliver(("ann@example.com", ANN), ("ann+x@example.com", ANN), ("bea@example.com", BEA))
        [arrived] = self.considered
        self.assertEqual((arrived.queue_id, arrived.sender), ("q1", Address("bob", "x.example")))
        self.assertEqual((arrived.header, arrived.mailbox), (b"Received: then\r\nSubject: hi\r\n\r\n", ANN))

    def test_list_mail(self) -> None:
        """Autoresponders see the fields that a list of ours has put above the message, and so answer none (E4)."""
        self.directory.autoresponders = {1: Autoresponder(1, "", "away")}
        self.prefix = b"List-Id: <team.example.com>\r\nPrecedence: list\r\nReceived: then\r\n"
        self.deliver(("ann@example.com", ANN))
        [arrived] = self.considered
        self.assertEqual(why_not(arrived.header, arrived.sender, arrived.named, ""), "from a mailing list")

    def test_trouble_with_the_answer(self) -> None:
        """What goes wrong with an answer must not deliver the message again."""

        async def fails(account_id: int) -> Any:
            raise TemporaryFailure

        self.patch(self.directory, "autoresponder", fails)
        self.assertEqual(self.deliver(("ann@example.com", ANN)), [None])
        self.assertEqual(len(self.flushLoggedErrors(TemporaryFailure)), 1)
