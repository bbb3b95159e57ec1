"""The files that hold annotations."""

from __future__ import annotations

import errno
import os

from hostmail.errors import OutOfSpace, TemporaryFailure
from hostmail.storage.annotations import FILE, format_values, parse_values
from tests.storage.ground import DiskGround

A = {"/private/a": b"1"}


class AnnotationFiles(DiskGround):
    def setUp(self) -> None:
        super().setUp()
        self.account = self.get(self.store.open(self.ann))

    def test_format(self) -> None:
        """A title, then lines of a value and its name; read back as they were written."""
        values = {"/private/b": b"\0\n", "/private/a b": b""}
        content = format_values(values)
        self.assertEqual(content, b"hostmail annotations 1\n /private/a b\nAAo= /private/b\n")
        self.assertEqual(parse_values(content), (values, True))

    def test_damaged_lines(self) -> None:
        """What can be read is read, and the damage is known."""
        for content in (b"", b"hostmail annotations 1\nMQ== /private/a\n!! /private/b\n\n", b"x\nMQ== /private/a"):
            values, sound = parse_values(content)
            self.assertFalse(sound)
            self.assertLessEqual(values.items(), A.items())

    def test_damaged_file_is_kept(self) -> None:
        """What is left of it is served, and a change keeps the old file beside the new one (D11)."""
        with open(self.place(FILE), "wb") as file:
            file.write(b"hostmail annotations 1\nMQ== /private/a\nrubbish")
        self.assertEqual(self.get(self.account.annotations("INBOX")), A)
        self.get(self.account.annotate("INBOX", {"/private/b": b"2"}))
        self.assertEqual(self.get(self.account.annotations("INBOX")), {**A, "/private/b": b"2"})
        with open(self.place(f"{FILE}.broken"), "rb") as file:
            self.assertIn(b"rubbish", file.read())
        self.flushLoggedErrors()

    def test_full_disk(self) -> None:
        """A write that fails leaves the old values, and no rubbish."""
        self.get(self.account.annotate("INBOX", A))
        self.disk.faults["fdatasync"] = OSError(errno.ENOSPC, "full")
        self.refusal(OutOfSpace, self.account.annotate("INBOX", {"/private/a": b"2"}))
        self.disk.faults.clear()
        self.assertEqual(self.get(self.account.annotations("INBOX")), A)
        self.assertFalse([name for name in os.listdir(self.place()) if name.endswith(".new")])

    def test_unreadable(self) -> None:
        """A file that cannot be read for now is not taken for an empty one, nor written over."""
        self.get(self.account.annotate("Sent", A))
        self.disk.faults["pread"] = OSError(errno.EIO, "bad disk")
        self.refusal(TemporaryFailure, self.account.annotations("Sent"))
        self.refusal(TemporaryFailure, self.account.annotate("Sent", {"/private/b": b"2"}))
        self.disk.faults.clear()
        self.assertEqual(self.get(self.account.annotations("Sent")), A)

    def test_lost_index(self) -> None:
        """The tree alone has them."""
        self.get(self.account.annotate("Sent", A))
        self.get(self.account.annotate(None, A))
        self.get(self.store.close())
        self.drop_index()
        account = self.get(self.store_on(self.store.data_dir).open(self.ann))
        self.assertEqual(self.get(account.annotations("Sent")), A)
        self.assertEqual(self.get(account.annotations(None)), A)

    def test_no_file_for_nothing(self) -> None:
        """The last value takes the file along."""
        self.get(self.account.annotate("INBOX", A))
        self.assertTrue(os.path.exists(self.place(FILE)))
        self.get(self.account.annotate("INBOX", {"/private/a": None}))
        self.assertFalse(os.path.exists(self.place(FILE)))
