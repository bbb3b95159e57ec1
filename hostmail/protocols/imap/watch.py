"""Who wants to hear about which folder.

A process may hold ten thousand idle sessions: each announcement goes to those that have that very folder open, and not
past all others.
"""

from __future__ import annotations

from collections.abc import Callable

from hostmail.interfaces.events import FolderChanged, IEvents

Heard = Callable[[], None]
HeardFolder = Callable[[str], None]


class Stop:
    """Ends one watch. Each idle session keeps one: it is a third of the size of a `partial`."""

    __slots__ = ("_heard", "_key", "_watch")

    def __init__(self, watch: FolderWatch, key: tuple[int, str], heard: Heard) -> None:
        self._watch = watch
        self._key = key
        self._heard = heard

    def __call__(self) -> None:
        self._watch.leave(self._key, self._heard)


class FolderWatch:
    """One subscription to the events for all IMAP sessions of a process."""

    def __init__(self, events: IEvents) -> None:
        self._watchers: dict[tuple[int, str], list[Heard]] = {}
        self._accounts: dict[int, list[HeardFolder]] = {}
        self._stop = events.subscribe(FolderChanged, self._changed)

    def watch(self, account_id: int, folder: str, heard: Heard) -> Callable[[], None]:
        """Call `heard` whenever that folder changes; returns the way to stop."""
        key = (account_id, folder)
        self._watchers.setdefault(key, []).append(heard)
        return Stop(self, key, heard)

    def leave(self, key: tuple[int, str], heard: Heard) -> None:
        """Call it no more."""
        watchers = self._watchers.get(key, [])
        if heard in watchers:
            watchers.remove(heard)
        if not watchers:
            self._watchers.pop(key, None)

    def watch_account(self, account_id: int, heard: HeardFolder) -> Callable[[], None]:
        """Call `heard(folder)` whenever any folder of the account changes, "" for the list of folders; returns the way to stop."""
        self._accounts.setdefault(account_id, []).append(heard)

        def stop() -> None:
            watchers = self._accounts.get(account_id, [])
            if heard in watchers:
                watchers.remove(heard)
            if not watchers:
                self._accounts.pop(account_id, None)

        return stop

    def close(self) -> None:
        """Hear no more events."""
        self._stop()

    def __len__(self) -> int:
        return len(self._watchers) + len(self._accounts)

    def _changed(self, event: FolderChanged) -> None:
        for heard in tuple(self._watchers.get((event.account_id, event.folder), ())):
            heard()
        for heard_folder in tuple(self._accounts.get(event.account_id, ())):
            heard_folder(event.folder)
