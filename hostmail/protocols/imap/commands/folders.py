"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 section 6.3, RFC 6154 section 3): OK once it is done (I13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.errors import BadValue
from hostmail.protocols.imap.listchanges import with_created, with_deleted, with_renamed, with_subscribed
from hostmail.protocols.imap.names import read_folder
from hostmail.protocols.imap.selected import mailbox_id
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

USES = {word.upper(): word for word in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")}


class BadUse(BadValue):
    """A special use that we do not know (RFC 6154 section 3)."""

    imap, words = "USEATTR", "folders cannot have that use"


async def create(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """CREATE name [(USE (\\Sent))]; a trailing delimiter only says that children will follow."""
    cursor.space()
    name = read_folder(cursor)
    special_use = ""
    if not cursor.at_end():
        cursor.space()
        special_use = _special_use(cursor)
    cursor.end()
    await session.store.create(name, special_use)
    session.absorb(with_created, name)
    folder = await session.store.folder(name)
    try:
        status = await folder.status()
    finally:
        folder.close()
    return b"OK [MAILBOXID (%b)] CREATE completed" % mailbox_id(status.uidvalidity)


def _special_use(cursor: Cursor) -> str:
    cursor.open()
    if cursor.keyword() != b"USE":
        raise BadSyntax("unknown way to create a folder")
    cursor.space()
    uses = [word.decode("ascii").upper() for word in cursor.flag_list()]
    cursor.close()
    if len(uses) != 1 or uses[0] not in USES:
        raise BadUse
    return USES[uses[0]]


async def delete(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Delete a folder, which may be the one that is open."""
    cursor.space()
    name = read_folder(cursor)
    cursor.end()
    await session.store.delete(name)
    if session.selected is not None and session.selected.name == name:
        session.deselect()
    session.absorb(with_deleted, name)
    return b"OK DELETE completed"


async def rename(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Rename a folder with all below it; INBOX gives its messages away and stays (I16)."""
    cursor.space()
    old = read_folder(cursor)
    cursor.space()
    new = read_folder(cursor)
    cursor.end()
    await session.store.rename(old, new)
    session.folder_renamed(old, new)
    session.absorb(with_renamed, old, new)
    return b"OK RENAME completed"


async def subscribe(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Remember a name."""
    return await _subscribe(session, cursor, True)


async def unsubscribe(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Forget a name."""
    return await _subscribe(session, cursor, False)


async def _subscribe(session: HostmailIMAP4, cursor: Cursor, wanted: bool) -> bytes:
    cursor.space()
    name = read_folder(cursor)
    cursor.end()
    await session.store.subscribe(name, wanted)
    session.absorb(with_subscribed, name, wanted)
    return b"OK SUBSCRIBE completed" if wanted else b"OK UNSUBSCRIBE completed"
