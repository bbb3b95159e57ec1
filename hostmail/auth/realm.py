"""What a login opens: the avatar that the asking protocol talks to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from hostmail.envelope import Peer
from hostmail.errors import LoginFailed
from hostmail.interfaces.directory import Account, IDirectory

Logout = Callable[[], Any]
AvatarFactory = Callable[[Account, Peer], Awaitable[tuple[Any, Logout]]]
Opened = tuple[InterfaceClass, Any, Logout]


@implementer(IRealm)
class HostmailRealm:
    """Finds the account and has its avatar made, by the factory of the first interface asked for that there is one for.

    `mind` is the Peer: it learns its account and login once the avatar is there, so a session whose mailbox could not be
    opened never counts as logged in.
    """

    def __init__(self, *, directory: IDirectory, avatars: Mapping[InterfaceClass, AvatarFactory]) -> None:
        self._directory = directory
        self._avatars = dict(avatars)

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: InterfaceClass) -> Deferred[Any]:
        """Fires with (interface, avatar, logout); LoginFailed if the account has just been removed."""
        return Deferred.fromCoroutine(self._open(avatarId, mind, interfaces))

    async def _open(self, account_id: int, peer: Peer, interfaces: tuple[InterfaceClass, ...]) -> Opened:
        interface = next((asked for asked in interfaces if asked in self._avatars), None)
        if interface is None:
            raise NotImplementedError(f"no avatar for {interfaces}")
        account = await self._directory.account(account_id)
        if account is None:
            raise LoginFailed(private="the account was removed meanwhile")
        avatar, logout = await self._avatars[interface](account, peer)
        peer.account_id, peer.login = account.id, account.address
        return interface, avatar, logout
