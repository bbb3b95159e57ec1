"""NOOP and CHECK (RFC 3501 sections 6.1.2 and 6.4.1): the client asks for news, which the session itself brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def noop(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Nothing but news."""
    cursor.end()
    return b"OK NOOP completed"


async def check(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """What we acknowledge is on disk already."""
    cursor.end()
    return b"OK CHECK completed"
