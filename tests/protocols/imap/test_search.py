"""SEARCH."""

from __future__ import annotations

import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.searchdocument import Candidates
from tests.protocols.imap.talk import HELLO, Gate, ImapCase

NEWS = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nCc: carol@example.org\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?= und so\r\n"
    b"Date: Tue, 8 Mar 2022 23:30:00 -0800\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nw7ZmZmVudGxpY2hlIFNhY2hl\r\n"
)
BARE = b"Subject: bare\r\n\r\nnothing here\r\n"
SEEN, FLAGGED = 1, 4


class Search(ImapCase):
    """RFC 3501 section 6.4.4."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, flags=SEEN, date=760_654_345)
        self.put(NEWS, date=1_646_784_000)
        self.put(BARE, flags=FLAGGED)
        self.talk = self.ann(b"INBOX")

    def finds(self, program: bytes, *numbers: int) -> None:
        """The program finds exactly these, by number and by UID."""
        wanted = b" ".join([b"* SEARCH", *(b"%d" % number for number in numbers)])
        for verb in (b"SEARCH ", b"UID SEARCH "):
            self.assertEqual(self.talk.asks(verb + program), [wanted, b". OK SEARCH completed"], program)

    def test_flags_and_numbers(self) -> None:
        """What the columns know."""
        self.talk.last(b"STORE 2 +FLAGS (kw)")
        self.finds(b"ALL", 1, 2, 3)
        self.finds(b"SEEN", 1)
        self.finds(b"UNSEEN FLAGGED", 3)
        self.finds(b"KEYWORD KW", 2)
        self.finds(b"UNKEYWORD kw", 1, 3)
        self.finds(b"KEYWORD unknown")
        self.finds(b"UNKEYWORD unknown", 1, 2, 3)
        self.finds(b"RECENT", 1, 2, 3)
        self.finds(b"NEW", 2, 3)
        self.finds(b"OLD")
        self.finds(b"2:*", 2, 3)
        self.finds(b"UID 3,99", 3)
        self.finds(b"NOT 2", 1, 3)
        self.finds(b"OR SEEN FLAGGED", 1, 3)
        self.finds(b"OR (SEEN 1) (NOT (1:2))", 1, 3)

    def test_sizes_dates_and_ages(self) -> None:
        """Internal dates are days in UTC; ages are seconds (RFC 5032)."""
        self.finds(b"LARGER 200", 2)
        self.finds(b"SMALLER 100", 3)
        self.finds(b"SINCE 9-Mar-2022", 2, 3)
        self.finds(b"BEFORE 9-Mar-2022", 1)
        self.finds(b"ON 7-Feb-1994", 1)
        self.finds(b"YOUNGER 3600", 3)
        self.finds(b"OLDER 3600", 1, 2)

    def test_sent_days_are_those_of_the_header(self) -> None:
        """Whatever the zone, the day as written; a message without a date has none."""
        self.finds(b"SENTON 8-Mar-2022", 2)
        self.finds(b"SENTON 9-Mar-2022")
        self.finds(b"SENTSINCE 7-Feb-1994", 1, 2)
        self.finds(b"SENTBEFORE 8-Mar-2022", 1)
        self.finds(b"NOT SENTSINCE 1-Jan-1970", 3)
        self.finds(b"OR SENTON 7-Feb-1994 SUBJECT bare", 1, 3)

    def test_i11_header_texts(self) -> None:
        """Decoded, in any case, in every address field and any other (I11)."""
        self.finds(b"SUBJECT hello", 1)
        self.finds(b"FROM BOB@example", 1)
        self.finds(b"TO ann", 1)
        self.finds(b"CC carol", 2)
        self.finds(b"BCC carol")
        self.finds(b"HEADER Message-ID 1@", 1)
        self.finds(b'HEADER message-id ""', 1)
        self.finds(b"SUBJECT x")
        self.finds(b"CHARSET UTF-8 SUBJECT {6+}\r\n" + "grüß".encode()[:6], 2)
        self.finds(b"CHARSET UTF-8 FROM {7+}\r\n" + "jürgen".encode(), 2)

    def test_bodies_are_decoded(self) -> None:
        """Transfer encodings and charsets are undone; TEXT looks at the header as well."""
        self.finds(b"BODY {12+}\r\n" + "öffentliche".encode(), 2)
        self.finds(b"TEXT sache", 2)
        self.finds(b"BODY carol")
        self.finds(b"TEXT carol", 2)
        self.finds(b"BODY nothing SUBJECT bare FLAGGED", 3)
        self.finds(
            b"NOT BODY e",
        )
        self.finds(b"OR BODY nothing BODY how", 1, 3)

    def test_i11_nothing_found_is_an_answer(self) -> None:
        """An empty result is still a SEARCH line (I11)."""
        self.finds(b"DELETED")
        talk = self.ann(b"Sent")
        self.assertEqual(talk.asks(b"SEARCH 1:* UID 1:*"), [b"* SEARCH", b". OK SEARCH completed"])

    def test_character_sets(self) -> None:
        """Unknown ones are refused, with those that are known."""
        self.assertTrue(self.talk.last(b"SEARCH CHARSET KOI8-R ALL").startswith(b". NO [BADCHARSET (US-ASCII UTF-8)] "))
        self.assertTrue(self.talk.last(b"SEARCH FOO").startswith(b". BAD "))
        self.assertTrue(self.talk.last(b"SEARCH " + b"NOT " * 200 + b"ALL").startswith(b". BAD "))

    def test_extended_results(self) -> None:
        """RETURN (RFC 4731): MIN, MAX, COUNT, ALL; nothing found leaves COUNT 0 only."""
        asks = self.talk.asks
        self.assertTrue(asks(b"SEARCH RETURN (MIN MAX COUNT) ALL")[0].endswith(b") MIN 1 MAX 3 COUNT 3"))
        self.assertRegex(asks(b"UID SEARCH RETURN () ALL")[0], rb'^\* ESEARCH \(TAG "t\d+"\) UID ALL 1:3$')
        self.assertRegex(asks(b"SEARCH RETURN (ALL COUNT) DELETED")[0], rb'^\* ESEARCH \(TAG "t\d+"\) COUNT 0$')
        self.assertTrue(self.talk.last(b"SEARCH RETURN (MOST) ALL").startswith(b". BAD "))

    def test_messages_that_vanish_do_not_match(self) -> None:
        """They are passed over, as if they were gone already."""
        other = self.ann(b"INBOX")
        other.last(b"STORE 1 +FLAGS (\\Deleted)")
        other.last(b"EXPUNGE")
        self.assertEqual(self.talk.asks(b"SEARCH TEXT e")[0], b"* SEARCH 2 3")
        self.assertEqual(self.talk.asks(b"SEARCH SENTSINCE 1-Jan-1970")[0], b"* SEARCH 2")
        self.assertEqual(self.talk.asks(b"SEARCH NOT SENTSINCE 1-Jan-1970")[0], b"* SEARCH 3")

    def test_long_searches_give_others_a_turn(self) -> None:
        """After some megabytes the reactor runs; a client that leaves ends the work."""
        self.put(*[BARE + b"x" * 600_000] * 6)
        self.talk.last(b"NOOP")
        self.assertEqual(self.talk.sends(b"A SEARCH BODY nothing\r\n"), b"")
        while self.clock.getDelayedCalls() and not (heard := self.talk.wire.said()):
            self.clock.advance(0)
        self.assertEqual(heard, b"* SEARCH 3 4 5 6 7 8 9\r\nA OK SEARCH completed\r\n")
        self.talk.sends(b"A SEARCH BODY nothing\r\n")
        self.talk.hangs_up()
        self.clock.advance(0)
        self.assertEqual(self.talk.wire.said(), b"")

    def test_many_senders_are_asked_in_portions(self) -> None:
        """The index is read in chunks, with turns for others in between."""
        self.put(*[BARE] * 1200)
        self.talk.last(b"NOOP")
        self.talk.sends(b"A SEARCH FROM j@example.org\r\n")
        for _ in range(5):
            self.clock.advance(0)
        self.assertEqual(self.talk.wire.said(), b"* SEARCH 2\r\nA OK SEARCH completed\r\n")

    def test_slow_disks(self) -> None:
        """Waiting for each read changes nothing."""
        account = self.talk.server.account
        assert account is not None
        gates: list = []  # type: ignore[type-arg]
        account.store = Gate(account.store, gates)
        heard = self.talk.sends(b"A SELECT INBOX\r\nB SEARCH BODY nothing\r\n")
        while gates:
            gates.pop(0).callback(None)
            heard += self.talk.wire.said()
        self.assertTrue(heard.endswith(b"* SEARCH 3\r\nB OK SEARCH completed\r\n"), heard)


class CandidatesTests(SynchronousTestCase):
    """What the store knows of texts."""

    def test_excluded(self) -> None:
        """Whoever is not named is certainly none; of a text that nobody has asked for nothing is certain."""
        candidates = Candidates()
        candidates.learn(("zebra", False), [2, 5, 9])
        candidates.learn(("lion", True), [])
        self.assertEqual([uid for uid in range(12) if not candidates.exclude(("zebra", False), uid)], [2, 5, 9])
        self.assertTrue(candidates.exclude(("lion", True), 2))
        self.assertFalse(candidates.exclude(("lion", False), 2))

    def test_little_memory(self) -> None:
        """A hundred thousand messages that hold a common word are no megabyte: twenty of these may be looked for at a time."""
        found = [number + 1000 for number in range(100_000)]
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        candidates = Candidates()
        candidates.learn(("the", True), found)
        found.clear()
        self.assertLess(tracemalloc.get_traced_memory()[0], 600_000)
        self.assertFalse(candidates.exclude(("the", True), 1000))
