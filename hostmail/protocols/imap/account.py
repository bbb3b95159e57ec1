"""The avatar behind `imap4.IAccount`: an account and its open store."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.mail.interfaces import IAccountIMAP
from zope.interface import implementer

from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import IAccountStore, IMailStore
from hostmail.protocols.imap.listmatch import ListPattern
from hostmail.protocols.imap.names import DELIMITER


def _later(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    return Deferred.fromCoroutine(work)


@implementer(IAccountIMAP)
class ImapAccount:
    """One login's way to its folders.

    The session uses `store`; the stock methods are for code that knows twisted.mail's interface only, and answer with
    Deferreds throughout (I13).
    """

    def __init__(self, account: Account, store: IAccountStore) -> None:
        self.account = account
        self.store = store

    @classmethod
    async def open(cls, mail: IMailStore, account: Account) -> ImapAccount:
        """The avatar for a login that was accepted."""
        return cls(account, await mail.open(account))

    def close(self) -> None:
        """Log out."""
        self.store.close()

    def addMailbox(self, name: str, mbox: Any = None) -> Deferred[Any]:
        """Create a folder; `mbox` is not used."""
        return self.create(name)

    def create(self, pathspec: str) -> Deferred[Any]:
        """Create a folder."""
        return _later(self.store.create(pathspec))

    def select(self, name: str, rw: bool = True) -> Deferred[Any]:
        """The open folder (an `IFolder`)."""
        return _later(self.store.folder(name))

    def delete(self, name: str) -> Deferred[Any]:
        """Delete a folder."""
        return _later(self.store.delete(name))

    def rename(self, oldname: str, newname: str) -> Deferred[Any]:
        """Rename a folder."""
        return _later(self.store.rename(oldname, newname))

    def subscribe(self, name: str) -> Deferred[Any]:
        """Subscribe."""
        return _later(self.store.subscribe(name, True))

    def unsubscribe(self, name: str) -> Deferred[Any]:
        """Unsubscribe."""
        return _later(self.store.subscribe(name, False))

    def isSubscribed(self, name: str) -> Deferred[bool]:
        """Whether the name is subscribed."""
        return _later(self._is_subscribed(name))

    async def _is_subscribed(self, name: str) -> bool:
        return name in await self.store.subscriptions()

    def listMailboxes(self, ref: str, wildcard: str) -> Deferred[list[tuple[str, Any]]]:
        """(name, FolderInfo) of each folder that matches."""
        return _later(self._matching(ListPattern(ref + wildcard, DELIMITER)))

    async def _matching(self, pattern: ListPattern) -> list[tuple[str, Any]]:
        return [(info.name, info) for info in await self.store.folders() if pattern.matches(info.name)]
