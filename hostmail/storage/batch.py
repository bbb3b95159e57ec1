"""Several messages into one folder, all or none, in one transaction (RFC 3502); and one that makes room for another (RFC 8508)."""

from __future__ import annotations

from collections.abc import Sequence

from hostmail.errors import MessageGone, Refusal
from hostmail.interfaces.mailstore import Placed
from hostmail.storage.arriving import Arrival, Group, place_all, sync_places
from hostmail.storage.boxes import BoxRef
from hostmail.storage.content import Source
from hostmail.storage.disk import storage_refusal
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.removing import expunge
from hostmail.storage.scan import scan

Replaced = tuple[BoxRef, int]


def commit_all(
    mailbox: Mailbox, directory: str, arriving: Sequence[tuple[Arrival, Source, int]], replaced: Replaced | None
) -> Placed:
    """See `IFolder.commit_all`; `arriving` has each message with its content and date, `directory` is for nameless files."""
    group: Group = []
    try:
        for arrival, source, date in arriving:
            group.append((arrival, source.file(mailbox.tools, directory, arrival.prefix, date)))
        for _, file in group:
            file.start_writing()
        for _, file in group:
            file.sync()
        placed = mailbox.call(_place, mailbox, group, replaced)
        if replaced is not None:
            _make_room(mailbox, replaced, group[0][0])
        return placed
    except OSError as error:
        raise storage_refusal(error) from error
    finally:
        for _, file in group:
            file.close()
        for _, source, _ in arriving:
            source.close()


def _place(mailbox: Mailbox, group: Group, replaced: Replaced | None) -> Placed:
    """All of them. What is replaced goes in a transaction of its own, afterwards: whatever happens, one of the two is there."""
    with mailbox.writing() as transaction:
        if replaced is not None and transaction.index.row(mailbox.box(replaced[0]), replaced[1]) is None:
            raise MessageGone
        touched = place_all(transaction, group)
        for arrival, _ in group:
            if arrival.refusal is not None:
                raise arrival.refusal
        sync_places(transaction, touched)
    return Placed(group[0][0].uidvalidity, [], [arrival.uid for arrival, _ in group])


def _make_room(mailbox: Mailbox, replaced: Replaced, arrival: Arrival) -> None:
    """The old message goes. If it cannot, the new one is taken back: whoever tries again shall not have one more each time."""
    try:
        mailbox.call(expunge, mailbox, replaced[0], [replaced[1]], False)
    except Refusal:
        if mailbox.call(_is_there, mailbox, *replaced):
            assert arrival.ref is not None
            mailbox.call(expunge, mailbox, arrival.ref, [arrival.uid], False)
            raise


def _is_there(mailbox: Mailbox, ref: BoxRef, uid: int) -> bool:
    """By its file: what has failed may have come as far as that."""
    with mailbox.writing() as transaction:
        box = mailbox.box(ref)
        scan(transaction, box)
        return transaction.index.row(box, uid) is not None
