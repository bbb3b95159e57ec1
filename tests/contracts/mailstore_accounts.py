"""Promises about accounts: the maildrop lock (D10), removal (D13), and the interfaces themselves."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from hostmail.envelope import Peer
from hostmail.errors import MaildropInUse
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import (
    Drop,
    IAccountStore,
    IFolder,
    IIncoming,
    ILock,
    IMailStore,
    IMessage,
    ISpool,
    ISpoolFile,
)
from tests.contracts.mailstore_base import LETTER, StoreGround

PEER = Peer("192.0.2.1", "pop3", login="ann@example.com")


def never() -> bool:
    """A holder that is alive and busy."""
    return False


class AccountPromises(StoreGround):
    async def test_interfaces(self) -> None:
        """Everything handed out provides its interface."""
        account = await self.store.open(self.ann)
        inbox = await self.fill()
        message = await inbox.open(1)
        incoming = await inbox.begin_append(1)
        lock = await account.lock_maildrop(0, PEER, never)
        file = self.spool.create(b"")
        for provided, interface in (
            (self.store, IMailStore),
            (account, IAccountStore),
            (inbox, IFolder),
            (message, IMessage),
            (incoming, IIncoming),
            (lock, ILock),
            (self.spool, ISpool),
            (file, ISpoolFile),
        ):
            self.assertTrue(verifyObject(interface, provided))
        message.close()
        incoming.abort()
        lock.release()
        file.discard()
        inbox.close()
        account.close()

    async def test_spool_file(self) -> None:
        """A spool file counts its octets with the prefix, and can be discarded twice."""
        file = await self.spooled(b"12345", b"ab")
        self.assertEqual((file.prefix, file.size), (b"ab", 7))
        file.discard()
        file.discard()

    async def test_second_pop3_session(self) -> None:
        """A live, busy holder keeps a second session out, until it lets go (RFC 1939, section 4)."""
        one, two = await self.store.open(self.ann), await self.store.open(self.ann)
        lock = await one.lock_maildrop(0, PEER, never)
        await self.refused(MaildropInUse, two.lock_maildrop(0, PEER, never))
        lock.release()
        lock.release()
        again = await two.lock_maildrop(0, PEER, never)
        lock.release()
        await self.refused(MaildropInUse, one.lock_maildrop(0, PEER, never))
        again.release()

    async def test_take_over(self) -> None:
        """A holder that turns out to be dead is dropped, and the new session gets the lock."""
        account = await self.store.open(self.ann)
        dead = await account.lock_maildrop(0, PEER, never)

        def take_over() -> bool:
            dead.release()
            return True

        lock = await account.lock_maildrop(0, PEER, take_over)
        await self.refused(MaildropInUse, account.lock_maildrop(0, PEER, never))
        lock.release()

    async def test_lock_is_the_accounts_own(self) -> None:
        """Another account's maildrop is another one."""
        lock = await (await self.store.open(self.ann)).lock_maildrop(0, PEER, never)
        other = await (await self.store.open(self.make_account("bob"))).lock_maildrop(0, PEER, never)
        lock.release()
        other.release()

    async def test_lock_stops_nobody_else(self) -> None:
        """Delivery and IMAP go on while POP3 holds the maildrop."""
        account = await self.store.open(self.ann)
        lock = await account.lock_maildrop(0, PEER, never)
        inbox = await self.fill()
        await inbox.expunge([1], only_deleted=False)
        self.assertEqual(await self.contents(inbox), [])
        lock.release()

    async def test_removed_and_made_again(self) -> None:
        """An account made again, with a directory of its own, finds nothing of the old one (D13)."""
        await self.fill()
        old = await self.store.open(self.ann)
        await old.create("Private")
        await old.subscribe("Private", True)
        old.close()
        await self.store.remove(self.ann)
        again = await self.store.open(replace(self.ann, id=99, directory="ann~again"))
        self.assertNotIn("Private", [folder.name for folder in await again.folders()])
        self.assertNotIn("Private", await again.subscriptions())
        self.assertEqual(await self.contents(await again.folder("INBOX")), [])
        self.assertEqual((await again.room()).used, Usage())

    async def test_removal_frees_the_directory(self) -> None:
        """Even under the very same directory nothing of the old mail is seen."""
        await self.fill()
        await self.store.remove(self.ann)
        self.assertEqual(await self.contents(await self.folder()), [])

    async def test_restored(self) -> None:
        """What was removed is there again, as another account's, and the directory hears how much that is (D13)."""
        await self.fill([LETTER] * 2)
        await self.store.remove(self.ann)
        back = replace(self.ann, id=99)
        self.assertTrue(await self.store.restore(self.ann.domain, back))
        report = await self.store.verify(back)
        self.assertEqual((report["messages"], report["problems"]), (2, []))
        opened = await self.store.open(back)
        self.assertEqual(await self.contents(await opened.folder("INBOX")), [LETTER] * 2)
        opened.close()
        self.assertFalse(await self.store.restore(self.ann.domain, self.make_account("never")))

    async def test_remove_unknown(self) -> None:
        """An account that never had mail can be removed."""
        await self.store.remove(self.make_account("never"))

    async def test_verify(self) -> None:
        """A sound mailbox has no problems."""
        await self.fill([LETTER] * 2)
        for repair in (False, True):
            report = await self.store.verify(self.ann, repair)
            self.assertEqual((report["messages"], report["problems"], report["repaired"]), (2, [], 0))

    async def test_openings_share(self) -> None:
        """Two sessions of an account see each other's work."""
        one, two = await self.store.open(self.ann), await self.store.open(self.ann)
        await one.create("Shared")
        await self.append(await two.folder("Shared"))
        one.close()
        self.assertEqual(await self.contents(await two.folder("Shared")), [LETTER])

    async def test_many_deliveries_side_by_side(self) -> None:
        """Deliveries that overlap all arrive, each under a UID of its own."""
        files = [await self.spooled(b"N: %d\r\n\r\n" % number) for number in range(20)]
        pending = [Deferred.fromCoroutine(self.store.deliver(file, [Drop(self.ann, b"")])) for file in files]
        for each in pending:
            self.assertEqual(await each, [None])
        inbox = await self.folder()
        self.assertEqual(sorted(await self.contents(inbox)), sorted(b"N: %d\r\n\r\n" % number for number in range(20)))
        for file in files:
            file.discard()
