"""Reading one command token by token."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.limits import NESTING
from hostmail.protocols.imap.tokens import BadSyntax, Cursor


class Words(SynchronousTestCase):
    """Atoms, strings and numbers."""

    def test_reads_a_command_word_by_word(self) -> None:
        """Tag, command and arguments come out in order, and then the end is reached."""
        cursor = Cursor([b"a1 select Work"])
        self.assertEqual(cursor.tag(), b"a1")
        cursor.space()
        self.assertEqual(cursor.keyword(), b"SELECT")
        cursor.space()
        self.assertFalse(cursor.at_end())
        self.assertEqual(cursor.astring(), b"Work")
        self.assertTrue(cursor.at_end())
        cursor.end()

    def test_i03_quoted_strings_know_escapes(self) -> None:
        r"""A password with a quote and a backslash is read as it was meant (TWISTED I3)."""
        cursor = Cursor([rb'"a\"b\\c" x'])
        self.assertEqual(cursor.astring(), rb'a"b\c')
        cursor.space()
        self.assertEqual(cursor.astring(), b"x")

    def test_an_unclosed_quoted_string_is_refused(self) -> None:
        """Neither a missing quote nor an unknown escape is guessed at."""
        for text in (b'"abc', rb'"a\b"', b'"a\x00b"', b'"'):
            with self.assertRaises(BadSyntax):
                Cursor([text]).astring()

    def test_a_literal_is_a_string(self) -> None:
        """A literal may hold any octets and stands wherever a string may."""
        cursor = Cursor([b"a LOGIN ", b'x"(\r\n', b" ", b"", b""])
        cursor.tag()
        cursor.space()
        cursor.keyword()
        cursor.space()
        self.assertTrue(cursor.at_literal())
        self.assertFalse(cursor.at_end())
        self.assertEqual(cursor.astring(), b'x"(\r\n')
        cursor.space()
        self.assertEqual(cursor.string(), b"")
        cursor.end()

    def test_a_literal_is_never_text(self) -> None:
        """What needs a bare word does not take a literal for one."""
        for read in (Cursor.atom, Cursor.number, Cursor.sequence_set, Cursor.flag, Cursor.flag_list, Cursor.space):
            with self.assertRaises(BadSyntax):
                read(Cursor([b"", b"1", b""]))

    def test_a_word_glued_to_a_literal_is_refused(self) -> None:
        """`LOGIN a{3}` is not two strings."""
        cursor = Cursor([b"a", b"b", b""])
        self.assertEqual(cursor.astring(), b"a")
        with self.assertRaises(BadSyntax):
            cursor.space()

    def test_nil_is_none_and_a_string_is_not(self) -> None:
        """NIL in any case is no string; "NIL" in quotes is."""
        self.assertIsNone(Cursor([b"nil"]).nstring())
        self.assertEqual(Cursor([b'"NIL"']).nstring(), b"NIL")
        self.assertEqual(Cursor([b"", b"NIL", b""]).nstring(), b"NIL")

    def test_numbers_have_32_bits(self) -> None:
        """A number beyond 32 bits is refused, also one of a million digits."""
        self.assertEqual(Cursor([b"4294967295"]).number(), 4294967295)
        for text in (b"4294967296", b"9" * 100_000, b"", b"x", b"-1"):
            with self.assertRaises(BadSyntax):
                Cursor([text]).number()

    def test_patterns_may_hold_wildcards_and_brackets(self) -> None:
        """LIST takes * and % bare, and ] in mailbox names (astring-char)."""
        self.assertEqual(Cursor([b"Work]/%*"]).list_mailbox(), b"Work]/%*")
        self.assertEqual(Cursor([b'"a b*"']).list_mailbox(), b"a b*")
        self.assertEqual(Cursor([b"a]b*"]).astring(), b"a]b")

    def test_strings_are_not_atoms(self) -> None:
        """Where a string is demanded, a bare word is refused."""
        with self.assertRaises(BadSyntax):
            Cursor([b"abc"]).string()

    def test_words_after_the_end_are_refused(self) -> None:
        """A command with something behind it is not run."""
        with self.assertRaises(BadSyntax) as caught:
            Cursor([b" x"]).end()
        self.assertIn("unexpected", caught.exception.words)
        self.assertEqual(Cursor([b" x"]).rest(), b" x")


class Flags(SynchronousTestCase):
    """Flags and lists."""

    def test_reads_flags_with_and_without_parentheses(self) -> None:
        r"""STORE takes `\Seen $Junk` and `(\Seen $Junk)` alike; APPEND takes ()."""
        self.assertEqual(Cursor([rb"\Seen $Junk"]).flags(), [b"\\Seen", b"$Junk"])
        self.assertEqual(Cursor([rb"(\Seen $Junk)"]).flags(), [b"\\Seen", b"$Junk"])
        self.assertEqual(Cursor([b"()"]).flag_list(), [])
        self.assertEqual(Cursor([rb"(\*)"]).flag_list(), [b"\\*"])

    def test_unclosed_lists_are_refused(self) -> None:
        """A list needs its parenthesis, and single spaces."""
        for text in (rb"(\Seen", rb"(\Seen  x)", b"( x)", b"(x )", b"x", rb"(\)"):
            with self.assertRaises(BadSyntax):
                Cursor([text]).flag_list()


class Limits(SynchronousTestCase):
    """Nobody makes us work without bounds (LIMITS, Lines and commands)."""

    def test_deep_nesting_is_refused(self) -> None:
        """The fifty-first level of lists is refused."""
        cursor = Cursor([b"(" * (NESTING + 1)])
        with self.assertRaises(BadSyntax):
            for _ in range(NESTING + 1):
                cursor.open()

    def test_levels_that_are_closed_do_not_count(self) -> None:
        """Many lists side by side are fine."""
        cursor = Cursor([b"()" * 1000])
        for _ in range(1000):
            cursor.open()
            cursor.close()
        cursor.end()

    def test_too_many_words_are_refused(self) -> None:
        """The number of tokens is limited."""
        cursor = Cursor([b"(" + b"a " * 9000 + b"a)"])
        with self.assertRaises(BadSyntax) as caught:
            cursor.flag_list()
        self.assertIn("too many", caught.exception.words)

    def test_a_huge_sequence_set_is_refused(self) -> None:
        """16 KiB of message numbers are enough."""
        with self.assertRaises(BadSyntax):
            Cursor([b"1," * 10_000 + b"1"]).sequence_set()
        with self.assertRaises(BadSyntax):
            Cursor([b"1,,2"]).sequence_set()
        self.assertEqual(Cursor([b"1,2:*"]).sequence_set().pairs, ((1, 1), (2, 0)))

    @given(st.lists(st.binary(max_size=30), min_size=1, max_size=5).filter(lambda parts: len(parts) % 2 == 1))
    def test_no_input_raises_anything_else(self, parts: list[bytes]) -> None:
        """Whatever the octets, a reader returns something or raises BadSyntax."""
        for name in ("tag", "atom", "astring", "nstring", "string", "list_mailbox", "number", "sequence_set", "flags"):
            try:
                getattr(Cursor(parts), name)()
            except BadSyntax as caught:
                self.assertTrue(caught.words)
