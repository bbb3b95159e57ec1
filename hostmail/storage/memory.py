"""A whole mail store in memory: for tests of everything that talks to a store, and a second backend for the contract suite.

It keeps every promise of `interfaces.IMailStore` but durability, and answers every `async` method without suspending
(except for a maildrop lock that is held and a clock to wait with).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from hostmail.errors import MessageTooBig, Refusal, as_refusal
from hostmail.interfaces.directory import Account, IUsage
from hostmail.interfaces.events import IEvents
from hostmail.interfaces.mailstore import Drop, IMailStore, ISpool, ISpoolFile, Room
from hostmail.storage.memory_account import AccountState, MemoryAccount
from hostmail.storage.memory_folder import SYSTEM_FLAGS, FolderState
from hostmail.storage.names import INBOX, folder_directory, normal_folder_name

MESSAGE_SIZE_LIMIT = 15 * 2**20


@implementer(ISpoolFile)
class MemorySpoolFile:
    """A message being received. `path` is a name for messages only: there is no file."""

    def __init__(self, path: str, prefix: bytes) -> None:
        self.path = path
        self.prefix = prefix
        self.size = len(prefix)
        self.sealed = False
        self.discarded = False
        self._chunks: list[bytes] = []

    def body(self) -> bytes:
        """What was written, without the prefix."""
        return b"".join(self._chunks)

    def write(self, chunk: bytes) -> None:
        """More octets."""
        self._chunks.append(chunk)
        self.size += len(chunk)

    async def seal(self) -> None:
        """No more writes."""
        self.sealed = True

    def discard(self) -> None:
        """Forget it; twice is fine."""
        self.discarded = True
        self._chunks.clear()


@implementer(ISpool)
class MemorySpool:
    """Messages on their way in. `files` are all that were made, for tests to look at."""

    def __init__(self) -> None:
        self.files: list[MemorySpoolFile] = []

    def create(self, prefix: bytes) -> MemorySpoolFile:
        """A new one."""
        file = MemorySpoolFile(f"memory:{len(self.files) + 1}", prefix)
        self.files.append(file)
        return file


@implementer(IMailStore)
class MemoryStore:
    """All mailboxes. `clock` is what a second POP3 session waits with; without one it is refused at once.

    `removed` holds the deleted accounts by directory. `put` and `contents` are shorthands for tests.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        usage: IUsage | None = None,
        events: IEvents | None = None,
        message_size_limit: int = MESSAGE_SIZE_LIMIT,
        clock: IReactorTime | None = None,
    ) -> None:
        self.removed: dict[tuple[str, str], AccountState] = {}
        self._now = now
        self._usage = usage
        self._events = events
        self._message_size_limit = message_size_limit
        self._clock = clock
        self._accounts: dict[tuple[str, str], AccountState] = {}

    def _state(self, account: Account) -> AccountState:
        key = account.domain, account.directory
        state = self._accounts.get(key)
        if state is None:
            state = AccountState(account, self._now, self._usage, self._events, self._message_size_limit)
            self._accounts[key] = state
        state.account = account
        return state

    async def open(self, account: Account) -> MemoryAccount:
        """The account's folders, made on first use."""
        return MemoryAccount(self._state(account), self._clock)

    async def deliver(self, spooled: Any, drops: Sequence[Drop]) -> list[Refusal | None]:
        """A copy for each drop, or its refusal."""
        body = _body_of(spooled)
        return [self._deliver_one(body, drop) for drop in drops]

    def _deliver_one(self, body: bytes, drop: Drop) -> Refusal | None:
        try:
            state = self._state(drop.account)
            state.store(self._folder_for(state, drop.folder), drop.prefix + body, int(drop.flags) & SYSTEM_FLAGS, None)
        except Exception as error:  # noqa: BLE001 - one of many must not spoil the others
            return as_refusal(error)
        return None

    def _folder_for(self, state: AccountState, name: str) -> FolderState:
        """The folder of a drop; made if it is not there, for mail is not refused because somebody deleted a folder."""
        folder_directory(name)
        return state.make(normal_folder_name(name))

    async def room(self, account: Account, wanted: int | None = None) -> Room:
        """Quota and usage."""
        return self._state(account).room()

    async def verify(self, account: Account, repair: bool = False) -> dict[str, Any]:
        """There is nothing to compare."""
        return {"messages": self._state(account).used().messages, "problems": [], "repaired": 0}

    async def remove(self, account: Account) -> None:
        """Put the account's mail aside (D13)."""
        key = account.domain, account.directory
        state = self._accounts.pop(key, None)
        if state is not None:
            self.removed[key] = state
            for folder in state.folders.values():
                folder.gone = True

    async def restore(self, domain: str, account: Account) -> bool:
        """Give it to `account` (D13)."""
        state = self.removed.pop((domain, account.directory), None)
        if state is None:
            return False
        state.account = account
        for folder in state.folders.values():
            folder.gone = False
        self._accounts[account.domain, account.directory] = state
        return True

    async def close(self) -> None:
        """Nothing runs."""

    def put(
        self, account: Account, content: bytes, folder: str = INBOX, flags: int = 0, date: int | None = None
    ) -> int:
        """Store a message at once; its UID. Raises OverQuota, MessageTooBig, NoSuchFolder."""
        if len(content) > self._message_size_limit:
            raise MessageTooBig
        state = self._state(account)
        return state.store(state.selectable(folder), content, int(flags) & SYSTEM_FLAGS, date)

    def contents(self, account: Account, folder: str = INBOX) -> list[bytes]:
        """The messages of a folder, by UID."""
        return [row.content for row in self._state(account).selectable(folder).rows.values()]


def _body_of(spooled: Any) -> bytes:
    if isinstance(spooled, MemorySpoolFile):
        return spooled.body()
    with open(spooled.path, "rb") as file:
        return file.read()[len(spooled.prefix) :]
