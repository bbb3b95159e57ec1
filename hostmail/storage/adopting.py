"""Carrying out what `adoption` plans for one folder of a foreign tree: record, names, rows."""

from __future__ import annotations

import os

from hostmail.storage import adoption, unlettered
from hostmail.storage.boxes import Box, Row
from hostmail.storage.keywords import save_keywords
from hostmail.storage.measure import measure
from hostmail.storage.names import folder_name, parse
from hostmail.storage.record import FolderRecord, write_record, write_uidls
from hostmail.storage.scan import beyond_all, named_for, note_checked, scan, storable
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW, FolderTree

MAX_LIST = 1 << 28


def adopt(transaction: Transaction, directory: str, uidvalidity: int) -> Box:
    """Take over a folder in place with its UIDs, UIDLs, flags and keywords; messages no list knows are numbered after them.

    The lists of the old server are left where they are. Doing it again after a crash gives the same UIDs.
    """
    FolderTree(transaction.disk, transaction.mailbox.path_of(directory)).make()
    plan = _plan(transaction, directory, uidvalidity)
    index = transaction.index
    box = index.add_box(Box(0, directory, "", plan.uidvalidity, plan.uidnext, plan.uidnext))
    index.last_uidvalidity = max(index.last_uidvalidity, plan.uidvalidity)
    for keyword in plan.keywords:
        index.add_keyword(box, keyword)
    path = transaction.mailbox.path_of(directory)
    uidls = {message.uid: message.uidl for message in plan.messages if message.uidl is not None}
    if uidls:
        write_uidls(transaction.disk, path, uidls)
    if plan.keywords:
        save_keywords(transaction, box)
    rows = _rename(transaction, box, plan)
    index.add_messages(box, rows)
    unlettered.note(transaction, box, rows)
    index.add_uidls(box, uidls)
    write_record(transaction.disk, path, FolderRecord(plan.uidvalidity, plan.uidnext))
    scan(transaction, box)
    note_checked(transaction, box)
    transaction.touch(box)
    return box


def _plan(transaction: Transaction, directory: str, uidvalidity: int) -> adoption.FolderPlan:
    path, disk = transaction.mailbox.path_of(directory), transaction.disk
    contents = ((name, disk.read_small(os.path.join(path, name), MAX_LIST)) for name in adoption.FOLDER_FILES)
    files = {name: content for name, content in contents if content is not None}
    names = [disk.listdir(os.path.join(path, part)) for part in ("cur", "new")]
    found = adoption.FoundFolder(directory, names[0], names[1], files)
    name = folder_name(directory) or directory
    return adoption.plan_folder(found, name, directory, uidvalidity, adoption.DEFAULT_UIDL_FORMAT)


def _rename(transaction: Transaction, box: Box, plan: adoption.FolderPlan) -> list[Row]:
    tree = transaction.tree(box)
    if plan.messages or plan.uidnext > 1:
        box.modseq = box.floor = beyond_all(transaction, box.directory)  # clients remember another server's
    modseq = box.next_modseq() if plan.messages else box.modseq
    rows = []
    for message in plan.messages:
        place = CUR if message.subdirectory == "cur" else NEW
        parsed = parse(message.old)
        measured = measure(tree, place, message.old, parsed, message.wire_size)
        if measured is None:
            continue
        name = named_for(parse(message.new), message.uid, measured, transaction.tools.unique)
        if name != message.old:
            try:
                tree.rename(place, message.old, place, name)
            except OSError:
                name = message.old
        if storable(name) == name:
            size, _, date, converted = measured
            rows.append(Row(message.uid, message.flags, size, date, modseq, place, converted, name))
    for place in (NEW, CUR):
        tree.sync(place)
    return rows
