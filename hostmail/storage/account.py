"""One opening of an account. All openings of a process share its mailbox; the last one to close lets it go idle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import apsw
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.interfaces.mailstore import FolderInfo, FolderStatus, IAccountStore, Room
from hostmail.storage import annotating, folders, looking
from hostmail.storage.boxes import BoxRef
from hostmail.storage.folder import Folder
from hostmail.storage.lock import MaildropLock
from hostmail.storage.mailbox import Mailbox

if TYPE_CHECKING:
    from hostmail.storage.store import MaildirStore

T = TypeVar("T")


@implementer(IAccountStore)
class AccountStore:
    """See `IAccountStore`."""

    def __init__(self, store: MaildirStore, mailbox: Mailbox) -> None:
        self._store = store
        self._mailbox = mailbox
        self._closed = False

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await self._store.run_in_thread(self._mailbox.call, work, self._mailbox, *args)

    async def folders(self) -> list[FolderInfo]:
        """All folders, INBOX first, then by name."""
        return await self._in_thread(folders.list_folders)

    async def folder(self, name: str) -> Folder:
        """An IFolder; raises NoSuchFolder."""
        found = self._find_at_once(name)
        if found is None:
            found = await self._in_thread(folders.find, name)
        return Folder(self._store, self._mailbox, *found)

    def _find_at_once(self, name: str) -> tuple[BoxRef, str] | None:
        try:
            with self._mailbox.glance() as index:
                if index is None or not folders.list_is_fresh(self._mailbox):
                    return None
                return folders.find_now(self._mailbox, name)
        except (apsw.Error, OSError):
            return None

    async def status(self, name: str) -> FolderStatus:
        """The counts, with one look at the index where they are at hand: programs ask for those of every folder."""
        found = self._status_at_once(name)
        if found is not None:
            return found
        folder = await self.folder(name)
        try:
            return await folder.status()
        finally:
            folder.close()

    def _status_at_once(self, name: str) -> FolderStatus | None:
        mailbox = self._mailbox
        try:
            with mailbox.glance() as index:
                if index is None or not folders.list_is_fresh(mailbox):
                    return None
                box = mailbox.box(folders.find_now(mailbox, name)[0])
                is_known = box.id in mailbox.views and mailbox.is_fresh(box)
                return looking.status_now(mailbox, box) if is_known else None
        except (apsw.Error, OSError):
            return None

    async def create(self, name: str, special_use: str = "") -> None:
        """With missing parents; raises FolderExists, BadFolderName, TooMany."""
        await self._in_thread(folders.create, name, special_use)

    async def delete(self, name: str) -> None:
        """A folder with children stays as a name that cannot be selected."""
        await self._in_thread(folders.delete, name)

    async def rename(self, old: str, new: str) -> None:
        """With its children; renaming INBOX moves its messages out."""
        await self._in_thread(folders.rename, old, new)

    async def subscribe(self, name: str, subscribed: bool) -> None:
        """Subscriptions are names; the folder need not exist."""
        await self._in_thread(folders.subscribe, name, subscribed)

    async def subscriptions(self) -> list[str]:
        """All subscribed names."""
        return await self._in_thread(folders.subscriptions)

    async def annotations(self, folder: str | None) -> dict[str, bytes]:
        """What mail programs keep with a folder, or the account."""
        return await self._in_thread(annotating.read_annotations, folder)

    async def annotate(self, folder: str | None, changes: Mapping[str, bytes | None]) -> None:
        """Set or remove values, all or nothing."""
        await self._in_thread(annotating.annotate, folder, changes)

    async def room(self) -> Room:
        """Quota and usage."""
        return await self._store.room_of(self._mailbox)

    async def lock_maildrop(self, wait_seconds: float, peer: Peer, take_over: Callable[[], bool]) -> MaildropLock:
        """An ILock against other POP3 sessions only (D10)."""
        return await self._store.lock_maildrop(self._mailbox, wait_seconds, peer, take_over)

    def close(self) -> None:
        """The caller needs it no more; twice is fine."""
        if not self._closed:
            self._closed = True
            self._store.let_go(self._mailbox)
