"""COPY (RFC 3501 section 6.4.7), MOVE (RFC 6851), and their UID forms, with COPYUID (RFC 4315)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hostmail.errors import MessageGone, NoSuchFolder
from hostmail.interfaces.mailstore import Placed
from hostmail.protocols.imap.commands.expunge import highest_after, writable
from hostmail.protocols.imap.names import read_folder
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import SequenceSet, format_numbers
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


class TryCreate(NoSuchFolder):
    """The target does not exist, but could be created (RFC 3501 section 7.1)."""

    imap = "TRYCREATE"


async def copy(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Copy by message numbers."""
    return await _copy(session, cursor, by_uid=False)


async def uid_copy(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Copy by UIDs."""
    return await _copy(session, cursor, by_uid=True)


async def move(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Move by message numbers."""
    return await _move(session, cursor, by_uid=False)


async def uid_move(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Move by UIDs."""
    return await _move(session, cursor, by_uid=True)


def _arguments(cursor: Cursor) -> tuple[SequenceSet, str]:
    cursor.space()
    numbers = cursor.sequence_set()
    cursor.space()
    target = read_folder(cursor)
    cursor.end()
    return numbers, target


async def _copy(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    numbers, target = _arguments(cursor)
    selected = session.selected
    assert selected is not None
    uids = _sources(selected, numbers, by_uid)
    await _check_target(session, target)
    placed = await selected.folder.copy(uids, target) if uids else None
    if placed is None or not placed.source_uids:
        return b"OK COPY completed, nothing to copy"
    session.placed(placed, partial(selected.count_unseen, placed.source_uids))
    return b"OK [%b] COPY completed" % _copyuid(placed)


async def _move(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    """COPYUID comes before the EXPUNGEs (RFC 6851 section 4.3)."""
    numbers, target = _arguments(cursor)
    selected = writable(session)
    uids = _sources(selected, numbers, by_uid)
    await _check_target(session, target)
    placed = await selected.folder.move(uids, target) if uids else None
    if placed is None or not placed.source_uids:
        return b"OK MOVE completed, nothing to move"
    session.placed(placed, partial(selected.count_unseen, placed.source_uids))
    session.write(b"* OK [%b] moved\r\n" % _copyuid(placed))
    selected.lose(placed.source_uids)
    session.write(selected.take_expunges())
    return b"OK %bMOVE completed" % await highest_after(session, selected)


def _sources(selected: Selected, numbers: SequenceSet, by_uid: bool) -> list[int]:
    """The UIDs meant; naming an expunged message by its number is answered with a no (RFC 2180 section 4.4)."""
    uids = selected.uids_in(selected.slices(numbers, by_uid))
    if selected.gone:
        here = [uid for uid in uids if uid not in selected.gone]
        if not by_uid and len(here) < len(uids):
            raise MessageGone
        return here
    return uids


async def _check_target(session: HostmailIMAP4, target: str) -> None:
    try:
        (await session.store.folder(target)).close()
    except NoSuchFolder:
        raise TryCreate from None


def _copyuid(placed: Placed) -> bytes:
    """Both sets are in the same order, source by source."""
    sources, targets = format_numbers(placed.source_uids), format_numbers(placed.target_uids)
    return b"COPYUID %d %b %b" % (placed.uidvalidity, sources, targets)
