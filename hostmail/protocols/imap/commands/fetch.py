"""FETCH and UID FETCH (RFC 3501 section 6.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.fetchatts import UID, parse_fetch_request
from hostmail.protocols.imap.fetching import Fetch
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def fetch(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """By message numbers; a message expunged meanwhile is answered with a no (RFC 2180 section 4.1)."""
    if await _fetch(session, cursor, by_uid=False):
        return b"NO [EXPUNGEISSUED] some of the messages are no longer there"
    return b"OK FETCH completed"


async def uid_fetch(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """By UIDs; those that do not exist are passed over."""
    await _fetch(session, cursor, by_uid=True)
    return b"OK FETCH completed"


async def _fetch(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bool:
    cursor.space()
    numbers = cursor.sequence_set()
    cursor.space()
    request = parse_fetch_request(cursor)
    cursor.end()
    if by_uid:
        request = request.with_item(UID)
    selected = session.selected
    assert selected is not None
    work = Fetch(session, selected, request, by_uid)
    await work.run(selected.slices(numbers, by_uid))
    return work.missing
