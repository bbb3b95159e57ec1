"""Quota arithmetic."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import OverQuota
from hostmail.interfaces.directory import Account, Usage
from hostmail.storage.quota import check, room

ANN = Account(1, "ann@example.com", "example.com", "ann")


class QuotaTests(SynchronousTestCase):
    def test_no_limits(self) -> None:
        """Without limits everything fits."""
        self.assertEqual(check(ANN, Usage(5, 1), Usage(10**12, 1)), Usage(10**12 + 5, 2))

    def test_octets(self) -> None:
        """The limit itself fits; one octet more is refused with the space left in the words (D4)."""
        ann = replace(ANN, quota_bytes=100)
        self.assertEqual(check(ann, Usage(60, 1), Usage(40, 1)).bytes, 100)
        refusal = self.assertRaises(OverQuota, check, ann, Usage(60, 1), Usage(41, 1))
        self.assertIn("40 are left", refusal.public)

    def test_over_already(self) -> None:
        """A quota made smaller than what is stored leaves nothing, not less."""
        ann = replace(ANN, quota_bytes=100)
        refusal = self.assertRaises(OverQuota, check, ann, Usage(160, 1), Usage(1, 1))
        self.assertIn("0 are left", refusal.public)
        self.assertEqual(room(ann, Usage(160, 1)).free_bytes, 0)

    def test_messages(self) -> None:
        """The number of messages is limited by itself."""
        ann = replace(ANN, quota_messages=2)
        self.assertEqual(check(ann, Usage(0, 1), Usage(9, 1)).messages, 2)
        self.assertRaises(OverQuota, check, ann, Usage(0, 2), Usage(0, 1))

    def test_room_of_the_domain(self) -> None:
        """What is free is the smaller of mailbox and domain."""
        ann = replace(ANN, quota_bytes=100)
        self.assertEqual(room(ann, Usage(60, 1), 10).free_bytes, 10)
        self.assertEqual(room(ann, Usage(60, 1), 1000).free_bytes, 40)
        self.assertEqual(room(ANN, Usage(60, 1), 7).free_bytes, 7)
        self.assertIsNone(room(ANN, Usage(60, 1)).free_bytes)
