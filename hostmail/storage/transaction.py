"""One change of a mailbox: index rows, usage, and what was seen of the directories, committed together."""

from __future__ import annotations

from collections.abc import Callable
from traceback import format_exc
from typing import TYPE_CHECKING

from twisted.logger import Logger

from hostmail.interfaces.directory import Usage
from hostmail.interfaces.events import FolderChanged
from hostmail.storage import quota
from hostmail.storage.boxes import Box
from hostmail.storage.freshness import after_own_change
from hostmail.storage.index import Index
from hostmail.storage.record import FolderRecord, write_record
from hostmail.storage.tree import FolderTree

if TYPE_CHECKING:
    from hostmail.storage.mailbox import Mailbox


class Transaction:
    """Lives inside `Mailbox.writing`. What changes the tree says so first (`changing`), so that the change is not taken
    for somebody else's; what takes or frees room says that too. `on_undo` collects what must be put back on failure, `at_end`
    what is done before the commit, and undoes all if it fails.
    """

    log = Logger()

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.tools = mailbox.tools
        self.disk = mailbox.tools.disk
        self.on_undo: list[Callable[[], object]] = []
        self.at_end: list[Callable[[], object]] = []
        self.list_changed = False
        self._folders: dict[str, None] = {}
        self._dirty: dict[int, Box] = {}
        self._before: dict[tuple[int, int], int] = {}
        self.taken: Usage | None = None
        self._account_before: tuple[object, ...] = ()
        self._used_before = Usage()

    @property
    def index(self) -> Index:
        """The mailbox's."""
        return self.mailbox.index

    def begin(self) -> None:
        """The index is ours now."""
        index = self.index
        self._used_before = index.used
        self._account_before = (index.last_uidvalidity, index.folders_seen, index.ready)

    def tree(self, box: Box) -> FolderTree:
        """The directories of a folder."""
        return self.mailbox.tree(box)

    def changing(self, box: Box, place: int) -> FolderTree:
        """Files in new/ or cur/ are about to change; call it before the first change. The folder's directories."""
        tree = self.mailbox.tree(box)
        if (box.id, place) not in self._before:
            self._before[box.id, place] = tree.mtime(place)
            self._dirty[box.id] = box
        return tree

    def touch(self, box: Box, announced: bool = True) -> None:
        """The box's row changed, and if `announced` what others see of it."""
        self._dirty[box.id] = box
        if announced:
            self._folders[box.name] = None

    def listed(self, box: Box, place: int) -> None:
        """new/ or cur/ was just listed and remembered: earlier changes of ours are part of that."""
        self._before.pop((box.id, place), None)
        self._dirty[box.id] = box

    def dropped(self, box: Box) -> None:
        """The box is no more."""
        self._dirty.pop(box.id, None)
        for place in (0, 1):
            self._before.pop((box.id, place), None)
        self.list_changed = True

    def mark(self, box: Box) -> None:
        """Write UIDNEXT down before messages leave the folder, unless that is known already (see `record`)."""
        if box.mark < box.uidnext:
            record = FolderRecord(box.uidvalidity, box.uidnext, box.special_use)
            write_record(self.disk, self.mailbox.path_of(box.directory), record)
            box.mark = box.uidnext
            self._dirty[box.id] = box

    # -------------------------------------------------------------------------------------------------------------- room

    def take(self, more: Usage) -> None:
        """Room for `more`, beside what was taken before; raises OverQuota for the mailbox's or the domain's limit.

        Taking is asking: what is there is counted when rows are added and removed, and told when the transaction ends.
        """
        after = self.after(more)
        if self.tools.usage is not None:
            self.tools.usage.charge(self.mailbox.account.id, after, True)
        self.taken = after

    def after(self, more: Usage) -> Usage:
        """Usage with `more`, for who charges several mailboxes at once and sets `taken`; OverQuota for the mailbox's own limits."""
        return quota.check(self.mailbox.account, self.taken or self._used_before, more)

    # --------------------------------------------------------------------------------------------------------------- end

    def finish(self) -> None:
        """Write everything down; the commit follows."""
        for work in self.at_end:
            work()
        now = self.tools.wall()
        for (box_id, place), before in self._before.items():
            box = self._dirty[box_id]
            after = self.tree(box).mtime_of_open(place)
            box.seen[place] = after_own_change(box.seen[place], before, after, now, box.messages)
        for box in self._dirty.values():
            self.index.save_box(box)
        index = self.index
        if (index.last_uidvalidity, index.folders_seen, index.ready) != self._account_before:
            index.save_account()
        used = index.used
        if used != (self.taken or self._used_before):
            self.tell_used(used)

    def undo(self) -> None:
        """Nothing of it happened."""
        for put_back in reversed(self.on_undo):
            try:
                put_back()
            except OSError as error:
                self.log.warn("not_put_back: {root} {error!r}", root=self.mailbox.root, error=error)
        self.mailbox.views.clear()
        if self.taken is not None:
            self.tell_used(self._used_before)

    def tell_used(self, used: Usage) -> None:
        """Tell the directory without asking; a failure costs an old number there until the next change."""
        if self.tools.usage is None:
            return
        try:
            self.tools.usage.charge(self.mailbox.account.id, used, False)
        except Exception:  # noqa: BLE001
            self.log.error(
                "usage_not_told: {account}\n{trace}", account=self.mailbox.account.address, trace=format_exc()
            )

    def announce(self) -> None:
        """Tell who listens."""
        events, account_id = self.tools.events, self.mailbox.account.id
        if events is None:
            return
        for folder in self._folders:
            events.publish(FolderChanged(account_id, folder))
        if self.list_changed:
            events.publish(FolderChanged(account_id, ""))
