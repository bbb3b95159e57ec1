"""The keys of a SEARCH that columns answer: those of the selected folder, and the days of the Date fields.

A key becomes a sieve, which lets through those of many messages that match: one loop for each key, and not one call for each message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.flags import SYSTEM, keyword_bit
from hostmail.protocols.imap.searchkeys import Key
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import Range, slices

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()

Sieve = Callable[[Sequence[int]], list[int]]


@dataclass(slots=True)
class Columns:
    """What is asked. `sent_days` are as `IFolder.sent_days` says, one for each message, or none if no key asks for them."""

    selected: Selected
    now: float
    sent_days: Sequence[int] = ()


def sieve(columns: Columns, key: Key) -> Sieve:
    """Takes ascending indices, and returns those of the messages that match."""
    if isinstance(key, keys.And):
        return _each([sieve(columns, part) for part in key.keys])
    if isinstance(key, keys.Or):
        return _either(sieve(columns, key.one), sieve(columns, key.other))
    if isinstance(key, keys.Not):
        return _others(sieve(columns, key.key))
    return _leaf(columns, key)


def _each(parts: list[Sieve]) -> Sieve:
    def among(indices: Sequence[int]) -> list[int]:
        for part in parts:
            indices = part(indices)
        return list(indices)

    return among


def _either(one: Sieve, other: Sieve) -> Sieve:
    def among(indices: Sequence[int]) -> list[int]:
        found = one(indices)
        return sorted(found + other(_without(indices, found)))

    return among


def _others(inner: Sieve) -> Sieve:
    return lambda indices: _without(indices, inner(indices))


def _without(indices: Sequence[int], found: list[int]) -> list[int]:
    known = frozenset(found)
    return [index for index in indices if index not in known]


def _leaf(columns: Columns, key: Key) -> Sieve:
    selected = columns.selected
    if isinstance(key, keys.HasFlag):
        return _flag(selected, key)
    if isinstance(key, keys.Recent):
        first = selected.recent_from()
        return lambda indices: [index for index in indices if (index >= first) == key.wanted]
    if isinstance(key, keys.Numbers | keys.Uids):
        return _named(selected, key)
    if isinstance(key, keys.Size):
        return (
            _between(selected.sizes, key.octets + 1, 2**64) if key.larger else _between(selected.sizes, 0, key.octets)
        )
    if isinstance(key, keys.Arrived):
        return _between(selected.dates, seconds(key.since, 0), seconds(key.before, 2**63))
    if isinstance(key, keys.ChangedSince):
        return _between(selected.modseqs, key.modseq, 2**64)
    if isinstance(key, keys.Age):
        dates, edge = selected.dates, columns.now - key.seconds
        if key.younger:
            return lambda indices: [index for index in indices if dates[index] >= edge]
        return lambda indices: [index for index in indices if dates[index] <= edge]
    if isinstance(key, keys.Sent):
        since = key.since.toordinal() if key.since else 1
        before = key.before.toordinal() if key.before else 2**31
        return _between(columns.sent_days, since, before)
    return list


def _between(column: Sequence[int], least: int, end: int) -> Sieve:
    return lambda indices: [index for index in indices if least <= column[index] < end]


def _named(selected: Selected, key: keys.Numbers | keys.Uids) -> Sieve:
    uids = selected.uids
    if key.numbers.is_saved:
        saved = frozenset(selected.saved)
        return lambda indices: [index for index in indices if uids[index] in saved]
    if isinstance(key, keys.Uids):
        return _within(slices(key.numbers.resolve(uids[-1] if uids else 1), uids))
    return _within([(low - 1, high) for low, high in key.numbers.resolve(len(selected) or 1)])


def _within(parts: Sequence[Range]) -> Sieve:
    """Indices from each part's first up to its end; they are ascending, and so are the parts."""

    def among(indices: Sequence[int]) -> list[int]:
        found: list[int] = []
        if not indices:
            return found
        for at in range(max(0, bisect_left(parts, (indices[0], 0)) - 1), len(parts)):
            first, end = parts[at]
            if first > indices[-1]:
                break
            found += indices[bisect_left(indices, first) : bisect_left(indices, end)]
        return found

    return among


def _flag(selected: Selected, key: keys.HasFlag) -> Sieve:
    flags = selected.flags
    bit = SYSTEM.get(key.flag) or keyword_bit(selected.keywords, key.flag.decode("ascii"))
    if key.wanted:
        return lambda indices: [index for index in indices if flags[index] & bit]
    return lambda indices: [index for index in indices if not flags[index] & bit]


def seconds(day: date | None, otherwise: int) -> int:
    """When the day begins."""
    return otherwise if day is None else (day.toordinal() - EPOCH) * DAY
