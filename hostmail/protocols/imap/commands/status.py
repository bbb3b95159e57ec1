"""STATUS (RFC 3501 section 6.3.10, SIZE of RFC 8438, APPENDLIMIT of RFC 7889, DELETED-STORAGE of RFC 9208)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from hostmail.interfaces.mailstore import FolderStatus
from hostmail.protocols.imap.flags import DELETED
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
    b"DELETED-STORAGE",
    b"APPENDLIMIT",
)
NO_MORE: Mapping[bytes, int] = MappingProxyType({})


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
    more = {b"APPENDLIMIT": session.settings.limits.append_octets}
    if b"DELETED-STORAGE" in items:
        more[b"DELETED-STORAGE"] = await _deleted_octets(session, name)
    return format_status(name, session.dialect.utf8, await session.store.status(name), items, more)


async def _deleted_octets(session: HostmailIMAP4, name: str) -> int:
    """What an EXPUNGE would free (RFC 9208 section 4.1.4)."""
    folder = await session.store.folder(name)
    try:
        now = await folder.snapshot()
    finally:
        folder.close()
    return sum(size for size, flags in zip(now.sizes, now.flags, strict=True) if flags & DELETED)


def format_status(
    name: str, utf8: bool, status: FolderStatus, items: Sequence[bytes], more: Mapping[bytes, int] = NO_MORE
) -> bytes:
    """The untagged answer; `more` are items that are not the folder's."""
    pairs = b" ".join([b"%b %b" % (item, _value(status, item, more)) for item in items])
    return b"* STATUS %b (%b)\r\n" % (wire_name(name, utf8), pairs)


def _value(status: FolderStatus, item: bytes, more: Mapping[bytes, int]) -> bytes:
    if item in more:
        return b"%d" % more[item]
    if item == b"MAILBOXID":
        return b"(%b)" % mailbox_id(status.uidvalidity)
    return b"%d" % getattr(status, item.decode("ascii").lower())
