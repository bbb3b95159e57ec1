"""The keys of a SEARCH that the columns of the selected folder answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.flags import SYSTEM, keyword_bit
from hostmail.protocols.imap.searchkeys import Key
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import contains

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()

Test = Callable[[int], bool]


def index_test(selected: Selected, key: Key, now: float) -> Test:
    """A test that looks at the columns only."""
    if isinstance(key, keys.And):
        tests = [index_test(selected, part, now) for part in key.keys]
        return lambda index: all(test(index) for test in tests)
    if isinstance(key, keys.Or):
        one, other = index_test(selected, key.one, now), index_test(selected, key.other, now)
        return lambda index: one(index) or other(index)
    if isinstance(key, keys.Not):
        inner = index_test(selected, key.key, now)
        return lambda index: not inner(index)
    return _column_test(selected, key, now)


def _column_test(selected: Selected, key: Key, now: float) -> Test:
    sizes, dates = selected.sizes, selected.dates
    if isinstance(key, keys.HasFlag):
        return _flag_test(selected, key)
    if isinstance(key, keys.Recent):
        first = selected.recent_from()
        return lambda index: (index >= first) == key.wanted
    if isinstance(key, keys.Numbers | keys.Uids) and key.numbers.is_saved:
        uids, saved = selected.uids, frozenset(selected.saved)
        return lambda index: uids[index] in saved
    if isinstance(key, keys.Numbers):
        numbers = key.numbers.resolve(len(selected) or 1)
        return lambda index: contains(numbers, index + 1)
    if isinstance(key, keys.Uids):
        uids, named = selected.uids, key.numbers.resolve(selected.uids[-1] if selected.uids else 1)
        return lambda index: contains(named, uids[index])
    if isinstance(key, keys.Size):
        return (lambda index: sizes[index] > key.octets) if key.larger else (lambda index: sizes[index] < key.octets)
    if isinstance(key, keys.Arrived):
        since, before = seconds(key.since, 0), seconds(key.before, 2**63)
        return lambda index: since <= dates[index] < before
    if isinstance(key, keys.ChangedSince):
        modseqs = selected.modseqs
        return lambda index: modseqs[index] >= key.modseq
    if isinstance(key, keys.Age):
        edge = now - key.seconds
        return (lambda index: dates[index] >= edge) if key.younger else (lambda index: dates[index] <= edge)
    return lambda index: True


def _flag_test(selected: Selected, key: keys.HasFlag) -> Test:
    flags = selected.flags
    bit = SYSTEM.get(key.flag) or keyword_bit(selected.keywords, key.flag.decode("ascii"))
    return (lambda index: bool(flags[index] & bit)) if key.wanted else (lambda index: not flags[index] & bit)


def seconds(day: date | None, otherwise: int) -> int:
    """When the day begins."""
    return otherwise if day is None else (day.toordinal() - EPOCH) * DAY
