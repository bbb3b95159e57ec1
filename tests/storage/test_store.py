"""The store as a whole: mailboxes kept open, removed accounts, room, and what is told to the reactor at once."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from hostmail.errors import AlreadyExists, OutOfSpace, TemporaryFailure
from hostmail.interfaces.directory import Account, Usage
from hostmail.interfaces.mailstore import Drop, Flag
from hostmail.storage import trash
from hostmail.storage.store import MaildirStore
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround, at_once


class IdleTests(DiskGround):
    def test_idle_mailboxes_are_closed(self) -> None:
        """Beyond `max_idle`, the mailbox that nobody has used for the longest time is closed, and opens again."""
        self.store = self.store_on(self.mktemp(), max_idle=2)
        accounts = [self.make_account(f"user{n}") for n in range(4)]
        for account in accounts:
            self.get(self.fill(account=account)).close()
            self.assertLessEqual(len(self.store._mailboxes), 4)
        self.get(self.store.deliver(self.get(self.spooled()), [Drop(account, b"") for account in accounts]))
        for account in accounts:
            inbox = self.get(self.folder(account=account))
            self.assertEqual(len(self.get(inbox.snapshot()).uids), 2)

    def test_deliveries_leave_few_open(self) -> None:
        """Mail for many accounts does not keep them all open."""
        self.store = self.store_on(self.mktemp(), max_idle=2)
        for number in range(6):
            self.get(self.deliver([Drop(self.make_account(f"user{number}"), b"")]))
        self.assertEqual(len(self.store._mailboxes), 2)

    def test_used_mailboxes_stay_open(self) -> None:
        """A mailbox with a session is not closed however long the session sleeps."""
        self.store = self.store_on(self.mktemp(), max_idle=0)
        account = self.get(self.store.open(self.ann))
        self.assertEqual(len(self.store._mailboxes), 1)
        account.close()
        account.close()
        self.assertEqual(len(self.store._mailboxes), 0)

    def test_opening_fails(self) -> None:
        """An account that cannot be opened is not kept."""
        os.makedirs(os.path.dirname(self.root()))
        with open(self.root(), "w"):
            pass
        self.refusal(TemporaryFailure, self.store.open(self.ann))
        self.assertEqual(self.store._users, {})
        os.unlink(self.root())
        self.get(self.store.open(self.ann))


class SavedColumnsTests(DiskGround):
    def test_large_folder(self) -> None:
        """A large folder is opened from its saved columns, with what happened since."""
        from hostmail.storage import mailbox

        self.patch(mailbox, "LARGE", 5)
        self.patch(mailbox, "SMALL_DELTA", 3)
        self.get(self.fill([LETTER] * 10))
        account = self.get(self.store.open(self.ann))
        inbox = self.get(account.folder("INBOX"))
        self.get(inbox.snapshot())
        self.get(self.store.close())
        self.store = self.store_on(self.store.data_dir)
        self.get(self.fill())
        inbox = self.get(self.folder())
        self.get(inbox.set_flags([2], "add", Flag.SEEN, []))
        self.get(inbox.expunge([3], only_deleted=False))
        snapshot = self.get(inbox.snapshot())
        self.assertEqual(list(snapshot.uids), [1, 2, *range(4, 12)])
        self.assertEqual(snapshot.flags, [0, 1, *([0] * 8)])
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        again = self.get(self.get(self.folder()).snapshot())
        self.assertEqual((again.uids, again.flags, again.sizes), (snapshot.uids, snapshot.flags, snapshot.sizes))

    def test_saved_when_idle(self) -> None:
        """They are saved when the last session goes."""
        from hostmail.storage import mailbox

        self.patch(mailbox, "LARGE", 5)
        self.get(self.fill([LETTER] * 10))
        account = self.get(self.store.open(self.ann))
        self.get(self.get(account.folder("INBOX")).snapshot())
        before = self.disk.calls.count("listdir")
        account.close()
        for opened in list(self.store._users):
            self.store._users[opened] = 1
            self.store.let_go(opened)
        (kept,) = self.store._mailboxes.values()
        self.assertEqual(len(kept._saved), 1)
        self.assertEqual(self.disk.calls.count("listdir"), before)

    def test_removals_that_are_no_longer_known(self) -> None:
        """Beyond the removals that are remembered, it is told what is still there (RFC 7162 3.2.5)."""
        from hostmail.storage import index

        self.patch(index, "KEEP_EXPUNGED", 2)
        self.patch(index, "COUNT_EVERY", 1)
        inbox = self.get(self.fill([LETTER] * 6))
        known = self.get(inbox.snapshot()).highestmodseq
        for uid in (1, 2):
            self.get(inbox.expunge([uid], only_deleted=False))
        for uid in (3, 4):
            self.get(inbox.move([uid], "Trash"))
        for since in (0, known):
            changes = self.get(inbox.changes(since))
            self.assertEqual((changes.expunged, list(changes.remaining or ())), ([], [5, 6]))
        self.assertEqual([row[0] for row in self.get(inbox.changes(0)).changed], [5, 6])
        changes = self.get(inbox.changes(known + 3))
        self.assertEqual((changes.expunged, changes.remaining), ([4], None))

    def test_many_keywords(self) -> None:
        """More keywords than SQLite's integers have bits are kept, counted and brought over."""
        inbox = self.get(self.fill([LETTER] * 2))
        words = [f"k{n}" for n in range(100)]
        self.get(inbox.set_flags([1], "add", Flag.SEEN, words))
        self.get(inbox.copy([1], "Trash"))
        self.get(self.restarted())
        for folder in ("INBOX", "Trash"):
            self.assertEqual(self.get(self.flags(self.get(self.folder(folder))))[1], (Flag.SEEN, set(words)))
        self.assertEqual(self.get(self.get(self.folder()).status()).unseen, 1)


