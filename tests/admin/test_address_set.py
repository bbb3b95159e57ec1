"""address.set: all that an address leads to at once, as its owner sees it (E1)."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor, Role
from hostmail.errors import BadValue, NotFound
from tests.admin.test_addresses import ANN, BEA, AddressesCase
from tests.directory.support import HASH

OWNER = Actor(Role.OWNER, "olga", "panel", domains=frozenset({"example.com"}))
SALES, OUT = "sales@example.com", "carl@elsewhere.test"


class AddressSetTests(AddressesCase):
    def set(self, address: str, *targets: str, **more: Any) -> dict[str, Any]:
        """As the domain's owner."""
        told: dict[str, Any] = self.world.call_as(OWNER, "address.set", address=address, targets=list(targets), **more)
        return told

    def test_sorted_by_where_they_are(self) -> None:
        """Mailboxes here are aliases, all else is a forward; the owner need not know."""
        told = self.set(SALES, ANN, OUT)
        self.assertEqual((told["aliases"], told["forwards"], told["has_mailbox"]), ([ANN], [OUT], False))
        (row,) = self.world.call_as(OWNER, "address.list", name="example.com")
        self.assertEqual(row, told)

    def test_exactly_these(self) -> None:
        """What is not named any more is gone; without targets the address leads nowhere."""
        self.set(SALES, ANN, OUT)
        told = self.set(SALES, BEA)
        self.assertEqual((told["aliases"], told["forwards"]), ([BEA], []))
        told = self.set(SALES)
        self.assertEqual((told["aliases"], told["forwards"]), ([], []))
        self.assertEqual(self.call("address.list"), [])

    def test_a_mailbox_has_forwards(self) -> None:
        """From an address with a mailbox everything is a forward, with or without a copy."""
        told = self.set(ANN, BEA, OUT, keep_copy=True)
        self.assertEqual((told["aliases"], told["forwards"], told["keep_copy"]), ([], [BEA, OUT], True))
        self.assertFalse(self.set(ANN, BEA, OUT, keep_copy=False)["keep_copy"])

    def test_other_customers_are_elsewhere(self) -> None:
        """An address of somebody else's domain on this server is a forward."""
        self.get(self.changes.add_domain("other.test"))
        self.get(self.changes.add_account("eve@other.test", password_hash=HASH))
        told = self.set(SALES, "eve@other.test")
        self.assertEqual((told["aliases"], told["forwards"]), ([], ["eve@other.test"]))

    def test_all_or_nothing(self) -> None:
        """A refused target leaves everything as it was."""
        self.set(SALES, ANN)
        for targets in ((BEA, SALES), (BEA, "no address"), (BEA, OUT, "x@" + "a" * 300)):
            with self.assertRaises(BadValue):
                self.set(SALES, *targets)
            (row,) = self.call("address.list", name=SALES)
            self.assertEqual((row["aliases"], row["forwards"]), ([ANN], []))

    def test_a_user_forwards_his_own(self) -> None:
        """A mailbox user says where his own mail goes, and nobody else's."""
        ann = Actor(Role.USER, ANN, "panel", address=ANN)
        told = self.world.call_as(ann, "address.set", address=ANN, targets=[OUT], keep_copy=True)
        self.assertEqual(told["forwards"], [OUT])
        with self.assertRaises(NotFound):
            self.world.call_as(ann, "address.set", address=BEA, targets=[OUT])
