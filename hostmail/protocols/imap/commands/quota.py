"""GETQUOTA, GETQUOTAROOT (RFC 9208): the numbers are those that delivery goes by (BEHAVIOURS D6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.errors import NotFound, Refusal
from hostmail.interfaces.mailstore import Room
from hostmail.protocols.imap.names import read_folder, wire_name
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ROOT = b'""'
UNIT = 1024


class NoPermission(Refusal):
    """Quotas are the operator's and the owner's to set."""

    imap, words = "NOPERM", "quotas are set in the panel"


class NoSuchRoot(NotFound):
    """There is one quota root, and its name is empty."""

    imap = "NONEXISTENT"


async def getquota(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """The quota of the one root."""
    cursor.space()
    root = cursor.astring()
    cursor.end()
    if root:
        raise NoSuchRoot("no such quota root")
    session.write(quota_line(await session.store.room()))
    return b"OK GETQUOTA completed"


async def getquotaroot(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Every folder counts against the same root (D2)."""
    cursor.space()
    name = read_folder(cursor)
    cursor.end()
    (await session.store.folder(name)).close()
    session.write(b"* QUOTAROOT %b %b\r\n" % (wire_name(name, cursor.utf8), ROOT))
    session.write(quota_line(await session.store.room()))
    return b"OK GETQUOTAROOT completed"


async def setquota(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Nobody may do this here."""
    raise NoPermission


def quota_line(room: Room) -> bytes:
    """Used space is rounded up and the limit down, so that nobody reads of room that is not there."""
    resources: list[bytes] = []
    if room.limit_bytes is not None:
        resources.append(b"STORAGE %d %d" % (-(-room.used.bytes // UNIT), room.limit_bytes // UNIT))
    if room.limit_messages is not None:
        resources.append(b"MESSAGE %d %d" % (room.used.messages, room.limit_messages))
    return b"* QUOTA %b (%b)\r\n" % (ROOT, b" ".join(resources))
