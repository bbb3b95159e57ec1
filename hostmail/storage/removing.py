"""Expunging: files first, then rows, in one transaction. Room is free when it is committed (D5)."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from hostmail.interfaces import Flag
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.scan import prepare, remove_rows
from hostmail.storage.transaction import Transaction

ASIDE = "aside"
KEEP_EXPUNGED = 20_000
_CANNOT_UNLINK = (errno.EISDIR, errno.EPERM, errno.EACCES)


def expunge(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], only_deleted: bool) -> list[int]:
    """See `IFolder.expunge`."""
    with mailbox.writing() as transaction:
        box = mailbox.box(ref)
        prepare(transaction, box)
        rows = [row for row in transaction.index.rows(box, uids) if not only_deleted or row.flags & Flag.DELETED]
        if not rows:
            return []
        transaction.mark(box)
        for row in rows:
            _unlink(transaction, box, row)
        for place in {row.place for row in rows}:
            transaction.tree(box).sync(place)
        remove_rows(transaction, box, rows)
        transaction.index.forget_expunged(box, KEEP_EXPUNGED)
        return [row.uid for row in rows]


def _unlink(transaction: Transaction, box: Box, row: Row) -> None:
    """A directory in a message's place is put aside: it is not ours to erase (D11)."""
    tree = transaction.changing(box, row.place)
    try:
        transaction.disk.unlink(row.name, dir_fd=tree.fd(row.place))
    except FileNotFoundError:
        if row.name not in set(tree.names(row.place)):
            return
        raise
    except OSError as error:
        if error.errno not in _CANNOT_UNLINK:
            raise
        aside = os.path.join(transaction.mailbox.root, ASIDE)
        transaction.disk.make_directory(aside)
        transaction.disk.rename(row.name, os.path.join(aside, row.name), src_dir_fd=tree.fd(row.place))
