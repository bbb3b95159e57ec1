"""SEARCH and UID SEARCH (RFC 3501 section 6.4.4), with RETURN (RFC 4731, RFC 5182, RFC 9394)."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.protocols.imap.returning import ReturnOptions, extended_answer, read_return_options
from hostmail.protocols.imap.searching import search as find
from hostmail.protocols.imap.searchkeys import Key, asks_for_modseq
from hostmail.protocols.imap.searchprogram import BadCharset, parse_search_program
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

Order = Callable[[list[int]], Awaitable[list[int]]]


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
    selected = session.selected
    assert selected is not None
    options = read_return_options(cursor) or (ReturnOptions(frozenset({b"ALL"})) if session.dialect.rev2 else None)
    with forgetting(selected, options):
        key = read_program(cursor)
        if asks_for_modseq(key):
            session.switch_on_condstore()
        found = await find_and_save(session, selected, key, options)
    write_found(session, selected, b"SEARCH", found, options, by_uid, with_modseq=asks_for_modseq(key))
    return b"OK SEARCH completed"


def write_found(
    session: HostmailIMAP4,
    selected: Selected,
    verb: bytes,
    found: list[int],
    options: ReturnOptions | None,
    by_uid: bool,
    with_modseq: bool = False,
) -> None:
    """The answer in the form that was asked for, and the highest MODSEQ of what it tells (RFC 7162 section 3.1.5)."""
    numbers = [selected.uids[index] for index in found] if by_uid else [index + 1 for index in found]
    told = found if options is None else options.saved(found)
    highest = max((selected.modseqs[index] for index in told), default=0) if with_modseq else 0
    if options is None:
        row = b"* " + verb + b" %d" * len(numbers) + (b" (MODSEQ %d)\r\n" if highest else b"\r\n")
        session.write(row % (*numbers, highest) if highest else row % tuple(numbers))
    elif options.answers:
        tail = b" MODSEQ %d" % highest if highest else b""
        session.write(extended_answer(session.tag, numbers, options, by_uid, tail))


def read_program(cursor: Cursor, charset_first: bool = False) -> Key:
    """See `parse_search_program`."""
    try:
        return parse_search_program(cursor, charset_first)
    except BadCharset:
        raise UnknownCharset from None


@contextmanager
def forgetting(selected: Selected, options: ReturnOptions | None) -> Iterator[None]:
    """A search that is refused leaves nothing in `$` (RFC 5182 section 2.1)."""
    try:
        yield
    except Refusal:
        if options is not None and options.saves:
            selected.saved = array("I")
        raise


async def find_and_save(
    session: HostmailIMAP4, selected: Selected, key: Key, options: ReturnOptions | None, order: Order | None = None
) -> list[int]:
    """The indices of what matches, in the order that `order` gives them; remembered as `$` if that is wanted."""
    found = await find(session, selected, key)
    if order is not None:
        found = await order(found)
    if options is not None and options.saves:
        selected.saved = array("I", sorted(options.saved([selected.uids[index] for index in found])))
    return found
