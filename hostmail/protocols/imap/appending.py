"""APPEND (RFC 3501 section 6.3.11): a message goes from the socket to the spool in pieces, never through memory.

Whether it is wanted is decided before the client is asked to send it; what does not wait to be asked is read away
(I8). The answer comes after the message is on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from hostmail.errors import MessageTooBig, NoSuchFolder, Refusal
from hostmail.message.dates import parse_internaldate
from hostmail.protocols.imap.flags import split_flags
from hostmail.protocols.imap.framing import AppendData, AppendLiteral, Command, tag_of
from hostmail.protocols.imap.names import folder_name
from hostmail.protocols.imap.tokens import BadSyntax, Cursor
from hostmail.protocols.logs import shown

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


@dataclass(slots=True)
class Append:
    """A message under way."""

    folder_name: str
    folder: Any
    incoming: Any

    def abandon(self) -> None:
        """Forget it; nothing is left behind."""
        self.incoming.abort()
        self.folder.close()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client said before the message itself."""

    folder: bytes
    flags: list[bytes]
    date: int | None


def begin(session: HostmailIMAP4, literal: AppendLiteral) -> Any:
    """Decide about a message that is about to come."""
    session.tag = tag_of(literal.parts[0])
    if session.append is not None:
        session.append.abandon()
        session.append = None
        session.framer.refuse("one message at a time", b"BAD")
        return None
    return _open(session, literal)


def read_wanted(parts: tuple[bytes, ...]) -> Wanted:
    """Folder, flags and date; the message comes right behind them."""
    cursor = Cursor((*parts, b"", b""))
    cursor.tag()
    cursor.space()
    cursor.keyword()
    cursor.space()
    folder = cursor.astring()
    cursor.space()
    flags: list[bytes] = []
    date = None
    if cursor.peek() == b"(":
        flags = cursor.flag_list()
        cursor.space()
    if cursor.peek() == b'"':
        date = parse_internaldate(cursor.string())
        if date is None:
            raise BadSyntax("that is no date")
        cursor.space()
    if not cursor.at_literal():
        raise BadSyntax("the message is missing")
    return Wanted(folder, flags, date)


async def _open(session: HostmailIMAP4, literal: AppendLiteral) -> None:
    try:
        append = await _opened(session, literal.size, read_wanted(literal.parts))
    except Exception as problem:  # noqa: BLE001 - whatever it was, the message has to be refused or read away
        _refuse(session, problem)
        return
    if session.closing:
        append.abandon()
        return
    session.append = append
    session.framer.accept_append()
    if literal.waits:
        session.send(b"+ ready for the message\r\n")


async def _opened(session: HostmailIMAP4, size: int, wanted: Wanted) -> Append:
    if size > session.settings.limits.append_octets:
        raise MessageTooBig
    if size == 0:
        raise BadSyntax("the message is empty")
    name = folder_name(wanted.folder, session.dialect.utf8)
    mask, keywords = split_flags(wanted.flags, lenient=True)
    folder = await session.store.folder(name)
    try:
        incoming = await folder.begin_append(size, mask, keywords, wanted.date)
    except BaseException:
        folder.close()
        raise
    return Append(name, folder, incoming)


def more(session: HostmailIMAP4, piece: AppendData) -> None:
    """A piece of the message."""
    append = session.append
    if append is None:
        return
    try:
        append.incoming.write(piece.data)
    except Exception as problem:  # noqa: BLE001 - the rest of the message has to be read away whatever happened
        session.append = None
        append.abandon()
        _refuse(session, problem)


def _refuse(session: HostmailIMAP4, problem: Exception) -> None:
    """Have the message read away, and the client told why."""
    if isinstance(problem, Refusal):
        session.note(problem)
    if isinstance(problem, BadSyntax):
        session.framer.refuse(problem.words, b"BAD")
    elif isinstance(problem, NoSuchFolder):
        session.framer.refuse(problem.public, b"NO", b"TRYCREATE")
    elif isinstance(problem, Refusal):
        session.framer.refuse(problem.public, b"NO", problem.imap.encode() or None)
    else:
        session.log.failure("append failed: {peer}", failure=Failure(problem), peer=shown(session.peer))
        session.framer.refuse("something went wrong here, please try again later", b"NO", b"SERVERBUG")


def finish(session: HostmailIMAP4, command: Command) -> Any:
    """The message is here."""
    append, session.append = session.append, None
    assert append is not None
    if command.parts[-1]:
        append.abandon()
        return session.bad("unexpected words after the message")
    here = session.selected is not None and session.selected.name == append.folder_name
    return session.conclude(_commit(append), polls=here)


async def _commit(append: Append) -> bytes:
    try:
        placed = await append.incoming.commit()
    except NoSuchFolder as refusal:
        return b"NO [TRYCREATE] " + refusal.public.encode()
    finally:
        append.folder.close()
    return b"OK [APPENDUID %d %d] APPEND completed" % (placed.uidvalidity, placed.target_uids[0])
