"""APPEND without a message: the message itself is taken in `appending`, as it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Without a literal there is nothing to append."""
    raise BadSyntax("the message is missing")
