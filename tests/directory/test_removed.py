"""hostmail.directory.removed: what is remembered of removed accounts (D13)."""

from __future__ import annotations

from hostmail.errors import AlreadyExists, NotFound
from hostmail.interfaces.directory import RemovedAccount
from tests.directory.support import HASH, DirectoryTestCase

ANN = "ann@example.com"


class RemovedTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.get(self.changes.add_account(ANN, password_hash=HASH, quota_bytes=5 << 20))
        self.get(self.changes.set_account(ANN, incoming_suspended=True))

    def removed(self, since: float = 0.0, domain: str | None = None) -> list[RemovedAccount]:
        return self.get(self.directory.removed_accounts(since, domain))

    def test_comes_back_as_it_was(self) -> None:
        """A restored account has its password, limits and suspensions, its old folder, and a number of its own."""
        self.get(self.changes.remove_account(ANN))
        (gone,) = self.removed()
        self.assertEqual((gone.address, gone.domain, gone.directory), (ANN, "example.com", self.ann.directory))
        back = self.get(self.changes.restore_account(gone.id))
        self.assertEqual((back.quota_bytes, back.incoming_suspended, back.directory), (5 << 20, True, gone.directory))
        self.assertNotEqual(back.id, self.ann.id)
        self.assertEqual(self.get(self.directory.login(ANN)), (back, HASH))
        self.assertEqual(self.removed(), [])
        self.refused(self.changes.restore_account(gone.id), NotFound)

    def test_address_taken(self) -> None:
        """An address that somebody else has by now stays his; the old account comes back under another (D13)."""
        self.get(self.changes.remove_account(ANN))
        self.get(self.changes.add_account(ANN, password_hash=HASH))
        (gone,) = self.removed()
        self.refused(self.changes.restore_account(gone.id), AlreadyExists)
        self.assertEqual(len(self.removed()), 1)
        self.assertEqual(self.get(self.changes.restore_account(gone.id, "old@example.com")).address, "old@example.com")

    def test_with_its_domain(self) -> None:
        """Accounts of a removed domain are remembered; who has the domain later does not own them."""
        self.clock.advance(10)
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual([one.owned for one in self.removed(domain="example.com")], [False])
        self.clock.advance(10)
        self.get(self.changes.add_domain("example.com"))
        (gone,) = self.removed(domain="EXAMPLE.com")
        self.assertFalse(gone.owned)
        self.get(self.changes.restore_account(gone.id))
        self.clock.advance(10)
        self.get(self.changes.remove_account(ANN))
        self.assertEqual([one.owned for one in self.removed()], [True])
        self.assertEqual(self.removed(domain="example.net"), [])

    def test_forgotten(self) -> None:
        """When the time is over they are gone for good."""
        self.get(self.changes.remove_account(ANN))
        when = self.removed()[0].removed
        self.assertEqual(self.removed(since=when + 1), [])
        self.assertEqual(self.get(self.changes.forget_removed(when)), 0)
        self.assertEqual(self.get(self.changes.forget_removed(when + 1)), 1)
        self.assertEqual(self.removed(), [])
