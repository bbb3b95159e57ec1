"""One account in memory: its folders, subscriptions, quota and maildrop lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.errors import BadFolderName, FolderExists, NoSuchFolder, OverQuota, TooMany
from hostmail.interfaces.directory import Account, IUsage, Usage
from hostmail.interfaces.events import FolderChanged, IEvents
from hostmail.interfaces.mailstore import FolderInfo, FolderStatus, IAccountStore, ILock, Room
from hostmail.storage.annotations import Values, changed, check_account, size_of
from hostmail.storage.lock import patiently
from hostmail.storage.memory_folder import FolderState, MemoryFolder
from hostmail.storage.names import INBOX, folder_directory, normal_folder_name

MAX_FOLDERS, MAX_SUBSCRIPTIONS = 1_000, 2_000
DEFAULT_FOLDERS = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Spam": "\\Junk", "Trash": "\\Trash"}
SPECIAL_NAMES = {**DEFAULT_FOLDERS, "Archive": "\\Archive"}


def over_quota(limit_bytes: int | None, used: Usage) -> OverQuota:
    """The refusal that names the space left (D4)."""
    if limit_bytes is None or used.bytes >= limit_bytes:
        return OverQuota()
    return OverQuota(f"mailbox full: {limit_bytes - used.bytes} bytes are left")


class AccountState:
    """One account's mail as all its openers see it."""

    def __init__(
        self,
        account: Account,
        now: Callable[[], float],
        usage: IUsage | None,
        events: IEvents | None,
        message_size_limit: int,
    ) -> None:
        self.account = account
        self.message_size_limit = message_size_limit
        self.lock: MemoryLock | None = None
        self._now = now
        self._usage = usage
        self._events = events
        self._last_uidvalidity = 0
        self.folders: dict[str, FolderState] = {}
        self.subscribed = {INBOX, *DEFAULT_FOLDERS}
        self.annotations: dict[int, Values] = {}
        self.add_folder(INBOX)
        for name, special_use in DEFAULT_FOLDERS.items():
            self.add_folder(name, special_use)

    # ------------------------------------------------------------------------------------------------------------ folders

    def now(self) -> int:
        """Unix time."""
        return int(self._now())

    def add_folder(self, name: str, special_use: str = "") -> FolderState:
        """A new, empty folder with a UIDVALIDITY that this account has never used."""
        if len(self.folders) >= MAX_FOLDERS:
            raise TooMany(f"a mailbox can have {MAX_FOLDERS} folders")
        self._last_uidvalidity = max(int(self._now()), self._last_uidvalidity + 1)
        self.folders[name] = FolderState(name, self._last_uidvalidity, special_use)
        return self.folders[name]

    def make(self, name: str) -> FolderState:
        """The folder, made with its parents if it is not there."""
        levels = name.split("/")
        if len(self.folders) + len(levels) > MAX_FOLDERS + sum(name in self.folders for name in _parents(name)):
            raise TooMany(f"a mailbox can have {MAX_FOLDERS} folders")
        for parent in (*_parents(name), name):
            if parent not in self.folders:
                self.add_folder(parent, SPECIAL_NAMES.get(parent, ""))
        return self.folders[name]

    def selectable(self, name: str) -> FolderState:
        """A folder that can be opened; raises NoSuchFolder, also for what is no name at all."""
        try:
            return self.folders[normal_folder_name(name)]
        except (KeyError, BadFolderName, TooMany):
            raise NoSuchFolder from None

    def names(self) -> set[str]:
        """All folders, and the parents that are left of deleted ones."""
        return {*self.folders, *(parent for name in self.folders for parent in _parents(name))}

    # -------------------------------------------------------------------------------------------------------------- quota

    def used(self) -> Usage:
        """What all folders hold."""
        each = [folder.usage() for folder in self.folders.values()]
        return Usage(sum(one.bytes for one in each), sum(one.messages for one in each))

    def check(self, more: Usage) -> Usage:
        """Usage with `more`; raises OverQuota if the account's own limits do not allow it."""
        used, account = self.used(), self.account
        after = Usage(used.bytes + more.bytes, used.messages + more.messages)
        if more.bytes and account.quota_bytes is not None and after.bytes > account.quota_bytes:
            raise over_quota(account.quota_bytes, used)
        if more.messages and account.quota_messages is not None and after.messages > account.quota_messages:
            raise OverQuota("mailbox full: it holds as many messages as it may")
        return after

    def charge(self, more: Usage) -> None:
        """Take room for `more`; raises OverQuota for the account's or the domain's limit, and then nothing is charged."""
        after = self.check(more)
        if self._usage is not None and more != Usage():
            self._usage.charge(self.account.id, after, True)

    @contextmanager
    def shrinking(self) -> Iterator[None]:
        """Free room: whatever the block removes is given back (D5)."""
        yield
        if self._usage is not None:
            self._usage.charge(self.account.id, self.used(), False)

    def room(self) -> Room:
        """Quota and usage; the domain's share is not known here."""
        used, limit = self.used(), self.account.quota_bytes
        free = None if limit is None else max(0, limit - used.bytes)
        return Room(used, limit, self.account.quota_messages, free)

    # ------------------------------------------------------------------------------------------------------------ messages

    def store(self, folder: FolderState, content: bytes, flags: int, date: int | None) -> int:
        """A new message, charged and announced; its UID."""
        self.charge(Usage(len(content), 1))
        return self.add(folder, content, flags, date)

    def add(self, folder: FolderState, content: bytes, flags: int, date: int | None) -> int:
        """One that is charged for already."""
        now = self.now()
        uid = folder.add(content, flags, now if date is None else int(date), folder.next_modseq(), now)
        self.changed(folder.name)
        return uid

    def changed(self, folder: str = "") -> None:
        """Tell who listens."""
        if self._events is not None:
            self._events.publish(FolderChanged(self.account.id, folder))


