"""Hearing at once what other programs do to a folder: they know nothing of our events, but the kernel sees their files come and go.

It saves time only. Where the kernel has no such service, or no more of it to give, changes are found at the next look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger
from twisted.python.filepath import FilePath

try:
    from twisted.internet import inotify
except ImportError:  # not Linux
    inotify = None  # type: ignore[assignment]

Heard = Callable[[], None]

if inotify is not None:

    class Watches(inotify.INotify):
        """Twisted's, which gives up all its watches when one of the directories is deleted: here that one goes, and no other."""

        def loseConnection(self) -> None:
            """See the class."""

        def end(self) -> None:
            """All of them."""
            super().loseConnection()


class OutsideChanges:
    """One for all folders of a process; it costs nothing until somebody watches."""

    log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._notifier: Any = None
        self._is_usable = inotify is not None and IReactorFDSet.providedBy(reactor)
        self._heard: dict[str, list[Heard]] = {}

    def watch(self, directories: Sequence[str], heard: Heard) -> Callable[[], None]:
        """Call `heard` whenever a file comes to or leaves one of the directories; returns the way to stop, which may be called twice."""
        watched = [path for path in directories if self._begin(path, heard)]

        def stop() -> None:
            while watched:
                self._end(watched.pop(), heard)

        return stop

    def close(self) -> None:
        """Hear no more."""
        self._heard.clear()
        self._is_usable = False
        notifier, self._notifier = self._notifier, None
        if notifier is not None:
            notifier.stopReading()
            notifier.end()

    def _begin(self, path: str, heard: Heard) -> bool:
        if not self._is_usable:
            return False
        known = self._heard.get(path)
        if known is not None:
            known.append(heard)
            return True
        try:
            if self._notifier is None:
                self._notifier = Watches(self._reactor)
                self._notifier.startReading()
            mask = inotify.IN_MOVED_TO | inotify.IN_MOVED_FROM | inotify.IN_CREATE | inotify.IN_DELETE
            self._notifier.watch(FilePath(path), mask, callbacks=[lambda _, __, what: self._changed(path, what)])
        except (OSError, inotify.INotifyError) as error:
            if os.path.isdir(path):  # else somebody has deleted the folder meanwhile
                self.log.warn("outside_not_watched: {path} {error!r}", path=path, error=error)
            return False
        self._heard[path] = [heard]
        return True

    def _end(self, path: str, heard: Heard) -> None:
        listeners = self._heard.get(path, [])
        if heard in listeners:
            listeners.remove(heard)
        if listeners or path not in self._heard:
            return
        del self._heard[path]
        try:
            self._notifier.ignore(FilePath(path))
        except (KeyError, OSError):
            pass  # the directory is gone, and the kernel's watch went with it

    def _changed(self, path: str, what: int) -> None:
        """A directory that is deleted takes its watch along; another one of that name is watched anew."""
        listeners = self._heard.pop(path, []) if what & inotify.IN_DELETE_SELF else self._heard.get(path, [])
        for heard in tuple(listeners):
            heard()
