"""CAPABILITY (RFC 3501 section 6.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.capabilities import capability_words
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """List what we can do."""
    cursor.end()
    session.write(b"* CAPABILITY %b\r\n" % b" ".join(capability_words(session)))
    return b"OK CAPABILITY completed"
