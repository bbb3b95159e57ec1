"""Replies from octets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.relay.failures import NextHopFailure, refusal_of
from hostmail.relay.replies import MAX_OCTETS, BadReply, Reply, ReplyParser


def parse(data: bytes) -> list[Reply]:
    return ReplyParser().feed(data)


class ReplyTests(SynchronousTestCase):
    def test_simple(self) -> None:
        """One line is one reply, with or without text, whatever ends the line."""
        self.assertEqual(
            parse(b"250 ok\r\n250\r\n354 go\n"), [Reply(250, ("ok",)), Reply(250, ("",)), Reply(354, ("go",))]
        )

    def test_several_lines(self) -> None:
        """A hyphen means that more lines follow."""
        [reply] = parse(b"250-mx.x.example\r\n250-SIZE 10\r\n250 DSN\r\n")
        self.assertEqual(reply.lines, ("mx.x.example", "SIZE 10", "DSN"))

    def test_enhanced(self) -> None:
        """The RFC 3463 status is known apart, if it fits the code; text comes without it."""
        [reply] = parse(b"550-5.1.1 no such\r\n550 5.1.1 user\r\n")
        self.assertEqual((reply.enhanced, reply.text, str(reply)), ("5.1.1", "no such user", "550 5.1.1 no such user"))
        self.assertEqual(Reply(550, ("2.0.0 odd",)).enhanced, "")
        self.assertEqual(Reply(250, ()).enhanced, "")

    def test_nonsense(self) -> None:
        """What is no reply ends the talk."""
        for bad in (b"hello\r\n", b"25 x\r\n", b"250x\r\n", b"\r\n", b"999 x\r\n", b"250-a\r\n354 b\r\n"):
            self.assertRaises(BadReply, parse, bad)

    def test_limits(self) -> None:
        """A reply has at most 512 lines and 64 KiB, with or without line ends (LIMITS, Relaying)."""
        self.assertEqual(len(parse(b"250-x\r\n" * 511 + b"250 x\r\n")[0].lines), 512)
        self.assertRaises(BadReply, parse, b"250-x\r\n" * 513)
        self.assertRaises(BadReply, parse, b"250-" + b"x" * MAX_OCTETS)
        self.assertRaises(BadReply, parse, (b"250-" + b"x" * 1000 + b"\r\n") * 70)

    def test_limits_are_per_reply(self) -> None:
        """A long life of short replies is fine."""
        parser = ReplyParser()
        for _ in range(100):
            self.assertEqual(len(parser.feed(b"250 " + b"x" * 1000 + b"\r\n")), 1)

    def test_unprintable(self) -> None:
        """Control characters of a peer never reach logs and reports."""
        [reply] = parse(b"550 a\x1b[2J\x00b\xff\r\n")
        self.assertEqual(reply.text, "a [2J b\ufffd")

    @given(st.lists(st.integers(0, 60)))
    def test_any_pieces(self, cuts: list[int]) -> None:
        """However the octets are cut, the same replies come out."""
        data = b"220 mx ready\r\n250-one\r\n250 two\r\n354 go ahead\r\n221 bye\r\n"
        parser, found, last = ReplyParser(), [], 0
        for cut in sorted(cuts):
            found += parser.feed(data[last:cut])
            last = max(last, cut)
        found += parser.feed(data[last:])
        self.assertEqual(found, parse(data))
        self.assertFalse(parser.unfinished)


class MeaningTests(SynchronousTestCase):
    def test_refusals(self) -> None:
        """A reply's code decides between later and never, its status and words are kept."""
        never = refusal_of(Reply(550, ("5.1.1 who?",)), "mx")
        self.assertEqual((never.code, never.enhanced, never.public), (550, "5.1.1", "mx said: 550 5.1.1 who?"))
        self.assertTrue(never.permanent)
        later = refusal_of(Reply(450, ("busy",)), "mx")
        self.assertEqual((later.code, later.enhanced, later.permanent), (450, "4.0.0", False))

    def test_too_many_recipients(self) -> None:
        """552 at RCPT without a status means "not so many at once" (RFC 5321 4.5.3.1.10); with 5.2.2 the mailbox is full."""
        self.assertFalse(refusal_of(Reply(552, ("too many",)), "mx", recipient=True).permanent)
        self.assertTrue(refusal_of(Reply(552, ("5.2.2 full",)), "mx", recipient=True).permanent)
        self.assertTrue(refusal_of(Reply(552, ("too big",)), "mx").permanent)

    def test_login_wanted(self) -> None:
        """A server that wants a login is our operator's trouble: the mail waits. So is a reply that fits nowhere."""
        for code in (530, 535, 354, 250):
            self.assertIsInstance(refusal_of(Reply(code, ("x",)), "mx"), NextHopFailure)
