"""What a directory's modification time is believed to say."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage.freshness import NEVER, SECOND, Seen, after_listing, after_own_change

NOON = 1_700_000_000 * SECOND


class FreshnessTests(SynchronousTestCase):
    def test_never_seen(self) -> None:
        """A directory that was never listed is not fresh."""
        self.assertFalse(NEVER.is_fresh(NOON, NOON))

    def test_old_listing_is_sure(self) -> None:
        """A listing long after the last change is good until the time changes."""
        seen = after_listing(NOON, NOON + 10 * SECOND)
        self.assertTrue(seen.is_fresh(NOON, NOON + 10**6 * SECOND))
        self.assertFalse(seen.is_fresh(NOON + 1, NOON + 11 * SECOND))

    def test_young_listing_is_looked_at_again(self) -> None:
        """A change within the file system's granularity of the listing is found two seconds later."""
        seen = after_listing(NOON, NOON + SECOND)
        self.assertTrue(seen.is_fresh(NOON, NOON + SECOND + 1))
        self.assertFalse(seen.is_fresh(NOON, NOON + 3 * SECOND))

    def test_listing_within_a_tick(self) -> None:
        """Within the kernel's tick of a change nothing is sure: the next look lists again."""
        self.assertFalse(after_listing(NOON, NOON + 1000).is_fresh(NOON, NOON + 2000))

    def test_clock_set_back(self) -> None:
        """A time far in the future is as good as one long past."""
        self.assertTrue(after_listing(NOON, NOON - 100 * SECOND).is_fresh(NOON, NOON))

    def test_own_change(self) -> None:
        """Our own change is trusted at once, and looked at again later."""
        seen = after_own_change(Seen(NOON), NOON, NOON + SECOND, NOON + SECOND)
        self.assertTrue(seen.is_fresh(NOON + SECOND, NOON + SECOND))
        self.assertFalse(seen.is_fresh(NOON + SECOND, NOON + 3 * SECOND))

    def test_large_directory_waits_longer(self) -> None:
        """Listing 100,000 names again costs so much that it waits."""
        seen = after_own_change(Seen(NOON), NOON, NOON + 1, NOON, 100_000)
        self.assertTrue(seen.is_fresh(NOON + 1, NOON + 60 * SECOND))
        self.assertFalse(seen.is_fresh(NOON + 1, NOON + 101 * SECOND))

    def test_own_change_keeps_what_was_due(self) -> None:
        """Many changes of our own do not put off the second look for ever."""
        seen = after_own_change(Seen(NOON, NOON + SECOND), NOON, NOON + 5, NOON + 10)
        self.assertEqual(seen, Seen(NOON + 5, NOON + SECOND))

    def test_own_change_after_a_foreign_one(self) -> None:
        """If the directory was news before our change, it still is."""
        self.assertEqual(after_own_change(Seen(NOON), NOON + 1, NOON + 2, NOON + 2), NEVER)
