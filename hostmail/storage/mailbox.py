"""One account's mailbox in this process: its tree, its index, and the lock under which both are used.

Everything here runs in storage's threads, except `glance`, which is for the reactor and never waits. Several processes may
have the same mailbox open: whoever changes the tree does so inside the index's write transaction, so that they come one
after the other; programs that know nothing of the index are found out by the directories' times (`freshness`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import apsw
from twisted.logger import Logger

from hostmail.errors import NoSuchFolder, TemporaryFailure
from hostmail.interfaces.directory import Account, IUsage, Usage
from hostmail.interfaces.events import IEvents
from hostmail.interfaces.mailstore import CachedMessage
from hostmail.storage import opening
from hostmail.storage.boxes import Box, BoxRef
from hostmail.storage.disk import Disk, storage_refusal
from hostmail.storage.fulltext import FullText
from hostmail.storage.index import Index
from hostmail.storage.names import UniqueNames, folder_directory, normal_folder_name
from hostmail.storage.schema import WrongVersion
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import FolderTree
from hostmail.storage.view import View

BROKEN = (apsw.CorruptError, apsw.NotADBError, WrongVersion)
INDEX, MAILDIR = "index.sqlite", "Maildir"
SMALL_DELTA = 500
LARGE = 2_000
T = TypeVar("T")


@dataclass(slots=True)
class Tools:
    """What all mailboxes of a store share; only the size limit ever changes.

    `wall` is the file systems' clock in nanoseconds, `now` the world's in seconds; `boot` names this run of the machine.
    """

    disk: Disk
    usage: IUsage | None
    events: IEvents | None
    now: Callable[[], float]
    wall: Callable[[], int]
    unique: UniqueNames
    facts: Callable[[int, bytes], CachedMessage]
    message_size_limit: int
    boot: str


class Mailbox:
    """See the module. `account` is the newest fact about its owner: limits are read from it at each use."""

    log = Logger()

    def __init__(self, account: Account, root: str, tools: Tools) -> None:
        self.account = account
        self.root = root
        self.maildir = os.path.join(root, MAILDIR)
        self.tools = tools
        self.lock = Lock()
        self.views: dict[int, View] = {}
        self.removed = False
        self.texts = FullText(root)
        self._saved: dict[int, int] = {}
        self._index: Index | None = None
        self._trees: dict[str, FolderTree] = {}

    # ------------------------------------------------------------------------------------------------------ in threads

    def call(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work` for a thread's caller: failures come out as refusals, and a broken index is rebuilt once."""
        try:
            try:
                return work(*args)
            except BROKEN as error:
                self.log.error("index_broken: {root} {error!r}", root=self.root, error=error)
                self.set_index_aside()
                return work(*args)
        except (OSError, apsw.Error, WrongVersion) as error:
            raise storage_refusal(error) from error

    @property
    def index(self) -> Index:
        """The open index; only under the lock, after `ensure_open`."""
        assert self._index is not None
        return self._index

    def ensure_open(self) -> None:
        """Open the index, and build it from the tree if it is new. Under the lock."""
        if self._index is not None:
            if not self._index.replaced():
                return
            self._close_files()
            self.removed = self.removed or not os.path.isdir(self.root)
        if self.removed:
            raise TemporaryFailure(private=f"mailbox was removed: {self.root}")
        opening.make_tree(self)
        self._index = Index(os.path.join(self.root, INDEX))
        self._index.refresh()
        if not self._index.ready:
            self._build()

    def _build(self) -> None:
        with self.transaction() as transaction:
            opening.build(transaction)
        transaction.announce()

    @contextmanager
    def writing(self, wait: bool = True) -> Iterator[Transaction]:
        """The lock and a transaction of the index; what it changed is announced when it is committed.

        Without `wait`, BlockingIOError if another thread has the lock, or the index is not open yet.
        """
        if not self.lock.acquire(blocking=wait):
            raise BlockingIOError
        try:
            if not wait and not self.is_open:
                raise BlockingIOError
            self.ensure_open()
            with self.transaction() as transaction:
                yield transaction
        finally:
            self.lock.release()
        transaction.announce()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction for who holds the lock."""
        transaction = Transaction(self)
        try:
            with self.index.writing():
                transaction.begin()
                yield transaction
                transaction.finish()
        except BaseException:
            transaction.undo()
            raise

    @contextmanager
    def reading(self) -> Iterator[Index]:
        """The lock and the index as everybody has committed it."""
        with self.lock:
            self.ensure_open()
            with self.index.reading():
                yield self.index

    def tree(self, box: Box) -> FolderTree:
        """The directories of a folder."""
        tree = self._trees.get(box.directory)
        if tree is None:
            tree = self._trees[box.directory] = FolderTree(self.tools.disk, self.path_of(box.directory))
        return tree

    def path_of(self, directory: str) -> str:
        """Where a folder's directory is."""
        return os.path.join(self.maildir, directory) if directory else self.maildir

    def forget_tree(self, directory: str) -> None:
        """Let go of a directory that was renamed or removed."""
        tree = self._trees.pop(directory, None)
        if tree is not None:
            tree.close()

    def box(self, ref: BoxRef) -> Box:
        """An open folder's box; raises NoSuchFolder when it was deleted meanwhile, or is another one now."""
        box = self.index.boxes.get(ref.id) or self.index.box_in(ref.directory)
        if box is None or box.uidvalidity != ref.uidvalidity:
            raise NoSuchFolder
        return box

    def find_box(self, name: str) -> Box | None:
        """The box of a folder name, if there is one; raises for what is no name."""
        return self.index.box_in(folder_directory(normal_folder_name(name)))

    # ------------------------------------------------------------------------------------------------- on the reactor

    @contextmanager
    def glance(self) -> Iterator[Index | None]:
        """The index without waiting, as everybody has committed it; None if a thread has it, or it must be opened first."""
        if not self.lock.acquire(blocking=False):
            yield None
            return
        try:
            if self._index is None or self._index.replaced() or not self._index.ready:
                yield None
            else:
                with self._index.reading():
                    yield self._index
        finally:
            self.lock.release()

    def is_fresh(self, box: Box) -> bool:
        """True if nobody changed the folder's directories since they were listed."""
        if not (box.scanned and box.checked):
            return False
        tree, now = self.tree(box), self.tools.wall()
        return box.seen[0].is_fresh(tree.mtime(0), now) and box.seen[1].is_fresh(tree.mtime(1), now)

    def view(self, box: Box, only_small: bool = False) -> View | None:
        """The folder's columns as of its modseq; None if `only_small` and much would have to be read."""
        view = self.views.get(box.id)
        if view is not None and view.modseq == box.modseq:
            return view
        if view is None or view.modseq < box.floor:
            if only_small:
                return None
            view = self.views[box.id] = self._loaded(box)
        if only_small and box.modseq - view.modseq > SMALL_DELTA:
            return None
        view.apply(self.index.changed(box, view.modseq), self.index.expunged(box, view.modseq), box.modseq)
        return view

    def _loaded(self, box: Box) -> View:
        """The columns as they were saved, or from all rows."""
        view = View()
        saved = self.index.saved_columns(box)
        if saved is None or not view.load_saved(saved[1], saved[0]):
            view.load(self.index.changed(box, -1), box.modseq)
            return view
        self._saved[box.id] = view.modseq
        return view

    def save_views(self) -> None:
        """Save what took long to load, so that the next opening is quick, if much has changed since the last time."""
        with self.lock:
            views = {} if self._index is None or self.removed else self.views
            due = [(box_id, view) for box_id, view in views.items() if self._is_worth_saving(box_id, view)]
            if due and not self.index.replaced():
                with self.index.writing():
                    for box_id, view in due:
                        self._save(box_id, view)

    def _is_worth_saving(self, box_id: int, view: View) -> bool:
        return len(view.uids) >= LARGE and view.modseq - self._saved.get(box_id, -SMALL_DELTA) >= SMALL_DELTA

    def _save(self, box_id: int, view: View) -> None:
        data, box = view.saved(), self.index.boxes.get(box_id)
        if data is not None and box is not None and view.modseq <= box.modseq:
            self.index.save_columns(box, view.modseq, data)
            self._saved[box_id] = view.modseq

    # ---------------------------------------------------------------------------------------------------------- ends

    @property
    def is_open(self) -> bool:
        """True if the index is open, as far as can be said without the lock."""
        return self._index is not None and not self.removed

    @property
    def index_at_hand(self) -> Index | None:
        """What this process knew last, without the lock and without asking the file: for hints only."""
        index = None if self.removed else self._index
        return index if index is not None and index.ready else None

    @property
    def has_large_views(self) -> bool:
        """True if there may be something for `save_views` to do."""
        return any(self._is_worth_saving(box_id, view) for box_id, view in list(self.views.items()))

    def used_now(self) -> Usage | None:
        """What is stored, if that is at hand."""
        if not self.lock.acquire(blocking=False):
            return None
        try:
            index = self._index
            return index.used if index is not None and index.ready and index.is_current() else None
        except apsw.Error:
            return None
        finally:
            self.lock.release()

    def set_index_aside(self) -> None:
        """A broken index is kept beside the new one, for whoever wants to know why."""
        with self.lock:
            self._close_files()
            path = os.path.join(self.root, INDEX)
            for suffix in ("", "-wal", "-shm"):
                try:
                    os.replace(path + suffix, f"{path}{suffix}.broken")
                except FileNotFoundError:
                    pass

    def retire(self) -> None:
        """Nobody needs it any more: save what is worth it, and close."""
        try:
            self.save_views()
        except (apsw.Error, OSError) as error:
            self.log.warn("columns_not_saved: {root} {error!r}", root=self.root, error=error)
        self.close()

    def close(self) -> None:
        """Close all files; the next use opens them again."""
        with self.lock:
            self._close_files()

    def _close_files(self) -> None:
        for tree in self._trees.values():
            tree.close()
        self.texts.close()
        self._trees.clear()
        self.views.clear()
        self._saved.clear()
        index, self._index = self._index, None
        if index is not None:
            index.close()
