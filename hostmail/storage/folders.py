"""The list of folders, and what changes it: in threads, each one transaction. Directories first, then rows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from hostmail.errors import BadFolderName, FolderExists, NoSuchFolder, TooMany
from hostmail.interfaces.mailstore import FolderInfo
from hostmail.storage.annotations import copy_values
from hostmail.storage.boxes import Box, BoxRef
from hostmail.storage.copying import move_rows
from hostmail.storage.index import Index
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.names import INBOX, folder_directory, normal_folder_name
from hostmail.storage.opening import SPECIAL_NAMES, make_folder, sync_folders
from hostmail.storage.removing import ASIDE
from hostmail.storage.scan import prepare
from hostmail.storage.subscriptions import read_subscriptions, write_subscriptions
from hostmail.storage.transaction import Transaction

MAX_FOLDERS, MAX_SUBSCRIPTIONS = 1_000, 2_000


def parents_of(name: str) -> list[str]:
    """The levels above, topmost first."""
    levels = name.split("/")
    return ["/".join(levels[:depth]) for depth in range(1, len(levels))]


def names_of(index: Index) -> set[str]:
    """All folders, and the parents that are left of deleted ones."""
    names = {box.name for box in index.boxes.values()}
    return names | {parent for name in names for parent in parents_of(name)}


def inbox_first(name: str) -> tuple[bool, str]:
    """The order of lists."""
    return name != INBOX, name


def list_is_fresh(mailbox: Mailbox) -> bool:
    """True if nobody made or removed folder directories since they were listed."""
    mtime = os.stat(mailbox.maildir).st_mtime_ns
    return mailbox.index.folders_seen.is_fresh(mtime, mailbox.tools.wall())


def list_folders(mailbox: Mailbox) -> list[FolderInfo]:
    """See `IAccountStore.folders`."""
    with current_list(mailbox) as index:
        return list_now(mailbox, index)


def list_now(mailbox: Mailbox, index: Index) -> list[FolderInfo]:
    """The list, under the lock."""
    boxes = {box.name: box for box in index.boxes.values()}
    names = names_of(index)
    parents = {parent for name in names for parent in parents_of(name)}
    subscribed = set(read_subscriptions(mailbox.tools.disk, mailbox.maildir))
    return [
        FolderInfo(
            name=name,
            subscribed=name in subscribed,
            special_use=boxes[name].special_use if name in boxes else "",
            selectable=name in boxes,
            has_children=name in parents,
            uidvalidity=boxes[name].uidvalidity if name in boxes else 0,
        )
        for name in sorted(names, key=inbox_first)
    ]


@contextmanager
def current_list(mailbox: Mailbox) -> Iterator[Index]:
    """The index, under the lock, with the folders as they are on disk."""
    with mailbox.reading() as index:
        if list_is_fresh(mailbox):
            yield index
            return
    with mailbox.writing() as transaction:
        sync_folders(transaction)
    with mailbox.reading() as index:
        yield index


def find(mailbox: Mailbox, name: str) -> tuple[BoxRef, str]:
    """The box and the right spelling of a folder; raises NoSuchFolder, also for what is no name at all."""
    with current_list(mailbox):
        return find_now(mailbox, name)


def find_now(mailbox: Mailbox, name: str) -> tuple[BoxRef, str]:
    """The same under the lock."""
    try:
        box = mailbox.find_box(name)
    except (BadFolderName, TooMany):
        raise NoSuchFolder from None
    if box is None:
        raise NoSuchFolder
    return box.ref, box.name


def create(mailbox: Mailbox, name: str, special_use: str) -> None:
    """See `IAccountStore.create`."""
    name = normal_folder_name(name)
    folder_directory(name)
    with mailbox.writing() as transaction:
        sync_folders(transaction)
        if mailbox.find_box(name) is not None:
            raise FolderExists
        make_with_parents(transaction, name, special_use or SPECIAL_NAMES.get(name, ""))


def make_with_parents(transaction: Transaction, name: str, special_use: str = "") -> Box:
    """A new folder below parents that are folders too; raises TooMany."""
    missing = [each for each in parents_of(name) if transaction.mailbox.find_box(each) is None]
    if len(transaction.index.boxes) + len(missing) + 1 > MAX_FOLDERS:
        raise TooMany(f"a mailbox can have {MAX_FOLDERS} folders")
    transaction.list_changed = True
    for parent in missing:
        make_folder(transaction, parent, SPECIAL_NAMES.get(parent, ""))
    return make_folder(transaction, name, special_use)


def delete(mailbox: Mailbox, name: str) -> None:
    """See `IAccountStore.delete`. The directory is put aside before it is emptied, so that a crash leaves no half folder."""
    with mailbox.writing() as transaction:
        sync_folders(transaction)
        ref, name = find_now(mailbox, name)
        if name == INBOX:
            raise BadFolderName("INBOX cannot be deleted")
        box = mailbox.box(ref)
        aside = _set_aside(transaction, box)
        transaction.index.remove_box(box)
        transaction.dropped(box)
    shutil.rmtree(aside, ignore_errors=True)


def _set_aside(transaction: Transaction, box: Box) -> str:
    mailbox, disk = transaction.mailbox, transaction.disk
    parent = os.path.join(mailbox.root, ASIDE)
    disk.make_directory(parent)
    path, aside = mailbox.path_of(box.directory), os.path.join(parent, transaction.tools.unique())
    mailbox.forget_tree(box.directory)
    disk.rename(path, aside)
    transaction.on_undo.append(lambda: disk.rename(aside, path))
    disk.sync_directory(mailbox.maildir)
    return aside


def rename(mailbox: Mailbox, old: str, new: str) -> None:
    """See `IAccountStore.rename`."""
    old, new = normal_folder_name(old), normal_folder_name(new)
    folder_directory(new)
    with mailbox.writing() as transaction:
        sync_folders(transaction)
        names = names_of(transaction.index)
        if old not in names:
            raise NoSuchFolder
        if new in names:
            raise FolderExists
        if new.startswith(f"{old}/") and old != INBOX:
            raise BadFolderName("a folder cannot be moved into itself")
        if old == INBOX:
            _move_inbox_out(transaction, new)
        else:
            _rename_tree(transaction, old, new)
        transaction.list_changed = True


def _move_inbox_out(transaction: Transaction, new: str) -> None:
    inbox = transaction.mailbox.find_box(INBOX)
    assert inbox is not None
    prepare(transaction, inbox)
    target = make_with_parents(transaction, new)
    mailbox = transaction.mailbox
    copy_values(transaction.disk, mailbox.path_of(inbox.directory), mailbox.path_of(target.directory))
    rows = transaction.index.all_rows(inbox)
    if rows:
        move_rows(transaction, inbox, target, rows)


def _rename_tree(transaction: Transaction, old: str, new: str) -> None:
    mailbox = transaction.mailbox
    moving = [box for box in transaction.index.boxes.values() if box.name == old or box.name.startswith(f"{old}/")]
    targets = [folder_directory(new + box.name[len(old) :]) for box in moving]
    parents = parents_of(new)
    for parent in parents:
        if mailbox.find_box(parent) is None:
            make_folder(transaction, parent)
    for box, directory in zip(moving, targets, strict=True):
        _rename_directory(transaction, box, directory)
    transaction.disk.sync_directory(mailbox.maildir)


def _rename_directory(transaction: Transaction, box: Box, directory: str) -> None:
    mailbox, disk = transaction.mailbox, transaction.disk
    source, target = mailbox.path_of(box.directory), mailbox.path_of(directory)
    mailbox.forget_tree(box.directory)
    if os.path.lexists(target):
        raise FolderExists
    disk.rename(source, target)
    transaction.on_undo.append(lambda: disk.rename(target, source))
    transaction.index.rename_box(box, directory)


def subscribe(mailbox: Mailbox, name: str, subscribed: bool) -> None:
    """See `IAccountStore.subscribe`."""
    name = normal_folder_name(name)
    with mailbox.writing() as transaction:
        names = read_subscriptions(transaction.disk, mailbox.maildir)
        if (name in names) == subscribed:
            return
        if subscribed and len(names) >= MAX_SUBSCRIPTIONS:
            raise TooMany("too many subscriptions")
        names = [*names, name] if subscribed else [each for each in names if each != name]
        write_subscriptions(transaction.disk, mailbox.maildir, names)
        transaction.list_changed = True


def subscriptions(mailbox: Mailbox) -> list[str]:
    """See `IAccountStore.subscriptions`."""
    with mailbox.reading():
        return sorted(read_subscriptions(mailbox.tools.disk, mailbox.maildir), key=inbox_first)
