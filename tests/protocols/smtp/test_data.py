"""Conversations: DATA and BDAT."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from hostmail.errors import BrokenOff, OutOfSpace, OverQuota
from tests.protocols.smtp.talk import Conversation


class PressureTests(Conversation):
    def test_s17_a_slow_disk_pauses_the_peer(self):
        """S17: while the disk is behind, nothing more is taken, the socket is paused, and memory stays bounded."""
        self.begins_mail()
        self.says("DATA")
        kept = self.intake.kept[0]
        kept.disk = Deferred()
        for _ in range(4):
            self.sends(b"x" * 65_000 + b"\r\n")
        self.assertEqual(kept.writes, 1)
        self.assertEqual(self.wire.producerState, "paused")
        kept.disk.callback(None)
        self.assertEqual(self.wire.producerState, "producing")
        self.says(".", "NOOP")
        self.hears_codes("354", "250", "250")
        self.assertEqual(len(kept.octets), 4 * 65_002)

    def test_s17_a_peer_gone_while_the_disk_is_slow(self):
        """The message is forgotten, and the disk's answer disturbs nobody."""
        self.begins_mail()
        self.says("DATA")
        kept = self.intake.kept[0]
        kept.disk = Deferred()
        self.sends(b"x" * 1_000)
        self.hangs_up()
        kept.disk.callback(None)
        self.assertEqual(kept.state, "aborted")


