"""Delivery on a disk: what lies where, what is synced before success is told, and what failures leave behind."""

from __future__ import annotations

import errno
import os

from twisted.internet.defer import Deferred

from hostmail.errors import OutOfSpace, OverQuota, TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Drop, Flag
from hostmail.storage.content import MessageFile
from hostmail.storage.names import parse
from hostmail.storage.store import MaildirStore
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

PREFIX = b"Received: spool\r\n"
BIG = b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 5000


class DeliveryTests(DiskGround):
    def deliver_now(self, message: bytes = LETTER, prefix: bytes = b"", **drop: object) -> object:
        return self.get(self.deliver([Drop(self.ann, prefix, **drop)], message))[0]

    def test_tree(self) -> None:
        """D1: one directory a domain, one an account in it, INBOX the Maildir itself, folders inside it as Maildir++ has them."""
        self.deliver_now()
        self.deliver_now(folder="Lists/Twisted")
        self.assertTrue(self.place().endswith("/domains/example.com/ann~1/Maildir"))
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(len(self.files(".Lists.Twisted")), 1)

    def test_name_says_uid_size_and_flags(self) -> None:
        """The file name holds UID, size and flags, so that the index can be rebuilt from the tree."""
        self.deliver_now()
        self.deliver_now(flags=Flag.SEEN)
        new, cur = self.files()
        self.assertTrue(new.startswith("new/") and new.endswith(f",S={len(LETTER)},U=1"))
        self.assertTrue(cur.startswith("cur/") and cur.endswith(f",S={len(LETTER)},U=2:2,S"))

    def test_modes(self) -> None:
        """Files are 0600, directories 0700 (LIMITS.md)."""
        self.deliver_now(flags=Flag.SEEN)
        for directory, _, files in os.walk(os.path.join(self.store.data_dir, "domains")):
            self.assertEqual(os.stat(directory).st_mode & 0o777, 0o700, directory)
            for name in files:
                if not name.startswith("index.sqlite"):
                    self.assertEqual(os.stat(os.path.join(directory, name)).st_mode & 0o777, 0o600, name)

    def test_synced_before_told(self) -> None:
        """D12: the file is synced before it is linked, and the directory after that, before deliver answers."""
        self.deliver_now()
        self.disk.calls.clear()
        self.deliver_now()
        order = [call for call in self.disk.calls if call in ("fdatasync", "link_open_file", "fsync")]
        self.assertEqual(order, ["fdatasync", "link_open_file", "fsync"])

    def test_one_file_for_many(self) -> None:
        """Recipients with the same fields in front share one file; each has his own name for it."""
        bob = self.make_account("bob")
        answers = self.get(self.deliver([Drop(self.ann, b"X: 1\r\n"), Drop(bob, b"X: 1\r\n")]))
        self.assertEqual(answers, [None, None])
        (name,) = self.files()
        self.assertEqual(os.stat(self.place(name)).st_nlink, 2)

    def test_big_message_is_linked(self) -> None:
        """A message that was spooled to disk is linked if its own prefix is wanted, else copied with another."""
        bob = self.make_account("bob")
        file = self.get(self.spooled(BIG, PREFIX))
        path = file.path
        answers = self.get(self.store.deliver(file, [Drop(self.ann, PREFIX), Drop(bob, b"Mine: x\r\n")]))
        self.assertEqual(answers, [None, None])
        (name,) = self.files()
        self.assertTrue(os.path.samefile(self.place(name), path))
        file.discard()
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [PREFIX + BIG])
        self.assertEqual(self.get(self.contents(self.get(self.folder(account=bob)))), [b"Mine: x\r\n" + BIG])

    def test_facts_are_made_at_delivery(self) -> None:
        """ENVELOPE and its like are there without opening the file."""
        for message in (LETTER, BIG):
            self.deliver_now(message)
        inbox = self.get(self.folder())
        for name in self.files():
            os.chmod(self.place(name), 0)
        self.disk.faults["open_read"] = OSError(errno.EACCES, "no")
        small, big = self.get(inbox.cached([1, 2]))
        self.assertIn(b"Hello", small.envelope)
        self.assertIn(b"big", big.envelope)

    def test_foreign_spool(self) -> None:
        """Another spool's file, known by path and prefix only, is delivered too."""
        path = self.mktemp()
        with open(path, "wb") as stream:
            stream.write(PREFIX + LETTER)

        class Other:
            prefix, size = PREFIX, len(PREFIX + LETTER)

        Other.path = path
        self.assertEqual(self.get(self.store.deliver(Other, [Drop(self.ann, b"A: b\r\n")])), [None])
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [b"A: b\r\n" + LETTER])
        os.unlink(path)
        (answer,) = self.get(self.store.deliver(Other, [Drop(self.ann, b"")]))
        self.assertIsInstance(answer, TemporaryFailure)

    def test_no_scan(self) -> None:
        """A delivery never lists the folder, however many messages it holds."""
        self.deliver_now()
        self.disk.calls.clear()
        self.deliver_now()
        self.assertNotIn("listdir", self.disk.calls)

    def test_names_without_nameless_files(self) -> None:
        """Where the file system has no nameless files, named ones serve, and none is left behind."""
        self.disk.faults["open_nameless"] = OSError(errno.EOPNOTSUPP, "none here")
        for message in (LETTER, BIG):
            self.assertIsNone(self.deliver_now(message, b"A: b\r\n"))
        self.assertEqual(os.listdir(self.store.spool.directory), [])
        inbox = self.get(self.folder())
        self.assertEqual(self.get(self.contents(inbox)), [b"A: b\r\n" + LETTER, b"A: b\r\n" + BIG])

    def test_delivered_again_after_it_was_undone(self) -> None:
        """A nameless file that had a name and lost it can have no other: a retry after a fault copies it."""
        directory = self.mktemp()
        os.mkdir(directory)
        fd, place = self.disk.open_nameless(directory), self.disk.open_directory(directory)
        os.write(fd, LETTER)
        file = MessageFile(self.disk, fd, len(LETTER), 1, None)
        file.link(place, "first")
        os.unlink("first", dir_fd=place)
        file.link(place, "second")
        os.close(place)
        file.close()
        with open(os.path.join(directory, "second"), "rb") as written:
            self.assertEqual(written.read(), LETTER)

    def test_too_many_links(self) -> None:
        """A file that can have no more names is copied."""
        self.deliver_now()
        self.disk.faults["link_open_file"] = OSError(errno.EMLINK, "enough")
        self.assertIsNone(self.deliver_now(b"Subject: 2\r\n\r\n"))
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER, b"Subject: 2\r\n\r\n"])

    def test_bad_account_directory(self) -> None:
        """A directory name that could lead elsewhere is refused."""
        from dataclasses import replace

        for bad in ("..", "", "a/b", "nul\0"):
            (answer,) = self.get(self.deliver([Drop(replace(self.ann, directory=bad), b"")]))
            self.assertIsInstance(answer, TemporaryFailure)


