"""Folder names between the wire (modified UTF-7) and the storage contract (Unicode, "/" between levels)."""

from __future__ import annotations

from hostmail.errors import BadFolderName
from hostmail.message import imaptext
from hostmail.protocols.imap import utf7
from hostmail.protocols.imap.listmatch import canonical_inbox
from hostmail.protocols.imap.tokens import Cursor

DELIMITER = "/"


def folder_name(wire: bytes) -> str:
    """The name that these octets spell, with INBOX in capitals; BadFolderName for none."""
    try:
        name = utf7.decode(wire)
    except utf7.BadName:
        raise BadFolderName("that is no folder name in modified UTF-7") from None
    return canonical_inbox(name, DELIMITER)


def read_folder(cursor: Cursor) -> str:
    """A folder name as a command's argument."""
    return folder_name(cursor.astring())


def wire_name(name: str) -> bytes:
    """The name as an answer spells it, quoted where it must be (I14)."""
    return imaptext.astring(utf7.encode(name))
