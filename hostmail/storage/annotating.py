"""Reading and changing annotations of an account (`annotations`), in threads, each change one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hostmail.storage.annotations import FILE, Values, changed, check_account, read_values, write_values
from hostmail.storage.folders import current_list, find_now
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.opening import sync_folders


def read_annotations(mailbox: Mailbox, folder: str | None) -> Values:
    """See `IAccountStore.annotations`."""
    if folder is None:
        return read_values(mailbox.tools.disk, mailbox.root)
    with current_list(mailbox):
        ref, _ = find_now(mailbox, folder)
        return read_values(mailbox.tools.disk, mailbox.path_of(ref.directory))


def annotate(mailbox: Mailbox, folder: str | None, changes: Mapping[str, bytes | None]) -> None:
    """See `IAccountStore.annotate`. The index's transaction keeps other processes out while the file is read and written."""
    with mailbox.writing() as transaction:
        sync_folders(transaction)
        box = None if folder is None else mailbox.box(find_now(mailbox, folder)[0])
        directory = mailbox.root if box is None else mailbox.path_of(box.directory)
        before = read_values(transaction.disk, directory)
        after = changed(before, changes)
        if after == before:
            return
        check_account(_others(mailbox, directory), before, after)
        write_values(transaction.disk, directory, after)
        if box is None:
            transaction.list_changed = True
        else:
            transaction.touch(box)


def _others(mailbox: Mailbox, directory: str) -> int:
    """What the account's other files hold, by their size: a third more than their values, which is near enough."""
    places = {mailbox.root, *(mailbox.path_of(box.directory) for box in mailbox.index.boxes.values())} - {directory}
    sizes = 0
    for place in places:
        try:
            sizes += os.stat(os.path.join(place, FILE), follow_symlinks=False).st_size
        except OSError:
            pass
    return sizes
