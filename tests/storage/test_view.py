"""The columns of an open folder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.mailstore import Flag
from hostmail.storage.boxes import Box
from hostmail.storage.view import View

BOX = Box(1, "", "", 7, uidnext=100, modseq=9)


def row(uid: int, flags: int = 0, modseq: int = 1) -> tuple[int, int, int, int, int]:
    return uid, flags, uid * 10, -uid, modseq


class ViewTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.view = View()
        self.view.load([row(1), row(5), row(9)], 3)

    @given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 3)))
    def test_counted_as_saved(self, flags: list[int]) -> None:
        """What is unseen or deleted is counted alike in columns that were saved, whatever other flags there are."""
        view, again = View(), View()
        view.load([row(uid, each) for uid, each in enumerate(flags, 1)], 3)
        self.assertTrue(again.load_saved(view.saved() or b"", 3))
        self.assertEqual((again.flags, again.unseen, again.deleted), (flags, view.unseen, view.deleted))
        self.assertEqual(view.deleted, sum(1 for each in flags if each & Flag.DELETED))

    def test_snapshots_stay(self) -> None:
        """Snapshots share the columns until something changes, and stay what they were then."""
        first, second = self.view.snapshot(BOX, 0), self.view.snapshot(BOX, 0)
        self.assertIs(first.uids, second.uids)
        self.view.apply([], [], 5)
        self.assertIs(self.view.snapshot(BOX, 0).flags, first.flags)
        self.view.apply([row(5, 3, 6), row(12, 1, 6)], [1], 6)
        self.assertEqual((list(first.uids), first.flags, list(first.modseqs)), ([1, 5, 9], [0, 0, 0], [1, 1, 1]))
        self.assertEqual((list(first.sizes), list(first.dates)), ([10, 50, 90], [-1, -5, -9]))
        self.assertEqual((list(self.view.uids), self.view.flags), ([5, 9, 12], [3, 0, 1]))
        uids = self.view.uids
        self.view.apply([row(9, 1, 7)], [], 7)
        self.assertIs(self.view.uids, uids)

    def test_first_unseen(self) -> None:
        """The first message that is not \\Seen is known through all changes."""
        told = [self.view.first_unseen]
        for changed, expunged in (
            ([row(1, 1, 2)], []), ([row(12, 0, 3)], []), ([], [5]), ([row(9, 1, 5)], []), ([row(12, 1, 6)], []),
            ([row(1, 0, 7)], []), ([row(1, 1, 8), row(13, 1, 8)], []), ([row(14, 0, 9)], []),
        ):  # fmt: skip
            self.view.apply(changed, expunged, 9)
            told.append(self.view.snapshot(BOX, 0).first_unseen or 0)
            seen = [at for at, flags in enumerate(self.view.flags, 1) if not flags & 1]
            self.assertEqual(told[-1], min(seen, default=0))
        self.assertEqual(told, [1, 2, 2, 2, 3, 0, 1, 0, 5])

    def test_apply(self) -> None:
        """New, changed and removed messages; what is told twice does no harm."""
        for _ in range(2):
            self.view.apply([row(5, 3, 4), row(12, 1, 5)], [1, 2], 6)
        self.assertEqual(list(self.view.uids), [5, 9, 12])
        self.assertEqual(self.view.flags, [3, 0, 1])
        self.assertEqual(list(self.view.modseqs), [4, 1, 5])
        self.assertEqual((list(self.view.sizes), list(self.view.dates)), ([50, 90, 120], [-5, -9, -12]))

    def test_recent(self) -> None:
        """The lowest UID from some number on, and how many."""
        self.assertEqual((self.view.first_at_least(2), self.view.count_at_least(2)), (5, 2))
        self.assertEqual((self.view.first_at_least(10), self.view.count_at_least(10)), (0, 0))

    def test_saved(self) -> None:
        """Saved columns are the same when loaded; flags that are too long are not saved; nonsense is not loaded."""
        again = View()
        data = self.view.saved()
        self.assertTrue(again.load_saved(data, 3))
        self.assertEqual(again.snapshot(BOX, 0), self.view.snapshot(BOX, 0))
        self.assertFalse(again.load_saved(data[:-1], 3))
        self.view.flags[1] = 1 << 70
        self.assertIsNone(self.view.saved())

    @given(st.sets(st.integers(1, 200)), st.sets(st.integers(1, 200)), st.sets(st.integers(1, 300)))
    def test_any_changes(self, before: set[int], gone: set[int], changed: set[int]) -> None:
        """Whatever happens, the columns are what the rows say."""
        highest = max(before, default=0)
        changed = {uid for uid in changed if uid > highest or uid in before} - gone
        view = View()
        view.load([row(uid) for uid in sorted(before)], 1)
        self.assertEqual(view.unseen, len(before))
        view.apply([row(uid, 1, 2) for uid in sorted(changed)], sorted(gone), 2)
        expected = sorted((before | changed) - gone)
        self.assertEqual(list(view.uids), expected)
        self.assertEqual(view.flags, [int(uid in changed) for uid in expected])
        self.assertEqual(view.unseen, len(expected) - len(changed))
        self.assertEqual(view.deleted, 0)
        self.assertEqual(list(view.sizes), [uid * 10 for uid in expected])

    def test_deleted(self) -> None:
        """What is \\Deleted is counted as flags come and go, and messages too."""
        deleted = int(Flag.DELETED)
        self.view.apply([row(1, deleted), row(5, deleted | 1), row(12, deleted), row(13)], [], 4)
        self.assertEqual(self.view.deleted, 3)
        self.view.apply([row(1, 1), row(5, deleted)], [12], 5)
        self.assertEqual((self.view.deleted, self.view.unseen), (1, 3))
