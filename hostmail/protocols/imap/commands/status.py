"""STATUS (RFC 3501 section 6.3.10, SIZE of RFC 8438)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostmail.interfaces import FolderStatus
from hostmail.protocols.imap.names import read_folder, wire_name
from hostmail.protocols.imap.selected import mailbox_id
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ITEMS = (
    b"MESSAGES",
    b"RECENT",
    b"UIDNEXT",
    b"UIDVALIDITY",
    b"UNSEEN",
    b"SIZE",
    b"HIGHESTMODSEQ",
    b"MAILBOXID",
    b"DELETED",
)


async def run(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Count without opening; every name comes back as it must be spelled (I14)."""
    cursor.space()
    name = read_folder(cursor)
    cursor.space()
    items = read_items(cursor)
    cursor.end()
    if b"HIGHESTMODSEQ" in items:
        session.switch_on_condstore()
    session.write(await status_line(session, name, items))
    return b"OK STATUS completed"


def read_items(cursor: Cursor) -> list[bytes]:
    """The items in parentheses."""
    items = cursor.parenthesised(cursor.keyword)
    if not items or any(item not in ITEMS for item in items):
        raise BadSyntax("unknown status item")
    return list(dict.fromkeys(items))


async def status_line(session: HostmailIMAP4, name: str, items: Sequence[bytes]) -> bytes:
    """One untagged STATUS; raises NoSuchFolder."""
    return format_status(name, session.dialect.utf8, await count(session, name), items)


async def count(session: HostmailIMAP4, name: str) -> FolderStatus:
    """How a folder stands; raises NoSuchFolder."""
    folder = await session.store.folder(name)
    try:
        status: FolderStatus = await folder.status()
    finally:
        folder.close()
    return status


def format_status(name: str, utf8: bool, status: FolderStatus, items: Sequence[bytes]) -> bytes:
    """The untagged answer."""
    pairs = b" ".join([b"%b %b" % (item, _value(status, item)) for item in items])
    return b"* STATUS %b (%b)\r\n" % (wire_name(name, utf8), pairs)


def _value(status: FolderStatus, item: bytes) -> bytes:
    if item == b"MAILBOXID":
        return b"(%b)" % mailbox_id(status.uidvalidity)
    return b"%d" % getattr(status, item.decode("ascii").lower())
