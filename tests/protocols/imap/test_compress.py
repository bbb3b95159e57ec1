"""COMPRESS=DEFLATE (RFC 4978)."""

from __future__ import annotations

import zlib

from twisted.internet.defer import Deferred

from hostmail.protocols.base import HIGH_WATER
from tests.protocols.imap.talk import HELLO, Gate, ImapCase
from tests.protocols.imap.test_hardness import Counting


class CompressTests(ImapCase):
    """Both ends of a compressed connection."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, HELLO)
        self.talk = self.ann(b"INBOX")
        self.packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)

    def start(self) -> None:
        """Switch it on."""
        self.assertEqual(self.talk.asks(b"COMPRESS DEFLATE"), [b". OK DEFLATE active"])

    def packed(self, data: bytes) -> bytes:
        """For the wire."""
        return self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH)

    def sends(self, data: bytes) -> bytes:
        """Over the wire and back; whatever was answered is readable at once."""
        return self.unpacker.decompress(self.talk.sends(self.packed(data)))

    def test_both_ways(self) -> None:
        """Commands in, answers out, each complete."""
        self.start()
        self.assertEqual(self.sends(b"a NOOP\r\n"), b"a OK NOOP completed\r\n")
        answer = self.sends(b"b FETCH 1:2 BODY.PEEK[]\r\nc NOOP\r\n")
        self.assertEqual(answer.count(HELLO), 2)
        self.assertTrue(answer.endswith(b"c OK NOOP completed\r\n"))

    def test_in_single_octets(self) -> None:
        """However the wire cuts it."""
        self.start()
        heard = b"".join([self.talk.sends(bytes([octet])) for octet in self.packed(b"a NOOP\r\nb CHECK\r\n")])
        self.assertEqual(self.unpacker.decompress(heard), b"a OK NOOP completed\r\nb OK CHECK completed\r\n")

    def test_pushed_news(self) -> None:
        """What IDLE pushes is compressed as well."""
        self.start()
        self.assertEqual(self.sends(b"a IDLE\r\n"), b"+ idling\r\n")
        self.put(HELLO)
        self.events_arrive()
        self.assertIn(b"* 3 EXISTS\r\n", self.unpacker.decompress(self.talk.wire.said()))

    def test_offered_until_it_is_on(self) -> None:
        """In CAPABILITY before, and not after; a second COMPRESS is refused."""
        self.assertNotIn(b"COMPRESS", self.client().greeting)
        self.assertIn(b"COMPRESS=DEFLATE", self.talk.asks(b"CAPABILITY")[0])
        self.start()
        self.assertNotIn(b"COMPRESS", self.sends(b"a CAPABILITY\r\n"))
        self.assertEqual(
            self.sends(b"b COMPRESS DEFLATE\r\n"), b"b NO [COMPRESSIONACTIVE] compression is on already\r\n"
        )

    def test_refused(self) -> None:
        """Other mechanisms; and octets behind the command, of which nobody can tell how they are meant."""
        self.assertTrue(self.talk.last(b"COMPRESS LZ4").startswith(b". BAD"))
        said = self.talk.sends(b"a COMPRESS DEFLATE\r\nb NOOP\r\n")
        self.assertTrue(said.startswith(b"a BAD wait"), said)
        self.assertTrue(said.endswith(b"b OK NOOP completed\r\n"), said)

    def test_broken_streams(self) -> None:
        """What cannot be unpacked, or ends, ends the connection."""
        for junk in (b"\xff" * 100, self.packer.compress(b"a NOOP\r\n") + self.packer.flush(zlib.Z_FINISH)):
            talk = self.ann()
            talk.asks(b"COMPRESS DEFLATE")
            talk.sends(junk)
            self.assertTrue(talk.wire.aborted)

    def test_a_bomb_of_nothing(self) -> None:
        """Octets that are read away at once are no reason to let others wait; the next command is answered all the same."""
        clock = self.house.clock = Counting()
        self.talk = self.ann(b"INBOX")
        self.start()
        self.assertEqual(self.talk.sends(self.packed(b"a" * 10_000_000 + b"\r\nb NOOP\r\n")), b"")
        self.assertEqual(self.talk.wire.producerState, "paused")
        clock.advance(0)
        self.assertGreater(clock.turns, 10)
        self.assertEqual(self.talk.wire.producerState, "producing")
        said = self.unpacker.decompress(self.talk.wire.said())
        self.assertTrue(said.endswith(b" BAD the line is too long\r\nb OK NOOP completed\r\n"), said)

    def test_a_bomb(self) -> None:
        """A few octets that stand for very many are unpacked no further than they are read."""
        self.start()
        waiting: list[Deferred[None]] = []
        account = self.talk.server.account
        assert account is not None
        account.store = Gate(account.store, waiting)
        self.talk.sends(self.packed(b'a LIST "" *\r\n' + b"b NOOP\r\n" * 1_000_000))
        self.assertEqual(len(waiting), 1)
        self.assertLess(len(self.talk.server.framer), 2 * HIGH_WATER)
        self.assertEqual(self.talk.wire.producerState, "paused")
