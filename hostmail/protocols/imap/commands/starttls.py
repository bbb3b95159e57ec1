"""STARTTLS (RFC 3501 section 6.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.capabilities import may_start_tls
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> None:
    """Begin TLS; what was sent behind the command in plaintext is dropped (I1)."""
    cursor.end()
    if not may_start_tls(session):
        raise BadSyntax("TLS is not available here, or on already")
    session.answer(b"OK begin TLS now")
    session.start_tls(session.tls_context)
