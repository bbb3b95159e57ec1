"""Keywords beyond those that have a letter in file names: as many as people like, and none is lost with the index."""

from __future__ import annotations

import errno
import os

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.mailstore import Flag
from hostmail.storage import unlettered
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

MANY = [f"$Word{number}" for number in range(60)]


class UnletteredTests(DiskGround):
    """Sixty keywords in one folder."""

    def setUp(self) -> None:
        super().setUp()
        self.inbox = self.get(self.fill([LETTER] * 3))
        self.get(self.inbox.set_flags([1], "add", Flag.SEEN, MANY))

    def loses_index(self) -> None:
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)

    def words(self, name: str = "INBOX") -> dict[int, set[str]]:
        return {uid: words for uid, (_, words) in self.get(self.flags(self.get(self.folder(name)))).items()}

    def log(self, name: str = "") -> str:
        return self.place(name, unlettered.FILE)

    def kept(self, name: str = "INBOX") -> dict[int, set[str]]:
        """What is there, and is still there without the index."""
        before = self.words(name)
        self.loses_index()
        self.assertEqual(self.words(name), before)
        return before

    def test_kept(self) -> None:
        """All sixty, on the message that has them; taken away one by one they stay away."""
        self.assertEqual(self.kept(), {1: set(MANY), 2: set(), 3: set()})
        inbox = self.get(self.folder())
        self.get(inbox.set_flags([1, 2], "add", 0, [MANY[40], "$new"]))
        self.get(inbox.set_flags([1], "remove", 0, [MANY[3], MANY[50]]))
        self.assertEqual(self.kept(), {1: {*MANY, "$new"} - {MANY[3], MANY[50]}, 2: {MANY[40], "$new"}, 3: set()})
        self.get(self.get(self.folder()).set_flags([1], "replace", Flag.SEEN, ["$new"]))
        self.assertEqual(self.kept(), {1: {"$new"}, 2: {MANY[40], "$new"}, 3: set()})

    def test_copied_moved_and_appended(self) -> None:
        """They go with a message, and come with one."""
        self.get(self.inbox.copy([1], "Sent"))
        self.get(self.inbox.move([1], "Trash"))
        self.get(self.append(self.inbox, keywords=[MANY[55]]))
        self.assertEqual(self.words("Sent"), {1: set(MANY)})
        self.assertEqual(self.kept(), {2: set(), 3: set(), 4: {MANY[55]}})
        self.assertEqual(self.words("Trash"), {1: set(MANY)})
        self.assertEqual(self.words("Sent"), {1: set(MANY)})

    def test_folder_is_renamed(self) -> None:
        """The file goes with its folder."""
        self.get(self.inbox.move([1], "Sent"))
        self.get(self.get(self.store.open(self.ann)).rename("Sent", "Old/Sent"))
        self.assertEqual(self.kept("Old/Sent"), {1: set(MANY)})

    def test_few_need_no_file(self) -> None:
        """A folder with 26 keywords or less has none, and pays nothing."""
        folder = self.get(self.fill(folder="Sent"))
        self.disk.calls.clear()
        self.get(folder.set_flags([1], "add", 0, MANY[:26]))
        self.assertNotIn("append_file", self.disk.calls)
        self.assertFalse(os.path.exists(self.log(".Sent")))
        self.assertEqual(self.kept("Sent"), {1: set(MANY[:26])})

    def test_durable_before_the_answer(self) -> None:
        """The line is synced before the change is committed; a keyword that has a letter costs no line."""
        self.disk.calls.clear()
        self.get(self.inbox.set_flags([2], "add", 0, [MANY[30]]))
        self.assertIn("append_file", self.disk.calls)
        self.disk.calls.clear()
        self.get(self.inbox.set_flags([2], "add", 0, [MANY[3]]))
        self.assertNotIn("append_file", self.disk.calls)

    def test_disk_is_full(self) -> None:
        """A line that cannot be written undoes everything that was to go with it."""
        before, files = self.words(), self.files()
        self.disk.faults["append_file"] = OSError(errno.EIO, "broken")
        self.refusal(TemporaryFailure, self.inbox.set_flags([2], "add", Flag.FLAGGED, [MANY[30]]))
        self.refusal(TemporaryFailure, self.append(self.inbox, keywords=[MANY[30]]))
        self.disk.faults.clear()
        self.assertEqual(self.words(), before)
        self.assertEqual(len(self.files()), len(files))
        self.assertEqual(self.kept(), before)

    def test_undone(self) -> None:
        """What is undone after the line was written leaves nothing behind."""
        before = self.words()

        def fails() -> None:
            if "append_file" in self.disk.calls[-6:]:
                self.disk.faults.clear()
                raise OSError(errno.EIO, "broken")

        self.disk.faults["fsync"] = fails
        self.refusal(TemporaryFailure, self.inbox.set_flags([2], "add", 0, [MANY[30]]))
        self.assertEqual(self.words(), before)
        self.assertEqual(self.kept(), before)

    def test_history_is_cleared_away(self) -> None:
        """The file does not grow for ever: it is written anew when more than half of it is history."""
        largest = 0
        for _ in range(60):
            for how in ("add", "remove"):
                self.get(self.inbox.set_flags([2, 3], how, 0, MANY))
                largest = max(largest, os.path.getsize(self.log()))
        self.assertLess(largest, 3 * unlettered.HISTORY)
        self.get(self.inbox.set_flags([3], "add", 0, [MANY[59]]))
        self.assertEqual(self.kept(), {1: set(MANY), 2: set(), 3: {MANY[59]}})

    def test_cut_off(self) -> None:
        """A line that a crash has cut off says nothing, and spoils none that comes after it."""
        with open(self.log(), "ab") as file:
            file.write(b"\n2 ($Word4")
        self.get(self.inbox.set_flags([3], "add", 0, [MANY[30]]))
        self.assertEqual(self.kept(), {1: set(MANY), 2: set(), 3: {MANY[30]}})
        self.assertEqual(unlettered.parse_lines(b"\n1 (a b)\n2 (c\n3 ()\n\nx\n1 (d)"), {1: ("d",), 3: ()})

    def test_removed_by_somebody(self) -> None:
        """What the index knows is kept, and written down again with the next change."""
        os.unlink(self.log())
        self.get(self.store.close())
        self.store = self.store_on(self.store.data_dir)
        self.inbox = self.get(self.folder())
        self.get(self.inbox.set_flags([3], "add", 0, [MANY[30]]))
        self.assertEqual(self.kept(), {1: set(MANY), 2: set(), 3: {MANY[30]}})

    def test_letters_are_lost(self) -> None:
        """Without the file that says what the letters mean, those beyond them keep their names all the same."""
        os.unlink(self.place("dovecot-keywords"))
        self.loses_index()
        self.assertLessEqual(set(MANY[26:]), self.words()[1])

    def test_index_of_before(self) -> None:
        """An index that knew such keywords before there was the file has them written down with the first change."""
        os.unlink(self.log())
        path = os.path.join(self.root(), "index.sqlite")
        self.get(self.store.close())
        import apsw

        database = apsw.Connection(path)
        database.execute("DROP TABLE words; PRAGMA user_version=4")
        database.close()
        self.store = self.store_on(self.store.data_dir)
        self.get(self.get(self.folder()).set_flags([3], "add", 0, [MANY[30]]))
        self.assertEqual(self.kept(), {1: set(MANY), 2: set(), 3: {MANY[30]}})
