"""What is in a folder: the answers to `IFolder`'s questions. Functions ending in `_now` need the mailbox's lock and wait for nothing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from hostmail.interfaces.mailstore import CachedMessage, Changes, FolderStatus, Snapshot
from hostmail.interfaces.threads import InThread
from hostmail.storage.adoption_formats import dovecot_uidl
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.message import message_of, unreadable
from hostmail.storage.scan import prepare, scan
from hostmail.storage.transaction import Transaction

T = TypeVar("T")
_TIME = re.compile(r"([0-9]{9,11})\.")
MAX_SUMMARISED = 1 << 24


@contextmanager
def current(mailbox: Mailbox, ref: BoxRef) -> Iterator[Box]:
    """The box, with foreign changes seen, for reading under the lock."""
    with mailbox.reading():
        box = mailbox.box(ref)
        if mailbox.is_fresh(box):
            yield box
            return
    bring_up_to_date(mailbox, ref)
    with mailbox.reading():
        yield mailbox.box(ref)


def bring_up_to_date(mailbox: Mailbox, ref: BoxRef) -> None:
    """See what others did to the folder."""
    with mailbox.writing() as transaction:
        box = mailbox.box(ref)
        prepare(transaction, box)
        if not mailbox.is_fresh(box):
            scan(transaction, box)


def modseq_now(mailbox: Mailbox, ref: BoxRef) -> int:
    """The folder's MODSEQ, with foreign changes seen."""
    with current(mailbox, ref) as box:
        return box.modseq


def snapshot(mailbox: Mailbox, ref: BoxRef, claim_recent: bool) -> Snapshot:
    """See `IFolder.snapshot`."""
    with current(mailbox, ref) as box:
        view = mailbox.view(box)
        assert view is not None
        recent = view.first_at_least(box.first_recent)
        found = view.snapshot(box, recent)
    if recent and claim_recent:
        with mailbox.writing() as transaction:
            found.first_recent = _claim(transaction, mailbox.box(ref), found.uidnext)
    return found


def _claim(transaction: Transaction, box: Box, uidnext: int) -> int:
    """Messages below `uidnext` are recent to nobody after this; the lowest that still was."""
    first = box.first_recent
    if first >= uidnext:
        return 0
    box.first_recent = uidnext
    transaction.touch(box, announced=False)
    return first


def changes(mailbox: Mailbox, ref: BoxRef, since: int) -> Changes:
    """See `IFolder.changes`."""
    with current(mailbox, ref) as box:
        return changes_now(mailbox, box, since)


def changes_now(mailbox: Mailbox, box: Box, since: int) -> Changes:
    """What changed."""
    found = Changes(box.uidnext, box.modseq, list(box.keywords), [], [])
    if since >= box.modseq:
        return found
    found.changed = mailbox.index.changed(box, since)
    if since >= box.floor:
        found.expunged = mailbox.index.expunged(box, since)
    else:
        view = mailbox.view(box)
        assert view is not None
        found.remaining = view.uids[:]
    return found


def status(mailbox: Mailbox, ref: BoxRef) -> FolderStatus:
    """See `IFolder.status`."""
    with current(mailbox, ref) as box:
        return status_now(mailbox, box)


def status_now(mailbox: Mailbox, box: Box) -> FolderStatus:
    """The counts."""
    view = mailbox.view(box)
    assert view is not None
    return FolderStatus(
        messages=len(view.uids),
        unseen=view.unseen,
        recent=view.count_at_least(box.first_recent),
        uidnext=box.uidnext,
        uidvalidity=box.uidvalidity,
        highestmodseq=box.modseq,
        size=box.bytes,
        deleted=view.deleted,
    )


def uidls(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int]) -> list[str]:
    """See `IFolder.uidls`."""
    with mailbox.reading():
        return uidls_now(mailbox, mailbox.box(ref), uids)


def uidls_now(mailbox: Mailbox, box: Box, uids: Sequence[int]) -> list[str]:
    """Imported ones where there are, else UID and UIDVALIDITY as Dovecot writes them."""
    view, imported = mailbox.view(box), mailbox.index.uidls(box)
    assert view is not None
    present = set(view.uids)
    validity = dovecot_uidl(0, box.uidvalidity)[8:]
    if not imported:
        return [f"{uid:08x}{validity}" for uid in uids if uid in present]
    return [imported.get(uid) or f"{uid:08x}{validity}" for uid in uids if uid in present]


def saved_dates(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int]) -> dict[int, int]:
    """See `IFolder.saved_dates`. Every program begins a message's name with the time at which it puts it there."""
    with mailbox.reading() as index:
        rows = index.rows(mailbox.box(ref), uids)
    return {row.uid: int(found[1]) if (found := _TIME.match(row.name)) else row.date for row in rows}


def open_plain(mailbox: Mailbox, box: Box, row: Row, run_in_thread: InThread) -> Any:
    """The message if its file is where the index says and needs no conversion; None to look closer in a thread."""
    if row.converted:
        return None
    try:
        fd = mailbox.tree(box).open(row.place, row.name)
    except OSError:
        return None
    return message_of(mailbox.tools.disk, fd, row, run_in_thread)


def open_message(mailbox: Mailbox, ref: BoxRef, uid: int, run_in_thread: InThread) -> Any:
    """An IMessage, an explanation in its place, or None if it is gone."""
    for is_last in (False, True):
        with mailbox.reading() as index:
            box = mailbox.box(ref)
            row = index.row(box, uid)
            if row is None:
                return None
            try:
                fd = mailbox.tree(box).open(row.place, row.name)
            except FileNotFoundError as error:
                if is_last:
                    return unreadable(error, row)
            except OSError as error:
                return unreadable(error, row)
            else:
                return message_of(mailbox.tools.disk, fd, row, run_in_thread)
        with mailbox.writing() as transaction:
            scan(transaction, mailbox.box(ref))
    return None


def cached(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int]) -> list[CachedMessage]:
    """See `IFolder.cached`: what is missing is built from the files, and kept."""
    with mailbox.reading() as index:
        box = mailbox.box(ref)
        known = index.cached(box, uids)
        missing = index.rows(box, [uid for uid in uids if uid not in known])
        built = [(row, *_built(mailbox, box, row)) for row in missing]
    kept = [facts for _, facts, is_sound in built if is_sound]
    if kept:
        with mailbox.writing() as transaction:
            box = mailbox.box(ref)
            present = {row.uid for row in transaction.index.rows(box, [facts.uid for facts in kept])}
            transaction.index.add_cached(box, [facts for facts in kept if facts.uid in present])
    known |= {row.uid: facts for row, facts, _ in built}
    return [known[uid] for uid in uids if uid in known]


def _built(mailbox: Mailbox, box: Box, row: Row) -> tuple[CachedMessage, bool]:
    """The facts, and whether they are the message's own and not those of an explanation."""
    try:
        fd = mailbox.tree(box).open(row.place, row.name)
    except OSError as error:
        explanation = unreadable(error, row)
        return mailbox.tools.facts(row.uid, explanation.read_blocking(0, explanation.size)), False
    message = message_of(mailbox.tools.disk, fd, row, _NO_THREAD)
    try:
        return mailbox.tools.facts(row.uid, message.read_blocking(0, min(message.size, MAX_SUMMARISED))), True
    finally:
        message.close()


class _NoThread:
    """Where a message is read in a thread already."""

    def __call__(self, f: Callable[..., T], *args: Any) -> Awaitable[T]:
        raise AssertionError("a thread needs no other thread")


_NO_THREAD = _NoThread()
