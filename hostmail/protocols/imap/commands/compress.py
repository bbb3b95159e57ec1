"""COMPRESS (RFC 4978)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


class CompressedAlready(Refusal):
    """Twice is once too often."""

    imap, words = "COMPRESSIONACTIVE", "compression is on already"


async def run(session: HostmailIMAP4, cursor: Cursor) -> None:
    """The answer is the last plain one, so nothing may have come behind the command: nobody could tell how it is meant."""
    cursor.space()
    mechanism = cursor.keyword()
    cursor.end()
    if mechanism != b"DEFLATE":
        raise BadSyntax("DEFLATE is the only mechanism")
    if session.compressed:
        raise CompressedAlready
    if len(session.framer):
        raise BadSyntax("wait for the answer to COMPRESS before you send more")
    session.answer(b"OK DEFLATE active")
    session.start_compressing()
