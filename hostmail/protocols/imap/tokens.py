"""Reads one complete IMAP command, token by token (RFC 3501 section 9).

The command arrives as its *parts*: text, literal, text, literal, ..., text. The texts carry no literal announcement any
more, so a literal can never be taken for text, nor text for a literal. Every reader either returns a value and moves
on, or raises `BadSyntax` with words that may be shown to the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from hostmail.protocols.imap.limits import NESTING, SEQUENCE_SET_OCTETS, TOKENS
from hostmail.protocols.imap.sequence import SequenceSet, parse_sequence_set

T = TypeVar("T")

# atom-specials: "(" ")" "{" SP CTL list-wildcards quoted-specials resp-specials.
ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
LIST_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]+')
# tag: ASTRING-CHAR except "+".
TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+')
QUOTED = re.compile(rb'"((?:[^"\\\x00\r\n]|\\["\\])*)"')
ESCAPE = re.compile(rb'\\(["\\])')
NUMBER = re.compile(rb"[0-9]+")
SEQUENCE = re.compile(rb"[0-9*:,]+|\$")
MAX_NUMBER = 2**32 - 1
MAX_NUMBER64 = 2**63 - 1


class BadSyntax(Exception):
    """The command cannot be understood; the words go to the client after BAD."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Cursor:
    """A place in one command, with a reader for each kind of token."""

    def __init__(self, parts: Sequence[bytes], tokens: int = TOKENS, utf8: bool = False) -> None:
        self.utf8 = utf8
        self._parts = parts
        self._index = 0
        self._text = parts[0]
        self._pos = 0
        self._tokens_left = tokens
        self._depth = 0

    def at_end(self) -> bool:
        """Whether nothing at all is left, literal or text."""
        return self._pos >= len(self._text) and self._index + 1 >= len(self._parts)

    def end(self) -> None:
        """Insist that the command ends here."""
        if not self.at_end():
            raise BadSyntax("unexpected words after the end of the command")

    def peek(self) -> bytes:
        """The next octet of text, or nothing where a literal or the end comes next."""
        return self._text[self._pos : self._pos + 1]

    def at_literal(self) -> bool:
        """Whether the next token is a literal."""
        return self._pos >= len(self._text) and self._index + 1 < len(self._parts)

    def take(self, octet: bytes) -> bool:
        """Read this octet if it comes next, and say whether it did."""
        if self._text[self._pos : self._pos + 1] == octet:
            self._pos += 1
            return True
        return False

    def expect(self, octet: bytes, words: str) -> None:
        """Read this octet or refuse the command."""
        if not self.take(octet):
            raise BadSyntax(words)

    def space(self) -> None:
        """Exactly one space."""
        self.expect(b" ", "a space is missing")

    def looking_at(self, word: bytes) -> bool:
        """Whether this word (upper case, octets as they are) comes next; nothing is read."""
        return self._text[self._pos : self._pos + len(word)].upper() == word

    def match(self, pattern: re.Pattern[bytes], words: str) -> bytes:
        """One token of the form that the pattern describes."""
        found = pattern.match(self._text, self._pos)
        if found is None:
            raise BadSyntax(words)
        self.count_token()
        self._pos = found.end()
        return found.group()

    def count_token(self) -> None:
        """Keep the number of tokens of one command within bounds."""
        self._tokens_left -= 1
        if self._tokens_left < 0:
            raise BadSyntax("too many words in one command")

    def tag(self) -> bytes:
        """The client's name for this command."""
        return self.match(TAG, "the tag is missing")

    def atom(self) -> bytes:
        """A bare word."""
        return self.match(ATOM, "a word is missing")

    def keyword(self) -> bytes:
        """A bare word in upper case: command names, FETCH items, SEARCH keys."""
        return self.match(ATOM, "a word is missing").upper()

    def number(self, most: int = MAX_NUMBER) -> int:
        """A number of at most 32 bits, or as the caller says."""
        digits = self.match(NUMBER, "a number is missing")
        if len(digits) > 20 or (value := int(digits)) > most:
            raise BadSyntax("the number is too large")
        return value

    def sequence_set(self) -> SequenceSet:
        """Message numbers or UIDs: 1:3,7,9:* or $."""
        text = self.match(SEQUENCE, "message numbers are missing")
        if len(text) > SEQUENCE_SET_OCTETS:
            raise BadSyntax("too many message numbers in one command")
        try:
            return parse_sequence_set(text)
        except ValueError:
            raise BadSyntax("the message numbers cannot be understood") from None

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self.at_literal():
            return self._literal()
        if self.peek() != b'"':
            raise BadSyntax("a string is missing")
        return self._quoted()

    def astring(self) -> bytes:
        """A bare word, a quoted string or a literal."""
        return self._word_or_string(ASTRING)

    def list_mailbox(self) -> bytes:
        """A mailbox pattern: as astring, with * and % allowed in the bare form."""
        return self._word_or_string(LIST_ATOM)

    def nstring(self) -> bytes | None:
        """A string, or NIL for none."""
        if self.looking_at(b"NIL") and not self.at_literal():
            self._pos += 3
            self.count_token()
            return None
        return self.string()

    def flag(self) -> bytes:
        r"""A flag: \Seen (a system flag or an extension), or a keyword."""
        if self.take(b"\\"):
            if self.take(b"*"):
                return b"\\*"
            return b"\\" + self.match(ATOM, "a flag is missing")
        return self.match(ATOM, "a flag is missing")

    def flag_list(self) -> list[bytes]:
        """Flags in parentheses, possibly none."""
        return self.parenthesised(self.flag)

    def flags(self) -> list[bytes]:
        """Flags with or without parentheses, as STORE allows."""
        if self.peek() == b"(":
            return self.flag_list()
        return self.one_or_more(self.flag)

    def one_or_more(self, read: Callable[[], T]) -> list[T]:
        """Things separated by single spaces."""
        things = [read()]
        while self.take(b" "):
            things.append(read())
        return things

    def parenthesised(self, read: Callable[[], T]) -> list[T]:
        """Things in parentheses, separated by single spaces; () is an empty list."""
        self.open()
        things: list[T] = []
        if not self.take(b")"):
            things = self.one_or_more(read)
            self.expect(b")", "a closing parenthesis is missing")
        self._depth -= 1
        return things

    def open(self) -> None:
        """Read an opening parenthesis, and refuse what is nested too deeply."""
        self.expect(b"(", "an opening parenthesis is missing")
        self.count_token()
        self.deeper()

    def close(self) -> None:
        """Read the closing parenthesis that belongs to `open`."""
        self.expect(b")", "a closing parenthesis is missing")
        self.shallower()

    def deeper(self) -> None:
        """Enter one level of nesting, of which there are few."""
        self._depth += 1
        if self._depth > NESTING:
            raise BadSyntax("too deeply nested")

    def shallower(self) -> None:
        """Leave one level of nesting."""
        self._depth -= 1

    def rest(self) -> bytes:
        """All text that is left, for the log of unknown commands."""
        return self._text[self._pos :]

    def _word_or_string(self, pattern: re.Pattern[bytes]) -> bytes:
        if self.at_literal():
            return self._literal()
        if self.peek() == b'"':
            return self._quoted()
        return self.match(pattern, "a string is missing")

    def _quoted(self) -> bytes:
        found = QUOTED.match(self._text, self._pos)
        if found is None:
            raise BadSyntax("the quoted string is not closed, or holds a character that it may not")
        self.count_token()
        self._pos = found.end()
        inside = found.group(1)
        return ESCAPE.sub(rb"\1", inside) if b"\\" in inside else inside

    def _literal(self) -> bytes:
        self.count_token()
        literal = self._parts[self._index + 1]
        self._index += 2
        self._text = self._parts[self._index]
        self._pos = 0
        return literal
