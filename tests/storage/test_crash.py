"""Dying at any moment (D12): what was acknowledged is there, nothing is there twice, no UID is given twice."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Drop, Flag
from hostmail.storage.names import parse
from hostmail.storage.store import MaildirStore
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

CHANGES = {"link", "rename", "unlink", "fsync", "fdatasync", "open_new", "make_directory", "write", "sync_directory"}
SECOND = b"Subject: second\r\n\r\nx\r\n"


class CrashTests(DiskGround):
    """Before each operation on the disk that changes something, the data are copied as a dying process would leave them."""

    def copies_during(self, work: Any) -> list[str]:
        """One copy for each moment, and one for the end."""
        copies: list[str] = []

        def copy() -> None:
            if self.disk.calls[-1] in CHANGES:
                faults, self.disk.faults = self.disk.faults, {}
                copies.append(self.crashed_copy())
                self.disk.faults = faults

        self.disk.faults["*"] = copy
        self.get(work)
        self.disk.faults.clear()
        copies.append(self.crashed_copy())
        return copies

    def after_each(self, work: Any, check: Callable[[MaildirStore], None]) -> None:
        """`check(store)` for every moment: with the index as it was, without its last commits, and without any index."""
        old, moments = self.store, self.copies_during(work)
        self.assertGreater(len(moments), 2)
        for moment in moments:
            for lost in ((), ("-wal", "-shm"), ("", "-wal", "-shm")):
                data_dir = self.mktemp()
                shutil.copytree(moment, data_dir)
                self.store = self.store_on(data_dir, now=lambda: time.time() + 10)
                if lost:
                    self.drop_index(*lost)
                check(self.store)
                self.get(self.store.close())
        self.store = old

    def inbox(self) -> dict[int, bytes]:
        """UID and content of all messages."""
        inbox = self.get(self.folder())
        snapshot = self.get(inbox.snapshot())
        return {uid: self.get(self.read(inbox, uid)) for uid in snapshot.uids}

    def sound(self) -> None:
        """Usage is what is there, and the next UID is new."""
        report = self.get(self.store.verify(self.ann))
        self.assertEqual(report["problems"], [])
        total = 0
        for info in self.get(self.get(self.store.open(self.ann)).folders()):
            if info.selectable:
                total += self.get(self.get(self.folder(info.name)).status()).size
        self.assertEqual(self.get(self.store.room(self.ann)).used.bytes, total)

    def new_uid(self, folder: str = "INBOX") -> int:
        self.assertEqual(self.get(self.deliver([Drop(self.ann, b"", folder)], b"\r\n")), [None])
        return self.get(self.get(self.folder(folder)).snapshot()).uids[-1]

    def test_delivery(self) -> None:
        """A delivery that was not answered is there whole or not at all."""
        self.get(self.fill([LETTER]))

        def check(store: MaildirStore) -> None:
            found = self.inbox()
            self.assertIn(found, ({1: LETTER}, {1: LETTER, 2: SECOND}))
            self.assertGreater(self.new_uid(), max(found))
            self.sound()

        self.after_each(self.deliver([Drop(self.ann, b"")], SECOND), check)

    def test_first_delivery(self) -> None:
        """An account that is just being made is complete the next time."""

        def check(store: MaildirStore) -> None:
            found = list(self.inbox().values())
            self.assertIn(found, ([], [LETTER]))
            names = [folder.name for folder in self.get(self.get(store.open(self.ann)).folders())]
            self.assertEqual(names, ["INBOX", "Drafts", "Sent", "Spam", "Trash"])
            self.sound()

        self.after_each(self.deliver([Drop(self.ann, b"")]), check)

    def test_expunge(self) -> None:
        """What was expunged does not come back, and its UID is never given again."""
        self.get(self.fill([LETTER, SECOND, LETTER]))
        inbox = self.get(self.folder())

        def check(store: MaildirStore) -> None:
            found = self.inbox()
            self.assertEqual(found[1], LETTER)
            self.assertLessEqual(found.keys(), {1, 2, 3})
            self.assertGreater(self.new_uid(), 3)
            self.sound()

        self.after_each(inbox.expunge([2, 3], only_deleted=False), check)

    def test_expunge_was_answered(self) -> None:
        """After the answer all are gone, even if the index loses its memory."""
        self.get(self.fill([LETTER, SECOND]))
        self.get(self.get(self.folder()).expunge([1, 2], only_deleted=False))
        copies = [self.crashed_copy(), self.crashed_copy()]
        for copy, lost in zip(copies, (("-wal", "-shm"), ("", "-wal", "-shm")), strict=True):
            self.store = self.store_on(copy)
            self.drop_index(*lost)
            self.assertEqual(self.inbox(), {})
            self.assertEqual(self.new_uid(), 3)

    def test_flags(self) -> None:
        """Flags are the old or the new ones."""
        self.get(self.fill([LETTER, SECOND]))
        inbox = self.get(self.folder())

        def check(store: MaildirStore) -> None:
            self.assertEqual(self.inbox(), {1: LETTER, 2: SECOND})
            for flags, words in self.get(self.flags(self.get(self.folder()))).values():
                self.assertIn((flags, words), ((0, set()), (Flag.SEEN, {"Work"})))
            self.sound()

        self.after_each(inbox.set_flags([1, 2], "add", Flag.SEEN, ["Work"]), check)

    def test_move(self) -> None:
        """A moved message is in one of two folders, never in both or none."""
        self.get(self.fill([LETTER, SECOND]))
        inbox = self.get(self.folder())

        def check(store: MaildirStore) -> None:
            here = list(self.inbox().values())
            there = self.get(self.contents(self.get(self.folder("Trash"))))
            self.assertEqual(sorted(here + there), sorted([LETTER, SECOND]))
            self.assertGreater(self.new_uid(), 2)
            self.sound()

        self.after_each(inbox.move([1, 2], "Trash"), check)

    def test_copy(self) -> None:
        """The sources of a copy are never harmed."""
        self.get(self.fill([LETTER, SECOND]))
        inbox = self.get(self.folder())

        def check(store: MaildirStore) -> None:
            self.assertEqual(self.inbox(), {1: LETTER, 2: SECOND})
            there = self.get(self.contents(self.get(self.folder("Trash"))))
            self.assertIn(there, ([], [LETTER], [LETTER, SECOND]))
            self.sound()

        self.after_each(inbox.copy([1, 2], "Trash"), check)

    def test_folders(self) -> None:
        """Making, renaming and deleting folders loses no mail of others, and none of a renamed one."""
        account = self.get(self.store.open(self.ann))
        self.get(account.create("Old/Child"))
        self.get(self.fill(folder="Old"))
        self.get(self.fill([SECOND], "Old/Child"))

        def check(store: MaildirStore) -> None:
            found = []
            for info in self.get(self.get(store.open(self.ann)).folders()):
                if info.selectable:
                    found += self.get(self.contents(self.get(self.folder(info.name))))
            self.assertEqual(sorted(found), sorted([LETTER, SECOND]))
            self.sound()

        self.after_each(account.rename("Old", "New/Place"), check)

    def test_delete_folder(self) -> None:
        """A folder is deleted or not, and made again it has another UIDVALIDITY."""
        account = self.get(self.store.open(self.ann))
        self.get(account.create("Old"))
        self.get(self.fill(folder="Old"))
        validity = self.get(self.get(self.folder("Old")).status()).uidvalidity

        def check(store: MaildirStore) -> None:
            account = self.get(store.open(self.ann))
            if "Old" in [info.name for info in self.get(account.folders())]:
                self.assertEqual(self.get(self.contents(self.get(self.folder("Old")))), [LETTER])
                self.get(account.delete("Old"))
            self.assertEqual(self.get(store.room(self.ann)).used, Usage())
            self.get(account.create("Old"))
            self.assertNotEqual(self.get(self.get(self.folder("Old")).status()).uidvalidity, validity)
            self.sound()

        self.after_each(account.delete("Old"), check)


class LostIndexTests(DiskGround):
    """The index is a cache: everything that clients keep is in the tree."""

    def lose(self, *suffixes: str) -> None:
        self.get(self.store.close())
        self.drop_index(*suffixes)
        self.store = self.store_on(self.store.data_dir)

    def facts(self) -> Any:
        inbox = self.get(self.folder())
        snapshot = self.get(inbox.snapshot())
        return (
            *(snapshot.uidvalidity, snapshot.uidnext, snapshot.uids, snapshot.sizes, snapshot.dates),
            *(self.get(self.flags(inbox)), self.get(inbox.uidls(snapshot.uids))),
        )

    def test_everything_comes_back(self) -> None:
        """UIDs, UIDLs, UIDVALIDITY, flags, keywords, dates, sizes, usage, folders, marks, subscriptions."""
        self.get(self.fill([LETTER] * 4))
        inbox = self.get(self.folder())
        self.get(inbox.set_flags([1, 3], "add", Flag.FLAGGED, ["One", "$Two"]))
        self.get(inbox.set_flags([4], "add", 0, ["$Two"]))
        self.get(inbox.expunge([2], only_deleted=False))
        self.get(self.append(inbox, SECOND, date=10**9, flags=Flag.SEEN))
        account = self.get(self.store.open(self.ann))
        self.get(account.create("Kept/Things", "\\Archive"))
        self.get(account.subscribe("Kept/Things", True))
        before, folders, used = self.facts(), self.get(account.folders()), self.get(account.room())
        self.lose()
        self.assertEqual(self.facts(), before)
        account = self.get(self.store.open(self.ann))
        self.assertEqual(self.get(account.folders()), folders)
        self.assertEqual(self.get(account.room()), used)

    def test_what_is_not_as_its_name_says(self) -> None:
        """Among our own files: a copy under the same UID, one cut off, a directory, one of line feeds, one with keywords, one of others."""
        inbox = self.get(self.fill([LETTER] * 6))
        self.get(inbox.set_flags([6], "add", Flag.SEEN, ["One"]))
        names = [name for name in self.files() if name.startswith("new/")]
        self.get(self.store.close())
        shutil.copy(self.place(names[0]), self.place("new", "copy" + names[0][4:]))
        os.truncate(self.place(names[1]), 10)
        os.unlink(self.place(names[2]))
        os.mkdir(self.place(names[2]))
        feeds = LETTER.replace(b"\r\n", b"\n")
        with open(self.place(names[3]), "wb") as file:
            file.write(feeds)
        self.put("1600000000.x.other", LETTER)
        self.lose()
        inbox = self.get(self.folder())
        snapshot = self.get(inbox.snapshot())
        self.assertEqual(list(snapshot.uids), [1, 2, 4, 5, 6, 7, 8])
        self.assertEqual(self.get(self.contents(inbox)), [LETTER, LETTER[:10], LETTER, LETTER, LETTER, LETTER, LETTER])
        self.assertEqual(list(snapshot.sizes), [len(LETTER), 10, *[len(LETTER)] * 5])
        self.assertEqual(self.get(self.flags(inbox))[6], (Flag.SEEN, {"One"}))
        self.assertEqual(len({parse(name.partition("/")[2]).uid for name in self.files()}), 8)

    def test_power_cut_takes_the_last_commits(self) -> None:
        """What came since keeps its UIDs and UIDLs (D9); its MODSEQs are new, and old ones bring everything again (RFC 7162)."""
        self.get(self.fill([LETTER] * 2))
        self.get(self.store.close())
        path = os.path.join(self.root(), "index.sqlite")
        shutil.copy(path, path + ".kept")
        self.store = self.store_on(self.store.data_dir)
        self.get(self.fill([LETTER] * 3))
        inbox = self.get(self.folder())
        self.get(inbox.set_flags([1], "add", Flag.SEEN, []))
        self.get(inbox.expunge([4], only_deleted=False))
        before, known = self.facts()[2:], self.get(inbox.snapshot()).highestmodseq
        self.lose()
        os.rename(path + ".kept", path)
        self.assertEqual(self.facts()[2:], before)
        changes = self.get(self.get(self.folder()).changes(known))
        self.assertEqual([row[0] for row in changes.changed], [1, 2, 3, 5])
        self.assertEqual(list(changes.remaining or ()), [1, 2, 3, 5])

    def test_clocks_are_put_back(self) -> None:
        """MODSEQs of a rebuilt index are above all before, whatever the clock says."""
        self.store = self.store_on(self.mktemp(), now=lambda: 1000.0)
        self.get(self.fill([LETTER] * 3))
        for _ in range(3):
            inbox = self.get(self.folder())
            self.get(inbox.set_flags([1], "add", Flag.SEEN, []))
            known = self.get(inbox.set_flags([1], "remove", Flag.SEEN, [])).highestmodseq
            self.lose()
            self.assertGreater(self.get(self.get(self.folder()).snapshot()).highestmodseq, known)

    def test_modseqs_go_on(self) -> None:
        """A client's old modseq is below all new ones, so that it asks for everything again (RFC 7162)."""
        self.get(self.fill([LETTER] * 3))
        inbox = self.get(self.folder())
        known = self.get(inbox.snapshot()).highestmodseq
        self.get(inbox.expunge([2], only_deleted=False))
        self.lose()
        changes = self.get(self.get(self.folder()).changes(known))
        self.assertEqual([row[0] for row in changes.changed], [1, 3])
        self.assertEqual(list(changes.remaining or ()), [1, 3])
        self.assertGreater(changes.highestmodseq, known)

    def test_expunged_top_uid_and_lost_index(self) -> None:
        """The highest UID, expunged, is not given again after the index was lost."""
        self.get(self.fill([LETTER] * 3))
        self.get(self.get(self.folder()).expunge([3], only_deleted=False))
        self.lose()
        self.get(self.fill())
        self.assertGreater(self.get(self.get(self.folder()).snapshot()).uids[-1], 3)

    def test_broken_index(self) -> None:
        """An index that is damaged is put aside and built anew, in the middle of whatever was asked."""
        self.get(self.fill([LETTER] * 3))
        before = self.facts()
        self.get(self.store.close())
        with open(os.path.join(self.root(), "index.sqlite"), "r+b") as file:
            file.write(b"no database at all " * 1000)
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(self.facts(), before)
        self.assertIn("index.sqlite.broken", os.listdir(self.root()))

    def test_broken_while_open(self) -> None:
        """The same while a session is open."""
        self.get(self.fill([LETTER] * 3))
        inbox = self.get(self.folder())
        self.get(self.store.close())
        self.store = self.store_on(self.store.data_dir)
        inbox = self.get(self.folder())
        path = os.path.join(self.root(), "index.sqlite")
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.write(b"x" * size)
        self.get(self.deliver([Drop(self.ann, b"")]))
        self.assertEqual(len(self.get(self.get(self.folder()).snapshot()).uids), 4)
        inbox.close()

    def test_removed_while_open(self) -> None:
        """An index file that somebody removes under us is noticed, and built anew."""
        self.get(self.fill([LETTER] * 3))
        before = self.facts()
        self.drop_index()
        self.assertEqual(self.facts()[0:3], before[0:3])
        self.get(self.fill())
        self.assertEqual(list(self.get(self.get(self.folder()).snapshot()).uids), [1, 2, 3, 4])

    def test_other_version(self) -> None:
        """An index of another version is built anew."""
        import sqlite3

        self.get(self.fill())
        self.get(self.store.close())
        with sqlite3.connect(os.path.join(self.root(), "index.sqlite")) as connection:
            connection.execute("PRAGMA user_version=99")
        connection.close()
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER])

    def test_lost_record(self) -> None:
        """Without its record a folder keeps its mail, under another UIDVALIDITY."""
        self.get(self.fill([LETTER] * 2))
        os.unlink(self.place("hostmail-folder"))
        self.lose()
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER] * 2)

    def test_lost_record_alone(self) -> None:
        """A record that went while the index is sound is written again."""
        self.get(self.fill([LETTER] * 2))
        before = self.facts()
        self.get(self.store.close())
        os.unlink(self.place("hostmail-folder"))
        self.store = self.store_on(self.store.data_dir)
        self.get(self.fill())
        self.assertEqual(self.facts()[0], before[0])
        self.assertIn("hostmail-folder", os.listdir(self.place()))

    def test_other_record(self) -> None:
        """A folder that was put back from a backup with another UIDVALIDITY is read as the other folder that it is."""
        self.get(self.fill([LETTER] * 2))
        self.get(self.store.close())
        path = self.place("hostmail-folder")
        with open(path) as file:
            lines = file.read().splitlines()
        lines[1] = "uidvalidity 77"
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.store = self.store_on(self.store.data_dir)
        self.get(self.fill())
        snapshot = self.get(self.get(self.folder()).snapshot())
        self.assertEqual((snapshot.uidvalidity, list(snapshot.uids)), (77, [1, 2, 3]))

    def test_after_close_of_everything(self) -> None:
        """Descriptors are given back: closing a store leaves none open."""

        def open_files() -> int:
            return len(os.listdir("/proc/self/fd"))

        before = open_files()
        self.get(self.fill())
        self.assertGreater(open_files(), before)
        self.get(self.store.close())
        self.assertEqual(open_files(), before)


class DeadProcessTests(DiskGround):
    def test_spool_is_swept(self) -> None:
        """What a dead process left in the spool is removed a day later, and nothing else."""
        old = self.get(self.spooled())
        path = old.path
        os.utime(path, (1, 1))
        young = self.get(self.spooled())
        self.assertTrue(os.path.exists(young.path))
        later = self.store_on(self.store.data_dir, now=lambda: 10.0**9)
        self.assertEqual(self.get(later.sweep_spool()), 1)
        self.assertFalse(os.path.exists(path))
        self.assertTrue(os.path.exists(young.path))
        old.discard()
        young.discard()

    def test_close_waits(self) -> None:
        """Close comes after what still runs."""
        self.get(self.fill())
        done = Deferred.fromCoroutine(self.store.close())
        self.assertIsNone(self.successResultOf(done))
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(self.store.close())))
