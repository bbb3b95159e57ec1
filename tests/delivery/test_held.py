"""hostmail.delivery.held: mail beyond the sending limit (LIMITS, Relaying and sending)."""

from __future__ import annotations

from collections.abc import Coroutine
from email import message_from_bytes
from email.policy import default
from typing import Any

from hostmail.address import Address
from hostmail.delivery.accepted import Accepted
from hostmail.delivery.held import HELD
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import OverQuota
from tests.delivery.intaking import MESSAGE, IntakeCase


class HeldTests(IntakeCase):
    def setUp(self) -> None:
        super().setUp()
        owner = self.directory.add("owner@example.com")
        self.directory.set("example.com", default_account_id=owner.id)

    def send_held(self) -> None:
        self.wait(self.held())

    def held(self) -> Coroutine[Any, Any, None]:
        recipient = Recipient(Address.parse("far@elsewhere.example"))
        envelope = Envelope(Address.parse("ann@example.com"))
        accepted: Accepted = self.wait(self.intake.recipient(self.login, envelope, recipient))
        accepted.held = True
        transaction = self.intake.begin(self.login, envelope, [(recipient, accepted)])
        transaction.write(MESSAGE)
        return transaction.commit()

    def test_queued_as_held(self) -> None:
        """It is taken, and waits with the reason."""
        self.send_held()
        [queued] = self.queue.committed
        self.assertEqual(queued.recipients, ["far@elsewhere.example"])
        self.assertEqual(self.queue.reasons, {"far@elsewhere.example": HELD})
        self.assertIn(("held", "far@elsewhere.example", HELD), self.history.story)

    def test_too_large(self) -> None:
        """Where its octets are more than may be held, which is known at its end, it is refused for now, and the client reads why."""
        self.queue.room_taken = (3, 10_000 - len(MESSAGE))
        self.send_held()
        self.queue.room_taken = (3, 10_001 - len(MESSAGE))
        refusal = self.refused(self.held())
        self.assertEqual((refusal.code, refusal.enhanced), (452, "4.7.1"))
        self.assertIn("so much of your mail is held", refusal.public)
        self.assertEqual((len(self.queue.committed), self.spool.left), (1, []))

    def test_too_many(self) -> None:
        """So it is where its recipients are too many."""
        self.queue.room_taken = (20, 0)
        self.assertEqual(self.refused(self.held()).code, 452)

    def test_notice(self) -> None:
        """The account and the domain's owner hear of it, with what to do."""
        self.send_held()
        for address in ("ann@example.com", "owner@example.com"):
            [notice] = self.mail(address)
            message = message_from_bytes(notice, policy=default)
            self.assertEqual((message["To"], message["Subject"]), (address, "Mail of ann@example.com is held"))
            self.assertEqual(message["Auto-Submitted"], "auto-generated")
            text = message.get_content()
            self.assertIn("change it now", text)
            self.assertIn("hostmail queue release account:ann@example.com", text)

    def test_told_once(self) -> None:
        """Who has told it already tells it no more."""
        self.intake._parts.hold_notices._claim = lambda account_id: False
        self.send_held()
        self.assertEqual(self.mail("ann@example.com"), [])

    def test_notice_finds_no_room(self) -> None:
        """A full mailbox keeps the owner from nothing, and the mail is safe."""
        self.store.refusals["ann@example.com"] = OverQuota()
        self.send_held()
        self.assertEqual((len(self.queue.committed), len(self.mail("owner@example.com"))), (1, 1))

    def test_trouble(self) -> None:
        """A notice that breaks must not make the client send the message again."""

        def broken(account_id: int) -> bool:
            raise ZeroDivisionError

        self.intake._parts.hold_notices._claim = broken
        self.send_held()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.queue.committed), 1)
