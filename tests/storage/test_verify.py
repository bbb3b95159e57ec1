"""`hostmail mailbox verify`: what it finds, what it repairs, what it leaves alone."""

from __future__ import annotations

import os
from errno import EIO

import apsw

from hostmail.interfaces.directory import Usage
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround


class VerifyTests(DiskGround):
    def setUp(self) -> None:
        super().setUp()
        self.inbox = self.get(self.fill([LETTER] * 3))

    def verify(self, repair: bool = False) -> list[str]:
        self.report = self.get(self.store.verify(self.ann, repair))
        return self.report["problems"]

    def in_index(self, statement: str) -> None:
        self.get(self.store.close())
        connection = apsw.Connection(os.path.join(self.root(), "index.sqlite"))
        connection.execute(statement)
        connection.close()
        self.store = self.store_on(self.store.data_dir)

    def test_wrong_usage(self) -> None:
        """A wrong count is found, and counted anew."""
        self.in_index("UPDATE box SET bytes = 5, messages = 7 WHERE directory = ''")
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage(5, 7))
        (problem,) = self.verify()
        self.assertIn("usage", problem)
        self.verify(repair=True)
        self.assertEqual(self.report["repaired"], 1)
        self.assertEqual(self.verify(), [])
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage(3 * len(LETTER), 3))
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(3 * len(LETTER), 3))

    def test_wrong_sizes(self) -> None:
        """A size that is not the file's is set right, and clients learn of it."""
        self.in_index("UPDATE msg SET size = 5 WHERE id & 0xffffffff = 2")
        known = self.get(self.get(self.folder()).snapshot()).highestmodseq
        self.verify()
        self.verify(repair=True)
        self.assertEqual(self.verify(), [])
        ((uid, _, size, _, _),) = self.get(self.get(self.folder()).changes(known)).changed
        self.assertEqual((uid, size), (2, len(LETTER)))
        self.assertEqual(self.get(self.store.room(self.ann)).used, Usage(3 * len(LETTER), 3))

    def test_things_that_are_no_messages(self) -> None:
        """They are reported, and stay."""
        os.makedirs(self.place("new", "strange"))
        (problem,) = self.verify(repair=True)
        self.assertIn("strange", problem)
        self.assertTrue(os.path.isdir(self.place("new", "strange")))

    def test_unreadable(self) -> None:
        """Messages that cannot be opened or read are named by their UID."""
        self.disk.faults["open_read"] = OSError(EIO, "broken")
        self.assertEqual(len([each for each in self.verify() if "cannot be opened" in each]), 3)
        self.disk.faults = {"pread": OSError(EIO, "broken")}
        self.assertEqual(len([each for each in self.verify() if "cannot be read" in each]), 3)

    def test_empty(self) -> None:
        """A file of zeros, as power cuts leave them, is reported."""
        with open(self.place(self.files()[0]), "wb") as file:
            file.write(b"\0" * len(LETTER))
        (problem,) = self.verify()
        self.assertIn("is empty", problem)

    def test_unnoticed(self) -> None:
        """What came or went without the directory's time telling is found."""
        self.get(self.inbox.snapshot())
        stamp = os.stat(self.place("new"))
        os.unlink(self.place(self.files()[0]))
        os.utime(self.place("new"), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        (problem,) = self.verify()
        self.assertIn("unnoticed", problem)
        self.assertEqual(self.report["messages"], 2)
