"""Reads a SEARCH program (RFC 3501 section 6.4.4, WITHIN of RFC 5032) into a tree of values.

The tree says how dear each key is: answered from the index alone, from the header, or from the whole message. Whoever
evaluates it asks the cheap keys first and opens only messages that are still in question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from hostmail.protocols.imap.dates import parse_date
from hostmail.protocols.imap.sequence import SequenceSet
from hostmail.protocols.imap.tokens import MAX_NUMBER64, BadSyntax, Cursor

CHARSETS = frozenset({b"US-ASCII", b"UTF-8"})


class BadCharset(Exception):
    """The client's words are in a character set that we do not search in."""


class Cost(IntEnum):
    """What has to be read to answer a key."""

    INDEX = 0
    HEADER = 1
    BODY = 2


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
    cost = Cost.HEADER


@dataclass(frozen=True, slots=True)
class Saved:
    """Put into this folder in [since, before), in days (RFC 8514 section 4.3)."""

    since: date | None = None
    before: date | None = None
    cost = Cost.HEADER


@dataclass(frozen=True, slots=True)
class EmailId:
    """The message, or a copy of it (RFC 8474 section 6)."""

    digest: bytes
    cost = Cost.HEADER


@dataclass(frozen=True, slots=True)
class Header:
    """A header field that holds the text; an empty text asks whether the field is there."""

    field: bytes
    text: str
    cost = Cost.HEADER


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


def asks_for_modseq(key: Key) -> bool:
    """Whether a MODSEQ occurs anywhere in it: then the answer has to tell one as well."""
    if isinstance(key, And):
        return any(asks_for_modseq(part) for part in key.keys)
    if isinstance(key, Or):
        return asks_for_modseq(key.one) or asks_for_modseq(key.other)
    return asks_for_modseq(key.key) if isinstance(key, Not) else isinstance(key, ChangedSince)


def conjunction(keys: list[Key]) -> Key:
    """All of the keys, cheapest first; a single one as it is."""
    if len(keys) == 1:
        return keys[0]
    return And(tuple(sorted(keys, key=lambda key: key.cost)))


NOTHING = Not(All())
EMAIL_ID = re.compile(rb"M((?:[0-9a-f]{2}){1,64})\Z")
_FLAGS = {
    name: HasFlag(flag, wanted)
    for flag in (b"\\Answered", b"\\Deleted", b"\\Draft", b"\\Flagged", b"\\Seen")
    for name, wanted in ((flag[1:].upper(), True), (b"UN" + flag[1:].upper(), False))
}
_FIXED: dict[bytes, Key] = {
    **_FLAGS,
    b"ALL": All(),
    b"SAVEDATESUPPORTED": All(),
    b"RECENT": Recent(),
    b"OLD": Recent(False),
    b"NEW": And((Recent(), HasFlag(b"\\Seen", False))),
}
_FIELDS = frozenset({b"BCC", b"CC", b"FROM", b"SUBJECT", b"TO"})


def parse_search_program(cursor: Cursor, charset_first: bool = False) -> Key:
    """The CHARSET if there is one, and all keys up to the end of the command.

    `charset_first` is the way of SORT and THREAD: always a character set, and without the word (RFC 5256).
    """
    charset = "utf-8" if cursor.utf8 else "ascii"
    if cursor.utf8 and cursor.looking_at(b"CHARSET "):
        raise BadSyntax("there is only UTF-8 once that is enabled")
    if charset_first or cursor.looking_at(b"CHARSET "):
        if not charset_first:
            cursor.keyword()
            cursor.space()
        charset = _charset(cursor.astring())
        cursor.space()
    key = _Program(cursor, charset).all_keys()
    cursor.end()
    return key


def _charset(name: bytes) -> str:
    if name.upper() not in CHARSETS:
        raise BadCharset
    return "utf-8"


