"""FETCH and UID FETCH (RFC 3501 section 6.4.5; modifiers of RFC 7162 and RFC 9394)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.fetchatts import MODSEQ, UID, FetchModifiers, parse_fetch_modifiers, parse_fetch_request
from hostmail.protocols.imap.fetching import Fetch
from hostmail.protocols.imap.qresync import vanished_earlier
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import Range, SequenceSet, indices, slices_of
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

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
    modifiers = parse_fetch_modifiers(cursor)
    cursor.end()
    if modifiers.vanished and not (by_uid and session.dialect.qresync):
        raise BadSyntax("VANISHED is for UID FETCH, and after ENABLE QRESYNC")
    if modifiers.changed_since is not None:
        request = request.with_item(MODSEQ)
    if MODSEQ in request.items:
        session.switch_on_condstore()
    if by_uid:
        request = request.with_item(UID)
    selected = session.selected
    assert selected is not None
    if modifiers.vanished and modifiers.changed_since is not None:
        changes = await selected.folder.changes(modifiers.changed_since)
        session.write(vanished_earlier(selected, changes, numbers))
    work = Fetch(session, selected, request, by_uid)
    await work.run(_chosen(selected, numbers, by_uid, modifiers))
    if work.refusal is not None:
        raise work.refusal
    return work.missing


def _chosen(selected: Selected, numbers: SequenceSet, by_uid: bool, modifiers: FetchModifiers) -> list[Range]:
    """The slices asked for, or what the modifiers leave of them."""
    parts = selected.slices(numbers, by_uid)
    since, partial = modifiers.changed_since, modifiers.partial
    if since is not None:
        parts = slices_of(index for index in indices(parts) if selected.modseqs[index] > since)
    if partial is not None:
        parts = slices_of(partial.cut(list(indices(parts))))
    return parts
