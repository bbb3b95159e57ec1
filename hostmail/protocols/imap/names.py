"""Folder names between the wire (modified UTF-7, or UTF-8 where that is enabled) and the storage contract (Unicode, "/" between levels)."""

from __future__ import annotations

from hostmail.errors import BadFolderName
from hostmail.message import imaptext
from hostmail.protocols.imap import utf7
from hostmail.protocols.imap.listmatch import canonical_inbox
from hostmail.protocols.imap.tokens import Cursor

DELIMITER = "/"


def folder_name(wire: bytes, utf8: bool = False) -> str:
    """The name that these octets spell, with INBOX in capitals; BadFolderName for none.

    A delimiter at the end only says that there will be folders below (RFC 3501 section 6.3.3).
    """
    try:
        name = wire.decode("utf-8") if utf8 else utf7.decode(wire)
    except UnicodeDecodeError:
        raise BadFolderName("that is no folder name in UTF-8") from None
    except utf7.BadName:
        raise BadFolderName("that is no folder name in modified UTF-7") from None
    return canonical_inbox(name.removesuffix(DELIMITER), DELIMITER)


def read_folder(cursor: Cursor) -> str:
    """A folder name as a command's argument."""
    return folder_name(cursor.astring(), cursor.utf8)


def spelled(name: str, utf8: bool) -> bytes:
    """The octets of a name, without quotes."""
    return name.encode() if utf8 else utf7.encode(name)


def wire_name(name: str, utf8: bool = False) -> bytes:
    """The name as an answer spells it, quoted where it must be (I14)."""
    octets = spelled(name, utf8)
    return imaptext.astring(octets) if octets.isascii() else imaptext.quoted(octets)


def parents_of(name: str) -> list[str]:
    """The names of the levels above, topmost first."""
    levels = name.split(DELIMITER)
    return [DELIMITER.join(levels[:depth]) for depth in range(1, len(levels))]
