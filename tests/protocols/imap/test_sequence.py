"""Sequence sets."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap import sequence

SETS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8)


class Reading(SynchronousTestCase):
    """From text to ranges."""

    def test_star_is_the_largest_number_in_use(self) -> None:
        """`*` stands for the last message, also where it is the smaller end."""
        found = sequence.parse_sequence_set(b"*:4,1")
        self.assertTrue(found.has_star)
        self.assertEqual(found.largest_named, 4)
        self.assertEqual(found.resolve(9), [(1, 1), (4, 9)])
        self.assertEqual(found.resolve(2), [(1, 4)])

    def test_reversed_and_touching_ranges_are_put_in_order(self) -> None:
        """5:1 is 1:5, and 6 behind it makes 1:6."""
        self.assertEqual(sequence.parse_sequence_set(b"6,5:1,2").resolve(10), [(1, 6)])
        self.assertFalse(sequence.parse_sequence_set(b"6,5:1,2").has_star)

    def test_senseless_sets_are_refused(self) -> None:
        """Nought, 33 bits, empty items and letters are no message numbers."""
        for text in (b"0", b"1:0", b"4294967296", b"1,", b"", b":", b"1:2:3", b"**", b"1:", b"99999999999", b"+1"):
            with self.assertRaises(ValueError):
                sequence.parse_sequence_set(text)

    def test_i18_a_long_set_costs_little(self) -> None:
        """A 16 KiB set of ranges that name four milliards of messages is resolved at once (TWISTED I18)."""
        text = b",".join(b"%d:4294967295" % number for number in range(1, 1000))
        ranges = sequence.parse_sequence_set(text).resolve(100)
        found = sequence.slices(ranges, array("I", range(1, 100_001)))
        self.assertEqual(found, [(0, 100_000)])


class Finding(SynchronousTestCase):
    """From ranges to messages."""

    @given(SETS, st.sets(st.integers(1, 60)))
    def test_slices_name_exactly_the_numbers_in_the_ranges(
        self, pairs: list[tuple[int, int]], numbers: set[int]
    ) -> None:
        """Bisection finds what looking at each number would find."""
        here = array("I", sorted(numbers))
        ranges = sequence.merge((min(pair) or 1, max(pair) or 1) for pair in pairs)
        wanted = [at for at, number in enumerate(here) if any(low <= number <= high for low, high in ranges)]
        self.assertEqual(list(sequence.indices(sequence.slices(ranges, here))), wanted)
        for number in range(62):
            self.assertEqual(
                sequence.contains(ranges, number), any(low <= number <= high for low, high in ranges), (ranges, number)
            )

    @given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)), st.integers(0, 30))
    def test_what_is_left_out_and_what_is_common(self, one: set[int], other: set[int], last: int) -> None:
        """As with sets of numbers, without counting them out."""
        ranges, others = (sequence.ranges_of(sorted(numbers)) for numbers in (one, other))
        left_out = sequence.ranges_of(sorted(set(range(1, last + 1)) - one))
        self.assertEqual(sequence.gaps(ranges, 1, last), left_out)
        self.assertEqual(sequence.common(ranges, others), sequence.ranges_of(sorted(one & other)))

    @given(st.sets(st.integers(1, 500)))
    def test_compact_ranges_name_the_same_numbers(self, numbers: set[int]) -> None:
        """What we write is read back as the same numbers, in the shortest form."""
        text = sequence.format_numbers(sorted(numbers))
        if not numbers:
            self.assertEqual(text, b"")
            return
        ranges = sequence.parse_sequence_set(text).resolve(1)
        self.assertEqual({n for low, high in ranges for n in range(low, high + 1)}, numbers)
        self.assertEqual(sequence.format_ranges(ranges), text)
