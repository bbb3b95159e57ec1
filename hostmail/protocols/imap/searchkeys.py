"""What a SEARCH asks for (RFC 3501 section 6.4.4), as a tree of values; `searchprogram` reads it.

The tree says how dear each key is: answered from the columns, from what the index keeps of a message, from the header, or from
the whole message. Whoever evaluates it asks the cheap keys first and opens only messages that are still in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from hostmail.message.searchable import KEPT_FIELDS
from hostmail.protocols.imap.sequence import SequenceSet


class Cost(IntEnum):
    """What has to be read to answer a key."""

    INDEX = 0
    FACTS = 1
    HEADER = 2
    BODY = 3


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""

    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class HasFlag:
    """A flag or keyword is set, or not."""

    flag: bytes
    wanted: bool = True
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Recent:
    """This session was the first to be told of the message."""

    wanted: bool = True
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Numbers:
    """Message sequence numbers."""

    numbers: SequenceSet
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Uids:
    """Unique identifiers."""

    numbers: SequenceSet
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Size:
    """More octets than this, or fewer."""

    larger: bool
    octets: int
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Arrived:
    """The internal date lies in [since, before), in days; either end may be open."""

    since: date | None = None
    before: date | None = None
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Age:
    """Arrived less than (younger) or at least so many seconds ago."""

    younger: bool
    seconds: int
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """The MODSEQ is at least this (RFC 7162 section 3.1.5)."""

    modseq: int
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Sent:
    """The Date field lies in [since, before), its zone disregarded."""

    since: date | None = None
    before: date | None = None
    cost = Cost.INDEX


@dataclass(frozen=True, slots=True)
class Saved:
    """Put into this folder in [since, before), in days (RFC 8514 section 4.3)."""

    since: date | None = None
    before: date | None = None
    cost = Cost.FACTS


@dataclass(frozen=True, slots=True)
class EmailId:
    """The message, or a copy of it (RFC 8474 section 6)."""

    digest: bytes
    cost = Cost.FACTS


@dataclass(frozen=True, slots=True)
class Header:
    """A header field that holds the text; an empty text asks whether the field is there."""

    field: bytes
    text: str

    @property
    def cost(self) -> Cost:
        """Less for the fields that the index keeps."""
        return Cost.FACTS if self.field in KEPT_FIELDS else Cost.HEADER


@dataclass(frozen=True, slots=True)
class Body:
    """The text occurs in the body."""

    text: str
    cost = Cost.BODY


@dataclass(frozen=True, slots=True)
class Text:
    """The text occurs in header or body."""

    text: str
    cost = Cost.BODY


@dataclass(frozen=True, slots=True)
class Not:
    """The key does not hold."""

    key: Key

    @property
    def cost(self) -> Cost:
        """As dear as the key itself."""
        return self.key.cost


@dataclass(frozen=True, slots=True)
class Or:
    """One of two keys holds."""

    one: Key
    other: Key

    @property
    def cost(self) -> Cost:
        """As dear as the dearer one."""
        return max(self.one.cost, self.other.cost)


@dataclass(frozen=True, slots=True)
class And:
    """All keys hold; the cheap ones come first."""

    keys: tuple[Key, ...]

    @property
    def cost(self) -> Cost:
        """As dear as the dearest."""
        return max((key.cost for key in self.keys), default=Cost.INDEX)


Key = (
    All
    | HasFlag
    | Recent
    | Numbers
    | Uids
    | Size
    | Arrived
    | Age
    | ChangedSince
    | Sent
    | Saved
    | EmailId
    | Header
    | Body
    | Text
    | Not
    | Or
    | And
)


def leaves(key: Key) -> Iterator[Key]:
    """The keys that are no combinations of others, in order."""
    if isinstance(key, And):
        for part in key.keys:
            yield from leaves(part)
    elif isinstance(key, Or):
        yield from leaves(key.one)
        yield from leaves(key.other)
    elif isinstance(key, Not):
        yield from leaves(key.key)
    else:
        yield key


def asks_for_modseq(key: Key) -> bool:
    """Whether a MODSEQ occurs anywhere in it: then the answer has to tell one as well."""
    return any(isinstance(leaf, ChangedSince) for leaf in leaves(key))


def conjunction(keys: list[Key]) -> Key:
    """All of the keys, cheapest first; a single one as it is."""
    if len(keys) == 1:
        return keys[0]
    return And(tuple(sorted(keys, key=lambda key: key.cost)))
