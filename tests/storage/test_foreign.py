"""Other programs work in the tree: they deliver, rename, delete, and make folders of their own."""

from __future__ import annotations

import os
import shutil

from hostmail.errors import MessageGone, NoSuchFolder
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Drop, Flag
from hostmail.storage.names import parse
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

LF_LETTER = LETTER.replace(b"\r\n", b"\n")


class ForeignTests(DiskGround):
    def setUp(self) -> None:
        super().setUp()
        self.inbox = self.get(self.fill())

    def uids(self) -> list[int]:
        return list(self.get(self.inbox.snapshot()).uids)

    def move_file(self, old: str, new: str) -> None:
        os.rename(self.place(old), self.place(new))

    def test_delivered(self) -> None:
        """A file that another program delivers is the next message, at the next look, with its UID in its name from then on."""
        self.put("1600000000.M1P1.other", LETTER)
        self.assertEqual(self.uids(), [1, 2])
        name = next(name for name in self.files() if "other" in name)
        self.assertEqual((parse(name[4:]).uid, parse(name[4:]).size), (2, len(LETTER)))
        self.assertEqual(self.get(self.read(self.inbox, 2)), LETTER)

    def test_delivered_by_age(self) -> None:
        """Several at once are numbered by their age."""
        for seconds in (1600000003, 1600000001, 1600000002):
            self.put(f"{seconds}.x.other", b"%d" % seconds)
        self.uids()
        contents = self.get(self.contents(self.inbox))
        self.assertEqual(contents[1:], [b"1600000001", b"1600000002", b"1600000003"])

    def test_delivered_with_changes(self) -> None:
        """An open session finds it among its changes, with size and flags."""
        known = self.get(self.inbox.snapshot()).highestmodseq
        self.put("1600000000.x.other:2,FS", LETTER, place="cur")
        ((uid, flags, size, _, _),) = self.get(self.inbox.changes(known)).changed
        self.assertEqual((uid, flags, size), (2, Flag.FLAGGED | Flag.SEEN, len(LETTER)))

    def test_usage(self) -> None:
        """What others deliver counts, whatever the limits say, and is told (D2)."""
        self.put("1600000000.x.other", LETTER)
        self.uids()
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage(2 * len(LETTER), 2))
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(2 * len(LETTER), 2))

    def test_line_feeds(self) -> None:
        """A file with LF line ends has its size on the wire, and reads as on the wire; its name says both sizes."""
        self.put("1600000000.x.other", LF_LETTER)
        snapshot = self.get(self.inbox.snapshot())
        self.assertEqual(list(snapshot.sizes), [len(LETTER)] * 2)
        self.assertEqual(self.get(self.read(self.inbox, 2)), LETTER)
        parsed = parse(next(name for name in self.files() if "other" in name)[4:])
        self.assertEqual((parsed.size, parsed.wire_size), (len(LF_LETTER), len(LETTER)))
        self.assertEqual(
            self.get(self.inbox.cached([1, 2]))[1].header_size, self.get(self.inbox.cached([1]))[0].header_size
        )

    def test_sizes_in_names(self) -> None:
        """S= and W= are believed if the file has that size: nothing is opened."""
        self.put(f"1600000000.x.other,S={len(LF_LETTER)},W={len(LETTER)}", LF_LETTER)
        self.disk.calls.clear()
        self.assertEqual(self.get(self.inbox.snapshot()).sizes[1], len(LETTER))
        self.assertNotIn("pread", self.disk.calls)

    def test_wrong_sizes_in_names(self) -> None:
        """A name that says another size than the file has is corrected."""
        self.put("1600000000.x.other,S=5,W=7", LF_LETTER)
        self.assertEqual(self.get(self.inbox.snapshot()).sizes[1], len(LETTER))

    def test_flags_changed(self) -> None:
        """Renamed by another program: other flags, the same message."""
        known = self.get(self.inbox.snapshot()).highestmodseq
        (name,) = self.files()
        self.move_file(name, "cur/" + name[4:] + ":2,RS")
        changes = self.get(self.inbox.changes(known))
        self.assertEqual([row[:2] for row in changes.changed], [(1, Flag.ANSWERED | Flag.SEEN)])
        self.assertEqual((changes.expunged, self.uids()), ([], [1]))

    def test_moved_to_cur_only(self) -> None:
        """Moved to cur/ without a change: the message is found there."""
        (name,) = self.files()
        self.move_file(name, "cur/" + name[4:])
        self.assertEqual(self.get(self.contents(self.inbox)), [LETTER])

    def test_flags_of_others_are_kept(self) -> None:
        """Flag letters that are not ours stay in the name through our changes."""
        (name,) = self.files()
        self.move_file(name, "cur/" + name[4:] + ":2,PS")
        self.get(self.inbox.set_flags([1], "add", Flag.FLAGGED, []))
        self.assertTrue(self.files()[0].endswith(":2,FPS"))

    def test_flagged_under_another_name(self) -> None:
        """A change of flags finds the file that was renamed since, and adds to what the other program set."""
        (name,) = self.files()
        self.get(self.inbox.snapshot())
        stamps = os.stat(self.place("cur")), os.stat(self.place("new"))
        self.move_file(name, "cur/" + name[4:] + ":2,S")
        for place, stamp in zip(("cur", "new"), stamps, strict=True):
            os.utime(self.place(place), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        changes = self.get(self.inbox.set_flags([1], "add", Flag.FLAGGED, []))
        self.assertEqual([row[:2] for row in changes.changed], [(1, Flag.FLAGGED | Flag.SEEN)])
        self.assertIsNone(changes.since)
        self.assertTrue(self.files()[0].endswith(":2,FS"))

    def test_flagged_beside_others(self) -> None:
        """Whose change is made where another program was at work does not know all with its answer."""
        self.get(self.inbox.snapshot())
        self.put("1600000000.x.other:2,S", LETTER, place="cur")
        self.assertIsNone(self.get(self.inbox.set_flags([1], "add", Flag.FLAGGED, [], 1 << 40)).since)

    def test_counted(self) -> None:
        """What another program delivers is counted though the folder is not open."""
        account = self.get(self.store.open(self.ann))
        self.assertEqual(self.get(account.status("INBOX")).messages, 1)
        self.put("1600000000.M1P1.other", LETTER)
        self.assertEqual(self.get(account.status("INBOX")).messages, 2)

    def test_copied_and_opened_under_another_name(self) -> None:
        """So do copying, moving and opening."""
        for work in (
            lambda: self.get(self.inbox.copy([1], "Trash")).target_uids,
            lambda: self.get(self.inbox.move([1], "Trash")).target_uids,
        ):
            self.unnoticed_rename()
            self.assertEqual(self.get(self.read(self.inbox, 1)), LETTER)
            self.unnoticed_rename()
            self.assertTrue(work())
        self.assertEqual(self.uids(), [])
        self.assertEqual(self.get(self.contents(self.get(self.folder("Trash")))), [LETTER] * 2)

    def unnoticed_rename(self) -> None:
        """Another program changes flags, and the directory's time does not tell."""
        self.get(self.inbox.snapshot())
        (name,) = self.files()
        stamps = os.stat(self.place("cur")), os.stat(self.place("new"))
        flags = "F" if name.endswith("S") else "S"
        self.move_file(name, "cur/" + name[4:].partition(":")[0] + ":2," + flags)
        for place, stamp in zip(("cur", "new"), stamps, strict=True):
            os.utime(self.place(place), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    def test_deleted(self) -> None:
        """A file that others delete is an expunged message, and its room is free."""
        self.get(self.fill())
        known = self.get(self.inbox.snapshot()).highestmodseq
        os.unlink(self.place(self.files()[0]))
        changes = self.get(self.inbox.changes(known))
        self.assertEqual((changes.changed, changes.expunged), ([], [1]))
        self.assertEqual(self.get(self.store.room(self.ann)).used.messages, 1)

    def test_deleted_before_opening(self) -> None:
        """What is gone when it is to be opened is gone."""
        os.unlink(self.place(self.files()[0]))
        self.refusal(MessageGone, self.inbox.open(1))

    def test_deleted_before_expunging(self) -> None:
        """What is gone when it is to be expunged is expunged."""
        os.unlink(self.place(self.files()[0]))
        self.assertEqual(self.get(self.inbox.expunge([1], only_deleted=False)), [1])

    def test_put_back(self) -> None:
        """A message that was expunged and is put back from a backup is a new one: its old UID is never used again."""
        (name,) = self.files()
        shutil.copy(self.place(name), self.mktemp())
        backup = self.place("tmp", "backup")
        shutil.copy(self.place(name), backup)
        self.get(self.inbox.expunge([1], only_deleted=False))
        os.rename(backup, self.place(name))
        self.assertEqual(self.uids(), [2])

    def test_copied_by_hand(self) -> None:
        """A copy of a file, its UID in the name, is another message with a UID of its own."""
        (name,) = self.files()
        shutil.copy(self.place(name), self.place("new", "copy" + name[4:]))
        self.assertEqual(self.uids(), [1, 2])
        self.assertEqual(len({parse(name[4:]).uid for name in self.files()}), 2)

    def test_keyword_letters(self) -> None:
        """Letters that another program sets mean what `dovecot-keywords` says."""
        with open(self.place("dovecot-keywords"), "w") as file:
            file.write("0 Work\n1 $Junk\n")
        (name,) = self.files()
        self.move_file(name, "cur/" + name[4:] + ":2,Sbz")
        self.assertEqual(self.get(self.flags(self.inbox)), {1: (Flag.SEEN, {"$Junk"})})
        self.get(self.inbox.set_flags([1], "add", 0, ["New"]))
        with open(self.place("dovecot-keywords")) as file:
            self.assertEqual(file.read(), "0 Work\n1 $Junk\n2 New\n")

    def test_odd_names(self) -> None:
        """Names that are no UTF-8, too long for a UID, or hidden, neither stop anything nor get lost."""
        path = os.fsencode(self.place("new"))
        with open(os.path.join(path, b"1600000000.\xff\xfe.other"), "wb") as file:
            file.write(LETTER)
        self.put("1600000001." + "x" * 240, LETTER)
        self.put(".hidden", LETTER)
        self.assertEqual(self.uids(), [1, 2, 3])
        self.assertEqual(self.get(self.contents(self.inbox)), [LETTER] * 3)
        self.assertEqual(self.uids(), [1, 2, 3])

    def test_tree_cannot_be_changed(self) -> None:
        """Where files cannot be renamed, messages have UIDs all the same, as long as the index lives."""
        from errno import EACCES

        self.put("1600000000.x.other", LETTER)
        self.disk.faults["rename"] = OSError(EACCES, "no")
        self.assertEqual(self.uids(), [1, 2])
        self.assertEqual(self.uids(), [1, 2])
        self.disk.faults.clear()
        self.assertEqual(self.get(self.contents(self.inbox)), [LETTER] * 2)

    def test_directories_are_made_again(self) -> None:
        """cur/ or new/ that somebody removed are there again when needed."""
        shutil.rmtree(self.place("cur"))
        shutil.rmtree(self.place("new"))
        self.assertEqual(self.uids(), [])
        self.get(self.fill())
        self.assertEqual(self.uids(), [2])

    def test_directory_was_replaced(self) -> None:
        """new/ that is another directory than it was is used as it is now."""
        os.rename(self.place("new"), self.place("old"))
        shutil.copytree(self.place("old"), self.place("new"))
        self.get(self.fill())
        self.assertEqual(self.get(self.contents(self.inbox)), [LETTER] * 2)

    def test_link_in_place_of_a_directory(self) -> None:
        """A folder whose cur/ is a link elsewhere is no folder: nothing outside the account is ever read."""
        shutil.rmtree(self.place("cur"))
        os.symlink("/etc", self.place("cur"))
        self.refusal(NoSuchFolder, self.inbox.snapshot())

    def test_missed_race(self) -> None:
        """A change that the directory's time did not tell is found by the second look, seconds later."""
        self.now = 0
        import time

        self.store = self.store_on(self.store.data_dir, wall=lambda: time.time_ns() + self.now)
        self.inbox = self.get(self.fill())
        self.uids()
        stamp = os.stat(self.place("new"))
        self.put("1600000000.x.other", LETTER)
        os.utime(self.place("new"), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        self.now = 5 * 10**9
        self.assertEqual(self.uids(), [1, 2, 3])

    def test_half_seen_listing(self) -> None:
        """A name that one listing misses is looked for again before its message counts as expunged."""
        self.get(self.fill())
        self.uids()
        names = self.files()
        listed: list[int] = []
        real = os.listdir

        class Flickering(type(self.disk)):
            @staticmethod
            def listdir(path: str) -> list[str]:
                listed.append(1)
                return [name for name in real(path) if len(listed) > 2 or f"new/{name}" != names[0]]

        self.disk.__class__ = Flickering
        self.put("1600000000.x.other", LETTER)
        self.assertEqual(self.uids(), [1, 2, 3])


class ForeignFolderTests(DiskGround):
    def names(self) -> list[str]:
        return [folder.name for folder in self.get(self.get(self.store.open(self.ann)).folders())]

    def make(self, directory: str) -> None:
        for part in ("tmp", "new", "cur"):
            os.makedirs(self.place(directory, part))

    def setUp(self) -> None:
        super().setUp()
        self.names()

    def test_made(self) -> None:
        """A folder that another program makes is there, with what it holds."""
        self.make(".Lists.Twisted")
        self.put("1600000000.x.other", LETTER, ".Lists.Twisted")
        self.assertIn("Lists/Twisted", self.names())
        self.assertEqual(self.get(self.contents(self.get(self.folder("Lists/Twisted")))), [LETTER])
        self.assertEqual(self.get(self.store.room(self.ann)).used.messages, 1)

    def test_made_and_opened(self) -> None:
        """It can be opened by name without a list before."""
        self.make(".Direct")
        self.assertEqual(self.get(self.contents(self.get(self.folder("Direct")))), [])

    def test_spelled_otherwise(self) -> None:
        """A directory in UTF-8 gets the spelling that Maildir++ wants."""
        self.make(".März")
        self.assertIn("März", self.names())
        self.assertIn(".M&AOQ-rz", os.listdir(self.place()))

    def test_no_folders(self) -> None:
        """Files, links and directories without cur/ are no folders."""
        os.symlink(self.place(".Sent"), self.place(".Linked"))
        os.makedirs(self.place(".Empty"))
        self.put(".File", b"", place="")
        self.assertEqual(self.names(), ["INBOX", "Drafts", "Sent", "Spam", "Trash"])

    def test_removed(self) -> None:
        """A folder that another program removes is gone, and its room is free."""
        sent = self.get(self.fill(folder="Sent"))
        shutil.rmtree(self.place(".Sent"))
        self.assertNotIn("Sent", self.names())
        self.refusal(NoSuchFolder, sent.snapshot())
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage())

    def test_vanished_while_open(self) -> None:
        """A folder that vanishes under a session is no such folder."""
        sent = self.get(self.fill(folder="Sent"))
        shutil.rmtree(self.place(".Sent"))
        self.refusal(NoSuchFolder, sent.snapshot())

    def test_subscriptions(self) -> None:
        """Subscriptions that another program writes count at once."""
        with open(self.place("subscriptions"), "w") as file:
            file.write("Sent\nLists.Twisted\n")
        account = self.get(self.store.open(self.ann))
        self.assertEqual(self.get(account.subscriptions()), ["Lists/Twisted", "Sent"])

    def test_other_process(self) -> None:
        """What another process of ours does is seen at once, both ways."""
        other = self.store_on(self.store.data_dir)
        here, mine = self.get(self.folder()), self.store
        self.get(here.snapshot())
        self.store = other
        there = self.get(self.fill())
        self.get(there.set_flags([1], "add", Flag.SEEN, ["Work"]))
        self.store = mine
        self.assertEqual(self.get(self.flags(here)), {1: (Flag.SEEN, {"Work"})})
        self.get(here.expunge([1], only_deleted=False))
        self.assertEqual(list(self.get(there.snapshot()).uids), [])
        answers = self.get(other.deliver(self.get(self.spooled()), [Drop(self.ann, b"")]))
        self.assertEqual(answers, [None])
        self.assertEqual(list(self.get(here.snapshot()).uids), [2])
