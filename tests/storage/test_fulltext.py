"""The index of texts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.charsets import folded
from hostmail.storage import fulltext
from hostmail.storage.fulltext import Folder, FullText, Texts, WrongFolder

INBOX, SENT = Folder(7, 1_700_000_000), Folder(8, 1_700_000_001)
_WORDS = [
    "abc",
    "ABCD",
    "bcd",
    "Straße",
    "日本語",
    "İ",
    "é",
    '"',
    "'",
    "*",
    "a b",
    "\r\n",
    "AND",
    "\0",
    "\ud800",
    "\ufffe",
    "𝒳𝒴𝒵",
]

words = st.lists(st.sampled_from(_WORDS) | st.text(max_size=5), max_size=8).map("".join).map(folded)


class TextsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = self.mktemp()
        os.mkdir(self.root)
        self.texts = self.opened()

    def opened(self) -> FullText:
        """Another opening of the same file."""
        texts = FullText(self.root)
        self.addCleanup(texts.close)
        return texts

    def put(self, folder: Folder, *bodies: str, first: int = 1, header: str = "") -> None:
        """Index messages from a UID on."""
        self.texts.add(folder, [Texts(uid, header, body) for uid, body in enumerate(bodies, first)])

    def finds(self, needle: str, uids: Sequence[int], folder: Folder = INBOX, in_header: bool = False) -> list[int]:
        """The candidates."""
        return self.texts.candidates(folder, needle, uids, in_header)[0]


class AskingTests(TextsCase):
    def test_substrings(self) -> None:
        """Any part of a word, in the right folder only; what is not indexed is always a candidate."""
        self.put(INBOX, "the quick brown fox", "lazy dogs", header="subject: animals")
        self.put(SENT, "a quick one")
        self.assertEqual(self.finds("uick br", [1, 2, 3]), [1, 3])
        self.assertEqual(self.texts.candidates(INBOX, "zebra", [2, 1], False), ([], 0))
        self.assertEqual(self.finds("quick", [1], SENT), [1])
        self.assertEqual(self.finds("animals", [1, 2]), [])
        self.assertEqual(self.finds("animals", [1, 2], in_header=True), [1, 2])
        self.assertEqual(self.texts.candidates(INBOX, "dogs", [9, 10], False), ([9, 10], 2))

    def test_long_strings(self) -> None:
        """Of a long string enough pieces are looked for."""
        long = "".join(f"{number} bottles " for number in range(300))
        self.put(INBOX, f"x{long}x", "bottles")
        self.assertEqual(self.finds(long, [1, 2]), [1])

    def test_two_characters(self) -> None:
        """A word in some languages: found at the end of a text as well; nothing if it is nowhere."""
        self.put(INBOX, "日本語の件名", "東京", "ab", header="件")
        self.assertEqual(self.finds("日本", [1, 2, 3]), [1])
        self.assertEqual(self.finds("東京", [1, 2, 3]), [2])
        self.assertEqual(self.finds("ab", [1, 2, 3]), [3])
        self.assertEqual(self.finds("ba", [1, 2, 3]), [])
        self.assertEqual(self.finds("件\n", [1, 2, 3], in_header=True), [1, 2, 3])

    def test_beginnings_of_everything(self) -> None:
        """If two characters begin too many pieces, each message has to be read."""
        self.put(INBOX, "".join(f"ab{chr(0x4E00 + number)}" for number in range(300)), "none")
        self.assertEqual(self.texts.candidates(INBOX, "ab", [1, 2, 3], False), ([1, 2, 3], 1))

    def test_large_texts_are_always_candidates(self) -> None:
        """They would make the index large, and are few."""
        self.put(INBOX, "x" * (fulltext.MAX_TEXT + 1), "small")
        self.assertEqual(self.texts.candidates(INBOX, "zebra", [1, 2], False), ([1], 0))
        self.texts.remove(INBOX, [1])
        self.assertEqual(self.texts.candidates(INBOX, "small", [1, 2], False), ([1, 2], 1))

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.lists(words, min_size=1, max_size=6), st.data())
    def test_nothing_is_missed(self, bodies: list[str], data: st.DataObject) -> None:
        """Whatever the texts: every string of two characters or more is found wherever it is."""
        with tempfile.TemporaryDirectory() as root:
            texts = FullText(root)
            try:
                texts.add(INBOX, [Texts(uid, body[::-1], body) for uid, body in enumerate(bodies)])
                source = data.draw(st.sampled_from([*bodies, *[body[::-1] for body in bodies]]))
                start = data.draw(st.integers(0, max(0, len(source) - 2)))
                needle = source[start : start + data.draw(st.integers(2, 12))]
                if len(needle) < 2:
                    return
                found, unknown = texts.candidates(INBOX, needle, range(len(bodies)), False)
                self.assertEqual(unknown, 0)
                self.assertLessEqual({uid for uid, body in enumerate(bodies) if needle in body}, set(found))
                found, _ = texts.candidates(INBOX, needle, range(len(bodies)), True)
                true = {uid for uid, body in enumerate(bodies) if needle in body or needle in body[::-1]}
                self.assertLessEqual(true, set(found))
            finally:
                texts.close()


class FillingTests(TextsCase):
    def test_known_ranges(self) -> None:
        """What is indexed is known one by one, however it came and went."""
        self.put(INBOX, "one", "two", first=1)
        self.put(INBOX, "five", first=5)
        self.assertEqual(self.texts.unknown(INBOX, range(1, 7)), [3, 4, 6])
        self.put(INBOX, "three", "four", first=3)
        self.assertEqual(self.texts.folders(), {INBOX: [(1, 5)]})
        self.texts.remove(INBOX, [2, 4, 9])
        self.assertEqual(self.texts.folders(), {INBOX: [(1, 1), (3, 3), (5, 5)]})
        self.assertEqual(self.texts.unknown(INBOX, range(1, 7)), [2, 4, 6])
        self.assertEqual(self.finds("three", [1, 2, 3, 4, 5]), [2, 3, 4])
        self.texts.remove(INBOX, range(1, 6))
        self.assertEqual(self.texts.folders(), {})

    def test_two_processes(self) -> None:
        """What another has indexed meanwhile is passed over, and found by both."""
        other = self.opened()
        self.put(INBOX, "one", "two")
        other.add(INBOX, [Texts(2, "", "two"), Texts(3, "", "three")])
        self.assertEqual(self.texts.candidates(INBOX, "three", [1, 2, 3], False), ([3], 0))
        self.assertEqual(other.candidates(INBOX, "two", [1, 2, 3], False), ([2], 0))

    def test_removed_texts_are_gone(self) -> None:
        """A message that is no more leaves nothing to be found; one that came back is read until it is indexed again."""
        self.put(INBOX, "secret words")
        self.texts.remove(INBOX, [1])
        self.put(INBOX, "other words")
        self.assertEqual(self.finds("secret", [1]), [])

    def test_a_failure_in_the_middle(self) -> None:
        """All of a batch or nothing."""
        self.put(INBOX, "one")
        broken = [Texts(2, "", "two"), Texts(3, "", None)]  # type: ignore[arg-type]
        self.assertRaises(TypeError, self.texts.add, INBOX, broken)
        self.assertEqual(self.texts.unknown(INBOX, [1, 2, 3]), [2, 3])


class FileTests(TextsCase):
    def test_it_may_be_deleted_at_any_time(self) -> None:
        """By anybody, while it is open: then nothing is known."""
        self.put(INBOX, "one")
        self.assertEqual(self.finds("one", [1]), [1])
        self.opened().discard()
        self.assertFalse(self.texts.exists)
        self.assertEqual(self.texts.size(), 0)
        self.assertEqual(self.texts.candidates(INBOX, "zebra", [1], False), ([1], 1))
        self.put(INBOX, "one")
        self.assertEqual(self.finds("zebra", [1]), [])

    def test_other_versions_and_rubbish(self) -> None:
        """Are errors: the caller discards the file."""
        self.put(INBOX, "one")
        self.texts.close()
        database = apsw.Connection(self.texts.path)
        database.execute("UPDATE made SET by = 'another'")
        database.close()
        self.assertRaises(apsw.CorruptError, self.finds, "one", [1])
        self.texts.discard()
        with open(self.texts.path, "wb") as file:
            file.write(b"rubbish" * 1000)
        self.assertRaises(apsw.Error, self.finds, "one", [1])
        self.texts.discard()
        self.put(INBOX, "one")

    def test_another_folder_with_the_same_id(self) -> None:
        """Is never taken for the one that was indexed."""
        self.put(INBOX, "one")
        self.assertRaises(WrongFolder, self.finds, "one", [1], Folder(INBOX.id, 5))

    def test_open_files(self) -> None:
        """They are closed when nobody needs them."""
        self.assertFalse(self.texts.is_open)
        self.put(INBOX, "one")
        self.assertTrue(self.texts.is_open)
        self.texts.close()
        self.assertFalse(self.texts.is_open)
