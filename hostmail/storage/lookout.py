"""Looking at a folder as soon as other programs have changed it: once for all who wait for its news.

The kernel tells of our own changes as well, and hundreds of sessions may have the same folder open. So what it tells is looked into
here: our own changes need nothing more, for they are announced; others are taken into the index, which announces them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from hostmail.errors import Refusal
from hostmail.interfaces.events import FolderChanged, IEvents
from hostmail.interfaces.threads import InThread
from hostmail.storage.boxes import BoxRef
from hostmail.storage.looking import modseq_now
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.outside import Heard, OutsideChanges
from hostmail.storage.tree import PLACES

BUSY_SECONDS = 0.002
NOBODY_KNOWS = -1


class Post:
    """One folder that is watched. `told` is the MODSEQ up to which everybody has been told."""

    log = Logger()

    def __init__(self, clock: IReactorTime, run_in_thread: InThread, mailbox: Mailbox, ref: BoxRef) -> None:
        self.mailbox = mailbox
        self.ref = ref
        self.told = NOBODY_KNOWS
        self.watchers: list[Heard] = []
        self.stop: Callable[[], object] = list
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._is_due = False

    def stirred(self) -> None:
        """A file came or went. Often several do so at once."""
        if not self._is_due:
            self._is_due = True
            self._clock.callLater(0, self._look)

    def note_announced(self) -> None:
        """A change of ours was announced; while another one is under way nobody knows yet how far that goes."""
        index = self.mailbox.index_at_hand
        box = index.boxes.get(self.ref.id) if index is not None else None
        if box is not None and not self.mailbox.lock.locked():
            self.told = box.modseq

    def _look(self) -> None:
        self._is_due = False
        if not self.watchers:
            return
        if self.mailbox.lock.locked():
            self._is_due = True
            self._clock.callLater(BUSY_SECONDS, self._look)
            return
        modseq = self._at_once()
        if modseq is not None:
            self._tell(modseq)
            return
        done = Deferred.fromCoroutine(self._look_closer())
        done.addErrback(lambda failure: self.log.failure("not_looked: {root}", failure, root=self.mailbox.root))

    async def _look_closer(self) -> None:
        try:
            modseq = await self._run_in_thread(self.mailbox.call, modseq_now, self.mailbox, self.ref)
        except Refusal:
            modseq = NOBODY_KNOWS
        self._tell(modseq)

    def _at_once(self) -> int | None:
        """The folder's MODSEQ if it is as we know it."""
        try:
            with self.mailbox.glance() as index:
                if index is None:
                    return None
                box = self.mailbox.box(self.ref)
                return box.modseq if self.mailbox.is_fresh(box) else None
        except (apsw.Error, OSError, Refusal):
            return None

    def _tell(self, modseq: int) -> None:
        """Also of what cannot be looked at any more: who asks will hear why."""
        if modseq == self.told != NOBODY_KNOWS:
            return
        self.told = modseq
        for heard in tuple(self.watchers):
            heard()


class Stop:
    """Ends one watch. Each idle session keeps one: it is a third of the size of a `partial`."""

    __slots__ = ("_heard", "_lookout", "_name", "_post")

    def __init__(self, lookout: Lookout, post: Post, name: str, heard: Heard) -> None:
        self._lookout = lookout
        self._post = post
        self._name = name
        self._heard = heard

    def __call__(self) -> None:
        self._lookout.leave(self._post, self._name, self._heard)


class Lookout:
    """All folders of a store that somebody watches."""

    def __init__(
        self, clock: IReactorTime, run_in_thread: InThread, outside: OutsideChanges, events: IEvents | None
    ) -> None:
        self._clock = clock
        self._run_in_thread = run_in_thread
        self._outside = outside
        self._posts: dict[tuple[int, str], list[Post]] = {}
        self._stop = events.subscribe(FolderChanged, self._announced) if events is not None else list

    def watch(self, mailbox: Mailbox, ref: BoxRef, name: str, heard: Heard) -> Callable[[], None]:
        """Call `heard` when the index knows of something new that was not announced under this name; returns the way to stop."""
        posts = self._posts.setdefault((mailbox.account.id, name), [])
        post = next((post for post in posts if post.mailbox is mailbox and post.ref == ref), None)
        if post is None:
            post = Post(self._clock, self._run_in_thread, mailbox, ref)
            directory = mailbox.path_of(ref.directory)
            post.stop = self._outside.watch([os.path.join(directory, place) for place in PLACES], post.stirred)
            posts.append(post)
        post.watchers.append(heard)
        return Stop(self, post, name, heard)

    def leave(self, post: Post, name: str, heard: Heard) -> None:
        """Call it no more."""
        if heard in post.watchers:
            post.watchers.remove(heard)
        key = post.mailbox.account.id, name
        posts = self._posts.get(key, [])
        if not post.watchers and post in posts:
            post.stop()
            posts.remove(post)
            if not posts:
                del self._posts[key]

    def close(self) -> None:
        """Hear no more."""
        self._stop()
        for posts in self._posts.values():
            for post in posts:
                post.watchers.clear()
        self._posts.clear()

    def _announced(self, event: FolderChanged) -> None:
        for post in self._posts.get((event.account_id, event.folder), ()):
            post.note_announced()