class FailureTests(DiskGround):
    """Whatever fails: a refusal for now, and neither a file nor a row nor a charge is left."""

    def fails(self, operation: str, number: int, message: bytes = LETTER, prefix: bytes = b"") -> object:
        self.disk.faults[operation] = OSError(number, os.strerror(number))
        try:
            return self.get(self.deliver([Drop(self.ann, prefix)], message))[0]
        finally:
            self.disk.faults.clear()

    def assert_untouched(self) -> None:
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(os.listdir(self.place("tmp")), [])
        self.assertEqual(os.listdir(self.store.spool.directory), [])
        inbox = self.get(self.folder())
        self.assertEqual(self.get(self.contents(inbox)), [LETTER])
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage(len(LETTER), 1))
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(len(LETTER), 1))

    def setUp(self) -> None:
        super().setUp()
        self.get(self.fill())

    def test_full_disk(self) -> None:
        """A full disk is 452 4.3.1, wherever it is met."""
        for operation in ("open_nameless", "write", "fdatasync", "link_open_file", "fsync"):
            for number in (errno.ENOSPC, errno.EDQUOT):
                answer = self.fails(operation, number)
                self.assertIsInstance(answer, OutOfSpace, operation)
                self.assertEqual((answer.code, answer.enhanced), (452, "4.3.1"))
                self.assert_untouched()

    def test_other_faults(self) -> None:
        """No descriptors, a broken disk: 451, without the fault's words."""
        for operation in ("open_nameless", "write", "fdatasync", "link_open_file", "fsync"):
            for number in (errno.EMFILE, errno.EIO):
                answer = self.fails(operation, number)
                self.assertIsInstance(answer, TemporaryFailure, operation)
                self.assertEqual(answer.public, TemporaryFailure.words)
                self.assert_untouched()

    def test_full_disk_while_spooling(self) -> None:
        """Disk errors while a message comes in are told when it is sealed."""
        for operation in ("open_nameless", "write"):
            self.disk.faults[operation] = OSError(errno.ENOSPC, "full")
            file = self.store.spool.create(PREFIX)
            for _ in range(3):
                file.write(BIG)
            self.refusal(OutOfSpace, file.seal())
            file.discard()
            self.disk.faults.clear()
            self.assert_untouched()

    def test_copy_of_a_big_message(self) -> None:
        """The same where the message has to be copied from its spool file."""
        for operation in ("write", "fdatasync"):
            file = self.get(self.spooled(BIG, PREFIX))
            self.disk.faults[operation] = OSError(errno.ENOSPC, "full")
            (answer,) = self.get(self.store.deliver(file, [Drop(self.ann, b"Other: x\r\n")]))
            self.disk.faults.clear()
            file.discard()
            self.assertIsInstance(answer, OutOfSpace)
            self.assert_untouched()

    def test_others_get_it(self) -> None:
        """One full mailbox and one broken one do not keep a message from the third, in whatever order they come."""
        full = self.make_account("full", quota_bytes=1)
        bob = self.make_account("bob")
        broken = self.make_account("broken")
        self.get(self.fill(account=bob))
        os.makedirs(self.root(broken))
        with open(os.path.join(self.root(broken), "Maildir"), "w"):
            pass
        answers = self.get(self.deliver([Drop(full, b""), Drop(self.ann, b""), Drop(broken, b""), Drop(bob, b"")]))
        self.assertIsInstance(answers[0], OverQuota)
        self.assertIsInstance(answers[2], TemporaryFailure)
        self.assertEqual([answers[1], answers[3]], [None, None])

    def test_commit_fails_for_one_of_many(self) -> None:
        """Several mailboxes go together; what fails in one of them stays there."""
        bob, cid = self.make_account("bob"), self.make_account("cid")
        for account in (bob, cid):
            self.get(self.fill(account=account))

        def fail_once() -> None:
            del self.disk.faults["fsync"]
            raise OSError(errno.EIO, "broken")

        self.disk.faults["fsync"] = fail_once
        answers = self.get(self.deliver([Drop(bob, b""), Drop(self.ann, b""), Drop(cid, b"")]))
        self.assertEqual(sum(answer is None for answer in answers), 2)
        for account, answer in zip((bob, self.ann, cid), answers, strict=True):
            inbox = self.get(self.folder(account=account))
            self.assertEqual(len(self.get(inbox.snapshot()).uids), 2 if answer is None else 1)

    def test_domain_has_room_for_some(self) -> None:
        """Mailboxes that go together are charged together: the domain's quota refuses only who comes after it is full (D2)."""
        accounts = [self.ann, self.make_account("bob"), self.make_account("cid")]
        for account in accounts[1:]:
            self.get(self.fill(account=account))
        self.usage.limit_bytes = 5 * len(LETTER)
        answers = self.get(self.deliver([Drop(account, b"") for account in accounts]))
        self.assertEqual([type(answer) for answer in answers].count(OverQuota), 1)
        for account, answer in zip(accounts, answers, strict=True):
            count = 2 if answer is None else 1
            self.assertEqual(len(self.get(self.contents(self.get(self.folder(account=account))))), count)
            self.assertEqual(self.usage.accounts[account.id], Usage(count * len(LETTER), count))

    def test_charges_are_taken_back(self) -> None:
        """Charged together, and one fails on its disk afterwards: that one's charge is as before."""
        bob = self.make_account("bob")
        self.get(self.fill(account=bob))

        def fail_once() -> None:
            del self.disk.faults["link_open_file"]
            raise OSError(errno.ENOSPC, "full")

        self.disk.faults["link_open_file"] = fail_once
        answers = self.get(self.deliver([Drop(self.ann, b""), Drop(bob, b"")]))
        self.assertEqual([type(answer) for answer in answers], [OutOfSpace, type(None)])
        self.assert_untouched()

    def test_directory_is_away(self) -> None:
        """If usage cannot be charged, nobody gets anything, and nothing is left."""
        bob = self.make_account("bob")
        self.get(self.fill(account=bob))
        self.usage.fault = RuntimeError("database is away")
        answers = self.get(self.deliver([Drop(self.ann, b""), Drop(bob, b"")]))
        self.assertEqual([type(answer) for answer in answers], [TemporaryFailure] * 2)
        self.usage.fault = None
        self.assert_untouched()

    def test_usage_cannot_be_told(self) -> None:
        """If the directory fails to count a deletion, the deletion stands, and the count is right with the next message."""
        inbox = self.get(self.folder())
        self.usage.fault = RuntimeError("database is away")
        self.assertEqual(self.get(inbox.expunge([1], only_deleted=False)), [1])
        self.usage.fault = None
        self.get(self.fill([b"x\r\n"]))
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(3, 1))

    def test_closed_store(self) -> None:
        """After the end everything is refused for now."""
        file = self.get(self.spooled())
        self.get(self.store.close())
        (answer,) = self.get(self.store.deliver(file, [Drop(self.ann, b"")]))
        self.assertIsInstance(answer, TemporaryFailure)
        self.refusal(TemporaryFailure, self.store.open(self.ann))


