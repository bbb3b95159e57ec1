"""Dots at line beginnings, wherever the pieces end (TWISTED.md C1, C2, C3)."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.relay.stuffing import DotStuffer

pieces = st.lists(st.one_of(st.binary(max_size=6), st.text("\r\n.a", max_size=8).map(str.encode)), max_size=12)


def stuffed(*parts: bytes) -> bytes:
    stuffer = DotStuffer()
    return b"".join([stuffer.feed(part) for part in parts]) + stuffer.finish()


def unstuffed(data: bytes) -> bytes:
    """What a strict server makes of it: everything before the first CRLF.CRLF, the first of two dots removed."""
    assert data == b".\r\n" or data.endswith(b"\r\n.\r\n")
    body = data[:-3]
    assert b"\r\n.\r\n" not in b"\r\n" + body
    return re.sub(rb"(\A|\r\n)\.", rb"\1", body)


def normal(data: bytes) -> bytes:
    """CRLF line ends, the last one included."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"


class StuffingTests(SynchronousTestCase):
    def test_dot_behind_a_border(self) -> None:
        """A dot that begins both a piece and a line is doubled: else the DATA ends there and the rest are commands (C1)."""
        block = b"a" * 16382 + b"\r\n"
        self.assertEqual(stuffed(block, b".\r\nRCPT TO:<evil@x>\r\n"), block + b"..\r\nRCPT TO:<evil@x>\r\n.\r\n")

    def test_first_octet(self) -> None:
        """A dot that begins the message is doubled (C2)."""
        self.assertEqual(stuffed(b".\r\n"), b"..\r\n.\r\n")

    def test_border_inside_crlf(self) -> None:
        """A border between CR and LF changes nothing."""
        self.assertEqual(stuffed(b"a\r", b"\n.b\r\n"), b"a\r\n..b\r\n.\r\n")

    def test_no_dots_elsewhere(self) -> None:
        """A dot inside a line stays as it is, also behind a border."""
        self.assertEqual(stuffed(b"a", b".b\r\n"), b"a.b\r\n.\r\n")

    def test_crlf_files(self) -> None:
        """CRLF stays CRLF (C3)."""
        self.assertEqual(stuffed(b"a\r\nb\r\n"), b"a\r\nb\r\n.\r\n")

    def test_lone_line_ends(self) -> None:
        """Lone CR and LF leave as CRLF, dots behind them doubled: nobody can be made to see another end of data (smuggling)."""
        self.assertEqual(stuffed(b"a\n.\nb\r.\rc"), b"a\r\n..\r\nb\r\n..\r\nc\r\n.\r\n")
        self.assertEqual(stuffed(b"a\r"), b"a\r\n.\r\n")

    def test_end(self) -> None:
        """A message without a last line end gets one; an empty one is just the dot."""
        self.assertEqual(stuffed(b"a"), b"a\r\n.\r\n")
        self.assertEqual(stuffed(), b".\r\n")

    @given(pieces)
    @example([b"\r", b"\n", b"."])
    @example([b"\r", b"."])
    @example([b"", b"\r", b"", b"\n."])
    def test_any_message_in_any_pieces(self, parts: list[bytes]) -> None:
        """Whatever is sent, a strict server finds exactly that message, and its end only at the end."""
        self.assertEqual(unstuffed(stuffed(*parts)), normal(b"".join(parts)))
