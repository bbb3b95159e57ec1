"""hostmail.auth.realm: each protocol gets its own avatar of the same account."""

from __future__ import annotations

from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from zope.interface import Interface
from zope.interface.verify import verifyObject

from hostmail.auth.realm import HostmailRealm
from hostmail.envelope import Peer
from hostmail.errors import LoginFailed, MaildropInUse
from hostmail.interfaces.directory import Account
from tests.auth.support import AuthTestCase, People


class IPop(Interface): ...


class IImap(Interface): ...


class IOther(Interface): ...


class RealmTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.people = People()
        self.people.add(7, "ann@example.com", "{OWN}secret")
        self.realm = HostmailRealm(directory=self.people, avatars={IPop: self.pop, IImap: self.imap})
        self.peer = Peer("192.0.2.1", "imap")

    async def pop(self, account: Account, peer: Peer) -> tuple[Any, Any]:
        raise MaildropInUse

    async def imap(self, account: Account, peer: Peer) -> tuple[Any, Any]:
        return ("avatar of", account.address, peer.ip), lambda: "bye"

    def ask(self, account_id: int, *interfaces: Any) -> Deferred[Any]:
        return self.realm.requestAvatar(account_id, self.peer, *interfaces)

    def test_is_a_realm(self) -> None:
        """It implements twisted.cred's IRealm."""
        verifyObject(IRealm, self.realm)

    def test_first_interface_there_is(self) -> None:
        """The avatar is that of the first interface asked for that is known, with its logout."""
        interface, avatar, logout = self.successResultOf(self.ask(7, IOther, IImap))
        self.assertIs(interface, IImap)
        self.assertEqual(avatar, ("avatar of", "ann@example.com", "192.0.2.1"))
        self.assertEqual(logout(), "bye")

    def test_the_session_learns_who_it_is(self) -> None:
        """After login the peer has account and login (C4)."""
        self.successResultOf(self.ask(7, IImap))
        self.assertEqual((self.peer.account_id, self.peer.login), (7, "ann@example.com"))

    def test_not_logged_in_if_the_mailbox_cannot_be_opened(self) -> None:
        """A refusal of the mailbox leaves the session without an account."""
        self.failureResultOf(self.ask(7, IPop), MaildropInUse)
        self.assertIsNone(self.peer.account_id)

    def test_removed_meanwhile(self) -> None:
        """An account that has just gone is a failed login."""
        self.failureResultOf(self.ask(8, IImap), LoginFailed)

    def test_unknown_interface(self) -> None:
        """What nobody serves is a fault of ours."""
        self.failureResultOf(self.ask(7, IOther), NotImplementedError)