class RemovedTests(DiskGround):
    def test_kept_for_the_grace_period(self) -> None:
        """A removed account's tree is kept, can be put back, and is erased when its time is over (D13)."""
        self.get(self.fill())
        self.get(self.store.remove(self.ann))
        self.assertFalse(os.path.exists(self.root()))
        ((when, path),) = self.get(self.store.removed(self.ann.domain, self.ann.directory))
        self.assertTrue(os.path.isdir(path))
        self.assertEqual(self.get(self.store.purge_removed()), 0)
        self.assertTrue(self.get(self.store.restore(self.ann.domain, self.ann)))
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER])
        self.get(self.store.remove(self.ann))
        later = self.store_on(self.store.data_dir, now=lambda: when + trash.GRACE_SECONDS + 10)
        self.assertEqual(self.get(later.purge_removed()), 1)
        self.assertEqual(self.get(later.removed(self.ann.domain, self.ann.directory)), [])

    def test_removed_twice_in_a_second(self) -> None:
        """Two removed trees of one name are both kept."""
        for _ in range(2):
            self.get(self.fill())
            self.get(self.store.remove(self.ann))
        self.assertEqual(len(self.get(self.store.removed(self.ann.domain, self.ann.directory))), 2)

    def test_restore_into_a_mailbox_in_use(self) -> None:
        """Mail that came since is not overwritten."""
        self.get(self.fill())
        self.get(self.store.remove(self.ann))
        ((_, path),) = self.get(self.store.removed(self.ann.domain, self.ann.directory))
        self.get(self.fill())
        self.refusal(AlreadyExists, self.store.restore(self.ann.domain, self.ann))
        self.assertTrue(os.path.isdir(path))

    def test_open_sessions_end(self) -> None:
        """A session that is still open when its account goes gets failures, and brings nothing back."""
        inbox = self.get(self.fill())
        self.get(self.store.remove(self.ann))
        self.refusal(TemporaryFailure, inbox.expunge([1], only_deleted=False))
        self.refusal(TemporaryFailure, inbox.snapshot())
        self.assertFalse(os.path.exists(self.root()))

    def test_removed_by_another_process(self) -> None:
        """So does one of another process, which only sees the directory go."""
        other = self.store_on(self.store.data_dir)
        inbox = self.get(self.fill())
        self.get(inbox.snapshot())
        self.get(other.remove(self.ann))
        self.refusal(TemporaryFailure, inbox.snapshot())
        self.assertFalse(os.path.exists(self.root()))
        self.get(self.fill())
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER])

    def test_disk_fails(self) -> None:
        """A tree that cannot be put aside is a failure for now."""
        self.get(self.fill())
        self.disk.faults["rename"] = OSError(5, "broken")
        self.refusal(TemporaryFailure, self.store.remove(self.ann))
        self.disk.faults["rename"] = OSError(28, "full")
        self.refusal(OutOfSpace, self.store.remove(self.ann))
        del self.disk.faults["rename"]
        self.get(self.store.remove(self.ann))
        self.disk.faults["rename"] = OSError(5, "broken")
        self.refusal(TemporaryFailure, self.store.restore(self.ann.domain, self.ann))