class DataTests(Conversation):
    def setUp(self):
        super().setUp()
        self.begins_mail()

    def test_takes_a_message(self):
        """The message arrives whole, dots removed, and the answer names it."""
        self.says("DATA", "Subject: hi", "", "..dot", ".", "NOOP")
        self.hears("354 End data with <CR><LF>.<CR><LF>", "250 2.0.0 Ok: queued as q1", "250 2.0.0 Ok")
        (kept,) = self.intake.kept
        self.assertEqual((kept.octets, kept.state), (b"Subject: hi\r\n\r\n.dot\r\n", "committed"))
        self.assertEqual((kept.envelope.sender, kept.recipients), ("bob@example.net", ["ann@example.com"]))

    def test_s05_250_comes_after_the_commit_and_before_the_next_answer(self):
        """S5, D12: 250 means durable; what was pipelined behind the dot waits for it."""
        self.intake.commit_waits = Deferred()
        self.says("DATA", "hi", ".", "NOOP", "QUIT")
        self.hears_codes("354")
        self.intake.commit_waits.callback(None)
        self.hears_codes("250 2.0.0 Ok: queued as q1", "250 2.0.0 Ok", "221")

    def test_s13_refusals_at_the_end_keep_their_meaning(self):
        """S13: over quota is over quota and for now is for now, not one reply for all."""
        for refusal, code in ((OverQuota(), "552 5.2.2"), (OutOfSpace(), "452 4.3.1")):
            self.intake.commit_fails = refusal
            self.begins_mail()
            self.says("DATA", "hi", ".")
            self.hears_codes("354", code)

    def test_s14_faults_are_answered(self):
        """S14: whatever fails within us is answered with 451 after the end of data, and the session lives."""
        self.intake.commit_fails = ValueError("secret")
        self.says("DATA", "hi", ".", "NOOP")
        self.hears(
            "354 End data with <CR><LF>.<CR><LF>", "451 4.3.0 local error, please try again later", "250 2.0.0 Ok"
        )
        self.intake.write_fails = OSError("secret")
        self.begins_mail()
        self.says("DATA", "hi")
        self.says("MAIL FROM:<evil@x>", ".", "NOOP")
        self.hears_codes("354", "451 4.3.0", "250 2.0.0")
        self.assertEqual(self.intake.kept[1].state, "aborted")
        self.intake.begin_fails = KeyError("secret")
        self.begins_mail()
        self.says("DATA", "NOOP")
        self.hears_codes("451 4.3.0", "250")
        self.assertEqual(len(self.flushLoggedErrors(ValueError, OSError, KeyError)), 3)

    def test_the_intake_may_refuse_to_begin(self):
        """No room: DATA is refused before the message is sent."""
        self.intake.begin_fails = OutOfSpace()
        self.says("DATA", "RSET")
        self.hears_codes("452 4.3.1", "250")

    def test_s10_bare_line_ends_and_nul_are_refused_at_the_end(self):
        """S10: nothing is taken, and nothing behind a false end is run."""
        for body, code in (
            (b"hi\n.\nMAIL FROM:<e@x>\r\n", "550 5.6.11"),
            (b"hi\r\n.\nMAIL FROM:<e@x>\r\n", "550 5.6.11"),
            (b"a\rb\r\n", "550 5.6.11"),
            (b"a\0b\r\n", "550 5.6.0"),
        ):
            self.begins_mail()
            self.sends(b"DATA\r\n" + body + b".\r\nNOOP\r\n")
            self.hears_codes("354", code, "250 2.0.0")
            self.assertEqual(self.intake.kept[-1].state, "aborted")
            self.assertEqual(getattr(self.intake.kept[-1].why, "enhanced", ""), code[4:])

    def test_size_is_enforced_while_streaming(self):
        """D3: octets over the limit are read to the true end and go nowhere, then 552; the limit itself is fine."""
        for size, code in ((1_000, "250"), (1_001, "552 5.3.4")):
            self.connect(message_size_limit=1_000)
            self.wire.clear()
            self.begins_mail()
            self.says("DATA")
            for _ in range(size - 2):
                self.sends(b"x")
            self.sends(b"\r\n")
            self.sends(b"." if code == "250" else b"MAIL FROM:<e@x>\r\n" * 5000 + b".")
            self.sends(b"\r\nNOOP\r\n")
            self.hears_codes("354", code, "250 2.0.0")
        self.assertEqual(self.intake.kept[-1].state, "aborted")
        self.assertLessEqual(len(self.intake.kept[-1].octets), 1_000)

    def test_s02_an_endless_line_is_never_run_as_commands(self):
        """S2: over 64 KiB in one line is 552 after the true end; what stands behind it is still message."""
        self.says("DATA", "A" * 20_000, ".")
        self.hears_codes("354", "250")
        self.begins_mail()
        self.says(
            "DATA", "A" * 70_000, "MAIL FROM:<evil@x>", "RCPT TO:<ann@example.com>", "DATA", "forged", ".", "NOOP"
        )
        self.hears_codes("354", "552 5.6.0", "250 2.0.0")
        self.assertEqual(len(self.intake.kept), 2)

    def test_eight_bit_text_is_known_as_such(self):
        """8-bit text without BODY=8BITMIME is taken, and marked for those who pass it on."""
        self.says("DATA", "grün", ".")
        self.assertEqual(self.intake.kept[0].envelope.body, "8BITMIME")

    def test_s17_one_transaction_for_all_recipients(self):
        """S17: a message for many is received once, in chunks as large as they come."""
        self.begins_mail("ann@example.com", "eve@example.com", "postmaster")
        self.says("DATA")
        self.sends(b"0123456789abcdef\r\n" * 3_000 + b".\r\n")
        (kept,) = self.intake.kept
        self.assertEqual((len(kept.recipients), len(kept.octets), kept.writes), (3, 54_000, 1))

    def test_s17_a_slow_disk_holds_the_sender_back(self):
        """S17: while a message is being committed the client is not read without bound."""
        self.intake.commit_waits = Deferred()
        self.says("DATA", "hi", ".")
        for _ in range(5):
            self.says(*["NOOP"] * 10_000)
        self.assertEqual(self.wire.producerState, "paused")
        self.intake.commit_waits.callback(None)
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(self.wire.said().count(b"250 2.0.0 Ok\r\n"), 50_000)

    def test_a_lost_line_leaves_nothing(self):
        """A message cut off is forgotten, and the history hears how."""
        self.says("DATA", "hi")
        self.hangs_up()
        self.assertEqual(self.intake.kept[0].state, "aborted")
        self.assertIsInstance(self.intake.kept[0].why, BrokenOff)
        self.assertIn("connection was lost within the message, after 2 octets", str(self.intake.kept[0].why))
        self.assertEqual(self.sessions.open, [])

    def test_a_commit_goes_on_when_the_line_is_lost(self):
        """Once the end of data has come, the message is taken."""
        self.intake.commit_waits = Deferred()
        self.says("DATA", "hi", ".")
        self.hangs_up()
        self.intake.commit_waits.callback(None)
        self.assertEqual(self.intake.kept[0].state, "committed")

    def test_s16_only_a_stalled_sender_times_out(self):
        """S16, B4: 3 minutes without an octet of data end the session; slow ones live for ever."""
        self.says("DATA")
        for _ in range(100):
            self.clock.advance(170)
            self.says("still here")
        self.wire.clear()
        self.clock.pump([60] * 5)
        self.hears("421 4.4.2 mail.example.com heard nothing for too long, closing")
        self.hangs_up()
        self.assertEqual(self.intake.kept[0].state, "aborted")

    def test_cuts_do_not_matter(self):
        """A whole conversation cut anywhere gets the same answers and leaves the same message."""
        wire = (
            b"EHLO x\r\nMAIL FROM:<bob@example.net>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n"
            b"a\r\n..b\r\n.c\r\n\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.com>\r\nBDAT 4\r\nQUITBDAT 5 LAST\r\n\r\n.\r\nQUIT\r\n"
        )

        @settings(max_examples=300, deadline=None)
        @given(st.lists(st.integers(1, len(wire) - 1), max_size=20))
        def holds(cuts):
            self.connect()
            self.wire.clear()
            places = sorted({0, *cuts, len(wire)})
            for start, end in itertools.pairwise(places):
                self.sends(wire[start:end])
            codes = [line[:4] for line in self.wire.said().decode().splitlines() if line[3] == " "]
            self.assertEqual(codes, ["250 ", "250 ", "250 ", "354 ", "250 ", "250 ", "250 ", "250 ", "250 ", "221 "])
            first, second = self.intake.kept[-2:]
            self.assertEqual((first.octets, second.octets), (b"a\r\n.b\r\nc\r\n\r\n", b"QUIT\r\n.\r\n"))

        holds()


