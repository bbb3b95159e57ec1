"""DATA as it comes in pieces, against a reference that sees it whole."""

from __future__ import annotations

import itertools

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.smtp.content import Content
from hostmail.protocols.smtp.scanner import DataScanner

ATOMS = [b"\r\n", b".", b"..", b"\r", b"\n", b"a", b"xyz", b"\r\n.", b"\r\n..", b".\r\n", b"\0", b"\xfc"]
BODIES = st.lists(st.sampled_from(ATOMS), max_size=25).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


def whole(wire: bytes) -> tuple[bytes, bytes]:
    """The message in `wire` and what follows it, the slow and obvious way."""
    lines, position = [], 0
    while True:
        end = wire.index(b"\r\n", position)
        line, position = wire[position:end], end + 2
        if line == b".":
            return b"".join(line + b"\r\n" for line in lines), wire[position:]
        lines.append(line.removeprefix(b"."))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at those places."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def scanned(wire: bytes, cuts: list[int]) -> tuple[bytes, bytes, Content]:
    """The message, what follows it, and the facts about it, fed in pieces."""
    scanner, content, message, left = DataScanner(), Content(), [], pieces(wire, cuts)
    while left:
        octets, rest = scanner.feed(left.pop(0))
        content.look(octets)
        message.append(octets)
        if rest is not None:
            return b"".join(message), rest + b"".join(left), content
    raise AssertionError("the end was not found")


class ScannerTests(SynchronousTestCase):
    """End of data and dots (RFC 5321 4.5.2)."""

    def test_agrees_with_the_reference_however_it_is_cut(self):
        """Any text, cut anywhere, gives the same message, rest and facts as seen whole."""

        @settings(max_examples=2000, deadline=None)
        @given(BODIES, CUTS)
        @example(b"", [])
        @example(b".\r\n.\r\n", [1, 2, 3, 4])
        def holds(body, cuts):
            wire = body + b"\r\n.\r\nQUIT\r\n"
            expected, rest = whole(wire)
            message, after, content = scanned(wire, cuts)
            self.assertEqual((message, after), (expected, rest))
            without_ends = expected.replace(b"\r\n", b"")
            self.assertEqual(content.bare, b"\r" in without_ends or b"\n" in without_ends)
            self.assertEqual(content.nul, b"\0" in expected)
            self.assertEqual(content.eight_bit, not expected.isascii())
            self.assertEqual(content.size, len(expected))

        holds()

    def test_only_crlf_dot_crlf_ends(self):
        """SMTP smuggling: no other line ends around a dot end the data (S10)."""
        for smuggled in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r\r\n", b"\r\n\0.\r\n"):
            self.assertIsNone(DataScanner().feed(b"x" + smuggled + b"MAIL FROM:<e@x>\r\n")[1])

    def test_an_empty_message_ends_at_once(self):
        """The dot may be the first thing after DATA."""
        self.assertEqual(DataScanner().feed(b".\r\nQUIT"), (b"", b"QUIT"))

    def test_many_dots_cost_no_steps_of_ours(self):
        """A message of nothing but dots comes out in one piece per chunk."""
        octets, rest = DataScanner().feed(b"..\r\n" * 16_000 + b".\r\n")
        self.assertEqual((octets, rest), (b".\r\n" * 16_000, b""))


class ContentTests(SynchronousTestCase):
    """Lines of a message, whatever the chunks are."""

    def test_measures_lines_over_chunks(self):
        """A line is too long by its octets, not by where it was cut, and its CRLF does not count."""

        @settings(max_examples=1500, deadline=None)
        @given(st.lists(st.sampled_from([0, 1, 2, 8, 9, 11, 12, 14, 30]), max_size=8), st.booleans(), CUTS)
        def holds(lengths, ended, cuts):
            text = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")
            content = Content(max_line=9)
            for piece in pieces(text, [cut for cut in cuts if text[cut % (len(text) + 1) - 1 :][:2] != b"\r\n"]):
                content.look(piece)
            self.assertEqual(content.long_line, any(length > 9 for length in lengths))

        holds()

    def test_speaks_of_size_first(self):
        """Too big is said before anything else is found wrong (D3); all is well otherwise."""
        content = Content()
        content.look(b"a\nb\0")
        self.assertEqual(content.refusal(3).smtp_line().split()[0], "5.3.4")
        self.assertEqual(content.refusal(4).enhanced, "5.6.11")
        content.bare = False
        self.assertEqual((content.refusal(4).code, content.refusal(4).enhanced), (550, "5.6.0"))
        content.nul, content.long_line = False, True
        self.assertEqual((content.refusal(4).code, content.refusal(4).enhanced), (552, "5.6.0"))
        content.long_line = False
        self.assertIsNone(content.refusal(4))