class GroupCommitTests(DiskGround):
    """Whoever waits for a thread meanwhile shares the next one."""

    def make_store(self, usage: object, events: object, message_size_limit: int) -> MaildirStore:
        store = super().make_store(usage, events, message_size_limit)
        self.jobs: list[tuple[Deferred[None], object]] = []
        self.waiting = False

        async def run(f: object, *args: object) -> object:
            if self.waiting:
                turn: Deferred[None] = Deferred()
                self.jobs.append((turn, args))
                await turn
            return f(*args)

        store.run_in_thread = store._deliverer._run_in_thread = run
        return store

    def test_shared(self) -> None:
        """Of many deliveries at once the first few have a thread each, all others share the next."""
        files = [self.get(self.spooled(b"N: %d\r\n\r\n" % number)) for number in range(20)]
        self.waiting = True
        pending = [Deferred.fromCoroutine(self.store.deliver(file, [Drop(self.ann, b"")])) for file in files]
        started = len(self.jobs)
        self.assertLess(started, 8)
        while self.jobs:
            turn, _ = self.jobs.pop(0)
            turn.callback(None)
        self.assertEqual([self.successResultOf(each) for each in pending], [[None]] * 20)
        self.waiting = False
        self.assertEqual(len(self.get(self.get(self.folder()).snapshot()).uids), 20)
        for file in files:
            file.discard()

    def test_discarded_meanwhile(self) -> None:
        """A spool file that is discarded while its delivery runs harms nobody."""
        file = self.get(self.spooled(BIG, PREFIX))
        self.waiting = True
        done = Deferred.fromCoroutine(self.store.deliver(file, [Drop(self.ann, PREFIX)]))
        file.discard()
        self.jobs.pop()[0].callback(None)
        self.assertEqual(self.successResultOf(done), [None])
        self.waiting = False
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [PREFIX + BIG])

    def test_thread_fails(self) -> None:
        """If the thread itself fails, every arrival has a refusal for now."""
        file = self.get(self.spooled())
        self.waiting = True
        done = Deferred.fromCoroutine(self.store.deliver(file, [Drop(self.ann, b"")]))
        self.jobs.pop()[0].errback(RuntimeError("no thread"))
        (answer,) = self.successResultOf(done)
        self.assertIsInstance(answer, TemporaryFailure)

    def test_busy_mailbox_comes_afterwards(self) -> None:
        """A mailbox that another thread has open does not hold up the others of a batch."""
        bob = self.make_account("bob")
        for account in (self.ann, bob):
            self.get(self.fill(account=account))
        mailbox = self.store._mailboxes[bob.domain, bob.directory]
        lock, tried = mailbox.lock, []

        class Busy:
            """Not free when asked without waiting."""

            def acquire(self, blocking: bool = True) -> bool:
                tried.append(blocking)
                return blocking and lock.acquire()

            def release(self) -> None:
                lock.release()

            def __enter__(self) -> None:
                lock.acquire()

            def __exit__(self, *_: object) -> None:
                lock.release()

        mailbox.lock = Busy()
        self.assertEqual(self.get(self.deliver([Drop(self.ann, b""), Drop(bob, b"")])), [None, None])
        self.assertEqual(tried, [False, True])

    def test_names_are_parsed_back(self) -> None:
        """Every name made is one that parses to what it says."""
        self.get(self.fill([LETTER] * 3))
        self.assertEqual(sorted(parse(name).uid for name in self.files()), [1, 2, 3])