class RoomTests(DiskGround):
    def test_domain(self) -> None:
        """What is free is the smaller of mailbox and domain, as the composition tells it."""

        async def domain_free(account: Account) -> int | None:
            return 10

        self.store = self.store_on(self.mktemp(), domain_free=domain_free)
        ann = self.make_account("small", quota_bytes=500)
        self.assertEqual(self.get(self.store.room(ann)).free_bytes, 10)
        self.assertEqual(self.get(self.get(self.store.open(ann)).room()).free_bytes, 10)

    def test_known_room(self) -> None:
        """Room for a message is what this process knew last, but nobody is refused for that: another one may have made room (D4)."""
        ann = replace(self.ann, quota_bytes=3 * len(LETTER))
        other = self.store_on(self.store.data_dir)
        self.get(self.deliver([Drop(self.ann, b"")]))
        self.get(other.deliver(self.get(self.spooled(LETTER)), [Drop(self.ann, b"")]))
        self.assertEqual(self.get(self.store.room(ann, 10)).used.messages, 1)
        self.assertEqual(self.get(self.store.room(ann)).used.messages, 2)
        folder = self.get(self.get(other.open(self.ann)).folder("INBOX"))
        self.get(folder.expunge([1, 2], only_deleted=False))
        self.assertEqual(self.get(self.store.room(ann, len(LETTER))).used.messages, 0)

    def test_live_quota(self) -> None:
        """The limits are those of the newest fact about the account, in sessions that are open too."""
        account = self.get(self.store.open(self.ann))
        self.get(self.store.room(replace(self.ann, quota_bytes=77)))
        self.assertEqual(self.get(account.room()).limit_bytes, 77)

    def test_a_limit_changed_while_open(self) -> None:
        """Who has the mailbox open is held to the new limit without opening it again; another account's changes nothing."""
        account = self.get(self.store.open(self.ann))
        self.store.account_changed(replace(self.ann, quota_bytes=7))
        self.store.account_changed(replace(self.ann, id=self.ann.id + 1, quota_bytes=9))
        self.assertEqual(self.get(account.room()).limit_bytes, 7)
        self.store.account_changed(self.make_account("not-open"))

    def test_full_file_system(self) -> None:
        """Nearly full: new mail is refused for now, and the check is not made for each message (LIMITS.md, Files)."""
        seconds = [0.0]
        from hostmail.storage.spool import Spool

        spool = Spool(self.mktemp(), self.disk, seconds=lambda: seconds[0])
        spool.create(b"").discard()
        real = os.statvfs(spool.directory)

        class Full:
            f_blocks, f_frsize, f_bavail = real.f_blocks, real.f_frsize, 10

        self.disk.__class__ = type("Small", (type(self.disk),), {"statvfs": staticmethod(lambda path: Full)})
        spool.create(b"").discard()
        seconds[0] = 2
        refusal = self.assertRaises(OutOfSpace, spool.create, b"")
        self.assertEqual((refusal.code, refusal.enhanced), (452, "4.3.1"))
        self.disk.faults["statvfs"] = OSError(5, "broken")
        seconds[0] = 4
        self.assertRaises(TemporaryFailure, spool.create, b"")


