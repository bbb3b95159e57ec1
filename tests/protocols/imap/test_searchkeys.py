"""SEARCH programs."""

from __future__ import annotations

from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.searchkeys import (
    Age,
    All,
    And,
    Arrived,
    Body,
    Cost,
    HasFlag,
    Header,
    Key,
    Not,
    Numbers,
    Or,
    Recent,
    Sent,
    Size,
    Text,
    Uids,
)
from hostmail.protocols.imap.searchprogram import BadCharset, parse_search_program
from hostmail.protocols.imap.tokens import BadSyntax, Cursor


def parsed(*parts: bytes) -> Key:
    """The tree of one program."""
    return parse_search_program(Cursor(parts))


class Keys(SynchronousTestCase):
    """RFC 3501 section 6.4.4."""

    def test_flags(self) -> None:
        """Each system flag and its contrary, keywords, RECENT, OLD and NEW."""
        self.assertEqual(parsed(b"seen"), HasFlag(b"\\Seen"))
        self.assertEqual(parsed(b"UNDELETED"), HasFlag(b"\\Deleted", False))
        self.assertEqual(parsed(b"KEYWORD $Junk"), HasFlag(b"$Junk"))
        self.assertEqual(parsed(b"UNKEYWORD $Junk"), HasFlag(b"$Junk", False))
        self.assertEqual(parsed(b"OLD"), Recent(False))
        self.assertEqual(parsed(b"NEW"), And((Recent(), HasFlag(b"\\Seen", False))))
        self.assertEqual(parsed(b"ALL"), All())

    def test_numbers_sizes_and_days(self) -> None:
        """Sequence numbers, UIDs, sizes, internal and sent dates, ages."""
        self.assertIsInstance(parsed(b"1:3,*"), Numbers)
        self.assertIsInstance(parsed(b"*"), Numbers)
        self.assertIsInstance(parsed(b"UID 1:*"), Uids)
        self.assertEqual(parsed(b"LARGER 10"), Size(True, 10))
        self.assertEqual(parsed(b"SMALLER 10"), Size(False, 10))
        day, next_day = date(2020, 2, 29), date(2020, 3, 1)
        self.assertEqual(parsed(b"ON 29-Feb-2020"), Arrived(day, next_day))
        self.assertEqual(parsed(b'SINCE "29-Feb-2020"'), Arrived(since=day))
        self.assertEqual(parsed(b"BEFORE 29-Feb-2020"), Arrived(before=day))
        self.assertEqual(parsed(b"SENTON 29-Feb-2020"), Sent(day, next_day))
        self.assertEqual(parsed(b"SENTSINCE 29-Feb-2020"), Sent(since=day))
        self.assertEqual(parsed(b"SENTBEFORE 29-Feb-2020"), Sent(before=day))
        self.assertEqual(parsed(b"YOUNGER 60"), Age(True, 60))
        self.assertEqual(parsed(b"OLDER 60"), Age(False, 60))

    def test_texts(self) -> None:
        """Header fields, body and everything; strings may be literals (TWISTED I11)."""
        self.assertEqual(parsed(b"SUBJECT hi"), Header(b"subject", "hi"))
        self.assertEqual(parsed(b'HEADER List-Id ""'), Header(b"list-id", ""))
        self.assertEqual(parsed(b"BODY x"), Body("x"))
        self.assertEqual(parsed(b"TEXT ", b"a b", b""), Text("a b"))

    def test_combinations(self) -> None:
        """NOT, OR, parentheses; several keys must all hold, the cheap ones are asked first."""
        self.assertEqual(parsed(b"NOT NOT SEEN"), HasFlag(b"\\Seen"))
        self.assertEqual(parsed(b"OR BODY x SEEN"), Or(HasFlag(b"\\Seen"), Body("x")))
        self.assertEqual(
            parsed(b"BODY x SUBJECT y SEEN"), And((HasFlag(b"\\Seen"), Header(b"subject", "y"), Body("x")))
        )
        nested = parsed(b"NOT (SEEN OR (BODY x) FROM y)")
        self.assertIsInstance(nested, Not)
        self.assertEqual(nested.cost, Cost.BODY)
        self.assertEqual(parsed(b"HEADER From x").cost, Cost.FACTS)
        self.assertEqual(parsed(b"HEADER X-Mailer x").cost, Cost.HEADER)
        self.assertEqual(parsed(b"(SEEN)").cost, Cost.INDEX)

    def test_character_sets(self) -> None:
        """US-ASCII and UTF-8 are known; others are refused with their own answer."""
        self.assertEqual(parsed(b"CHARSET UTF-8 SUBJECT ", "ü".encode(), b""), Header(b"subject", "ü"))
        self.assertEqual(parsed(b"CHARSET us-ascii SEEN"), HasFlag(b"\\Seen"))
        self.assertEqual(parsed(b"SUBJECT ", "ü".encode(), b""), Header(b"subject", "ü"))
        with self.assertRaises(BadCharset):
            parsed(b"CHARSET KOI8-R SEEN")
        with self.assertRaises(BadSyntax):
            parsed(b"CHARSET UTF-8 SUBJECT ", b"\xff", b"")

    def test_senseless_programs_are_refused(self) -> None:
        """Unknown keys, missing arguments, impossible dates."""
        wrong = [b"", b"FOO", b"SUBJECT", b"NOT", b"OR SEEN", b"()", b"(SEEN", b"SEEN)", b"ON 31-Feb-2020", b"LARGER x"]
        for text in [*wrong, b"SEEN  SEEN", b"0", b"CHARSET", b"HEADER x", b"YOUNGER -1"]:
            with self.assertRaises(BadSyntax, msg=text.decode()):
                parsed(text)

    def test_i11_deep_nesting_is_refused(self) -> None:
        """Fifty levels are enough for anybody; more is BAD, not a RecursionError (TWISTED I11)."""
        self.assertEqual(parsed(b"(" * 50 + b"SEEN" + b")" * 50), HasFlag(b"\\Seen"))
        for text in (b"(" * 51 + b"SEEN" + b")" * 51, b"NOT " * 30_000 + b"SEEN", b"OR " * 3000 + b"SEEN " * 3001):
            with self.assertRaises(BadSyntax):
                parsed(text.strip())

    def test_the_last_day_of_the_calendar_is_a_day(self) -> None:
        """Nothing overflows."""
        self.assertEqual(parsed(b"ON 31-Dec-9999"), Arrived(date.max, date.max))
