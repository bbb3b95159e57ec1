"""Indexing texts behind everybody's back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw
from twisted.logger import capturedLogs

from hostmail.interfaces.mailstore import Flag
from hostmail.storage import filling
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

OTHER = b"Subject: other\r\n\r\nzebra crossing\r\n"


class FillingTests(DiskGround):
    def setUp(self) -> None:
        super().setUp()
        self.filler = self.store.filler
        self.filler.worthwhile = 1
        self.inbox = self.get(self.fill([LETTER, OTHER] * 3))

    def asks(self, needle: str = "zebra", folder: Any = None) -> list[int] | None:
        """The candidates among all messages."""
        folder = folder or self.inbox
        return self.get(folder.candidates(needle, list(self.get(folder.snapshot()).uids)))

    def waits(self) -> None:
        """Until nothing is left to be done."""
        work = self.filler.finished()
        while self.filler._waiting:
            self.clock.advance(0.5)
        self.get(work)

    def path(self) -> str:
        return os.path.join(self.root(), "fulltext.sqlite")

    def test_the_first_search_asks_for_it(self) -> None:
        """Nobody pays who does not search; the second search is answered."""
        self.waits()
        self.assertFalse(os.path.exists(self.path()))
        self.assertIsNone(self.asks())
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])
        self.assertEqual(self.asks("zebra cross"), [2, 4, 6])
        self.assertEqual(self.asks("lion"), [])
        self.assertEqual(self.asks("ze"), [2, 4, 6])
        self.assertIsNone(self.asks("z"))

    def test_few_messages_are_not_worth_it(self) -> None:
        """Reading them is quick."""
        self.filler.worthwhile = 7
        self.asks()
        self.waits()
        self.assertFalse(os.path.exists(self.path()))

    def test_switched_off(self) -> None:
        """There is no index, and nothing asks for one."""
        self.filler.is_on = False
        self.assertIsNone(self.asks())
        self.waits()
        self.assertFalse(os.path.exists(self.path()))

    def test_delivery_comes_first(self) -> None:
        """As long as messages come it waits, but not for ever."""
        self.asks()
        self.clock.advance(0.1)
        self.assertFalse(os.path.exists(self.path()))
        for _ in range(20):
            self.get(self.fill([OTHER]))
            self.clock.advance(0.9)
        self.assertTrue(os.path.exists(self.path()))

    def test_new_messages(self) -> None:
        """They are candidates until they are indexed, at the next search that finds enough of them."""
        self.asks()
        self.waits()
        self.get(self.fill([LETTER, OTHER]))
        self.assertEqual(self.asks(), [2, 4, 6, 7, 8])
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6, 8])

    def test_removed_messages(self) -> None:
        """They are taken out when it is filled the next time, of deleted folders as well."""
        self.get(self.fill([OTHER] * 2, "Sent"))
        self.get(self.get(self.store.open(self.ann)).create("Gone"))
        self.get(self.inbox.copy([2], "Gone"))
        for name in ("INBOX", "Sent", "Gone"):
            self.asks(folder=self.get(self.folder(name)))
        self.waits()
        self.assertEqual(len(self.indexed()), 3)
        self.get(self.inbox.expunge([2, 3], only_deleted=False))
        self.get(self.get(self.folder("Sent")).expunge([1], only_deleted=False))
        self.get(self.get(self.store.open(self.ann)).delete("Gone"))
        self.get(self.fill([OTHER]))
        self.asks()
        self.waits()
        self.assertEqual(sorted(self.indexed().values()), [[(1, 1), (4, 7)], [(2, 2)]])

    def test_expunged_messages(self) -> None:
        """A minute later nothing is left of them, though nobody searches."""
        self.get(self.inbox.expunge([1], only_deleted=False))
        self.asks()
        self.waits()
        self.get(self.inbox.expunge([2], only_deleted=False))
        self.get(self.inbox.move([6], "Trash"))
        self.clock.advance(59)
        self.assertEqual(list(self.indexed().values()), [[(2, 6)]])
        self.clock.advance(2)
        self.waits()
        self.assertEqual(list(self.indexed().values()), [[(3, 5)]])
        self.get(self.inbox.expunge([3], only_deleted=False))
        self.get(self.store.close())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def indexed(self) -> Any:
        return self.mailbox().texts.folders()

    def mailbox(self) -> Any:
        return self.inbox._mailbox

    def test_a_new_index_of_messages(self) -> None:
        """Has other numbers for its folders: the texts are indexed anew."""
        self.asks()
        self.waits()
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        self.filler = self.store.filler
        self.filler.worthwhile = 1
        self.inbox = self.get(self.folder())
        self.assertIsNone(self.asks())
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])
        self.assertEqual(len(self.indexed()), 1)

    def test_broken_files_are_made_anew(self) -> None:
        """Rubbish in its place costs one search that reads, whoever meets it."""
        self.asks()
        self.waits()
        for meets in (self.asks, lambda: self.filler.ask(self.mailbox(), self.inbox._ref)):
            self.mailbox().texts.close()
            with open(self.path(), "wb") as file:
                file.write(b"rubbish" * 1000)
            self.assertIsNone(meets())
            self.waits()
            self.asks()
            self.waits()
            self.assertEqual(self.asks(), [2, 4, 6])

    def test_damaged_messages_are_left_out(self) -> None:
        """What is served in place of an unreadable message is not its text: it stays a candidate."""
        name = self.files()[0]
        path = self.place(name)
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "ab") as file:
            file.write(b"more\r\n")
        self.asks()
        self.waits()
        self.assertEqual(self.asks("dear ann"), [1, 3, 5])
        self.assertEqual(self.asks("lion"), [1])
        with open(path, "wb") as file:
            file.write(content)
        self.waits()
        self.assertEqual(self.asks("lion"), [])

    def test_converted_messages(self) -> None:
        """Files with other line ends are indexed as they are read."""
        self.put("1.foreign", b"Subject: lf\n\ntwo\nlines\n")
        self.asks()
        self.waits()
        self.assertEqual(self.asks("two\r\nlin"), [7])

    def test_turns_are_short(self) -> None:
        """Much to do is done in many turns, with pauses in between; the mailbox stays in use meanwhile."""
        self.patch(filling, "AT_ONCE", 2)
        self.patch(filling, "TURN_SECONDS", -1.0)
        self.asks()
        self.clock.advance(2)
        self.assertEqual(self.indexed().popitem()[1], [(1, 2)])
        self.clock.advance(0.01)
        self.assertEqual(self.indexed().popitem()[1], [(1, 4)])
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])

    def test_large_messages_are_read_one_by_one(self) -> None:
        """However many there are, little is in memory."""
        self.patch(filling, "OCTETS_AT_ONCE", 1)
        self.asks()
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])

    def test_the_file_is_bounded(self) -> None:
        """A file that is too large grows no more."""
        self.asks()
        self.waits()
        self.patch(filling, "MAX_FILE", 0)
        self.get(self.fill([OTHER]))
        self.asks()
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6, 7])

    def test_the_file_is_bounded_within_a_folder(self) -> None:
        """One that has become too large grows no more, however much there is in the folder."""
        self.patch(filling, "AT_ONCE", 1)
        self.patch(filling, "MAX_FILE", 0)
        self.patch(filling.FullText, "size", lambda texts: len(texts.folders()))
        self.asks()
        self.waits()
        self.assertEqual(self.asks("lion"), [2, 3, 4, 5, 6])

    def test_a_disk_that_is_nearly_full(self) -> None:
        """Is left to the mail; what was expunged is taken out all the same."""
        self.asks()
        self.waits()
        self.assertEqual(self.filler.is_full, self.store.spool.is_nearly_full)
        self.filler.is_full = lambda: True
        self.get(self.fill([OTHER]))
        self.get(self.inbox.expunge([2], only_deleted=False))
        self.clock.advance(filling.TIDY_SECONDS)
        self.waits()
        self.assertEqual(self.asks("lion"), [7])
        (mailbox,) = self.store._mailboxes.values()
        self.assertEqual(list(mailbox.texts.folders().values()), [[(1, 1), (3, 6)]])

    def test_disks_that_fail(self) -> None:
        """Are noted, and cost nothing but the index."""
        self.patch(filling.FullText, "add", _full)
        self.asks()
        self.waits()
        self.patch(filling.FullText, "add", _surprise)
        self.asks()
        self.waits()
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        self.assertIsNone(self.asks())

    def test_passing_errors(self) -> None:
        """A busy disk costs one search that reads, and not the index."""
        self.asks()
        self.waits()
        with monkey(filling.FullText, "candidates", _busy):
            self.assertIsNone(self.asks())
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])

    def test_a_folder_that_went(self) -> None:
        """Is not indexed, and nothing for the log."""
        self.get(self.get(self.store.open(self.ann)).create("Gone"))
        self.get(self.inbox.copy([2], "Gone"))
        gone = self.get(self.folder("Gone"))
        self.asks(folder=gone)
        self.get(self.get(self.store.open(self.ann)).delete("Gone"))
        with capturedLogs() as events:
            self.waits()
        self.assertEqual([event for event in events if "not_indexed" in (event.get("log_format") or "")], [])
        self.assertIsNone(self.asks())

    def test_closing(self) -> None:
        """Ends it at once; later questions are answered with nothing."""
        self.asks()
        self.get(self.store.close())
        self.assertEqual(self.filler._waiting, {})
        self.filler.ask(self.mailbox(), self.inbox._ref)
        self.assertIsNone(self.get(self.inbox.candidates("zebra", [1])))

    def test_files_are_closed_when_nobody_is_there(self) -> None:
        """Idle mailboxes hold no files of it."""
        account = self.get(self.store.open(self.ann))
        self.asks()
        self.waits()
        self.asks()
        self.assertTrue(self.mailbox().texts.is_open)
        for mailbox in list(self.store._users):
            while mailbox in self.store._users:
                self.store.let_go(mailbox)
        self.assertFalse(self.mailbox().texts.is_open)
        del account

    def test_flags_do_not_matter(self) -> None:
        """Files that are renamed are found all the same."""
        self.asks()
        self.get(self.inbox.set_flags([1, 2], "add", Flag.SEEN, []))
        self.waits()
        self.assertEqual(self.asks(), [2, 4, 6])


@contextmanager
def monkey(owner: type, name: str, instead: Any) -> Iterator[None]:
    """Another method for a while."""
    usual = getattr(owner, name)
    setattr(owner, name, instead)
    try:
        yield
    finally:
        setattr(owner, name, usual)


def _busy(*arguments: Any) -> None:
    raise apsw.BusyError("somebody else")


def _full(*arguments: Any) -> None:
    raise apsw.FullError("no room")


def _surprise(*arguments: Any) -> None:
    raise ZeroDivisionError
