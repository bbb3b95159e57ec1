"""Sets of message numbers and UIDs as sorted ranges, never as lists of numbers.

`UID FETCH 1:4294967295` costs one range, however many numbers it names, and a line of 16 KiB costs one sort. Sets are
compared with a mailbox by bisection in its sorted UIDs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

STAR = 0
"""How the largest number in use is written before the mailbox is known; no message has the number nought."""

LARGEST = 2**32 - 1

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """What a client wrote; `*` stays open until somebody knows the largest number in use.

    `is_saved`: the client wrote `$`, and means the messages that its last saving search found (RFC 5182).
    """

    pairs: tuple[Range, ...]
    is_saved: bool = False

    @property
    def has_star(self) -> bool:
        """Whether the largest number in use is named."""
        return any(STAR in pair for pair in self.pairs)

    @property
    def largest_named(self) -> int:
        """The largest number written out; nought when there is only `*`."""
        return max((max(pair) for pair in self.pairs), default=0)

    def resolve(self, largest: int) -> list[Range]:
        """Sorted ranges that neither touch nor overlap, with `*` replaced by the largest number in use."""
        filled = ((low or largest, high or largest) for low, high in self.pairs)
        return merge((low, high) if low <= high else (high, low) for low, high in filled)


def parse_sequence_set(text: bytes) -> SequenceSet:
    """Read 1,3:5,7:* or $; ValueError when it is something else or names nought."""
    if text == b"$":
        return SequenceSet((), is_saved=True)
    return SequenceSet(tuple(_pair(item) for item in text.split(b",")))


def _pair(item: bytes) -> Range:
    low, colon, high = item.partition(b":")
    first = _number(low)
    return (first, _number(high)) if colon else (first, first)


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    if len(text) > 10 or not text.isdigit() or not 0 < (value := int(text)) <= LARGEST:
        raise ValueError("not a message number")
    return value


def merge(ranges: Iterable[Range]) -> list[Range]:
    """Sorted ranges without overlaps; neighbours are joined."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return merged


def slices(ranges: Sequence[Range], numbers: Sequence[int]) -> list[Range]:
    """Which parts of a sorted sequence the ranges name, as (start, stop) pairs of indices."""
    found: list[Range] = []
    size = len(numbers)
    at = 0
    for low, high in ranges:
        start = bisect_left(numbers, low, at)
        stop = bisect_right(numbers, high, start)
        if start < stop:
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], stop)
            else:
                found.append((start, stop))
        at = stop
        if at >= size:
            break
    return found


def indices(parts: Iterable[Range]) -> Iterator[int]:
    """Every index of the slices, in order."""
    for start, stop in parts:
        yield from range(start, stop)


def contains(ranges: Sequence[Range], number: int) -> bool:
    """Whether sorted ranges hold this number."""
    at = bisect_right(ranges, (number, LARGEST + 1)) - 1
    return at >= 0 and ranges[at][0] <= number <= ranges[at][1]


def ranges_of(numbers: Iterable[int]) -> list[Range]:
    """Sorted numbers as ranges."""
    ranges: list[Range] = []
    low = high = -2
    for number in numbers:
        if number == high + 1:
            high = number
            continue
        if high >= 0:
            ranges.append((low, high))
        low = high = number
    if high >= 0:
        ranges.append((low, high))
    return ranges


def gaps(ranges: Iterable[Range], first: int, last: int) -> list[Range]:
    """What sorted ranges leave out between two numbers."""
    found: list[Range] = []
    for low, high in ranges:
        if low > last:
            break
        if low > first:
            found.append((first, low - 1))
        first = max(first, high + 1)
    if first <= last:
        found.append((first, last))
    return found


def common(one: Sequence[Range], other: Sequence[Range]) -> list[Range]:
    """What is in both of two sequences of sorted ranges."""
    found: list[Range] = []
    here = there = 0
    while here < len(one) and there < len(other):
        (low, high), (other_low, other_high) = one[here], other[there]
        if max(low, other_low) <= min(high, other_high):
            found.append((max(low, other_low), min(high, other_high)))
        if high < other_high:
            here += 1
        else:
            there += 1
    return found


def slices_of(places: Iterable[int]) -> list[Range]:
    """Sorted indices as (start, stop) pairs."""
    return [(low, high + 1) for low, high in ranges_of(places)]


def format_ranges(ranges: Iterable[Range]) -> bytes:
    """Ranges as a client reads them: 1:3,7."""
    return b",".join(b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges)


def format_numbers(numbers: Iterable[int]) -> bytes:
    """Sorted numbers in the shortest form."""
    return format_ranges(ranges_of(numbers))