def _parents(name: str) -> list[str]:
    levels = name.split("/")
    return ["/".join(levels[:depth]) for depth in range(1, len(levels))]


@implementer(ILock)
class MemoryLock:
    """A held maildrop lock."""

    def __init__(self, state: AccountState) -> None:
        self._state = state

    def release(self) -> None:
        """Give it back; twice is fine, and a later holder keeps his."""
        if self._state.lock is self:
            self._state.lock = None


@implementer(IAccountStore)
class MemoryAccount:
    """One opening of an account."""

    def __init__(self, state: AccountState, clock: IReactorTime | None) -> None:
        self._state = state
        self._clock = clock

    async def folders(self) -> list[FolderInfo]:
        """All folders, INBOX first, then by name."""
        state = self._state
        names = state.names()
        parents = {parent for name in names for parent in _parents(name)}
        ordered = sorted(names, key=lambda name: (name != INBOX, name))
        return [
            FolderInfo(
                name=name,
                subscribed=name in state.subscribed,
                special_use=state.folders[name].special_use if name in state.folders else "",
                selectable=name in state.folders,
                has_children=name in parents,
                uidvalidity=state.folders[name].uidvalidity if name in state.folders else 0,
            )
            for name in ordered
        ]

    async def folder(self, name: str) -> MemoryFolder:
        """Open one; raises NoSuchFolder."""
        return MemoryFolder(self._state, self._state.selectable(name))

    async def status(self, name: str) -> FolderStatus:
        """The counts of one."""
        return await (await self.folder(name)).status()

    async def create(self, name: str, special_use: str = "") -> None:
        """With missing parents."""
        folder_directory(name)
        name = normal_folder_name(name)
        if name in self._state.folders:
            raise FolderExists
        folder = self._state.make(name)
        folder.special_use = special_use or folder.special_use
        self._state.changed(name)
        self._state.changed()

    async def delete(self, name: str) -> None:
        """The folder and its messages; its children stay, and with them its name."""
        folder = self._state.selectable(name)
        if folder.name == INBOX:
            raise BadFolderName("INBOX cannot be deleted")
        with self._state.shrinking():
            del self._state.folders[folder.name]
            self._state.annotations.pop(folder.uidvalidity, None)
            folder.gone = True
        self._state.changed()

    async def rename(self, old: str, new: str) -> None:
        """With its children; messages keep their UIDs and the folder its UIDVALIDITY."""
        state = self._state
        folder_directory(new)
        old, new = normal_folder_name(old), normal_folder_name(new)
        if old not in state.names():
            raise NoSuchFolder
        if new in state.names():
            raise FolderExists
        if old == INBOX:
            await self._move_inbox_out(new)
            return
        if new.startswith(f"{old}/"):
            raise BadFolderName("a folder cannot be moved into itself")
        moved = {name: new + name[len(old) :] for name in state.folders if name == old or name.startswith(f"{old}/")}
        for target in moved.values():
            folder_directory(target)
        for parent in _parents(new):
            if parent not in state.folders:
                state.add_folder(parent)
        for source, target in moved.items():
            folder = state.folders.pop(source)
            folder.name = target
            state.folders[target] = folder
        state.changed()

    async def _move_inbox_out(self, new: str) -> None:
        target = self._state.make(new)
        self._state.annotations[target.uidvalidity] = await self.annotations(INBOX)
        inbox = MemoryFolder(self._state, self._state.folders[INBOX])
        await inbox.move(list(self._state.folders[INBOX].rows), new)
        self._state.changed()

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """A name is kept even when its folder goes (RFC 3501 6.3.6)."""
        name = normal_folder_name(name)
        if (name in self._state.subscribed) == subscribed:
            return
        if subscribed and len(self._state.subscribed) >= MAX_SUBSCRIPTIONS:
            raise TooMany("too many subscriptions")
        (self._state.subscribed.add if subscribed else self._state.subscribed.discard)(name)
        self._state.changed()

    async def subscriptions(self) -> list[str]:
        """All subscribed names, INBOX first."""
        return sorted(self._state.subscribed, key=lambda name: (name != INBOX, name))

    async def annotations(self, folder: str | None) -> dict[str, bytes]:
        """What mail programs keep with a folder, or the account."""
        return dict(self._state.annotations.get(self._annotated(folder), {}))

    async def annotate(self, folder: str | None, changes: Mapping[str, bytes | None]) -> None:
        """Set or remove values, all or nothing."""
        key, state = self._annotated(folder), self._state
        before = state.annotations.get(key, {})
        after = changed(before, changes)
        others = sum(size_of(values) for other, values in state.annotations.items() if other != key)
        check_account(others, before, after)
        if after != before:
            state.annotations[key] = after
            state.changed(state.selectable(folder).name if folder is not None else "")

    def _annotated(self, folder: str | None) -> int:
        return 0 if folder is None else self._state.selectable(folder).uidvalidity

    async def room(self) -> Room:
        """Quota and usage."""
        return self._state.room()

    async def lock_maildrop(self, wait_seconds: float, peer: Peer, take_over: Callable[[], bool]) -> MemoryLock:
        """The lock that POP3 sessions exclude each other with."""
        return await patiently(self._try_lock, wait_seconds, take_over, self._clock)

    def _try_lock(self) -> MemoryLock | None:
        if self._state.lock is not None:
            return None
        self._state.lock = MemoryLock(self._state)
        return self._state.lock

    def close(self) -> None:
        """Nothing is held."""
