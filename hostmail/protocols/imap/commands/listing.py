"""LIST and LSUB (RFC 3501 section 6.3.8), LIST-EXTENDED (RFC 5258), SPECIAL-USE (RFC 6154), LIST-STATUS (RFC 5819)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.interfaces.mailstore import FolderInfo
from hostmail.protocols.imap.commands.status import read_items, status_line
from hostmail.protocols.imap.listmatch import ListPattern
from hostmail.protocols.imap.names import DELIMITER, parents_of, spelled, wire_name
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

SELECTION = frozenset({b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"})
RETURN = frozenset({b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"STATUS"})
PATTERNS, PATTERN_OCTETS = 100, 2000


@dataclass(slots=True)
class ListRequest:
    """What one LIST asks for."""

    reference: bytes
    patterns: list[bytes]
    selection: set[bytes] = field(default_factory=set)
    returns: set[bytes] = field(default_factory=set)
    status: list[bytes] = field(default_factory=list)
    extended: bool = False
    utf8: bool = False

    def matcher(self) -> _Matcher:
        """The patterns below the reference."""
        return _Matcher([self.reference + pattern for pattern in self.patterns], self.utf8)


class _Matcher:
    """Several patterns; names are compared as they are spelled on the wire."""

    def __init__(self, patterns: Iterable[bytes], utf8: bool) -> None:
        self._utf8 = utf8
        self._patterns = [ListPattern(pattern.decode("latin-1"), DELIMITER) for pattern in patterns]

    def matches(self, name: str) -> bool:
        octets = spelled(name, self._utf8).decode("latin-1")
        return any(pattern.matches(octets) for pattern in self._patterns)


async def list_folders(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """LIST, plain or extended."""
    cursor.space()
    request = read_request(cursor)
    cursor.end()
    if not request.extended and not request.patterns[0]:
        session.write(b'* LIST (\\Noselect) "/" ""\r\n')
        return b"OK LIST completed"
    folders = with_parents(await session.store.folders())
    subscribed = set(await session.store.subscriptions())
    names = sorted({info.name for info in folders} | subscribed, key=_order)
    matching = set(await session.sift(names, request.matcher().matches))
    known = {info.name for info in folders}
    for info, child_info in chosen(request, folders, subscribed, matching):
        session.write(_line(request, info, info.name in known, info.name in subscribed, child_info))
        if request.status and info.selectable:
            await _status(session, info.name, request.status)
        await session.written()
    return b"OK LIST completed"


async def lsub(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    r"""Subscribed names, whether they exist or not; a level in between is \Noselect where the pattern ends there."""
    cursor.space()
    reference = cursor.astring()
    cursor.space()
    pattern = reference + _pattern(cursor)
    cursor.end()
    matcher = _Matcher([pattern], cursor.utf8)
    subscribed = await session.store.subscriptions()
    names = dict.fromkeys(await session.sift(subscribed, matcher.matches), b"")
    if pattern.endswith(b"%"):
        parents = {parent for name in subscribed for parent in parents_of(name)} - names.keys()
        names.update(dict.fromkeys(await session.sift(list(parents), matcher.matches), b"\\Noselect"))
    for name in sorted(names, key=_order):
        session.write(b'* LSUB (%b) "/" %b\r\n' % (names[name], wire_name(name, cursor.utf8)))
    return b"OK LSUB completed"


def read_request(cursor: Cursor) -> ListRequest:
    """[(selection)] reference pattern-or-patterns [RETURN (options)]."""
    request = ListRequest(b"", [], utf8=cursor.utf8)
    if cursor.peek() == b"(":
        request.extended = True
        request.selection = set(cursor.parenthesised(lambda: _option(cursor, SELECTION)))
        cursor.space()
    request.reference = cursor.astring()
    cursor.space()
    if cursor.peek() == b"(":
        request.extended = True
        request.patterns = cursor.parenthesised(lambda: _pattern(cursor))
    else:
        request.patterns = [_pattern(cursor)]
    if not 0 < len(request.patterns) <= PATTERNS:
        raise BadSyntax("no patterns, or too many")
    if not cursor.at_end():
        cursor.space()
        _read_returns(cursor, request)
    if b"RECURSIVEMATCH" in request.selection and b"SUBSCRIBED" not in request.selection:
        raise BadSyntax("RECURSIVEMATCH needs SUBSCRIBED")
    return request


def _pattern(cursor: Cursor) -> bytes:
    pattern = cursor.list_mailbox()
    if len(pattern) > PATTERN_OCTETS:
        raise BadSyntax("the pattern is too long")
    return pattern


def _option(cursor: Cursor, known: frozenset[bytes]) -> bytes:
    option = cursor.keyword()
    if option not in known:
        raise BadSyntax("unknown option")
    return option


def _read_returns(cursor: Cursor, request: ListRequest) -> None:
    if cursor.keyword() != b"RETURN":
        raise BadSyntax("RETURN is expected")
    cursor.space()
    request.extended = True

    def option() -> bytes:
        word = _option(cursor, RETURN)
        if word == b"STATUS":
            cursor.space()
            request.status = read_items(cursor)
        return word

    request.returns = set(cursor.parenthesised(option))


def _order(name: str) -> tuple[bool, str]:
    return name != "INBOX", name


def with_parents(folders: Iterable[FolderInfo]) -> list[FolderInfo]:
    """All folders, with the levels in between that are no folders themselves."""
    known = {info.name: info for info in folders}
    for name in list(known):
        for parent in parents_of(name):
            if parent not in known:
                known[parent] = FolderInfo(parent, False, selectable=False, has_children=True)
    return [known[name] for name in sorted(known, key=_order)]


def chosen(
    request: ListRequest, folders: list[FolderInfo], subscribed: set[str], matching: set[str]
) -> list[tuple[FolderInfo, bool]]:
    """The folders to be listed, and of each whether CHILDINFO belongs to it (RFC 5258 section 3.5)."""
    if b"SUBSCRIBED" not in request.selection:
        found = [info for info in folders if info.name in matching]
        if b"SPECIAL-USE" in request.selection:
            found = [info for info in found if info.special_use]
        return [(info, False) for info in found]
    known = {info.name: info for info in folders}
    names = sorted(known.keys() | subscribed, key=_order)
    deeper = set()
    if b"RECURSIVEMATCH" in request.selection:
        deeper = {parent for name in subscribed if name not in matching for parent in parents_of(name)}
    listed = [name for name in names if (name in subscribed or name in deeper) and name in matching]
    return [(known.get(name) or FolderInfo(name, True, selectable=False), name in deeper) for name in listed]


def _line(request: ListRequest, info: FolderInfo, exists: bool, subscribed: bool, child_info: bool) -> bytes:
    r"""A name that is only subscribed is \NonExistent, which says \Noselect as well (RFC 5258 section 3)."""
    words: list[bytes] = []
    if not info.selectable:
        words.append(b"\\Noselect" if exists else b"\\NonExistent")
    if subscribed and b"SUBSCRIBED" in request.selection | request.returns:
        words.append(b"\\Subscribed")
    words.append(b"\\HasChildren" if info.has_children else b"\\HasNoChildren")
    if info.special_use:
        words.append(info.special_use.encode("ascii"))
    extra = b' ("CHILDINFO" ("SUBSCRIBED"))' if child_info else b""
    return b'* LIST (%b) "/" %b%b\r\n' % (b" ".join(words), wire_name(info.name, request.utf8), extra)


async def _status(session: HostmailIMAP4, name: str, items: list[bytes]) -> None:
    """A folder that cannot be counted just has no STATUS."""
    try:
        session.write(await status_line(session, name, items))
    except Refusal as refusal:
        session.note(refusal)
