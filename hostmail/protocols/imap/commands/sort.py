"""SORT and UID SORT (RFC 5256, RFC 5957), with RETURN (ESORT of RFC 5267)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hostmail.interfaces.mailstore import CachedMessage
from hostmail.protocols.imap.commands.search import find_and_save, forgetting, read_program, write_found
from hostmail.protocols.imap.returning import read_return_options
from hostmail.protocols.imap.searchkeys import asks_for_modseq
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sorting import SortKeys, needs_headers, read_criteria
from hostmail.protocols.imap.sorting import sort as in_order
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

AT_ONCE = 500
LEARNT_AT_ONCE = 16


async def sort(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with message numbers."""
    return await _sort(session, cursor, by_uid=False)


async def uid_sort(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with UIDs."""
    return await _sort(session, cursor, by_uid=True)


async def _sort(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    cursor.space()
    selected = session.selected
    assert selected is not None
    options = read_return_options(cursor)
    criteria = read_criteria(cursor)
    cursor.space()

    async def order(found: list[int]) -> list[int]:
        keys = SortKeys(selected, criteria)
        if needs_headers(criteria):
            await each_cached(session, selected, found, keys.learn)
        return await session.in_turns(in_order(found, criteria, keys))

    with forgetting(selected, options):
        key = read_program(cursor, charset_first=True)
        found = await find_and_save(session, selected, key, options, order)
    write_found(session, selected, b"SORT", found, options, by_uid, with_modseq=asks_for_modseq(key))
    return b"OK SORT completed"


async def each_cached(
    session: HostmailIMAP4, selected: Selected, indices: list[int], learn: Callable[[int, CachedMessage], None]
) -> None:
    """What the index knows of each of these messages, in batches, with turns for others: subjects may be anything."""
    for first in range(0, len(indices), AT_ONCE):
        places = {selected.uids[index]: index for index in indices[first : first + AT_ONCE]}
        for count, entry in enumerate(await selected.folder.cached(list(places))):
            if not count % LEARNT_AT_ONCE:
                await session.pause()
            learn(places[entry.uid], entry)
        if first:
            await session.breathe()
