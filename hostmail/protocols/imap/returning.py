"""What SEARCH, SORT and THREAD are to return, and to remember (RFC 4731, RFC 5182, RFC 5267, RFC 9394)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hostmail.message import imaptext
from hostmail.protocols.imap.sequence import LARGEST, format_numbers
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

OPTIONS = frozenset({b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE", b"PARTIAL"})
PARTIAL = re.compile(rb"-?[1-9][0-9]{0,9}:-?[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Partial:
    """A page of results: from one place to another, counted from the first, or with minus from the last."""

    text: bytes
    low: int
    high: int
    from_end: bool

    def cut(self, numbers: Sequence[int]) -> list[int]:
        """The results on that page, in their order."""
        if self.from_end:
            size = len(numbers)
            return list(numbers[max(size - self.high, 0) : max(size - self.low + 1, 0)])
        return list(numbers[self.low - 1 : self.high])


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """The words of RETURN (...)."""

    words: frozenset[bytes]
    partial: Partial | None = None

    @property
    def saves(self) -> bool:
        """Whether `$` is to stand for the result."""
        return b"SAVE" in self.words

    @property
    def answers(self) -> bool:
        """Whether the client wants to hear anything."""
        return self.words != {b"SAVE"}

    def saved(self, numbers: Sequence[int]) -> list[int]:
        """What `$` stands for (RFC 5182 section 2.4, RFC 9394 section 3.1): all, or only what was asked to be shown."""
        ends = self.words & {b"MIN", b"MAX"}
        if not numbers or not (self.partial or (ends and not self.words & {b"ALL", b"COUNT"})):
            return list(numbers)
        chosen = set(self.partial.cut(numbers) if self.partial else ())
        if b"MIN" in ends:
            chosen.add(numbers[0])
        if b"MAX" in ends:
            chosen.add(numbers[-1])
        return list(chosen)


def read_return_options(cursor: Cursor) -> ReturnOptions | None:
    """RETURN (...) if it comes next; () means ALL."""
    if not cursor.looking_at(b"RETURN "):
        return None
    cursor.keyword()
    cursor.space()
    partials: list[Partial] = []

    def option() -> bytes:
        word = cursor.keyword()
        if word not in OPTIONS:
            raise BadSyntax("unknown search result option")
        if word == b"PARTIAL":
            cursor.space()
            partials.append(read_partial(cursor))
        return word

    words = frozenset(cursor.parenthesised(option)) or frozenset({b"ALL"})
    cursor.space()
    if len(partials) > 1 or (partials and b"ALL" in words):
        raise BadSyntax("one PARTIAL, or ALL")
    return ReturnOptions(words, partials[0] if partials else None)


def read_partial(cursor: Cursor) -> Partial:
    """`1:100` or `-1:-100`."""
    text = cursor.match(PARTIAL, "a range of results is missing")
    first, last = (int(number) for number in text.split(b":"))
    if (first < 0) != (last < 0) or max(abs(first), abs(last)) > LARGEST:
        raise BadSyntax("the range of results cannot be understood")
    low, high = sorted((abs(first), abs(last)))
    return Partial(text, low, high, first < 0)


def extended_answer(
    tag: bytes, numbers: Sequence[int], options: ReturnOptions, by_uid: bool, tail: bytes = b""
) -> bytes:
    """One ESEARCH line; `numbers` in the order of the folder, or as sorted."""
    words = [b"* ESEARCH (TAG %b)" % imaptext.quoted(tag)]
    if by_uid:
        words.append(b"UID")
    if numbers and b"MIN" in options.words:
        words.append(b"MIN %d" % numbers[0])
    if numbers and b"MAX" in options.words:
        words.append(b"MAX %d" % numbers[-1])
    if numbers and b"ALL" in options.words:
        words.append(b"ALL " + format_numbers(numbers))
    if b"COUNT" in options.words:
        words.append(b"COUNT %d" % len(numbers))
    if options.partial is not None:
        page = options.partial.cut(numbers)
        words.append(b"PARTIAL (%b %b)" % (options.partial.text, format_numbers(page) if page else b"NIL"))
    return b" ".join(words) + tail + b"\r\n"