class BdatTests(Conversation):
    def setUp(self):
        super().setUp()
        self.begins_mail()

    def test_takes_chunks(self):
        """RFC 3030: chunks are answered one by one, the last with the message's id."""
        self.sends(b"BDAT 6\r\nhi\r\n.\rBDAT 4 LAST\r\n\nfooNOOP\r\n")
        self.hears("250 2.0.0 6 octets received", "250 2.0.0 Ok: queued as q1", "250 2.0.0 Ok")
        self.assertEqual(self.intake.kept[0].octets, b"hi\r\n.\r\nfoo\r\n")

    def test_s10_bare_line_ends_are_refused_here_too(self):
        """S10: a bare LF in any chunk spoils the message."""
        self.sends(b"BDAT 6\r\nhi\r\n.\rBDAT 0\r\nBDAT 5 LAST\r\n\nfoo\nNOOP\r\n")
        self.hears_codes("250", "250", "550 5.6.11", "250")

    def test_an_empty_last_chunk_ends_the_message(self):
        """`BDAT 0 LAST` commits what came before."""
        self.sends(b"BDAT 4\r\nhi\r\nBDAT 0 LAST\r\n")
        self.hears_codes("250", "250 2.0.0 Ok: queued as q1")

    def test_s06_unwanted_chunks_are_read_and_never_run(self):
        """S6: a chunk without a transaction is swallowed, then refused."""
        self.says("RSET")
        self.sends(b"BDAT 17 LAST\r\nMAIL FROM:<e@x>\r\nNOOP\r\n")
        self.hears_codes("250", "503 5.5.1", "250 2.0.0")
        self.sends(b"BDAT 0 LAST\r\n")
        self.hears_codes("503 5.5.1")

    def test_a_size_that_cannot_be_read_ends_the_session(self):
        """Nobody knows where the next command begins."""
        self.sends(b"BDAT x LAST\r\nMAIL FROM:<e@x>\r\n")
        self.hears_codes("501 5.5.4")
        self.assertTrue(self.wire.disconnecting)

    def test_chunks_and_data_do_not_mix(self):
        """RFC 3030: DATA, RCPT and MAIL are out of order once a chunk has come; RSET frees."""
        self.sends(b"BDAT 4\r\nhi\r\nDATA\r\nRCPT TO:<ann@example.com>\r\nMAIL FROM:<>\r\nRSET\r\n")
        self.hears_codes("250", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250")
        self.assertEqual(self.intake.kept[0].state, "aborted")
        self.assertIn("taken back by the client", str(self.intake.kept[0].why))

    def test_size_counts_over_chunks(self):
        """D3: the chunk that passes the limit is read, refused with 552, and ends the transaction."""
        self.connect(message_size_limit=10)
        self.wire.clear()
        self.begins_mail()
        self.sends(b"BDAT 8\r\n12345678BDAT 3 LAST\r\n123BDAT 1 LAST\r\n1NOOP\r\n")
        self.hears_codes("250", "552 5.3.4", "503 5.5.1", "250")
        self.assertEqual(self.intake.kept[0].state, "aborted")
        self.assertEqual(getattr(self.intake.kept[0].why, "enhanced", ""), "5.3.4")

    def test_bad_content_is_refused_with_its_chunk(self):
        """A NUL ends the transaction with the chunk that holds it."""
        self.sends(b"BDAT 3\r\na\0bBDAT 1 LAST\r\nxNOOP\r\n")
        self.hears_codes("550 5.6.0", "503 5.5.1", "250")

    def test_faults_do_not_lose_the_place(self):
        """A chunk is read to its end even if the message could not be begun or written."""
        self.intake.begin_fails = KeyError("secret")
        self.sends(b"BDAT 4 LAST\r\nQUITNOOP\r\n")
        self.hears_codes("451 4.3.0", "250")
        self.intake.begin_fails, self.intake.write_fails = None, OSError("secret")
        self.begins_mail()
        self.sends(b"BDAT 4\r\nQUITNOOP\r\n")
        self.hears_codes("451 4.3.0", "250")
        self.assertEqual(len(self.flushLoggedErrors(KeyError, OSError)), 2)
        self.intake.begin_fails = OutOfSpace()
        self.begins_mail()
        self.sends(b"BDAT 4\r\nQUITNOOP\r\n")
        self.hears_codes("452 4.3.1", "250")
