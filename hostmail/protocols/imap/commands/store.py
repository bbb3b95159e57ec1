"""STORE and UID STORE (RFC 3501 section 6.4.6; UNCHANGEDSINCE of RFC 7162)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.interfaces.mailstore import Changes
from hostmail.protocols.imap.commands.expunge import writable
from hostmail.protocols.imap.flags import keyword_bit, split_flags
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import Range, format_numbers, indices
from hostmail.protocols.imap.tokens import MAX_NUMBER64, BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

HOW = {b"FLAGS": "replace", b"+FLAGS": "add", b"-FLAGS": "remove"}


async def store(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """By message numbers."""
    return await _store(session, cursor, by_uid=False)


async def uid_store(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """By UIDs."""
    return await _store(session, cursor, by_uid=True)


async def _store(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    cursor.space()
    numbers = cursor.sequence_set()
    cursor.space()
    unchanged_since = _condition(cursor) if cursor.peek() == b"(" else None
    verb, dot, silent = cursor.keyword().partition(b".")
    if verb not in HOW or (dot and silent != b"SILENT"):
        raise BadSyntax("unknown way to store flags")
    cursor.space()
    words = cursor.flags()
    cursor.end()
    mask, keywords = split_flags(words)
    selected = writable(session)
    if unchanged_since is not None:
        session.switch_on_condstore()
    parts = selected.slices(numbers, by_uid)
    if parts:
        session.tells_modseqs()
        changes = await selected.folder.set_flags(selected.uids_in(parts), HOW[verb], mask, keywords, unchanged_since)
        await _answer(session, selected, parts, changes, _Expected(HOW[verb], mask, keywords), bool(dot), by_uid)
        if changes.modified:
            return _modified(selected, changes.modified, by_uid)
    if selected.gone and not by_uid and not selected.gone.isdisjoint(selected.uids_in(parts)):
        return b"OK [EXPUNGEISSUED] STORE completed, but for messages that are no longer there"
    return b"OK STORE completed"


def _condition(cursor: Cursor) -> int:
    """(UNCHANGEDSINCE 12345)."""
    found: list[int] = []

    def modifier() -> None:
        if cursor.keyword() != b"UNCHANGEDSINCE":
            raise BadSyntax("unknown store modifier")
        cursor.space()
        found.append(cursor.number(MAX_NUMBER64))

    cursor.parenthesised(modifier)
    cursor.space()
    if len(found) != 1:
        raise BadSyntax("one UNCHANGEDSINCE is expected")
    return found[0]


def _modified(selected: Selected, uids: list[int], by_uid: bool) -> bytes:
    """Which messages were left alone, since somebody else has changed them (RFC 7162 section 3.1.3)."""
    numbers = uids if by_uid else [at + 1 for uid in uids if (at := selected.index_of(uid)) is not None]
    return b"OK [MODIFIED %b] the others are stored, these have been changed meanwhile" % format_numbers(numbers)


class _Expected:
    """What the flags of a message must be afterwards if nobody else has touched them."""

    def __init__(self, how: str, mask: int, keywords: list[str]) -> None:
        self._how = how
        self._mask = mask
        self._keywords = keywords

    def learn(self, known: list[str]) -> None:
        """Turn the keywords into bits."""
        for keyword in self._keywords:
            self._mask |= keyword_bit(known, keyword)

    def after(self, before: int) -> int:
        if self._how == "add":
            return before | self._mask
        if self._how == "remove":
            return before & ~self._mask
        return self._mask


async def _answer(
    session: HostmailIMAP4,
    selected: Selected,
    parts: list[Range],
    changes: Changes,
    expected: _Expected,
    silent: bool,
    by_uid: bool,
) -> None:
    """A row for each message; when silent, only where somebody else has changed it as well.

    A client that knows MODSEQs is told the new ones even then (RFC 7162 section 3.1.3).
    """
    session.write(selected.learn_keywords(changes.keywords))
    if silent:
        expected.learn(selected.keywords)
        shown = selected.changed_flags(changes, expected.after)
    else:
        selected.changed_flags(changes)
        modified = {selected.index_of(uid) for uid in changes.modified}
        shown = [index for index in indices(parts) if index not in modified]
    await session.tell_flags(selected, shown, by_uid)
    selected.knows_all(changes)
