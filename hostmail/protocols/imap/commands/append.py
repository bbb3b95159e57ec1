"""APPEND and REPLACE without a message: messages themselves are taken in `appending`, as they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Without a literal there is nothing to do."""
    raise BadSyntax("the message is missing")
