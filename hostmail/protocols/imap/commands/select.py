"""SELECT, EXAMINE (RFC 3501 section 6.3; RFC 7162), CLOSE and UNSELECT (section 6.4.2, RFC 3691)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.errors import NoSuchFolder
from hostmail.protocols.imap.names import folder_name, wire_name
from hostmail.protocols.imap.qresync import Known, read_known, tell_missed
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def select(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Open a folder for reading and writing."""
    return await _open(session, cursor, b"SELECT", read_only=False)


async def examine(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Open a folder for reading only."""
    return await _open(session, cursor, b"EXAMINE", read_only=True)


async def _open(session: HostmailIMAP4, cursor: Cursor, verb: bytes, read_only: bool) -> bytes:
    """Whatever comes of it, the folder that was open before is so no more (RFC 3501 section 6.3.1)."""
    cursor.space()
    wire = cursor.astring()
    known = _parameters(session, cursor) if cursor.take(b" ") else None
    cursor.end()
    if session.selected is not None:
        session.deselect()
        session.write(b"* OK [CLOSED] the folder that was open before is closed\r\n")
    name = folder_name(wire, cursor.utf8)
    folder = await session.store.folder(name)
    try:
        snapshot = await folder.snapshot(claim_recent=not read_only)
    except BaseException:
        folder.close()
        raise
    selected = Selected(name, folder, snapshot, read_only, session.dialect)
    if session.closing:
        selected.close()
    else:
        session.select_folder(selected)
    session.write(selected.greeting())
    if session.dialect.rev2:
        session.write(b'* LIST () "/" %b\r\n' % wire_name(name, utf8=True))
    if known is not None:
        await tell_missed(session, selected, known)
    return b"OK [%b] %b completed" % (b"READ-ONLY" if selected.read_only else b"READ-WRITE", verb)


def _parameters(session: HostmailIMAP4, cursor: Cursor) -> Known | None:
    """(CONDSTORE) and (QRESYNC (...)), which has to be switched on beforehand (RFC 7162 section 3.2.5)."""
    found: list[Known] = []

    def parameter() -> None:
        word = cursor.keyword()
        if word == b"CONDSTORE":
            session.dialect.condstore = True
        elif word == b"QRESYNC" and session.dialect.qresync:
            cursor.space()
            found.append(read_known(cursor))
        else:
            raise BadSyntax("QRESYNC has to be enabled first" if word == b"QRESYNC" else "unknown parameter")

    cursor.parenthesised(parameter)
    return found[-1] if found else None


async def close(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    r"""Expunge what is \Deleted without a word, and open nothing else."""
    cursor.end()
    selected = session.selected
    assert selected is not None
    try:
        if not selected.read_only:
            await _expunge_silently(selected)
    except NoSuchFolder:
        pass  # somebody has deleted it: that is closed as well
    session.deselect()
    return b"OK CLOSE completed"


async def _expunge_silently(selected: Selected) -> None:
    selected.news(await selected.folder.changes(selected.modseq), expunges=True)
    doomed = selected.deleted()
    if doomed:
        await selected.folder.expunge(doomed)


async def unselect(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """As CLOSE, with everything kept."""
    cursor.end()
    session.deselect()
    return b"OK UNSELECT completed"
