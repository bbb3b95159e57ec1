"""SORT, THREAD, and what searches return and remember."""

from __future__ import annotations

from tests.protocols.imap.talk import ImapCase


def mail(name: str, sender: str, subject: str, date: str, *more: str) -> bytes:
    """A small message."""
    fields = [
        f"Message-ID: <{name}@x>",
        f"From: {sender}",
        f"Subject: {subject}",
        *([f"Date: {date}"] if date else []),
        *more,
    ]
    return "\r\n".join([*fields, "", "text", ""]).encode()


class SortCase(ImapCase):
    """Five messages."""

    def setUp(self) -> None:
        super().setUp()
        self.put(mail("1", "Zoe <b@x.test>", "dinner", "Mon, 7 Feb 1994 21:52:25 -0800", "To: m@x.test"), date=50)
        self.put(
            mail(
                "2",
                "=?utf-8?q?=C3=84nne?= <c@x.test>",
                "Re: Dinner",
                "Tue, 8 Feb 1994 21:52:25 -0800",
                "In-Reply-To: <1@x>",
            ),
            date=40,
        )
        self.put(mail("3", "<A@x.test>", "[list] another", "Sun, 6 Feb 1994 21:52:25 -0800", "Cc: a@x.test"), date=30)
        self.put(
            mail("4", "Bob <b@x.test>", "Fwd: dinner", "Wed, 9 Feb 1994 21:52:25 -0800", "References: <1@x> <2@x>"),
            date=20,
        )
        self.put(b"X-Nothing: at all\r\n\r\n" + b"text " * 50, date=10)
        self.talk = self.ann(b"INBOX")

    def assert_answer(self, command: bytes, line: bytes) -> None:
        """The first line of the answer, with the tag of ESEARCH as T."""
        first, *_, last = self.talk.asks(command)
        self.assertIn(b" OK ", last, last)
        self.assertEqual(first.replace(b'"t%d"' % self.talk._tag, b"T"), line, command)


class SortTests(SortCase):
    """RFC 5256 section 3, SORT."""

    def test_columns(self) -> None:
        """By arrival and by size, forward and back; equal ones in the order of the folder."""
        self.assert_answer(b"SORT (ARRIVAL) US-ASCII ALL", b"* SORT 5 4 3 2 1")
        self.assert_answer(b"SORT (REVERSE ARRIVAL) US-ASCII ALL", b"* SORT 1 2 3 4 5")
        self.assertEqual(self.talk.asks(b"SORT (SIZE) UTF-8 4:5")[0], b"* SORT 4 5")

    def test_date(self) -> None:
        """By the Date field; without one, the internal date counts."""
        self.assert_answer(b"SORT (DATE) UTF-8 ALL", b"* SORT 5 3 1 2 4")

    def test_addresses(self) -> None:
        """FROM, TO and CC are local parts in any case; absent ones come first."""
        self.assert_answer(b"SORT (FROM) UTF-8 ALL", b"* SORT 5 3 1 4 2")
        self.assert_answer(b"SORT (REVERSE FROM) UTF-8 ALL", b"* SORT 2 1 4 3 5")
        self.assert_answer(b"SORT (TO CC) UTF-8 ALL", b"* SORT 2 4 5 3 1")

    def test_display(self) -> None:
        """DISPLAYFROM is the decoded name, or else the address (RFC 5957)."""
        self.assert_answer(b"SORT (DISPLAYFROM) UTF-8 1:4", b"* SORT 3 4 1 2")
        self.assert_answer(b"SORT (DISPLAYTO) UTF-8 1:2", b"* SORT 2 1")

    def test_subject(self) -> None:
        """By base subject, then by the next criterion."""
        self.assert_answer(b"SORT (SUBJECT REVERSE DATE) UTF-8 ALL", b"* SORT 5 3 4 2 1")

    def test_searched(self) -> None:
        """Only what matches; none at all."""
        self.assert_answer(b"UID SORT (DATE) UTF-8 SUBJECT dinner", b"* SORT 1 2 4")
        self.assert_answer(b"SORT (DATE) UTF-8 SUBJECT nothing", b"* SORT")

    def test_esort(self) -> None:
        """RETURN: the first and last are those of the order (RFC 5267)."""
        self.assert_answer(
            b"SORT RETURN (MIN MAX ALL COUNT) (DATE) UTF-8 ALL", b"* ESEARCH (TAG T) MIN 5 MAX 4 ALL 5,3,1:2,4 COUNT 5"
        )
        self.assert_answer(
            b"UID SORT RETURN (PARTIAL 2:3) (DATE) UTF-8 ALL", b"* ESEARCH (TAG T) UID PARTIAL (2:3 3,1)"
        )

    def test_refused(self) -> None:
        """Words that make no sense; a character set that we do not know."""
        for command in (
            b"()",
            b"(DATE",
            b"(REVERSE)",
            b"(COLOUR)",
            b"(REVERSE REVERSE DATE)",
            b"(" + b" ".join([b"DATE"] * 21) + b")",
        ):
            self.assertTrue(self.talk.last(b"SORT " + command + b" UTF-8 ALL").startswith(b". BAD"), command)
        self.assertTrue(self.talk.last(b"SORT (DATE) ALL").startswith(b". NO [BADCHARSET (US-ASCII UTF-8)]"))


