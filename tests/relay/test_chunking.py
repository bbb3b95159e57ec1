"""Messages in chunks (RFC 3030), as they would be heard on the line."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from hostmail.relay.chunks import bdat, chunks
from hostmail.relay.content import BLOCK
from hostmail.relay.transaction import MAIL_SECONDS, MOST_AHEAD
from hostmail.relay.wire import BLOCK_SECONDS, FINAL_SECONDS, RECENT_SECONDS
from tests.relay.talk import TalkCase
from tests.relay.test_stuffing import normal, pieces

TEXT = "Subject: hi\r\n\r\nbody\r\n"
MAIL, BOB, EVE = "MAIL FROM:<ann@example.com>\r\n", "RCPT TO:<bob@x.example>\r\n", "RCPT TO:<eve@x.example>\r\n"
LATER = "450 4.2.1 mx.x.example said: 450 4.2.1 later"
LOST = "451 4.4.2 mx.x.example closed the connection"
PIPELINED = ("PIPELINING", "CHUNKING")


class ChunksTests(TalkCase):
    def cut(self, *blocks: bytes) -> list[tuple[bytes, bool]]:
        waiting = [*filter(None, blocks), b""]

        async def read() -> bytes:
            return waiting.pop(0)

        async def all_of_them() -> list[tuple[bytes, bool]]:
            return [chunk async for chunk in chunks(read)]

        cut: list[tuple[bytes, bool]] = self.wait(all_of_them())
        return cut

    def test_blocks(self) -> None:
        """A chunk for each block; the last one says so, and no octets come after it."""
        self.assertEqual(self.cut(b"a\r\n", b"b\r\n"), [(b"a\r\n", False), (b"b\r\n", True)])
        self.assertEqual((bdat(b"abc", False), bdat(b"", True)), ("BDAT 3", "BDAT 0 LAST"))

    def test_empty(self) -> None:
        """An empty message is a chunk of no octets."""
        self.assertEqual(self.cut(), [(b"", True)])

    @given(pieces)
    @example([b"a", b"\r", b"\n"])
    @example([b"\r"])
    def test_text(self, parts: list[bytes]) -> None:
        """The text is that which DATA brings, dots as they are, for lone CR and LF need BINARYMIME (RFC 3030 3)."""
        cut = self.cut(*parts)
        self.assertEqual(b"".join(chunk for chunk, _ in cut), normal(b"".join(parts)))
        self.assertEqual([last for _, last in cut], [False] * (len(cut) - 1) + [True])


class AtOnceTests(TalkCase):
    """PIPELINING, and a message that is small."""

    def begin(self, *recipients: str) -> None:
        self.sending = self.send(*recipients)
        self.server.greets(*PIPELINED)

    def test_one_message(self) -> None:
        """Envelope and text go in one piece, dots as they are: one round trip."""
        self.write(b"Subject: hi\r\n\r\n.\r\n..\r\n")
        self.begin("bob@x.example", "eve@x.example")
        self.assertEqual(self.server.heard(), f"{MAIL}{BOB}{EVE}BDAT 22 LAST\r\nSubject: hi\r\n\r\n.\r\n..\r\n")
        self.server.says("250 ok", "250 ok", "250 ok")
        self.assertNoResult(self.sending)
        self.server.says("250 2.0.0 taken")
        sent = self.successResultOf(self.sending)
        self.assertEqual([each.answer for each in sent], ["mx.x.example said: 250 2.0.0 taken"] * 2)
        self.send()
        self.assertIn("BDAT", self.server.heard())

    def test_acknowledged(self) -> None:
        """A server that sends its replies one by one hears at once that the first has come, or it would hold the others back (Nagle)."""
        self.begin()
        self.server.says("250 ok")
        self.assertEqual(self.server.transport.acknowledged, 1)
        self.server.says("250 ok", "250 taken")
        self.assertEqual((self.server.transport.acknowledged, self.results(self.sending)), (1, ["+"]))

    def test_some_refused(self) -> None:
        """Each has his own answer, and those who were accepted share that of the message."""
        self.begin("bob@x.example", "eve@x.example")
        self.server.says("250 ok", "250 ok", "450 4.2.1 later", "250 taken")
        self.assertEqual(self.results(self.sending), ["+", LATER])

    def test_nobody_accepted(self) -> None:
        """What the server says to the text is no news then; the connection is good for the next message."""
        for answer in ("503 5.5.1 nobody", "250 taken"):
            self.begin()
            self.server.says("250 ok", "450 4.2.1 later")
            self.assertNoResult(self.sending)
            self.server.heard()
            self.server.says(answer)
            if answer[0] == "5":
                self.assertEqual(self.server.heard(), "RSET\r\n")
                self.server.says("250 ok")
            self.assertEqual(self.results(self.sending), [LATER])
            self.assertEqual(self.server.gone, False)
            self.server.hangs_up()

    def test_sender_refused(self) -> None:
        """A refused MAIL refuses everybody."""
        self.begin("bob@x.example", "eve@x.example")
        self.server.says("450 4.2.1 later", "503 no", "503 no", "503 no")
        self.server.says("250 reset")
        self.assertEqual(self.results(self.sending), [LATER] * 2)

    def test_text_refused(self) -> None:
        """A refused text refuses those who were accepted; the next message begins anew."""
        self.begin()
        self.server.says("250 ok", "250 ok", "450 4.2.1 later")
        self.assertTrue(self.server.heard().endswith("RSET\r\n"))
        self.server.says("250 reset")
        self.assertEqual(self.results(self.sending), [LATER])
        self.send()
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_lost(self) -> None:
        """If the line drops before the server has refused it, it may have the message: nothing is sent again at once."""
        for replies in ([], ["250 ok"], ["250 ok", "250 ok"]):
            self.begin()
            self.server.says(*replies)
            self.server.hangs_up()
            self.assertEqual(self.results(self.sending), [LOST])

    def test_lost_by_a_used_connection(self) -> None:
        """Nor by another connection if the one that was used before dies."""
        self.begin()
        self.server.says("250 ok", "250 ok", "250 taken")
        sending = self.send()
        self.server.hangs_up()
        self.assertEqual((self.results(sending), len(self.endpoint.servers)), ([LOST], 1))

    def test_lost_behind_a_refusal(self) -> None:
        """A server that takes no more messages on this connection has not got this one: it goes by another at once."""
        self.begin()
        self.server.says("250 ok", "250 ok", "250 taken")
        sending = self.send()
        self.server.says("421 4.7.0 too many messages")
        self.server.hangs_up()
        self.server.greets(*PIPELINED)
        self.server.says("250 ok", "250 ok", "250 taken")
        self.assertEqual((self.results(sending), len(self.endpoint.servers)), (["+"], 2))

    def test_silent_for_a_while(self) -> None:
        """A connection that nobody has used for a moment may be dead: the text goes once somebody was accepted."""
        self.begin()
        self.server.says("250 ok", "250 ok", "250 taken")
        self.server.heard()
        self.clock.advance(RECENT_SECONDS + 1)
        sending = self.send()
        self.assertEqual(self.server.heard(), f"{MAIL}{BOB}")
        self.server.hangs_up()
        self.server.greets(*PIPELINED)
        self.server.says("250 ok", "250 ok", "250 taken")
        self.assertEqual(self.results(sending), ["+"])

    def test_not_readable(self) -> None:
        """A message that cannot be read is a failure for now, before the server hears of it."""
        sending = self.send()
        self.path.unlink()
        self.server.greets(*PIPELINED)
        self.assertEqual(self.results(sending), ["451 4.3.0 local error, please try again later"])
        self.assertEqual(self.server.heard(), "")


class StreamTests(TalkCase):
    """Messages that are too large to go before anybody was accepted."""

    blocks = 3

    def begin(self, *features: str) -> None:
        self.write(b"x" * (BLOCK * self.blocks - 2) + b"\r\n")
        self.sending = self.send()
        self.server.greets(*features)

    def test_one_by_one(self) -> None:
        """Without PIPELINING each chunk waits for the answer to the one before."""
        self.begin("CHUNKING")
        for _ in range(2):
            self.server.says("250 ok")
        self.assertEqual(self.server.heard().partition("\r\nBDAT")[2][:8], " 262144\r")
        self.server.says("250 ok")
        self.assertEqual(self.server.heard(), "BDAT 262144\r\n" + "x" * BLOCK)
        self.server.says("250 ok")
        self.assertEqual(self.server.heard(), "BDAT 262144 LAST\r\n" + "x" * (BLOCK - 2) + "\r\n")
        self.assertNoResult(self.sending)
        self.server.says("250 taken")
        self.assertEqual(self.results(self.sending), ["+"])

    def test_small(self) -> None:
        """So a small one is a single chunk, once its recipients are accepted."""
        sending = self.send()
        self.server.greets("CHUNKING")
        self.server.says("250 ok")
        self.server.heard()
        self.server.says("250 ok")
        self.assertEqual(self.server.heard(), f"BDAT {len(TEXT)} LAST\r\n{TEXT}")
        self.server.says("250 taken")
        self.assertEqual(self.results(sending), ["+"])

    def test_pipelined(self) -> None:
        """With PIPELINING chunks follow each other; all of them have to be taken."""
        self.begin(*PIPELINED)
        self.assertEqual(self.server.heard(), f"{MAIL}{BOB}")
        self.server.says("250 ok", "250 ok")
        self.assertEqual(len(self.server.heard()), BLOCK * 3 + len("BDAT 262144\r\n") * 3 + len(" LAST"))
        self.server.says("250 ok", "250 ok")
        self.assertNoResult(self.sending)
        self.server.says("250 taken")
        self.assertEqual(self.results(self.sending), ["+"])

    def test_nobody_accepted(self) -> None:
        """No text is sent to a server that has refused everybody; the connection is good for the next message."""
        self.begin(*PIPELINED)
        self.server.heard()
        self.server.says("250 ok", "450 4.2.1 later")
        self.assertEqual(self.server.heard(), "RSET\r\n")
        self.server.says("250 ok")
        self.assertEqual(self.results(self.sending), [LATER])
        self.send()
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_chunk_refused(self) -> None:
        """A chunk that is not taken ends it: no more of it is sent, RSET follows, and its answer is the message's."""
        for features in (("CHUNKING",), PIPELINED):
            self.begin(*features)
            self.server.wire.pauseProducing()
            self.server.says("250 ok")
            self.server.says("250 ok")
            self.server.heard()
            self.server.says("450 4.2.1 later")
            self.assertEqual(self.server.heard(), "RSET\r\n")
            self.server.says("250 reset")
            self.assertEqual(self.results(self.sending), [LATER])
            self.assertFalse(self.server.gone)
            self.server.hangs_up()

    def test_first_answer_counts(self) -> None:
        """What the server says to later chunks of a message that it does not take is waited for, and is no news."""
        self.begin(*PIPELINED)
        self.server.says("250 ok", "250 ok")
        self.server.heard()
        self.server.says("450 4.2.1 later", "503 no")
        self.assertNoResult(self.sending)
        self.server.says("250 surprise")
        self.assertEqual(self.server.heard(), "RSET\r\n")
        self.server.says("250 reset")
        self.assertEqual(self.results(self.sending), [LATER])

    def test_refused_and_lost(self) -> None:
        """A server that refuses a chunk and hangs up has said what it had to say."""
        self.begin(*PIPELINED)
        self.server.says("250 ok", "250 ok")
        self.server.says("552 5.3.4 too big")
        self.server.hangs_up()
        self.assertEqual(self.results(self.sending), ["552 5.3.4 mx.x.example said: 552 5.3.4 too big"])

    def test_lost_between_chunks(self) -> None:
        """If the line drops the message is for later, and not sent again at once."""
        for features in (("CHUNKING",), PIPELINED):
            self.begin(*features)
            self.server.says("250 ok")
            self.server.says("250 ok")
            self.server.says("250 ok")
            self.server.hangs_up()
            self.assertEqual(self.results(self.sending), [LOST])

    def test_pace(self) -> None:
        """The peer's pace is ours; one that takes nothing for three minutes is dropped."""
        self.begin(*PIPELINED)
        self.server.wire.pauseProducing()
        self.server.heard()
        self.server.says("250 ok", "250 ok")
        self.assertEqual(self.server.heard().count("BDAT"), 1)
        self.server.wire.resumeProducing()
        self.assertEqual(self.server.heard().count("BDAT"), 2)
        self.server.hangs_up()
        self.begin(*PIPELINED)
        self.server.wire.pauseProducing()
        self.server.says("250 ok", "250 ok")
        self.clock.advance(BLOCK_SECONDS - 1)
        self.assertNoResult(self.sending)
        self.clock.advance(1)
        self.assertEqual(self.results(self.sending), ["451 4.4.2 mx.x.example did not answer in time"])

    def test_timeouts(self) -> None:
        """Every wait has its end: chunks, the last one, and RSET."""
        for replies, seconds in ((2, BLOCK_SECONDS), (4, FINAL_SECONDS)):
            self.begin("CHUNKING")
            for _ in range(replies):
                self.server.says("250 ok")
            self.clock.advance(seconds - 1)
            self.assertNoResult(self.sending)
            self.clock.advance(1)
            self.assertEqual(self.results(self.sending), ["451 4.4.2 mx.x.example did not answer in time"])
        self.begin("CHUNKING")
        for reply in ("250 ok", "250 ok", "450 4.2.1 later"):
            self.server.says(reply)
        self.clock.advance(MAIL_SECONDS)
        self.assertEqual(self.results(self.sending), [LATER])

    def test_more_replies_than_chunks(self) -> None:
        """A server that answers what was not sent yet is out of step, and not believed."""
        self.begin(*PIPELINED)
        self.server.says("250 ok", "250 ok", "250 ok")
        self.assertEqual(self.results(self.sending), ["451 4.5.0 mx.x.example sent a reply that nobody asked for"])
        self.assertTrue(self.server.gone)

    def test_unreadable_in_the_middle(self) -> None:
        """A message that cannot be read to its end is cut before the last chunk: nobody takes half of it for all."""
        self.begin("CHUNKING")
        self.server.says("250 ok")
        self.path.unlink()
        self.server.says("250 ok")
        self.assertEqual(self.results(self.sending), ["451 4.3.0 local error, please try again later"])
        self.assertNotIn("LAST", self.server.heard())
        self.assertTrue(self.server.gone)

    @given(st.integers(MOST_AHEAD - 2, MOST_AHEAD + 2))
    def test_limit(self, size: int) -> None:
        """So much, and no more, is sent to a server that may refuse everybody."""
        self.write(b"x" * (size - 2) + b"\r\n")
        self.send()
        self.server.greets(*PIPELINED)
        self.assertEqual("BDAT" in self.server.heard(), size <= MOST_AHEAD)
        self.server.hangs_up()
