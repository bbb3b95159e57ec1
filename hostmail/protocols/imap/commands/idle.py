"""IDLE (RFC 2177): news are pushed until the client says DONE."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> None:
    """First what has happened so far, then the invitation."""
    cursor.end()
    session.write(b"+ idling\r\n")
    if session.selected is not None:
        session.selected.listen_outside(session.folder_changed)
    await session.refresh()
    if session.closing:
        return
    session.start_idling(MethodType(_ended, session))


def _ended(session: HostmailIMAP4, line: bytes) -> None:
    """DONE ends it; anything else ends it too, as an error (I16)."""
    tag = session.idle_tag
    assert tag is not None
    session.stop_idling()
    session.listen()
    session.tag = tag
    if line.strip().upper() == b"DONE":
        session.answer(b"OK IDLE completed")
    else:
        session.bad("IDLE is ended by DONE")
