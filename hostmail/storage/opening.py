"""Making a mailbox: its directories, its default folders (D8), and the list of folders that a tree holds.

Runs when the index is new. A tree that has a record file in its INBOX was ours before: the index is rebuilt, with the same
UIDs. Any other tree is taken over in place (`adoption`), and gets the default folders that it has no equal for.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hostmail.storage import adoption
from hostmail.storage.adopting import adopt
from hostmail.storage.boxes import Box
from hostmail.storage.disk import Disk
from hostmail.storage.freshness import after_listing
from hostmail.storage.names import folder_directory, folder_name, foreign_folder_name
from hostmail.storage.record import FolderRecord, read_record, write_record
from hostmail.storage.scan import beyond_all, prepare
from hostmail.storage.subscriptions import FILE as SUBSCRIPTIONS
from hostmail.storage.subscriptions import write_subscriptions
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import FolderTree

if TYPE_CHECKING:
    from hostmail.storage.mailbox import Mailbox

INBOX_DIRECTORY = ""
DEFAULT_FOLDERS = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Spam": "\\Junk", "Trash": "\\Trash"}
SPECIAL_NAMES = {**DEFAULT_FOLDERS, "Archive": "\\Archive"}


def make_tree(mailbox: Mailbox) -> None:
    """The account's directory and its INBOX, durable."""
    disk = mailbox.tools.disk
    parts = mailbox.maildir
    made: list[str] = []
    while not os.path.isdir(parts):
        made.append(parts)
        parts = os.path.dirname(parts)
    for path in reversed(made):
        disk.make_directory(path)
    FolderTree(disk, mailbox.maildir).make()
    for path in reversed(made):
        disk.sync_directory(os.path.dirname(path))


def build(transaction: Transaction) -> None:
    """Everything that the tree says, into a new index."""
    mailbox = transaction.mailbox
    is_ours = read_record(transaction.disk, mailbox.maildir) is not None
    index = transaction.index
    if index.box_in(INBOX_DIRECTORY) is None and is_ours:
        _take_in(transaction, INBOX_DIRECTORY)
    sync_folders(transaction, force=True)
    if not is_ours:
        _first_opening(transaction)
    index.ready = True


def _first_opening(transaction: Transaction) -> None:
    names = [box.name for box in transaction.index.boxes.values()]
    uses = adoption.special_uses(names)
    for name, use in uses.items():
        box = transaction.mailbox.find_box(name)
        if box is not None:
            set_special_use(transaction, box, use)
    for name, use in DEFAULT_FOLDERS.items():
        if use not in uses.values():
            make_folder(transaction, name, use)
            names.append(name)
    mailbox = transaction.mailbox
    if not os.path.exists(os.path.join(mailbox.maildir, SUBSCRIPTIONS)):
        write_subscriptions(transaction.disk, mailbox.maildir, ["INBOX", *names])
    _take_in(transaction, INBOX_DIRECTORY)  # last: its record says that all this is done


def set_special_use(transaction: Transaction, box: Box, use: str) -> None:
    """Mark a folder (RFC 6154), durably."""
    box.special_use = use
    path = transaction.mailbox.path_of(box.directory)
    write_record(transaction.disk, path, FolderRecord(box.uidvalidity, box.uidnext, use))
    box.mark = box.uidnext
    transaction.touch(box, announced=False)


def make_folder(transaction: Transaction, name: str, special_use: str = "") -> Box:
    """A new, empty folder, durable; one whose directory was there already is taken in as it is."""
    directory = folder_directory(name)
    path = transaction.mailbox.path_of(directory)
    record = FolderRecord(new_uidvalidity(transaction), 1, special_use)
    FolderTree(transaction.disk, path).make()
    if read_record(transaction.disk, path) is None and not _has_messages(path):
        write_record(transaction.disk, path, record)
    transaction.disk.sync_directory(transaction.mailbox.maildir)
    return _take_in(transaction, directory)


def _has_messages(path: str) -> bool:
    return any(os.listdir(os.path.join(path, part)) for part in ("new", "cur"))


def new_uidvalidity(transaction: Transaction) -> int:
    """One that this mailbox has never used: the time, or more."""
    index = transaction.index
    index.last_uidvalidity = max(int(transaction.tools.now()), index.last_uidvalidity + 1)
    return index.last_uidvalidity


def sync_folders(transaction: Transaction, force: bool = False) -> None:
    """Folders that others made, renamed or removed."""
    index, path = transaction.index, transaction.mailbox.maildir
    now, mtime = transaction.tools.wall(), os.stat(path).st_mtime_ns
    if not force and index.folders_seen.is_fresh(mtime, now):
        return
    found = _directories(transaction.disk, path)
    for box in list(index.boxes.values()):
        if box.directory and box.directory not in found:
            index.remove_box(box)
            transaction.mailbox.forget_tree(box.directory)
            transaction.dropped(box)
    known = {box.directory for box in index.boxes.values()}
    for directory in sorted(found - known):
        _take_in(transaction, _renamed(transaction.disk, path, directory, found))
        transaction.list_changed = True
    index.folders_seen = after_listing(mtime, now)


def _directories(disk: Disk, path: str) -> set[str]:
    return {
        name
        for name in disk.listdir(path)
        if name.startswith(".") and foreign_folder_name(name) and _is_folder(os.path.join(path, name))
    }


def _is_folder(path: str) -> bool:
    try:
        return all(stat.S_ISDIR(os.lstat(each).st_mode) for each in (path, os.path.join(path, "cur")))
    except OSError:
        return False


def _renamed(disk: Disk, path: str, directory: str, found: set[str]) -> str:
    """The directory under the name that `names` would have given it, if that can be."""
    name = foreign_folder_name(directory)
    if name is None or folder_name(directory) is not None:
        return directory
    right = folder_directory(name)
    if right in found or not right:
        return directory
    disk.rename(os.path.join(path, directory), os.path.join(path, right))
    return right


def _take_in(transaction: Transaction, directory: str) -> Box:
    """A box for a directory that is there, with what it holds."""
    index = transaction.index
    box = index.box_in(directory)
    if box is not None:
        return box
    path = transaction.mailbox.path_of(directory)
    record = read_record(transaction.disk, path)
    if record is None:
        return adopt(transaction, directory, new_uidvalidity(transaction))
    index.last_uidvalidity = max(index.last_uidvalidity, record.uidvalidity)
    box = Box(0, directory, record.special_use, record.uidvalidity, record.uidnext, record.uidnext)
    if record.uidnext > 1 or _has_messages(path):
        box.modseq = box.floor = beyond_all(transaction, directory)
    index.add_box(box)
    prepare(transaction, box)
    transaction.touch(box)
    return box
