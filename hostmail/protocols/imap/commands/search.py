"""SEARCH and UID SEARCH (RFC 3501 section 6.4.4), with RETURN (RFC 4731, RFC 5182, RFC 9394)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.protocols.imap.returning import ReturnOptions, extended_answer, read_return_options
from hostmail.protocols.imap.searching import search as find
from hostmail.protocols.imap.searchkeys import BadCharset, Key, parse_search_program
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
    options = read_return_options(cursor)
    with forgetting(selected, options):
        found = await find_and_save(session, selected, read_program(cursor), options)
    numbers = [selected.uids[index] for index in found] if by_uid else [index + 1 for index in found]
    if options is None:
        session.write(b" ".join([b"* SEARCH", *[b"%d" % number for number in numbers]]) + b"\r\n")
    elif options.answers:
        session.write(extended_answer(session.tag, numbers, options, by_uid))
    return b"OK SEARCH completed"


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
            selected.saved = []
        raise


async def find_and_save(
    session: HostmailIMAP4, selected: Selected, key: Key, options: ReturnOptions | None, order: Order | None = None
) -> list[int]:
    """The indices of what matches, in the order that `order` gives them; remembered as `$` if that is wanted."""
    found = await find(session, selected, key)
    if order is not None:
        found = await order(found)
    if options is not None and options.saves:
        selected.saved = sorted(options.saved([selected.uids[index] for index in found]))
    return found
