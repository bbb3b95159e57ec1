"""THREAD and UID THREAD (RFC 5256)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hostmail.interfaces.mailstore import CachedMessage
from hostmail.message.basesubject import base_subject
from hostmail.message.charsets import folded
from hostmail.message.envelopereader import read_envelope
from hostmail.protocols.imap.commands.search import find_and_save, read_program
from hostmail.protocols.imap.commands.sort import each_cached
from hostmail.protocols.imap.sorting import sent_date, subject_text
from hostmail.protocols.imap.threading import Facts, by_references, by_subject, format_threads
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ALGORITHMS = {b"ORDEREDSUBJECT": by_subject, b"REFERENCES": by_references}
_ID = re.compile(rb"<[^<>\s]+>")


async def thread(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with message numbers."""
    return await _thread(session, cursor, by_uid=False)


async def uid_thread(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """Answered with UIDs."""
    return await _thread(session, cursor, by_uid=True)


async def _thread(session: HostmailIMAP4, cursor: Cursor, by_uid: bool) -> bytes:
    cursor.space()
    algorithm = ALGORITHMS.get(cursor.keyword())
    if algorithm is None:
        raise BadSyntax("unknown way to thread")
    cursor.space()
    key = read_program(cursor, charset_first=True)
    selected = session.selected
    assert selected is not None
    messages: list[Facts] = []

    def learn(index: int, cached: CachedMessage) -> None:
        number = selected.uids[index] if by_uid else index + 1
        messages.append(facts_of(number, sent_date(selected, index, cached), cached))

    await each_cached(session, selected, await find_and_save(session, selected, key, None), learn)
    forest = await session.in_turns(algorithm(messages))
    threads = await session.in_turns(format_threads(forest))
    session.write(b"* THREAD" + (b" " + threads if threads else b"") + b"\r\n")
    return b"OK THREAD completed"


def facts_of(number: int, date: int, cached: CachedMessage) -> Facts:
    """What the index knows of a message, as threading wants it."""
    values = read_envelope(cached.envelope)
    subject, is_reply = base_subject(subject_text(values))
    own = _ID.search(values.message_id or b"")
    return Facts(number, date, folded(subject), is_reply, own[0] if own else b"", cached.references)
