"""GETMETADATA and SETMETADATA (RFC 5464): what mail programs keep with a folder, or with the account (the folder "").

Everything belongs to one account here, so `/private` and `/shared` are two names for its own; only `/shared/admin` of the server is not the
client's to set. Names mind no case; they are kept in lower case, and come back as the client has spelled them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostmail.errors import Refusal, TooMany
from hostmail.interfaces.mailstore import MAX_ANNOTATION_OCTETS
from hostmail.message import imaptext
from hostmail.protocols.imap.names import folder_name, wire_name
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

NAME = re.compile(rb"/(?:private|shared)(?:/[ -$&-)+-.0-~]+)*", re.IGNORECASE)
NAME_OCTETS = 255
ADMIN = "/shared/admin"
DEPTHS = {b"0": 0, b"1": 1, b"INFINITY": 255}


class TooManyValues(TooMany):
    """No room for more (section 4.3)."""

    imap = "METADATA TOOMANY"


class TooLong(Refusal):
    """One value is too long (section 4.3)."""

    imap, words = f"METADATA MAXSIZE {MAX_ANNOTATION_OCTETS}", "the value is too long"


class NotYours(Refusal):
    """The operator's to say (section 3.2.1.1)."""

    imap, words = "NOPERM", "that is the operator's to set"


@dataclass(slots=True)
class Wanted:
    """Options of GETMETADATA."""

    maxsize: int | None = None
    depth: int = 0


async def getmetadata(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """The options stand before the folder in the grammar, behind it in the examples: both are read."""
    cursor.space()
    wanted = Wanted()
    early = cursor.peek() == b"("
    if early:
        _read_options(cursor, wanted)
    folder = read_place(cursor)
    cursor.space()
    if not early and _options_follow(cursor):
        _read_options(cursor, wanted)
    names = cursor.parenthesised(lambda: _name(cursor, 1)) if cursor.peek() == b"(" else [_name(cursor, 1)]
    cursor.end()
    if not names:
        raise BadSyntax("names are missing")
    values = await session.store.annotations(folder)
    chosen, longest = choose(names, values, wanted)
    if chosen:
        pairs = b" ".join([imaptext.astring(name) + b" " + _value(value) for name, value in chosen.items()])
        session.write(b"* METADATA %b (%b)\r\n" % (place_name(folder, cursor.utf8), pairs))
    if longest:
        return b"OK [METADATA LONGENTRIES %d] GETMETADATA completed" % longest
    return b"OK GETMETADATA completed"


async def setmetadata(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """All of it, or nothing."""
    cursor.space()
    folder = read_place(cursor)
    cursor.space()
    pairs = cursor.parenthesised(lambda: _pair(cursor))
    cursor.end()
    if not pairs:
        raise BadSyntax("names and values are missing")
    changes = dict(pairs)
    if any(len(value or b"") > MAX_ANNOTATION_OCTETS for value in changes.values()):
        raise TooLong
    if folder is None and ADMIN in changes:
        raise NotYours
    try:
        await session.store.annotate(folder, changes)
    except TooMany as refusal:
        raise TooManyValues(refusal.public, refusal.private) from None
    if session.notices is not None:
        session.notices.annotated(folder, changes)
    return b"OK SETMETADATA completed"


def choose(names: list[bytes], values: Mapping[str, bytes], wanted: Wanted) -> tuple[dict[bytes, bytes | None], int]:
    """The values asked for, as the client spells their names, and the size of the longest that is too long to be sent (0: none).

    Without a depth, a name that has no value comes back with NIL.
    """
    chosen: dict[bytes, bytes | None] = {}
    longest = 0
    for asked in names:
        root = asked.decode("ascii").lower()
        if not wanted.depth and root not in values:
            chosen[asked] = None
        for name, value in values.items():
            if name != root and not (name.startswith(f"{root}/") and name.count("/", len(root)) <= wanted.depth):
                continue
            if wanted.maxsize is not None and len(value) > wanted.maxsize:
                longest = max(longest, len(value))
            else:
                chosen[asked + name[len(root) :].encode()] = value
    return chosen, longest


def read_place(cursor: Cursor) -> str | None:
    """A folder's name, or None for the account."""
    wire = cursor.astring()
    return folder_name(wire, cursor.utf8) if wire else None


def place_name(folder: str | None, utf8: bool) -> bytes:
    """The same for an answer."""
    return b'""' if folder is None else wire_name(folder, utf8)


def _options_follow(cursor: Cursor) -> bool:
    return cursor.peek() == b"(" and any(cursor.looking_at(b"(" + word) for word in (b"MAXSIZE ", b"DEPTH "))


def _read_options(cursor: Cursor, wanted: Wanted) -> None:
    def option() -> None:
        word = cursor.keyword()
        cursor.space()
        if word == b"MAXSIZE":
            wanted.maxsize = cursor.number()
        elif word == b"DEPTH" and (depth := cursor.keyword()) in DEPTHS:
            wanted.depth = DEPTHS[depth]
        else:
            raise BadSyntax("unknown option")

    cursor.parenthesised(option)
    cursor.space()


def _name(cursor: Cursor, fewest: int) -> bytes:
    """An entry's name, of so many levels at least; `/private/vendor/example` is nobody's without one more (section 3.2)."""
    name = cursor.astring()
    if len(name) > NAME_OCTETS or not NAME.fullmatch(name) or name.count(b"/") < fewest:
        raise BadSyntax("that is no name of an annotation")
    return name


def _pair(cursor: Cursor) -> tuple[str, bytes | None]:
    name = _name(cursor, 2).decode("ascii").lower()
    if name.split("/")[2] == "vendor" and name.count("/") < 4:
        raise BadSyntax("that is no name of an annotation")
    cursor.space()
    return name, cursor.nstring()


def _value(value: bytes | None) -> bytes:
    """NIL, a string, or for what holds NUL a literal8."""
    if value is not None and b"\0" in value:
        return b"~" + imaptext.literal(value)
    return imaptext.nstring(value)
