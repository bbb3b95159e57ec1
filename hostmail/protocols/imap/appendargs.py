"""Reads what APPEND and REPLACE say about the messages that follow, as far as it is known when one of them is announced."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hostmail.message.dates import parse_internaldate
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

SPACES = re.compile(rb"\A +")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where they go; for REPLACE with the number or UID of the message that makes room."""

    verb: bytes
    folder: bytes
    replaced: int | None = None
    by_uid: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """About one message. `utf8`: it comes as UTF8 (literal8) (RFC 6855 section 4)."""

    flags: list[bytes]
    date: int | None
    utf8: bool = False


def read_destination(parts: tuple[bytes, ...]) -> tuple[Destination, Message]:
    """From the tag to the announcement of the first message."""
    cursor = Cursor((*parts, b"", b""))
    cursor.tag()
    cursor.space()
    verb = cursor.keyword()
    by_uid = verb == b"UID"
    if by_uid:
        cursor.space()
        verb = cursor.keyword()
    cursor.space()
    replaced = None
    if verb == b"REPLACE":
        replaced = cursor.number()
        cursor.space()
    destination = Destination(verb, cursor.astring(), replaced, by_uid)
    return destination, _message(cursor)


def read_next(text: bytes, closing: bytes) -> Message:
    """Between two messages (RFC 3502), where a well-known library writes a space too many."""
    if not text.startswith(closing):
        raise BadSyntax("a closing parenthesis is missing")
    text = SPACES.sub(b" ", text[len(closing) :], count=1)
    return _message(Cursor((text, b"", b"")))


def _message(cursor: Cursor) -> Message:
    cursor.space()
    flags: list[bytes] = []
    date = None
    utf8 = False
    if cursor.peek() == b"(":
        flags = cursor.flag_list()
        cursor.space()
    if cursor.peek() == b'"':
        date = parse_internaldate(cursor.string())
        if date is None:
            raise BadSyntax("that is no date")
        cursor.space()
    if cursor.looking_at(b"UTF8 ("):
        cursor.keyword()
        cursor.space()
        cursor.open()
        utf8 = True
    if not cursor.at_literal():
        raise BadSyntax("the message is missing")
    return Message(flags, date, utf8)
