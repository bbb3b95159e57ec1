"""Reads a SEARCH program (RFC 3501 section 6.4.4, WITHIN of RFC 5032)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from hostmail.protocols.imap.dates import parse_date
from hostmail.protocols.imap.searchkeys import (
    Age,
    All,
    And,
    Arrived,
    Body,
    ChangedSince,
    EmailId,
    HasFlag,
    Header,
    Key,
    Not,
    Numbers,
    Or,
    Recent,
    Saved,
    Sent,
    Size,
    Text,
    Uids,
    conjunction,
)
from hostmail.protocols.imap.tokens import MAX_NUMBER64, BadSyntax, Cursor

CHARSETS = frozenset({b"US-ASCII", b"UTF-8"})
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


class BadCharset(Exception):
    """The client's words are in a character set that we do not search in."""


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
