"""Expunging: files first, then rows, in one transaction. Room is free when it is committed (D5)."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from hostmail.interfaces.mailstore import Flag
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.scan import prepare, remove_rows
from hostmail.storage.transaction import Transaction

ASIDE = "aside"
_DELETED = int(Flag.DELETED)  # a flag of the enumeration makes an object for every single test
_CANNOT_UNLINK = (errno.EISDIR, errno.EPERM, errno.EACCES)


def expunge(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], only_deleted: bool) -> list[int]:
    """See `IFolder.expunge`."""
    with mailbox.writing() as transaction:
        box = mailbox.box(ref)
        prepare(transaction, box)
        rows = [row for row in transaction.index.rows(box, uids) if not only_deleted or row.flags & _DELETED]
        if not rows:
            return []
        transaction.mark(box)
        places = {row.place for row in rows}
        fds = {place: transaction.changing(box, place).fd(place) for place in places}
        unlink = transaction.disk.unlink
        for row in rows:
            try:
                unlink(row.name, dir_fd=fds[row.place])
            except OSError as error:
                _still_there(transaction, box, row, error)
        for place in places:
            transaction.tree(box).sync(place)
        remove_rows(transaction, box, rows)
        return [row.uid for row in rows]


def _still_there(transaction: Transaction, box: Box, row: Row, error: OSError) -> None:
    """A directory in a message's place is put aside: it is not ours to erase (D11)."""
    tree = transaction.tree(box)
    if isinstance(error, FileNotFoundError):
        if row.name in set(tree.names(row.place)):
            raise error
    elif error.errno in _CANNOT_UNLINK:
        aside = os.path.join(transaction.mailbox.root, ASIDE)
        transaction.disk.make_directory(aside)
        transaction.disk.rename(row.name, os.path.join(aside, row.name), src_dir_fd=tree.fd(row.place))
    else:
        raise error
