"""Quick resynchronisation (RFC 7162 section 3.2): what a client that was here before has missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostmail.interfaces.mailstore import Changes
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import LARGEST, SequenceSet, common, contains, format_ranges, gaps, ranges_of
from hostmail.protocols.imap.tokens import MAX_NUMBER64, BadSyntax, Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


@dataclass(frozen=True, slots=True)
class Known:
    """What the client remembers: as of which MODSEQ of which UIDVALIDITY, and of which UIDs (None: of all)."""

    uidvalidity: int
    modseq: int
    uids: SequenceSet | None = None


def read_known(cursor: Cursor) -> Known:
    """`(67890007 20050715194045000 41,43:211 (1,3 41,44))`; the last pair is for servers that forget, and not needed here."""
    cursor.open()
    uidvalidity = cursor.number()
    cursor.space()
    modseq = cursor.number(MAX_NUMBER64)
    uids = None
    if cursor.take(b" "):
        if cursor.peek() != b"(":
            uids = _plain_set(cursor)
        if uids is None or cursor.take(b" "):
            cursor.open()
            _plain_set(cursor)
            cursor.space()
            _plain_set(cursor)
            cursor.close()
    cursor.close()
    return Known(uidvalidity, modseq, uids)


def _plain_set(cursor: Cursor) -> SequenceSet:
    numbers = cursor.sequence_set()
    if numbers.has_star or numbers.is_saved:
        raise BadSyntax("the numbers must be written out")
    return numbers


async def tell_missed(session: HostmailIMAP4, selected: Selected, known: Known) -> None:
    """The answers that bring the client up to date: first what has vanished, then what has changed."""
    if known.uidvalidity != selected.uidvalidity:
        return
    changes = await selected.folder.changes(known.modseq)
    session.write(vanished_earlier(selected, changes, known.uids))
    await session.written()
    uids, modseqs = selected.uids, selected.modseqs
    wanted = [(1, LARGEST)] if known.uids is None else known.uids.resolve(LARGEST)
    changed = await session.sift(
        range(len(selected)), lambda index: modseqs[index] > known.modseq and contains(wanted, uids[index])
    )
    await session.tell_flags(selected, changed)


def vanished_earlier(selected: Selected, changes: Changes, asked: SequenceSet | None) -> bytes:
    """VANISHED (EARLIER) for those of the UIDs that the client asks about; nothing for none.

    Where nobody remembers what went, that is every UID that is not there (RFC 7162 section 3.2.5.1).
    """
    if changes.remaining is None:
        past = (uid for uid in sorted(changes.expunged) if uid < selected.uidnext)
        gone = ranges_of(uid for uid in past if selected.index_of(uid) is None)
    else:
        gone = gaps(ranges_of(selected.uids), 1, selected.uidnext - 1)
    if asked is not None:
        gone = common(gone, asked.resolve(LARGEST))
    return b"* VANISHED (EARLIER) %b\r\n" % format_ranges(gone) if gone else b""
