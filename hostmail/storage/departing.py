"""Leaving: the files beside each folder that let Dovecot go on where we stop (`adoption.departure`)."""

from __future__ import annotations

from hostmail.storage.adoption import departure
from hostmail.storage.adoption_formats import UidRow
from hostmail.storage.boxes import Box
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.names import parse
from hostmail.storage.scan import scan
from hostmail.storage.transaction import Transaction


def depart(mailbox: Mailbox) -> int:
    """Write them for every folder, durably; how many. The tree stays ours as well: nothing is taken away."""
    with mailbox.writing() as transaction:
        boxes = list(transaction.index.boxes.values())
        for box in boxes:
            scan(transaction, box)
            _write(transaction, box)
    return len(boxes)


def _write(transaction: Transaction, box: Box) -> None:
    imported = transaction.index.uidls(box)
    rows = [
        UidRow(row.uid, row.name, imported.get(row.uid), row.size if row.converted else parse(row.name).wire_size)
        for row in transaction.index.all_rows(box)
    ]
    path = transaction.mailbox.path_of(box.directory)
    for name, content in departure(box.uidvalidity, box.uidnext, rows, box.keywords).items():
        transaction.disk.replace_file(path, name, content)
