"""Dots and cuts do not depend on where a message is cut into blocks (P4, P5)."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.pop3.stuffing import Stuffer, TopCut

PIECES = st.lists(st.sampled_from([b".", b"\r\n", b"a", b"\r\n\r\n", b"\r", b"\n"]), max_size=30).map(b"".join)


def blocks(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


class StufferTests(SynchronousTestCase):
    @given(PIECES, st.lists(st.integers(0, 99), max_size=6))
    def test_p04_dots_are_doubled_wherever_blocks_end(self, message: bytes, cuts: list[int]) -> None:
        """Every line that begins with a dot gets another one, and the end comes after a line end."""
        stuffer = Stuffer()
        wire = b"".join(stuffer.feed(block) for block in blocks(message, cuts)) + stuffer.end()
        whole = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
        whole += b"" if (b"\r\n" + message).endswith(b"\r\n") else b"\r\n"
        self.assertEqual(wire, whole + b".\r\n")


class TopCutTests(SynchronousTestCase):
    @given(PIECES, st.integers(0, 5), st.lists(st.integers(0, 99), max_size=6))
    def test_p05_the_cut_does_not_depend_on_blocks(self, message: bytes, lines: int, cuts: list[int]) -> None:
        """Header, blank line and so many lines, whatever the blocks."""
        cut = TopCut(lines)
        shown = b"".join(cut.feed(block) for block in blocks(message, cuts))
        at = (b"\r\n" + message).find(b"\r\n\r\n")
        if at < 0:
            expected = message
        else:
            body = message[at + 2 :]
            expected = message[: at + 2] + b"".join(body.splitlines(keepends=True)[:0])
            expected += b"\n".join(body.split(b"\n")[:lines]) + (b"\n" if lines and body.count(b"\n") >= lines else b"")
        self.assertEqual(shown, expected)