class SpoolTests(DiskGround):
    def test_path(self) -> None:
        """The file is on disk as soon as its path is asked for, before or after seal, with prefix and body."""
        for asked_early in (True, False):
            file = self.store.spool.create(b"Received: x\r\n")
            early = file.path if asked_early else None
            file.write(LETTER)
            self.get(file.seal())
            self.assertIn(early, (file.path, None))
            with open(file.path, "rb") as stream:
                self.assertEqual(stream.read(), b"Received: x\r\n" + LETTER)
            self.assertEqual(os.stat(file.path).st_mode & 0o777, 0o600)
            answers = self.get(self.store.deliver(file, [Drop(self.ann, b"Received: x\r\n")]))
            self.assertEqual(answers, [None])
            path = file.path
            file.discard()
            self.assertFalse(os.path.exists(path))
            self.assertEqual(file.path, path)
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [b"Received: x\r\n" + LETTER] * 2)

    def test_full_disk(self) -> None:
        """A path that cannot be given is a refusal."""
        file = self.get(self.spooled())
        self.disk.faults["write"] = OSError(28, "full")
        self.assertRaises(OutOfSpace, lambda: file.path)
        file.discard()

    def test_fault_after_spilling(self) -> None:
        """What cannot be written at the end is told by seal."""
        file = self.store.spool.create(b"")
        file.write(b"x" * 100_000)
        file.write(b"y")
        self.disk.faults["write"] = OSError(28, "full")
        self.refusal(OutOfSpace, file.seal())
        self.disk.faults.clear()
        self.refusal(OutOfSpace, file.seal())
        file.discard()


class AtOnceTests(DiskGround):
    """What is at hand is answered without a thread (ARCHITECTURE 3)."""

    def make_store(self, usage: Any, events: Any, message_size_limit: int) -> MaildirStore:
        store = super().make_store(usage, events, message_size_limit)
        store = self.store_on(store.data_dir, wall=lambda: time.time_ns() + 10**9)
        self.threads = 0

        async def run(f: Any, *args: Any) -> Any:
            self.threads += 1
            return await at_once(f, *args)

        store.run_in_thread = store._deliverer._run_in_thread = run
        return store

    def warm(self) -> tuple[Any, Any]:
        self.get(self.fill([LETTER] * 3))
        account = self.get(self.store.open(self.ann))
        self.get(account.folders())
        inbox = self.get(account.folder("INBOX"))
        self.get(inbox.snapshot())
        return account, inbox

    def asked(self, account: Any, inbox: Any) -> list[Any]:
        snapshot = self.get(inbox.snapshot())
        message = self.get(inbox.open(1))
        content = self.get(message.read(0, message.size))
        message.close()
        incoming = self.get(inbox.begin_append(5))
        incoming.abort()
        self.get(account.folder("INBOX"))
        return [
            *(snapshot, content, self.get(inbox.changes(0)), self.get(inbox.status()), self.get(inbox.uidls([1, 2]))),
            self.get(account.status("INBOX")),
            *(self.get(inbox.cached([3, 1])), self.get(account.room()).used, self.get(self.store.room(self.ann)).used),
        ]

    def test_warm(self) -> None:
        """Everything that reads is answered at once in an open mailbox that nobody changed."""
        account, inbox = self.warm()
        self.disk.faults["listdir"] = AssertionError  # nothing is listed either
        before = self.threads
        self.asked(account, inbox)
        self.assertEqual(self.threads, before)

    def test_small_changes(self) -> None:
        """New mail and changed flags are taken in at once as well."""
        _, inbox = self.warm()
        self.get(self.fill())
        self.get(inbox.set_flags([1], "add", Flag.SEEN, []))
        before = self.threads
        self.assertEqual(self.get(inbox.snapshot()).flags, [1, 0, 0, 0])
        self.assertEqual(self.threads, before)

    def test_busy(self) -> None:
        """While a thread has the mailbox, answers come from a thread; they are the same."""
        account, inbox = self.warm()
        expected = self.asked(account, inbox)
        (mailbox,) = self.store._mailboxes.values()
        lock = mailbox.lock

        class Busy:
            def acquire(self, blocking: bool = True) -> bool:
                return blocking and lock.acquire()

            def release(self) -> None:
                lock.release()

            def __enter__(self) -> None:
                lock.acquire()

            def __exit__(self, *_: object) -> None:
                lock.release()

        mailbox.lock = Busy()
        before = self.threads
        self.assertEqual(self.asked(account, inbox), expected)
        self.assertGreater(self.threads, before + 5)

    def test_index_in_trouble(self) -> None:
        """An index that gives errors is left to the thread, which mends it."""
        account, inbox = self.warm()
        (mailbox,) = self.store._mailboxes.values()
        mailbox.index._db.close()
        mailbox.set_index_aside()
        self.assertEqual(self.get(self.contents(inbox)), [LETTER] * 3)
        self.assertEqual(self.get(account.room()).used, Usage(3 * len(LETTER), 3))
