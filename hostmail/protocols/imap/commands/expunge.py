"""EXPUNGE (RFC 3501 section 6.4.3) and UID EXPUNGE (RFC 4315)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


class ReadOnly(Refusal):
    """The folder is open for reading only (I10)."""

    words = "the folder is open for reading only"


async def expunge(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    r"""Remove everything \Deleted, also what another session has marked a moment ago."""
    cursor.end()
    selected = writable(session)
    await session.refresh()
    return await _remove(session, selected, selected.deleted())


async def uid_expunge(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    r"""Remove what is \Deleted among these."""
    cursor.space()
    numbers = cursor.sequence_set()
    cursor.end()
    selected = writable(session)
    return await _remove(session, selected, selected.uids_in(selected.slices(numbers, by_uid=True)))


def writable(session: HostmailIMAP4) -> Selected:
    """The selected folder, if its messages may be changed."""
    selected = session.selected
    assert selected is not None
    if selected.read_only:
        raise ReadOnly
    return selected


async def _remove(session: HostmailIMAP4, selected: Selected, uids: Sequence[int]) -> bytes:
    if uids:
        selected.lose(await selected.folder.expunge(uids))
    session.write(selected.take_expunges())
    return b"OK %bEXPUNGE completed" % await highest_after(session, selected)


async def highest_after(session: HostmailIMAP4, selected: Selected) -> bytes:
    """The code that tells a client which MODSEQ its copy is as of now (RFC 7162 section 3.2.7)."""
    if not session.dialect.qresync:
        return b""
    await session.refresh()
    return b"[HIGHESTMODSEQ %d] " % selected.told
