"""An intake over fakes."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.checks.gate import Gate
from hostmail.checks.holding import HeldRoom
from hostmail.checks.sending import SendingRates
from hostmail.delivery.intake import Intake, IntakeSettings
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import (
    Refusal,
)
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
)
from tests.delivery.listfakes import any_for_lists
from tests.queue.support import at_once

MESSAGE = b"From: bob@other.example\r\nSubject: hello\r\n\r\nHow are you?\r\n"


class IntakeCase(SynchronousTestCase):
    """An intake with three mailboxes, and the stages around it."""

    def setUp(self) -> None:
        self.directory = FakeDirectory("ann@example.com", "bea@example.com", "cleo@example.com")
        self.store, self.spool, self.queue, self.grants = FakeStore(), FakeSpool(), FakeQueue(), FakeGrants()
        self.addCleanup(self.spool.clean)
        self.caught: list[str] = []
        self.router = Router(self.directory, hostname="mail.example.net")
        self.gate = Gate(
            directory=self.directory,
            store=self.store,
            grants=self.grants,
            message_size_limit=100_000,
            pop_before_smtp=True,
            sending=SendingRates(path=Path(self.mktemp()), now=lambda: 1e9, per_hour=300, per_day=2000),
            held_room=HeldRoom(held=self.queue.held, recipients=20, octets=10_000),
            decide=self.router.decide,
        )
        self.history = FakeHistory()
        self.answered = FakeAnswered()
        self.intake = self.make_intake()
        self.peer = Peer("192.0.2.7", "smtp", helo="client.example", esmtp=True)
        self.login = Peer("192.0.2.7", "submission", esmtp=True, tls=True, account_id=1, login="ann@example.com")

    def make_intake(self, **more: Any) -> Intake:
        """With the stages around it, and what is given instead."""
        parts: dict[str, Any] = {
            "directory": self.directory,
            "store": self.store,
            "spool": self.spool,
            "queue": self.queue,
            "router": self.router,
            "gate": self.gate,
            "settings": IntakeSettings("mail.example.net", 100_000),
            "now": lambda: 1_700_000_000.0,
            "random": Random(7),
            "in_thread": at_once,
            "history": self.history,
            "senders": FakeSenders(),
            "answered": self.answered,
            "claim_hold_notice": lambda account_id: True,
            "judge_for_list": any_for_lists,
            "caught": self.caught.append,
        }
        return Intake(**parts | more)

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
