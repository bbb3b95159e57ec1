"""Damaged messages never take a mailbox down and are never erased (D11)."""

from __future__ import annotations

import errno
import os

from hostmail.errors import MessageGone
from hostmail.interfaces.mailstore import Flag
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround


class DamagedTests(DiskGround):
    """Two messages; the first is damaged."""

    def setUp(self) -> None:
        super().setUp()
        self.inbox = self.get(self.fill([b"Subject: first\r\n\r\n" + b"x" * 200 + b"\r\n", LETTER]))
        self.first = self.place(next(name for name in self.files() if ",U=1" in name))

    def assert_alive(self) -> bytes:
        """The mailbox works, and the second message is whole; what stands for the first one."""
        self.assertEqual(list(self.get(self.inbox.snapshot()).uids), [1, 2])
        self.assertEqual(self.get(self.read(self.inbox, 2)), LETTER)
        first = self.get(self.read(self.inbox, 1))
        self.assertEqual(self.get(self.inbox.read_many([1, 2], 1 << 20)), [first, LETTER])
        facts = self.get(self.inbox.cached([1, 2]))
        self.assertEqual([fact.uid for fact in facts], [1, 2])
        self.get(self.inbox.status())
        self.get(self.store.verify(self.ann))
        return first

    def replace_first(self) -> None:
        os.rename(self.first, self.place("tmp", "kept"))

    def test_not_readable(self) -> None:
        """A file that cannot be read is replaced in the view by an explanation, and stays."""
        real = self.disk.open_read

        def refuse() -> None:
            if self.disk.calls.count("open_read") and self.refusing:
                raise OSError(errno.EACCES, "no")

        self.refusing = True
        self.disk.faults["open_read"] = refuse
        first = self.get(self.read(self.inbox, 1))
        self.assertIn(b"cannot be read", first)
        self.assertIn(b"not allowed", first)
        self.assertNotIn(self.first.encode(), first)
        self.assertTrue(os.path.exists(self.first))
        self.refusing = False
        self.assertIn(b"Subject: first", self.assert_alive())
        del real

    def test_facts_of_an_explanation_are_not_kept(self) -> None:
        """When the message can be read again, its own facts are told."""
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        self.inbox = self.get(self.folder())
        self.disk.faults["open_read"] = OSError(errno.EACCES, "no")
        self.assertIn(b"cannot be read", self.get(self.inbox.cached([1]))[0].envelope)
        self.disk.faults.clear()
        self.assertIn(b"first", self.get(self.inbox.cached([1]))[0].envelope)

    def test_directory_in_its_place(self) -> None:
        """A directory under a message's name is not entered; expunging puts it aside with all it holds."""
        self.replace_first()
        os.makedirs(os.path.join(self.first, "inside"))
        self.assertIn(b"no message", self.assert_alive())
        self.assertEqual(self.get(self.inbox.expunge([1], only_deleted=False)), [1])
        aside = os.path.join(self.root(), "aside", os.path.basename(self.first))
        self.assertEqual(os.listdir(aside), ["inside"])
        self.assertEqual(list(self.get(self.inbox.snapshot()).uids), [2])

    def test_link_in_its_place(self) -> None:
        """A symbolic link is never followed."""
        self.replace_first()
        os.symlink("/etc/passwd", self.first)
        first = self.assert_alive()
        self.assertIn(b"a link", first)
        self.assertNotIn(b"root:", first)
        self.get(self.inbox.copy([1], "Trash"))
        self.assertNotIn(b"root:", self.get(self.contents(self.get(self.folder("Trash"))))[0])

    def test_fifo_in_its_place(self) -> None:
        """A FIFO does not hang anybody."""
        self.replace_first()
        os.mkfifo(self.first)
        self.assertIn(b"no message", self.assert_alive())

    def test_unknown_things(self) -> None:
        """Directories, links and FIFOs under names that nobody knows are no messages, and stay."""
        os.makedirs(self.place("new", "1600000000.dir"))
        os.symlink("/etc/passwd", self.place("new", "1600000000.link"))
        os.mkfifo(self.place("cur", "1600000000.fifo"))
        self.assert_alive()
        self.assertTrue(os.path.isdir(self.place("new", "1600000000.dir")))

    def test_truncated(self) -> None:
        """A file that was cut off is served as far as it goes, and verify says so."""
        os.truncate(self.first, 30)
        first = self.get(self.inbox.open(1))
        self.assertEqual((first.size, len(self.get(first.read(0, 1000)))), (30, 30))
        first.close()
        self.assertEqual(len(self.assert_alive()), 30)
        (problem,) = [each for each in self.get(self.store.verify(self.ann))["problems"] if "octets" in each]
        self.assertIn("message 1", problem)

    def test_truncated_while_open(self) -> None:
        """The octets that were promised come all the same: blanks in place of what was cut off."""
        message = self.get(self.inbox.open(1))
        os.truncate(self.first, 30)
        content = self.get(message.read(0, message.size))
        self.assertEqual(len(content), message.size)
        self.assertTrue(content.endswith(b"  "))
        message.close()

    def test_disk_error_while_reading(self) -> None:
        """So they do if the disk fails in the middle."""
        message = self.get(self.inbox.open(1))
        message.read_now = lambda offset, length: None
        self.disk.faults["pread"] = OSError(errno.EIO, "broken")
        content = self.get(message.read(0, message.size))
        self.assertEqual(content, b" " * message.size)
        message.close()

    def test_disk_error_while_reading_many(self) -> None:
        """One message after the other, each with blanks where the disk failed."""
        size = len(self.get(self.read(self.inbox, 1)))
        self.disk.faults["pread"] = OSError(errno.EIO, "broken")
        self.assertEqual(self.get(self.inbox.read_many([1, 2], 1 << 20)), [b" " * size, b" " * len(LETTER)])

    def test_grown(self) -> None:
        """A file that holds more than its name says is read whole, or left out where it passes the limit."""
        with open(self.first, "ab") as file:
            file.write(b"more\r\n" * 100)
        content = self.assert_alive()
        self.assertEqual(self.get(self.inbox.read_many([1, 2], len(content) - 1)), [])

    def test_read_many_while_it_moves(self) -> None:
        """Another program that renames a file at the wrong moment takes nothing away."""
        os.rename(self.first, self.place("cur", os.path.basename(self.first) + ":2,S"))
        self.assertIn(b"first", self.get(self.inbox.read_many([1, 2], 1 << 20))[0])

    def test_empty(self) -> None:
        """An empty file is an empty message."""
        os.truncate(self.first, 0)
        self.assertEqual(self.assert_alive(), b"")

    def test_no_header(self) -> None:
        """Octets that are no message are served as they are."""
        with open(self.first, "wb") as file:
            file.write(bytes(range(256)) * 10)
        self.assertEqual(self.assert_alive(), bytes(range(256)) * 10)

    def test_flags_of_a_damaged_message(self) -> None:
        """It can be flagged, moved and deleted like others."""
        self.replace_first()
        os.makedirs(self.first)
        self.get(self.inbox.set_flags([1], "add", Flag.DELETED, []))
        self.get(self.inbox.move([1], "Trash"))
        self.assertEqual(list(self.get(self.inbox.snapshot()).uids), [2])
        trash = self.get(self.folder("Trash"))
        self.assertEqual(self.get(trash.expunge([1])), [1])

    def test_vanished(self) -> None:
        """A file that vanished is an expunged message."""
        self.replace_first()
        self.refusal(MessageGone, self.inbox.open(1))
        self.assertEqual(list(self.get(self.inbox.snapshot()).uids), [2])

    def test_summary_fails(self) -> None:
        """If a header cannot be summarised, NIL fields stand for it."""
        from hostmail.storage import facts

        def broken(message: bytes) -> None:
            raise ValueError("strange header")

        self.patch(facts, "summarise", broken)
        self.get(self.fill([b"Subject: x\r\n\r\n"]))
        fact = self.get(self.inbox.cached([3]))[0]
        self.assertEqual(fact.envelope, facts.NIL_ENVELOPE)
        self.assertTrue(fact.bodystructure.startswith(b'("TEXT" "PLAIN"'))
