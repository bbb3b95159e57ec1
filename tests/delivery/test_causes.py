"""Whose affair each message is that leaves: so it takes that domain's way out, reports and letters of our own too (C9)."""

from __future__ import annotations

from typing import Any

from hostmail.address import Address
from hostmail.errors import OverQuota
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.logins import Grant
from tests.delivery.test_lists import FAR, ListCase, by

STRANGER = "bob@other.example"


class CauseTests(ListCase):
    """ann (1) and bea (2) at example.com, dora (4) at example.org; nothing leaves, so that it can be looked at."""

    def setUp(self) -> None:
        super().setUp()
        self.sender.way_out = False
        self.directory.add("dora@example.org")

    def causes(self, to: str, sender: str | None = None) -> set[tuple[str, int | None]]:
        """Domain and account of what waits for somebody."""
        return {
            (row.for_domain, row.account_id)
            for row in self.rows()
            if row.recipient == to and (sender is None or row.sender == sender)
        }

    def test_accounts_mail(self) -> None:
        """What an account sends is its domain's, whatever sender it names."""
        self.send(FAR, peer=self.login, sender="me@private.example")
        self.assertEqual(self.causes(FAR), {("example.com", 1)})

    def test_operators_address(self) -> None:
        """Of an address that the operator has opened the sender is believed."""
        self.grants.grants.append(Grant("192.0.2.7", 0, "operator", 1e10))
        self.send(FAR, sender="shop@example.org")
        self.assertEqual(self.causes(FAR), {("example.org", 0)})

    def test_stranger(self) -> None:
        """A stranger's mail that waits for a mailbox is nobody's affair, though he names an address here."""
        self.store.refusals["ann@example.com"] = OverQuota(code=452)
        self.send("ann@example.com", "bea@example.com", sender="dora@example.org")
        self.assertEqual(self.causes("ann@example.com"), {("", None)})

    def test_forwards(self) -> None:
        """What is forwarded is the forwarder's domain's, bounces without a reverse-path as well, and after it has waited."""
        self.directory.lead("info@example.org", "out@else.example")
        for sender in (STRANGER, ""):
            self.send("info@example.org", sender=sender)
        self.assertEqual(self.causes("out@else.example"), {("example.org", None)})

    def test_forwarded_later(self) -> None:
        """So is what had to wait before its address became a forward here."""
        self.send("info@x.example", peer=self.login)
        self.directory.add("zoe@x.example")
        self.directory.lead("info@x.example", "out@else.example")
        self.wait(self.waiting.retry("to:info@x.example"))
        self.assertEqual(self.causes("out@else.example"), {("x.example", None)})

    def test_report_at_once(self) -> None:
        """A report to a stranger is the domain's whose mailbox did not take his mail; one to a customer goes his own way."""
        self.store.refusals["dora@example.org"] = OverQuota()
        self.send("dora@example.org", "ann@example.com")
        self.assertEqual(self.causes(STRANGER), {("example.org", None)})
        self.send("dora@example.org", "ann@example.com", peer=self.login, sender="me@private.example")
        self.assertEqual(self.causes("me@private.example"), {("example.com", 1)})

    def test_report_later(self) -> None:
        """So is one from the queue."""
        self.store.refusals["dora@example.org"] = OverQuota(code=452)
        self.send("dora@example.org", "ann@example.com")
        self.send(FAR, peer=self.login, sender="me@private.example")
        self.wait(self.waiting.bounce(""))
        self.settle(5)
        self.assertEqual(self.causes(STRANGER), {("example.org", None)})
        self.assertEqual(self.causes("me@private.example"), {("example.com", 1)})

    def test_answer(self) -> None:
        """An autoresponder's answer is its account's."""
        self.directory.autoresponders[1] = Autoresponder(1, "", "I am away.")
        self.send("ann@example.com", message=b"From: bob@other.example\r\nTo: ann@example.com\r\n\r\nx\r\n")
        self.assertEqual(self.causes(STRANGER), {("example.com", 1)})

    def test_lists(self) -> None:
        """A list's posts and letters are its domain's."""
        self.post()
        self.assertEqual(self.causes(FAR), {("example.com", None)})
        asking = by(STRANGER, "team-request@example.com")
        self.post(to="team-request@example.com", sender=STRANGER, message=asking)
        self.assertEqual(self.causes(STRANGER), {("example.com", None)})

    def test_hold_notice(self) -> None:
        """That mail is held is told by the way of the account's domain, and not as mail of the account, which might be held as well."""
        self.directory.lead("dora@example.org", "out@else.example")
        notices: Any = self.intake._parts.hold_notices
        submitted: list[Any] = []

        async def submit(recipient: Address, message: bytes, cause: Any) -> None:
            submitted.append((str(recipient), cause.domain, cause.account_id))

        notices._submit = submit
        self.wait(notices.held(1, "q1"))
        self.assertEqual(submitted, [("ann@example.com", "example.com", None)])