class _Program:
    """One reading of one program; text is decoded as the client said."""

    def __init__(self, cursor: Cursor, charset: str) -> None:
        self._cursor = cursor
        self._charset = charset
        self._arguments: dict[bytes, Callable[[], Key]] = {
            b"KEYWORD": lambda: HasFlag(cursor.atom()),
            b"UNKEYWORD": lambda: HasFlag(cursor.atom(), False),
            b"UID": lambda: Uids(cursor.sequence_set()),
            b"LARGER": lambda: Size(True, cursor.number()),
            b"SMALLER": lambda: Size(False, cursor.number()),
            b"YOUNGER": lambda: Age(True, cursor.number()),
            b"OLDER": lambda: Age(False, cursor.number()),
            b"BEFORE": lambda: Arrived(before=self._date()),
            b"SINCE": lambda: Arrived(since=self._date()),
            b"ON": lambda: Arrived(*self._one_day()),
            b"SENTBEFORE": lambda: Sent(before=self._date()),
            b"SENTSINCE": lambda: Sent(since=self._date()),
            b"SENTON": lambda: Sent(*self._one_day()),
            b"MODSEQ": self._modseq,
            b"EMAILID": self._email_id,
            b"SAVEDBEFORE": lambda: Saved(before=self._date()),
            b"SAVEDSINCE": lambda: Saved(since=self._date()),
            b"SAVEDON": lambda: Saved(*self._one_day()),
            b"THREADID": self._thread_id,
            b"BODY": lambda: Body(self._text()),
            b"TEXT": lambda: Text(self._text()),
            b"HEADER": self._header,
            b"NOT": self._negation,
            b"OR": self._either,
        }

    def all_keys(self) -> Key:
        return conjunction(self._cursor.one_or_more(self.key))

    def key(self) -> Key:
        cursor = self._cursor
        ahead = cursor.peek()
        if ahead == b"(":
            cursor.open()
            key = self.all_keys()
            cursor.close()
            return key
        if ahead in (b"*", b"$") or ahead.isdigit():
            return Numbers(cursor.sequence_set())
        return self._named(cursor.keyword())

    def _named(self, name: bytes) -> Key:
        fixed = _FIXED.get(name)
        if fixed is not None:
            return fixed
        if name in _FIELDS:
            self._cursor.space()
            return Header(name.lower(), self._text())
        read = self._arguments.get(name)
        if read is None:
            raise BadSyntax("unknown search key")
        self._cursor.space()
        return read()

    def _negation(self) -> Key:
        self._cursor.deeper()
        key = self.key()
        self._cursor.shallower()
        return key.key if isinstance(key, Not) else Not(key)

    def _either(self) -> Key:
        self._cursor.deeper()
        one = self.key()
        self._cursor.space()
        other = self.key()
        self._cursor.shallower()
        return Or(one, other) if one.cost <= other.cost else Or(other, one)

    def _modseq(self) -> Key:
        """With the name and kind of an entry before the number, of which there is only one that matters: all flags."""
        if self._cursor.peek() == b'"':
            self._cursor.string()
            self._cursor.space()
            if self._cursor.keyword() not in (b"PRIV", b"SHARED", b"ALL"):
                raise BadSyntax("priv, shared or all is expected")
            self._cursor.space()
        return ChangedSince(self._cursor.number(MAX_NUMBER64))

    def _email_id(self) -> Key:
        found = EMAIL_ID.match(self._cursor.astring())
        return EmailId(bytes.fromhex(found[1].decode("ascii"))) if found else NOTHING

    def _thread_id(self) -> Key:
        """Messages have none here."""
        self._cursor.astring()
        return NOTHING

    def _header(self) -> Key:
        field = self._cursor.astring().lower()
        self._cursor.space()
        return Header(field, self._text())

    def _text(self) -> str:
        octets = self._cursor.astring()
        try:
            return octets.decode(self._charset)
        except UnicodeDecodeError:
            if self._charset == "utf-8":
                raise BadSyntax("the text is not in the character set that was named") from None
            return octets.decode("utf-8", "replace")

    def _date(self) -> date:
        try:
            return parse_date(self._cursor.astring())
        except ValueError:
            raise BadSyntax("that is no date") from None

    def _one_day(self) -> tuple[date, date]:
        day = self._date()
        return day, date.fromordinal(min(day.toordinal() + 1, date.max.toordinal()))
