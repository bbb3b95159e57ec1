"""The small file that makes a directory a folder."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage.disk import Disk
from hostmail.storage.record import (
    FILE,
    UIDLS,
    FolderRecord,
    format_record,
    parse_record,
    read_record,
    read_uidls,
    write_record,
    write_uidls,
)


class RecordTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(self.directory)
        self.disk = Disk()

    def put(self, name: str, content: bytes) -> None:
        with open(os.path.join(self.directory, name), "wb") as file:
            file.write(content)

    def test_round_trip(self) -> None:
        """What was written is read, with and without a special use."""
        for record in (FolderRecord(7, 99, "\\Sent"), FolderRecord(2**32 - 1, 2**32 - 1)):
            write_record(self.disk, self.directory, record)
            self.assertEqual(read_record(self.disk, self.directory), record)

    def test_private(self) -> None:
        """It is readable for the service alone, and no temporary file stays."""
        write_record(self.disk, self.directory, FolderRecord(1))
        self.assertEqual(os.listdir(self.directory), [FILE])
        self.assertEqual(os.stat(os.path.join(self.directory, FILE)).st_mode & 0o777, 0o600)

    def test_nonsense(self) -> None:
        """What is no record is none."""
        good = format_record(FolderRecord(1, 1)).decode()
        for content in ("", "x", good.replace("1\n", "9\n", 1), good.replace("uidnext 1", "uidnext 0"), good[:30]):
            self.assertIsNone(parse_record(content.encode()))
        self.assertIsNone(parse_record(good.replace("uidvalidity 1", "uidvalidity x").encode()))
        self.assertIsNone(parse_record(b"\xff\x00" * 100))
        self.assertIsNone(read_record(self.disk, self.directory))

    def test_link_is_not_followed(self) -> None:
        """A symbolic link in its place is no record."""
        self.put("elsewhere", format_record(FolderRecord(5)))
        os.symlink("elsewhere", os.path.join(self.directory, FILE))
        self.assertIsNone(read_record(self.disk, self.directory))

    def test_uidls(self) -> None:
        """Imported UIDLs are kept by UID; damaged lines are passed over."""
        self.assertEqual(read_uidls(self.disk, self.directory), {})
        write_uidls(self.disk, self.directory, {3: "abc", 1: "x y"})
        self.assertEqual(read_uidls(self.disk, self.directory), {1: "x y", 3: "abc"})
        self.put(UIDLS, b"1 one\nx two\n3\n\n4 four\n")
        self.assertEqual(read_uidls(self.disk, self.directory), {1: "one", 4: "four"})
