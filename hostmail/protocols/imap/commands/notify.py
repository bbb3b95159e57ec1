"""NOTIFY (RFC 5465): what to tell the client, and of which folders, whether it asks or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.protocols.imap.fetchatts import MODSEQ
from hostmail.protocols.imap.notices import Notices
from hostmail.protocols.imap.notifyargs import read_notify
from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def run(session: HostmailIMAP4, cursor: Cursor) -> bytes:
    """First what has happened so far, as it would have been told until now; then how things stand, if asked for."""
    cursor.space()
    request = read_notify(cursor)
    if request.fetch is not None and MODSEQ in request.fetch.items:
        session.switch_on_condstore()
    await session.refresh()
    session.go_on()
    notices = Notices(session, request)
    try:
        await notices.begin()
        session.go_on()
    except BaseException:
        notices.stop()
        raise
    session.notify(notices)
    return b"OK NOTIFY completed"
