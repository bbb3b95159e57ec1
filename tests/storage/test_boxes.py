"""Values of the index."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage.boxes import runs


class RunsTests(SynchronousTestCase):
    @given(st.sets(st.integers(1, 60)))
    def test_all_and_nothing_else(self, numbers: set[int]) -> None:
        """The stretches hold each number once, and no two of them could be one."""
        found = runs(sorted(numbers))
        self.assertEqual([number for first, last in found for number in range(first, last + 1)], sorted(numbers))
        self.assertTrue(all(last + 1 < first for (_, last), (first, _) in pairwise(found)))