class ThreadTests(SortCase):
    """RFC 5256 section 3, THREAD."""

    def test_references(self) -> None:
        """Who answered whom."""
        self.assert_answer(b"THREAD REFERENCES UTF-8 ALL", b"* THREAD (5)(3)(1 2 4)")

    def test_ordered_subject(self) -> None:
        """By subject alone."""
        self.assert_answer(b"UID THREAD ORDEREDSUBJECT UTF-8 1:4", b"* THREAD (3)(1 (2)(4))")

    def test_none(self) -> None:
        """Nothing found; an algorithm that we do not know."""
        self.assert_answer(b"THREAD REFERENCES UTF-8 SUBJECT nothing", b"* THREAD")
        self.assertTrue(self.talk.last(b"THREAD REFS UTF-8 ALL").startswith(b". BAD"))


class SavedTests(SortCase):
    """SEARCHRES (RFC 5182)."""

    def test_saved(self) -> None:
        """`$` stands for the last saved result, in every command that takes numbers; SAVE alone answers nothing."""
        self.assertEqual(len(self.talk.asks(b"SEARCH RETURN (SAVE) SUBJECT dinner")), 1)
        self.assertEqual(
            self.talk.asks(b"FETCH $ UID")[:3], [b"* 1 FETCH (UID 1)", b"* 2 FETCH (UID 2)", b"* 4 FETCH (UID 4)"]
        )
        self.assert_answer(b"SEARCH NOT $", b"* SEARCH 3 5")
        self.assert_answer(b"UID SEARCH UID $ 2:*", b"* SEARCH 2 4")
        self.talk.asks(b"STORE $ +FLAGS.SILENT (\\Deleted)")
        self.talk.asks(b"UID EXPUNGE $")
        self.assert_answer(b"UID SEARCH ALL", b"* SEARCH 3 5")
        self.assertEqual(self.talk.asks(b"FETCH $ UID"), [b". OK FETCH completed"])

    def test_what_is_saved(self) -> None:
        """MIN and MAX alone save only those, and so does a page; COUNT and ALL save all."""
        for options, saved in (
            (b"SAVE MIN", b" 1"), (b"SAVE MAX", b" 5"), (b"SAVE MIN MAX", b" 1 5"), (b"SAVE MIN COUNT", b" 1 2 3 4 5"),
            (b"ALL SAVE", b" 1 2 3 4 5"), (b"SAVE PARTIAL 2:3", b" 2 3"), (b"SAVE PARTIAL -1:-1 MIN", b" 1 5"),
        ):  # fmt: skip
            self.talk.asks(b"SEARCH RETURN (" + options + b") ALL")
            self.assert_answer(b"SEARCH $", b"* SEARCH" + saved)

    def test_nothing_saved(self) -> None:
        """Before the first one, and after another SELECT, `$` is nothing; a bad command leaves it alone, a refused one empties it."""
        self.assert_answer(b"SEARCH $", b"* SEARCH")
        self.talk.asks(b"SEARCH RETURN (SAVE) 2")
        self.talk.asks(b"SEARCH RETURN (SAVE) NONSENSE")
        self.assert_answer(b"SEARCH $", b"* SEARCH 2")
        self.talk.asks(b"SEARCH RETURN (SAVE) CHARSET KOI8-R ALL")
        self.assert_answer(b"SEARCH $", b"* SEARCH")
        self.talk.asks(b"SEARCH RETURN (SAVE) 2")
        self.talk.asks(b"SELECT INBOX")
        self.assert_answer(b"SEARCH $", b"* SEARCH")


class PartialTests(SortCase):
    """PARTIAL (RFC 9394)."""

    def test_pages_of_results(self) -> None:
        """From the beginning, from the end, and beyond either."""
        for asked, answer in (
            (b"1:2", b"1:2 1:2"), (b"-1:-2", b"-1:-2 4:5"), (b"2:4", b"2:4 2:4"), (b"4:9", b"4:9 4:5"), (b"9:6", b"9:6 NIL"),
            (b"-4:-9", b"-4:-9 1:2"), (b"-9:-7", b"-9:-7 NIL"),
        ):  # fmt: skip
            self.assert_answer(
                b"SEARCH RETURN (PARTIAL " + asked + b") ALL", b"* ESEARCH (TAG T) PARTIAL (" + answer + b")"
            )
        self.assert_answer(b"SEARCH RETURN (PARTIAL 1:1 COUNT) ALL", b"* ESEARCH (TAG T) COUNT 5 PARTIAL (1:1 1)")

    def test_refused(self) -> None:
        """Ranges that mix both ends or name nought, and a page together with all."""
        for words in (
            b"PARTIAL",
            b"PARTIAL 1:-1",
            b"PARTIAL 0:1",
            b"PARTIAL 1",
            b"PARTIAL 1:2 ALL",
            b"PARTIAL 1:2 PARTIAL 3:4",
        ):
            self.assertTrue(self.talk.last(b"SEARCH RETURN (" + words + b") ALL").startswith(b". BAD"), words)
