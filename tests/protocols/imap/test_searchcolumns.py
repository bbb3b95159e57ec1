"""SEARCH keys over whole columns, against asking each message by itself."""

from __future__ import annotations

from array import array
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.mailstore import Snapshot
from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.dialect import Dialect
from hostmail.protocols.imap.searchcolumns import Columns, seconds, sieve
from hostmail.protocols.imap.searchkeys import Key
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import parse_sequence_set

NOW = 1_000_000.0
COUNT = 40
UIDS = [3 * number + number % 2 for number in range(1, COUNT + 1)]
FLAGS = [number * 7 % 64 for number in range(COUNT)]
SIZES = [number * 13 % 50 for number in range(COUNT)]
DATES = [int(NOW) - 86_400 * (number * 5 % 17) for number in range(COUNT)]
MODSEQS = [number * 11 % 23 + 1 for number in range(COUNT)]
DAYS = [number * 3 % 11 for number in range(COUNT)]
BITS = {b"\\Seen": 1, b"\\Answered": 2, b"\\Flagged": 4, b"\\Deleted": 8, b"\\Draft": 16, b"one": 32, b"none": 0}

days = st.none() | st.integers(1, 12).map(lambda day: date.fromordinal(date(1970, 1, 1).toordinal() + day))
ordinals = st.none() | st.integers(1, 12).map(date.fromordinal)
sets = st.lists(
    st.sampled_from([b"*", b"1", b"5", b"7:20", b"30:9", b"13", b"100:*", b"4:4", b"200"]), min_size=1, max_size=4
).map(lambda parts: parse_sequence_set(b",".join(parts)))
leaves = st.one_of(
    st.builds(keys.All),
    st.builds(keys.HasFlag, st.sampled_from(sorted(BITS)), st.booleans()),
    st.builds(keys.Recent, st.booleans()),
    st.builds(keys.Numbers, sets),
    st.builds(keys.Uids, sets),
    st.builds(keys.Uids, st.just(parse_sequence_set(b"$"))),
    st.builds(keys.Size, st.booleans(), st.integers(0, 50)),
    st.builds(keys.Arrived, days, days),
    st.builds(keys.Age, st.booleans(), st.integers(0, 20).map(lambda each: each * 86_400)),
    st.builds(keys.ChangedSince, st.integers(0, 25)),
    st.builds(keys.Sent, ordinals, ordinals),
)
programs: st.SearchStrategy[Key] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(keys.Not, inner),
        st.builds(keys.Or, inner, inner),
        st.builds(keys.And, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


def matches(key: Key, index: int) -> bool:
    """One message by itself."""
    match key:
        case keys.All():
            return True
        case keys.HasFlag(flag, wanted):
            return bool(FLAGS[index] & BITS[flag]) == wanted
        case keys.Recent(wanted):
            return (UIDS[index] >= UIDS[30]) == wanted
        case keys.Numbers(numbers):
            return any(low <= index + 1 <= high for low, high in numbers.resolve(COUNT))
        case keys.Uids(numbers) if numbers.is_saved:
            return UIDS[index] in UIDS[3:9]
        case keys.Uids(numbers):
            return any(low <= UIDS[index] <= high for low, high in numbers.resolve(UIDS[-1]))
        case keys.Size(larger, octets):
            return SIZES[index] > octets if larger else SIZES[index] < octets
        case keys.Arrived(since, before):
            return seconds(since, 0) <= DATES[index] < seconds(before, 2**60)
        case keys.Age(younger, age):
            return DATES[index] >= NOW - age if younger else DATES[index] <= NOW - age
        case keys.ChangedSince(modseq):
            return MODSEQS[index] >= modseq
        case keys.Sent(since, before):
            after = since is None or DAYS[index] >= since.toordinal()
            return DAYS[index] > 0 and after and (before is None or DAYS[index] < before.toordinal())
        case keys.Not(inner):
            return not matches(inner, index)
        case keys.Or(one, other):
            return matches(one, index) or matches(other, index)
        case keys.And(parts):
            return all(matches(part, index) for part in parts)
    raise AssertionError(key)


class SieveTests(SynchronousTestCase):
    def setUp(self) -> None:
        snapshot = Snapshot(
            uidvalidity=1,
            uidnext=UIDS[-1] + 1,
            highestmodseq=30,
            keywords=["one"],
            uids=array("I", UIDS),
            flags=list(FLAGS),
            sizes=array("Q", SIZES),
            dates=array("q", DATES),
            modseqs=array("Q", MODSEQS),
            first_recent=UIDS[30],
        )
        selected = Selected("INBOX", None, snapshot, False, Dialect())  # type: ignore[arg-type]
        selected.saved = array("I", UIDS[3:9])
        self.columns = Columns(selected, NOW, DAYS)

    @given(programs, st.integers(1, COUNT), st.integers(1, 3))
    def test_as_if_each_were_asked(self, key: Key, step: int, apart: int) -> None:
        """Whatever is asked, and however many at once, near or far apart."""
        passes = sieve(self.columns, key)
        indices = range(0, COUNT, apart)
        found: list[int] = []
        for first in range(0, len(indices), step):
            found += passes(indices[first : first + step])
        self.assertEqual(found, [index for index in indices if matches(key, index)])
        self.assertEqual(passes([]), [])
