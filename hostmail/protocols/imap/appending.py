"""APPEND (RFC 3501 section 6.3.11), of several messages (RFC 3502), and REPLACE (RFC 8508).

A message goes from the socket to the spool in pieces, never through memory. Whether it is wanted is decided before the
client is asked to send it; what does not wait to be asked is read away (I8). The answer comes after all are on disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from hostmail.errors import MessageTooBig, NoSuchFolder, Refusal, TooMany
from hostmail.interfaces.mailstore import IFolder
from hostmail.protocols.imap.appendargs import Destination, Message, read_destination, read_next
from hostmail.protocols.imap.commands.expunge import highest_after, writable
from hostmail.protocols.imap.flags import SEEN, split_flags
from hostmail.protocols.imap.framing import AppendData, AppendLiteral, Command, tag_of
from hostmail.protocols.imap.names import folder_name
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import format_numbers
from hostmail.protocols.imap.tokens import BadSyntax
from hostmail.protocols.logs import shown

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

MESSAGES = 100


class NothingToReplace(Refusal):
    """The message that was to be replaced is not there (RFC 8508 section 3.4)."""

    imap, words = "NONEXISTENT", "there is no such message to be replaced"


class Empty(Refusal):
    """No octets at all; that is also how a client gives up (RFC 3502 section 6.3.11)."""

    words = "the message is empty"


@dataclass(slots=True)
class Append:
    """Messages under way to a folder; the last one is still coming. `closing` is what must follow it."""

    folder_name: str
    folder: IFolder
    verb: bytes
    messages: list[Any] = field(default_factory=list)
    closing: bytes = b""
    replaced: int | None = None
    unseen: int = 0

    def abandon(self) -> None:
        """Forget them all; nothing is left behind."""
        for message in self.messages:
            message.abort()
        self.folder.close()


def begin(session: HostmailIMAP4, literal: AppendLiteral) -> Any:
    """Decide about a message that is about to come."""
    session.tag = tag_of(literal.parts[0])
    return _decide(session, literal)


async def _decide(session: HostmailIMAP4, literal: AppendLiteral) -> None:
    append, session.append = session.append, None
    try:
        if append is None:
            append, message = await _opened(session, literal.parts)
        else:
            message = read_next(literal.parts[-1], append.closing)
        await _take(session, append, message, literal)
    except Exception as problem:  # noqa: BLE001 - whatever it was, the message has to be refused or read away
        if append is not None:
            append.abandon()
        _refuse(session, problem)
        return
    if session.closing:
        append.abandon()
        return
    session.append = append
    session.framer.accept_append()
    if literal.waits:
        session.send(b"+ ready for the message\r\n")


async def _opened(session: HostmailIMAP4, parts: tuple[bytes, ...]) -> tuple[Append, Message]:
    destination, message = read_destination(parts)
    replaced = None if destination.replaced is None else _message_to_replace(session, destination)
    name = folder_name(destination.folder, session.dialect.utf8)
    return Append(name, await session.store.folder(name), destination.verb, replaced=replaced), message


def _message_to_replace(session: HostmailIMAP4, destination: Destination) -> int:
    """Its UID."""
    if session.selected is None:
        raise BadSyntax("select the folder of the message to be replaced first")
    selected = writable(session)
    number = destination.replaced
    assert number is not None
    if destination.by_uid:
        index = selected.index_of(number)
    else:
        index = number - 1 if 0 < number <= len(selected) else None
    if index is None or selected.uids[index] in selected.gone:
        raise NothingToReplace
    return selected.uids[index]


async def _take(session: HostmailIMAP4, append: Append, message: Message, literal: AppendLiteral) -> None:
    """Room for one more; refusals leave nothing."""
    if message.utf8 and not literal.binary:
        raise BadSyntax("UTF8 takes a literal8")
    if literal.size > session.settings.limits.append_octets:
        raise MessageTooBig
    if literal.size == 0:
        raise Empty
    if len(append.messages) >= MESSAGES or (append.messages and append.replaced is not None):
        raise TooMany("too many messages in one command")
    mask, keywords = split_flags(message.flags, lenient=True)
    append.unseen += not mask & SEEN
    append.messages.append(await append.folder.begin_append(literal.size, mask, keywords, message.date))
    append.closing = b")" if message.utf8 else b""


def more(session: HostmailIMAP4, piece: AppendData) -> None:
    """A piece of the message."""
    append = session.append
    if append is None:
        return
    try:
        append.messages[-1].write(piece.data)
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
    """The last message is here."""
    append, session.append = session.append, None
    assert append is not None
    if command.parts[-1] != append.closing:
        append.abandon()
        return session.bad("unexpected words after the message")
    here = session.selected is not None and session.selected.name == append.folder_name
    return session.conclude(_commit(session, append), polls=here)


async def _commit(session: HostmailIMAP4, append: Append) -> bytes:
    selected = session.selected
    replaced = None
    if append.replaced is not None and selected is not None:
        replaced = (selected.folder, append.replaced)
    try:
        if len(append.messages) == 1 and replaced is None:
            placed = await append.messages[0].commit()
        else:
            placed = await append.folder.commit_all(append.messages, replaced)
    except NoSuchFolder as refusal:
        return b"NO [TRYCREATE] " + refusal.public.encode()
    finally:
        append.folder.close()
    session.placed(placed, lambda: append.unseen)
    code = b"[APPENDUID %d %b] " % (placed.uidvalidity, format_numbers(placed.target_uids))
    if replaced is None or selected is None:
        return b"OK " + code + append.verb + b" completed"
    return await _tell_replaced(session, selected, replaced[1], code)


async def _tell_replaced(session: HostmailIMAP4, selected: Selected, uid: int, code: bytes) -> bytes:
    """The new one first, then that the old one is gone (RFC 8508 section 3.3)."""
    session.write(b"* OK " + code + b"replacement is there\r\n")
    await session.refresh(expunges=False)
    selected.lose([uid])
    session.write(selected.take_expunges())
    return b"OK %bREPLACE completed" % await highest_after(session, selected)
