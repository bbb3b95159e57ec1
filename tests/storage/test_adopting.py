"""Taking over a Maildir++ tree in place, and leaving again."""

from __future__ import annotations

import os

from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Flag
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

UIDLIST = b"3 V1234567890 N50 G0123456789abcdef\n10 P0000000abc :1600000001.M1P1.mx\n20 :1600000002.M2P2.mx,S=87,W=92\n"
LF_LETTER = LETTER.replace(b"\r\n", b"\n")


class AdoptingTests(DiskGround):
    """A mailbox that Dovecot kept: INBOX with a UID list and keywords, and folders."""

    def setUp(self) -> None:
        super().setUp()
        for directory in ("", ".Sent Messages", ".Work", ".Work.2025"):
            for part in ("tmp", "new", "cur"):
                os.makedirs(self.place(directory, part))
        self.put("1600000001.M1P1.mx:2,Sa", LETTER, place="cur")
        self.put("1600000002.M2P2.mx,S=87,W=92", LF_LETTER, place="new")
        self.put("1600000003.M3P3.mx", LETTER, place="new")
        self.put("1600000004.M4P4.mx:2,", LETTER, ".Work.2025", "cur")
        self.beside("dovecot-uidlist", UIDLIST)
        self.beside("dovecot-keywords", b"0 $Label1\n")
        self.beside("subscriptions", b"Work\nWork.2025\n")

    def beside(self, name: str, content: bytes) -> None:
        with open(self.place(name), "wb") as file:
            file.write(content)

    def facts(self) -> object:
        inbox = self.get(self.folder())
        snapshot = self.get(inbox.snapshot())
        return (
            *(snapshot.uidvalidity, snapshot.uidnext, list(snapshot.uids), list(snapshot.sizes)),
            *(self.get(self.flags(inbox)), self.get(inbox.uidls(snapshot.uids))),
        )

    def test_uids_flags_and_uidls(self) -> None:
        """UIDs, UIDVALIDITY, flags, keywords and UIDLs are Dovecot's; what its list did not know comes after (D9)."""
        validity, uidnext, uids, sizes, flags, uidls = self.facts()
        self.assertEqual((validity, uidnext, uids), (1234567890, 51, [10, 20, 50]))
        self.assertEqual(sizes, [len(LETTER)] * 3)
        self.assertEqual(flags[10], (Flag.SEEN, {"$Label1"}))
        self.assertEqual(uidls, ["0000000abc", f"{20:08x}{1234567890:08x}", f"{50:08x}{1234567890:08x}"])
        self.assertEqual(self.get(self.contents(self.get(self.folder()))), [LETTER] * 3)

    def test_modseqs_of_another_server(self) -> None:
        """Clients that come with MODSEQs which Dovecot gave hear everything anew (RFC 7162)."""
        changes = self.get(self.get(self.folder()).changes(1_000_000_000))
        self.assertEqual([row[0] for row in changes.changed], [10, 20, 50])

    def test_without_the_index(self) -> None:
        """All that stays when the index is lost."""
        before = self.facts()
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(self.facts(), before)

    def test_folders(self) -> None:
        """Folders, subscriptions and usage are taken over; folders that have a use get their mark instead of a new folder."""
        account = self.get(self.store.open(self.ann))
        uses = {folder.name: folder.special_use for folder in self.get(account.folders())}
        self.assertEqual(uses["Sent Messages"], "\\Sent")
        self.assertNotIn("Sent", uses)
        self.assertEqual((uses["Drafts"], uses["Trash"], uses["Spam"]), ("\\Drafts", "\\Trash", "\\Junk"))
        self.assertEqual(self.get(account.subscriptions()), ["Work", "Work/2025"])
        self.assertEqual(self.get(self.contents(self.get(account.folder("Work/2025")))), [LETTER])
        self.assertEqual(self.get(account.room()).used, Usage(4 * len(LETTER), 4))

    def test_many_keywords_of_courier(self) -> None:
        """Courier has keywords without number: those that have no letter here are kept as well, also without the index."""
        os.unlink(self.place("dovecot-keywords"))
        os.mkdir(self.place("courierimapkeywords"))
        words = [f"word{number}" for number in range(40)]
        numbers = " ".join(map(str, range(40)))
        listed = "\n".join(words) + f"\n\n1600000001.M1P1.mx:{numbers}\n"
        self.beside("courierimapkeywords/:list", listed.encode())
        before = self.facts()
        self.assertEqual(self.get(self.flags(self.get(self.folder())))[10], (Flag.SEEN, set(words)))
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(self.facts(), before)

    def test_courier(self) -> None:
        """Courier's lists of UIDs and UIDLs serve as well."""
        os.unlink(self.place("dovecot-uidlist"))
        self.beside("courierimapuiddb", b"1 777 9\n3 1600000001.M1P1.mx\n")
        self.beside("courierpop3dsizelist", b"/2 9 777\n1600000001.M1P1.mx 92 3:777\n")
        validity, _, uids, _, _, uidls = self.facts()
        self.assertEqual((validity, uids[0]), (777, 3))
        self.assertIn("777", uidls[0])

    def test_odd_things_in_the_tree(self) -> None:
        """Directories in cur/, names that are no text and a read-only tree stop nobody."""
        os.makedirs(self.place("cur", "1600000009.dir"))
        with open(os.path.join(os.fsencode(self.place("new")), b"1600000010.\xff"), "wb") as file:
            file.write(LETTER)
        self.assertEqual(len(self.facts()[2]), 4)

    def test_names_cannot_be_changed(self) -> None:
        """Where nothing can be renamed, the index alone knows the UIDs."""
        real = self.disk.rename

        def refuse() -> None:
            if not self.renaming:
                raise PermissionError(13, "no")

        self.renaming = True
        self.disk.faults["rename"] = refuse
        self.get(self.store.open(self.make_account("other")))
        self.renaming = False
        from hostmail.storage.tree import FolderTree

        def rename(tree: object, *names: object) -> None:
            raise PermissionError(13, "no")

        self.renaming = True
        self.patch(FolderTree, "rename", rename)
        self.assertEqual(self.facts()[2], [10, 20, 50])
        del real

    def test_leaving(self) -> None:
        """`depart` writes lists by which Dovecot goes on with the same UIDs, UIDLs and keywords."""
        self.facts()
        inbox = self.get(self.folder())
        self.get(inbox.set_flags([20], "add", 0, ["New"]))
        self.assertEqual(self.get(self.store.depart(self.ann)), 7)
        with open(self.place("dovecot-uidlist")) as file:
            head, *rows = file.read().splitlines()
        self.assertTrue(head.startswith("3 V1234567890 N51"))
        self.assertEqual([row.split()[0] for row in rows], ["10", "20", "50"])
        self.assertIn("P0000000abc", rows[0])
        self.assertIn(",W=92", rows[1])
        with open(self.place("dovecot-keywords")) as file:
            self.assertEqual(file.read(), "0 $Label1\n1 New\n")
        names = {name[4:].partition(":")[0] for name in self.files()}
        self.assertEqual({row.partition(":")[2].partition(":")[0] for row in rows}, names)

    def test_there_and_back(self) -> None:
        """Leaving and taking over again changes nothing that clients see."""
        before = self.facts()
        self.get(self.store.depart(self.ann))
        self.get(self.store.close())
        self.drop_index()
        for name in ("hostmail-folder", "hostmail-uidls"):
            os.unlink(self.place(name))
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(self.facts(), before)
