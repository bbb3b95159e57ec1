"""NAMESPACE (RFC 2342), ID (RFC 2971), ENABLE (RFC 5161)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.capabilities import is_hidden
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ID_PAIRS, ID_KEY, ID_VALUE = 30, 30, 1024


async def namespace(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Everything is the user's own; nothing is shared."""
    cursor.end()
    session.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return b"OK NAMESPACE completed"


async def identify(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Say who we are, without a version for attackers; remember who the client is, for whoever helps the user."""
    cursor.space()
    said: dict[str, str] = {}
    if cursor.peek() == b"(":
        said = _pairs(cursor)
    elif cursor.nstring() is not None:
        raise BadSyntax("a list or NIL is expected")
    cursor.end()
    if session.session is not None and said:
        session.session.state["client"] = " ".join(filter(None, (said.get("name"), said.get("version"))))[:200]
    session.write(b'* ID ("name" "hostmail")\r\n')
    return b"OK ID completed"


def _pairs(cursor: Cursor) -> dict[str, str]:
    words = cursor.parenthesised(cursor.nstring)
    if len(words) % 2 or len(words) > 2 * ID_PAIRS:
        raise BadSyntax("names and values are expected")
    pairs: dict[str, str] = {}
    for key, value in zip(words[::2], words[1::2], strict=True):
        if key is None or len(key) > ID_KEY or len(value or b"") > ID_VALUE:
            raise BadSyntax("a name or value is too long")
        text = (value or b"").decode("utf-8", "replace")
        pairs[key.decode("utf-8", "replace").lower()] = "".join(c for c in text if c.isprintable())
    return pairs


async def enable(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """What cannot be switched on is passed over in silence."""
    cursor.space()
    words = cursor.one_or_more(cursor.keyword)
    cursor.end()
    knew_modseqs = session.dialect.condstore
    enabled = [word for word in dict.fromkeys(words) if not is_hidden(session, word) and session.dialect.enable(word)]
    session.write(b" ".join([b"* ENABLED", *enabled]) + b"\r\n")
    if session.dialect.condstore and not knew_modseqs and session.selected is not None:
        session.write(session.selected.highest())
    return b"OK ENABLE completed"
