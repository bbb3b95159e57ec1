"""LOGOUT (RFC 3501 section 6.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> None:
    """BYE, then OK, then the end; folder and account are given back at once (I15)."""
    cursor.end()
    session.write(b"* BYE logging out\r\n")
    session.answer(b"OK LOGOUT completed")
    session.close()
    session.session_ended()
