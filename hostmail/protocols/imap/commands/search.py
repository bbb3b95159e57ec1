"""SEARCH and UID SEARCH (RFC 3501 section 6.4.4), with RETURN (RFC 4731)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.message import imaptext
from hostmail.protocols.imap.searching import search as find
from hostmail.protocols.imap.searchkeys import BadCharset, parse_search_program
from hostmail.protocols.imap.sequence import format_numbers
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

OPTIONS = frozenset({b"MIN", b"MAX", b"ALL", b"COUNT"})


class UnknownCharset(Refusal):
    """With the sets that we do know (RFC 3501 section 7.1)."""

    imap, words = "BADCHARSET (US-ASCII UTF-8)", "that character set is not supported"


async def search(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with message numbers."""
    return await _search(session, cursor, by_uid=False)


async def uid_search(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with UIDs."""
    return await _search(session, cursor, by_uid=True)


async def _search(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    cursor.space()
    options = _read_options(cursor)
    try:
        key = parse_search_program(cursor)
    except BadCharset:
        raise UnknownCharset from None
    selected = session.selected
    assert selected is not None
    found = await find(session, selected, key)
    numbers = [selected.uids[index] for index in found] if by_uid else [index + 1 for index in found]
    if options is None:
        session.write(b" ".join([b"* SEARCH", *(b"%d" % number for number in numbers)]) + b"\r\n")
    else:
        session.write(_extended(session.tag, numbers, options, by_uid))
    return b"OK SEARCH completed"


def _read_options(cursor: Cursor) -> list[bytes] | None:
    """RETURN (...); () means ALL."""
    if not cursor.looking_at(b"RETURN "):
        return None
    cursor.keyword()
    cursor.space()
    options = cursor.parenthesised(cursor.keyword)
    cursor.space()
    if not OPTIONS.issuperset(options):
        raise BadSyntax("unknown search result option")
    return options or [b"ALL"]


def _extended(tag: bytes, numbers: Sequence[int], options: list[bytes], by_uid: bool) -> bytes:
    words = [b"* ESEARCH (TAG %b)" % imaptext.quoted(tag)]
    if by_uid:
        words.append(b"UID")
    if numbers and b"MIN" in options:
        words.append(b"MIN %d" % numbers[0])
    if numbers and b"MAX" in options:
        words.append(b"MAX %d" % numbers[-1])
    if numbers and b"ALL" in options:
        words.append(b"ALL " + format_numbers(numbers))
    if b"COUNT" in options:
        words.append(b"COUNT %d" % len(numbers))
    return b" ".join(words) + b"\r\n"
