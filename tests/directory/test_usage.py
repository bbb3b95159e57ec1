"""hostmail.directory.usage: what is stored is counted, and a domain's quota holds (D2)."""

from __future__ import annotations

import threading

from zope.interface.verify import verifyObject

from hostmail.directory.usage import StoredUsage
from hostmail.errors import OverQuota, TemporaryFailure
from hostmail.interfaces.directory import IUsage, Usage
from tests.directory.support import HASH, DirectoryTestCase


class UsageTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.bob = self.get(self.changes.add_account("bob@example.com", password_hash=HASH))
        self.get(self.changes.set_domain("example.com", quota_bytes=100))
        self.usage = StoredUsage(database=self.database)
        self.addCleanup(self.usage.close)

    def stored(self) -> tuple[Usage, Usage, Usage]:
        each = self.get(self.directory.usage([self.ann, self.bob]))
        return each[self.ann.id], each[self.bob.id], self.get(self.directory.domain_usage("example.com"))

    def test_is_the_contract(self) -> None:
        """It implements IUsage."""
        verifyObject(IUsage, self.usage)

    def test_absolute(self) -> None:
        """Numbers are absolute: charging again replaces, and the domain's sum follows."""
        self.usage.charge(self.ann.id, Usage(50, 2), growing=True)
        self.usage.charge(self.bob.id, Usage(10, 1), growing=True)
        self.usage.charge(self.ann.id, Usage(30, 1), growing=False)
        self.assertEqual(self.stored(), (Usage(30, 1), Usage(10, 1), Usage(40, 2)))

    def test_domain_quota_is_on_real_use(self) -> None:
        """The octets over the domain's quota are refused, the last one under it is not; nothing is recorded of a refusal."""
        self.usage.charge(self.ann.id, Usage(60, 1), growing=True)
        refusal = self.assertRaises(OverQuota, self.usage.charge, self.bob.id, Usage(41, 1), True)
        self.assertIn("40 octets left", refusal.public)
        self.assertEqual(self.stored(), (Usage(60, 1), Usage(), Usage(60, 1)))
        self.usage.charge(self.bob.id, Usage(40, 1), growing=True)
        self.assertEqual(self.stored()[2], Usage(100, 2))

    def test_shrinking_is_never_refused(self) -> None:
        """Over quota (it was lowered), deleting and correcting still work."""
        self.usage.charge(self.ann.id, Usage(90, 3), growing=True)
        self.get(self.changes.set_domain("example.com", quota_bytes=10))
        self.usage.charge(self.ann.id, Usage(80, 2), growing=True)
        self.usage.charge(self.ann.id, Usage(95, 3), growing=False)
        self.assertRaises(OverQuota, self.usage.charge, self.ann.id, Usage(96, 4), True)

    def test_no_domain_quota(self) -> None:
        """Without a quota everything is counted and nothing refused."""
        self.get(self.changes.set_domain("example.com", quota_bytes=None))
        self.usage.charge(self.ann.id, Usage(10**12, 3), growing=True)
        self.assertEqual(self.stored()[2], Usage(10**12, 3))

    def test_several_at_once(self) -> None:
        """Several accounts are charged together, each against what those before it took; who is refused keeps what it had."""
        self.usage.charge(self.ann.id, Usage(10, 1), growing=True)
        refusals = self.usage.charge_all(
            [(self.ann.id, Usage(70, 2)), (self.bob.id, Usage(40, 1)), (self.bob.id, Usage(30, 1)), (99, Usage(1, 1))]
        )
        self.assertEqual([type(refusal) for refusal in refusals], [type(None), OverQuota, type(None), type(None)])
        self.assertEqual(self.stored(), (Usage(70, 2), Usage(30, 1), Usage(100, 3)))

    def test_removed_account(self) -> None:
        """A delivery that ends after its account was removed is counted nowhere (D13)."""
        self.get(self.changes.remove_account("ann@example.com"))
        self.usage.charge(self.ann.id, Usage(10, 1), growing=True)
        self.assertEqual(self.stored(), (Usage(), Usage(), Usage()))

    def test_from_many_threads(self) -> None:
        """Threads that charge at once never pass the quota together, and no octet is lost or counted twice."""
        refused: list[Exception] = []

        def fill(account_id: int) -> None:
            for octets in range(1, 101):
                try:
                    self.usage.charge(account_id, Usage(octets, octets), growing=True)
                except OverQuota as refusal:
                    refused.append(refusal)

        threads = [threading.Thread(target=fill, args=(account.id,)) for account in (self.ann, self.bob)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ann, bob, domain = self.stored()
        self.assertEqual((domain.bytes, ann.bytes + bob.bytes), (100, 100))
        self.assertEqual(len(refused), 100)

    def test_broken_database(self) -> None:
        """A database that cannot be written is a failure for now, and the next charge is tried afresh."""
        with self.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE domain_usage RENAME TO aside")
        for _ in range(2):
            self.assertRaises(TemporaryFailure, self.usage.charge, self.ann.id, Usage(1, 1), True)
        with self.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE aside RENAME TO domain_usage")
        self.usage.charge(self.ann.id, Usage(1, 1), growing=True)
        self.assertEqual(self.stored()[0], Usage(1, 1))
