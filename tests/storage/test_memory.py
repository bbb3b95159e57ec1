"""What the store in memory offers beyond the contract: see tests/contracts for that."""

from __future__ import annotations

import tempfile

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.envelope import Peer
from hostmail.errors import MaildropInUse, MessageTooBig, NoSuchFolder, OverQuota, TooMany
from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import Drop, Flag
from hostmail.storage.memory import MemoryStore

ANN = Account(1, "ann@example.com", "example.com", "ann~1", quota_bytes=100)


class FileOnDisk:
    """A spool file of another spool."""

    def __init__(self, path: str, prefix: bytes) -> None:
        self.path, self.prefix = path, prefix


class Memory(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = MemoryStore(now=lambda: 1000.0, message_size_limit=90, clock=self.clock)

    def answer(self, coroutine: object) -> object:
        """What a method answers without suspending."""
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def test_put(self) -> None:
        """Tests fill a mailbox in one line, and look into it in one."""
        self.assertEqual(self.store.put(ANN, b"one", "Spam", Flag.SEEN), 1)
        self.assertEqual(self.store.put(ANN, b"two", "Spam"), 2)
        self.assertEqual(self.store.contents(ANN, "Spam"), [b"one", b"two"])
        self.assertEqual(self.store.contents(ANN), [])

    def test_put_keeps_the_rules(self) -> None:
        """Sizes, quotas and folders are judged there too."""
        self.assertRaises(MessageTooBig, self.store.put, ANN, b"x" * 91)
        self.store.put(ANN, b"x" * 90)
        self.assertRaises(OverQuota, self.store.put, ANN, b"x" * 11)
        self.assertRaises(NoSuchFolder, self.store.put, ANN, b"x", "None")

    def test_now(self) -> None:
        """Dates and UIDVALIDITY come from the clock given."""
        self.store.put(ANN, b"x")
        inbox = self.answer(self.answer(self.store.open(ANN)).folder("INBOX"))
        snapshot = self.answer(inbox.snapshot())
        self.assertEqual((list(snapshot.dates), snapshot.uidvalidity), ([1000], 1000))

    def test_waiting_for_the_maildrop(self) -> None:
        """With a clock, a second POP3 session waits as it does with a store on disk."""
        account = self.answer(self.store.open(ANN))
        lock = self.answer(account.lock_maildrop(5, Peer("", "pop3"), lambda: False))
        waiting = Deferred.fromCoroutine(account.lock_maildrop(5, Peer("", "pop3"), lambda: False))
        self.clock.advance(1)
        self.assertNoResult(waiting)
        lock.release()
        self.clock.advance(1)
        self.successResultOf(waiting).release()

    def test_no_clock_no_wait(self) -> None:
        """Without a clock the answer comes at once."""
        account = self.answer(MemoryStore().open(ANN))
        self.answer(account.lock_maildrop(5, Peer("", "pop3"), lambda: False))
        waiting = Deferred.fromCoroutine(account.lock_maildrop(5, Peer("", "pop3"), lambda: False))
        self.failureResultOf(waiting, MaildropInUse)

    def test_spool_on_disk(self) -> None:
        """A spool file that is one is read."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"old\r\nbody\r\n")
            file.flush()
            self.answer(self.store.deliver(FileOnDisk(file.name, b"old\r\n"), [Drop(ANN, b"new\r\n")]))
        self.assertEqual(self.store.contents(ANN), [b"new\r\nbody\r\n"])

    def test_too_many_folders(self) -> None:
        """1,000 folders, implied parents included (LIMITS.md)."""
        account = self.answer(self.store.open(ANN))
        for number in range(994):
            self.answer(account.create(f"f{number}"))
        self.failureResultOf(Deferred.fromCoroutine(account.create("two/more")), TooMany)
        self.answer(account.create("last"))
        self.failureResultOf(Deferred.fromCoroutine(account.create("more")), TooMany)
        self.failureResultOf(Deferred.fromCoroutine(account.rename("f1", "a/b")), TooMany)

    def test_too_many_subscriptions(self) -> None:
        """Subscriptions are bounded."""
        account = self.answer(self.store.open(ANN))
        for number in range(1995):
            self.answer(account.subscribe(f"f{number}", True))
        self.failureResultOf(Deferred.fromCoroutine(account.subscribe("more", True)), TooMany)

    def test_commit_twice(self) -> None:
        """A second commit is a fault of the caller."""
        inbox = self.answer(self.answer(self.store.open(ANN)).folder("INBOX"))
        incoming = self.answer(inbox.begin_append(1))
        self.answer(incoming.commit())
        self.failureResultOf(Deferred.fromCoroutine(incoming.commit()), RuntimeError)

    def test_removed_session(self) -> None:
        """A session of a deleted account finds no folders any more (D13)."""
        inbox = self.answer(self.answer(self.store.open(ANN)).folder("INBOX"))
        self.answer(self.store.remove(ANN))
        self.failureResultOf(Deferred.fromCoroutine(inbox.snapshot()), NoSuchFolder)
