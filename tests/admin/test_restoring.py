"""account.removed, account.restore: what was removed comes back, for a while (D13)."""

from __future__ import annotations

import dataclasses

from hostmail.actor import Actor, Role
from hostmail.errors import AlreadyExists, NotFound
from tests.admin.facts import NOW
from tests.admin.test_service import Base

ANN = "ann@one.test"
OWNER = Actor(Role.OWNER, "olga", "panel", domains=frozenset({"one.test"}))


class RestoringTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.call("account.remove", address=ANN)

    def test_comes_back(self) -> None:
        """A removed account is listed with its time, and is there again with its mail."""
        (row,) = self.call("account.removed", domain="one.test")
        self.assertEqual((row["address"], row["removed"], row["until"]), (ANN, NOW, NOW + 14 * 86_400))
        told = self.call("account.restore", address="Ann@one.test")
        self.assertEqual(told["address"], ANN)
        self.assertEqual(self.world.store.restored, [ANN])
        self.assertEqual(self.call("account.removed"), [])
        self.refused(NotFound, "can be restored", "account.restore", address=ANN)

    def test_address_taken(self) -> None:
        """Where the address is somebody else's by now the mail stays aside, until another address is named."""
        self.call("account.add", address=ANN, password="quite a long secret")
        self.refused(AlreadyExists, "exists already", "account.restore", address=ANN)
        self.assertEqual(self.world.store.removed[-1], ANN)
        self.assertEqual(self.call("account.restore", address=ANN, target="old@one.test")["address"], "old@one.test")

    def test_number(self) -> None:
        """Of several with one address the last one comes back, unless another is named."""
        self.refused(NotFound, "can be restored", "account.restore", address=ANN, number=99)
        (row,) = self.call("account.removed")
        self.call("account.restore", address=ANN, number=row["number"])

    def test_not_of_the_domains_last_owner(self) -> None:
        """Whoever has a domain now sees nothing of those who had it before."""
        self.assertEqual(len(self.world.call_as(OWNER, "account.removed")), 1)
        self.world.facts.gone = [
            (dataclasses.replace(one, owned=False), account) for one, account in self.world.facts.gone
        ]
        self.assertEqual(self.world.call_as(OWNER, "account.removed"), [])
        with self.assertRaises(NotFound):
            self.world.call_as(OWNER, "account.restore", address=ANN)
        self.assertEqual(len(self.call("account.removed")), 1)
