"""BDAT (RFC 3030): the command and its chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import Refusal
from hostmail.protocols.smtp.bdat import Bdat, ChunkReceiver, parse_bdat
from hostmail.protocols.smtp.content import Content

TEXTS = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a"]), max_size=12).map(b"".join)


class BdatTests(SynchronousTestCase):
    def test_reads_size_and_last(self):
        """`BDAT 7` and `BDAT 7 LAST`, in any case."""
        self.assertEqual(parse_bdat(b"7"), Bdat(7, False))
        self.assertEqual(parse_bdat(b" 0 last "), Bdat(0, True))

    def test_refuses_anything_else(self):
        """What is no size, or too long for one, is a syntax error."""
        for argument in (b"", b"x", b"-1", b"7 FIRST", b"7 LAST x", b"1" * 13, b"+7", b"7.0", b"\xb2"):
            self.assertEqual(self.assertRaises(Refusal, parse_bdat, argument).code, 501, argument)


class ChunkTests(SynchronousTestCase):
    def test_joins_chunks_however_they_arrive(self):
        """Chunks give back exactly the client's octets and whole lines; bare CR and LF are seen over their borders."""

        @given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 5))
        def holds(chunks, step):
            receiver, content, message = ChunkReceiver(), Content(), b""
            for chunk in chunks:
                receiver.expect(len(chunk))
                wire, rest = chunk + b"NEXT", None
                for at in range(0, len(wire), step):
                    octets, rest = receiver.feed(wire[at : at + step])
                    message += octets
                    content.look(octets)
                    if rest is not None:
                        self.assertEqual(rest + wire[at + step :], b"NEXT")
                        break
            tail = receiver.finish()
            content.look(tail)
            message += tail
            whole = b"".join(chunks)
            ended = whole if not whole or whole[-1:] in b"\r\n" else whole + b"\r\n"
            self.assertEqual(message, ended)
            left = ended.replace(b"\r\n", b"")
            self.assertEqual(content.bare, b"\r" in left or b"\n" in left)

        holds()

    def test_an_empty_last_chunk_ends_an_open_line(self):
        """`BDAT 0 LAST` after a chunk without a line end leaves a message that ends with one."""
        receiver = ChunkReceiver()
        receiver.expect(2)
        self.assertEqual(receiver.feed(b"hi"), (b"hi", b""))
        receiver.expect(0)
        self.assertEqual(receiver.feed(b""), (b"", b""))
        self.assertEqual(receiver.finish(), b"\r\n")
