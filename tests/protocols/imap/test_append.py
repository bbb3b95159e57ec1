"""APPEND."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from hostmail.errors import OutOfSpace, OverQuota
from tests.protocols.imap.talk import ANN, HELLO, Broken, Gate, ImapCase, small_limits

SIZE = b"%d" % len(HELLO)


class Append(ImapCase):
    """RFC 3501 section 6.3.11, UIDPLUS, APPENDLIMIT."""

    def stored(self, folder: str = "INBOX") -> list[bytes]:
        """The messages of a folder."""
        return list(self.house.store.contents(ANN, folder))

    def test_i08_without_flags_or_date(self) -> None:
        """The shortest form works, and answers with the new UID (I8, RFC 4315)."""
        talk = self.ann()
        self.assertEqual(talk.sends(b"A APPEND inbox {" + SIZE + b"}\r\n"), b"+ ready for the message\r\n")
        self.assertEqual(talk.sends(HELLO + b"\r\n"), b"A OK [APPENDUID 1700000000 1] APPEND completed\r\n")
        self.assertEqual(self.stored(), [HELLO])
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_with_flags_and_date(self) -> None:
        r"""Flags, keywords and INTERNALDATE are kept; \Recent and unknown system flags are passed over."""
        talk = self.ann()
        start = b'A APPEND INBOX (\\Seen $Junk \\Recent \\Odd) " 7-Feb-1994 21:52:25 -0800" {' + SIZE + b"+}\r\n"
        self.assertTrue(talk.sends(start + HELLO + b"\r\n").startswith(b"A OK [APPENDUID "))
        talk.last(b"SELECT INBOX")
        row = talk.asks(b"FETCH 1 (FLAGS INTERNALDATE)")[0]
        self.assertEqual(row, b'* 1 FETCH (FLAGS (\\Seen $Junk \\Recent) INTERNALDATE " 8-Feb-1994 05:52:25 +0000")')

    def test_i08_a_missing_folder_is_told_before_the_message_comes(self) -> None:
        """TRYCREATE instead of go ahead; with LITERAL+ the message is read away and never run (I8, I2)."""
        talk = self.ann()
        self.assertEqual(talk.sends(b"A APPEND Nope {310}\r\n"), b"A NO [TRYCREATE] no such folder\r\n")
        inside = b"B LOGOUT\r\n" * 10
        heard = talk.sends(b"A APPEND Nope {%d+}\r\n%b\r\nC NOOP\r\n" % (len(inside), inside))
        self.assertEqual(heard, b"A NO [TRYCREATE] no such folder\r\nC OK NOOP completed\r\n")

    def test_i08_a_message_over_the_limit_is_refused_before_it_comes(self) -> None:
        """TOOBIG for four gigabytes, at once (I8, D3)."""
        talk = self.ann(limits=small_limits(append_octets=1000))
        self.assertIn(b"APPENDLIMIT=1000", talk.asks(b"CAPABILITY")[0])
        self.assertTrue(talk.sends(b"A APPEND INBOX {4294967295}\r\n").startswith(b"A NO [TOOBIG] "))
        heard = talk.sends(b"A APPEND INBOX {1001+}\r\n" + b"x" * 1001 + b"\r\nC NOOP\r\n")
        self.assertTrue(heard.startswith(b"A NO [TOOBIG] "))
        self.assertTrue(heard.endswith(b"C OK NOOP completed\r\n"))

    def test_a_full_mailbox_is_told_before_the_message_comes(self) -> None:
        """OVERQUOTA, by the same number as delivery (D6)."""
        self.ann()
        for _ in range(2):
            self.put(b"x" * 10_000_000)
        talk = self.ann()
        self.assertTrue(talk.sends(b"A APPEND INBOX {2000000}\r\n").startswith(b"A NO [OVERQUOTA] "))

    def test_senseless_appends_are_bad(self) -> None:
        """Bad flags, dates, empty messages, no message, words behind it; never a dropped connection."""
        talk = self.ann()
        for middle in (b"(\\Seen", b'"yesterday"', b"junk", b'(\\Seen)" 7-Feb-1994 21:52:25 -0800"', b"()()"):
            self.assertTrue(talk.sends(b"A APPEND INBOX " + middle + b" {3+}\r\nabc\r\n").startswith(b"A BAD "), middle)
        self.assertEqual(talk.sends(b"A APPEND INBOX {0+}\r\n\r\n"), b"A NO the message is empty\r\n")
        self.assertTrue(talk.last(b"APPEND INBOX").startswith(b". BAD "))
        self.assertTrue(talk.sends(b"A APPEND INBOX {3+}\r\nabc x\r\n").startswith(b"A BAD "))
        self.assertTrue(talk.sends(b"A APPEND {1+}\r\n& {3+}\r\nabc\r\n").startswith(b"A NO [CANNOT] "))
        self.assertEqual(self.stored(), [])

    def test_the_selected_folder_grows_at_once(self) -> None:
        """EXISTS comes before the OK (RFC 3501 section 6.3.11)."""
        talk = self.ann(b"INBOX")
        lines = talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b"\r\n").split(b"\r\n")
        self.assertEqual(lines[0], b"* 1 EXISTS")
        self.assertTrue(lines[2].startswith(b"A OK [APPENDUID"))

    def test_a_line_that_drops_half_way_leaves_nothing(self) -> None:
        """What was not complete is not stored."""
        talk = self.ann()
        talk.sends(b"A APPEND INBOX {" + SIZE + b"}\r\n")
        talk.sends(HELLO[:50])
        talk.hangs_up()
        self.assertEqual(self.stored(), [])

    def test_a_client_that_leaves_before_it_may_begin(self) -> None:
        """The opened folder is given back."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        gates: list[Deferred[None]] = []
        account.store = Gate(account.store, gates)
        talk.sends(b"A APPEND INBOX {" + SIZE + b"}\r\n")
        gates.pop().callback(None)
        talk.hangs_up()
        gates.pop().callback(None)
        self.assertIsNone(talk.server.append)

    def test_the_message_waits_while_its_place_is_made(self) -> None:
        """LITERAL+ octets that arrive early are taken when the store is ready (I12)."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        gates: list[Deferred[None]] = []
        account.store = Gate(account.store, gates)
        self.assertEqual(talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b"\r\nB NOOP\r\n"), b"")
        for _ in range(3):
            gates.pop().callback(None)
        self.assertTrue(talk.wire.said().endswith(b"APPEND completed\r\nB OK NOOP completed\r\n"))
        self.assertEqual(self.stored(), [HELLO])

    def _fails(self, failures: dict[str, BaseException]) -> bytes:
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        account.store = Broken(account.store, failures)
        heard = talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b"\r\nB NOOP\r\n")
        self.assertTrue(heard.endswith(b"B OK NOOP completed\r\n"), heard)
        return heard

    def test_failures_at_any_point_are_answered_once(self) -> None:
        """When opening, writing or committing fails, the rest is read away and the client told."""
        self.assertTrue(self._fails({"write": OutOfSpace()}).startswith(b"A NO [UNAVAILABLE] "))
        self.assertTrue(self._fails({"commit": OverQuota()}).startswith(b"A NO [OVERQUOTA] "))
        for method in ("begin_append", "write"):
            heard = self._fails({method: ValueError("secret")})
            self.assertTrue(heard.startswith(b"A NO [SERVERBUG] "), heard)
            self.assertNotIn(b"secret", heard)
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertTrue(self._fails({"commit": ValueError("secret")}).startswith(b"A NO [SERVERBUG] "))
        self.flushLoggedErrors(ValueError)

    def test_a_folder_deleted_meanwhile(self) -> None:
        """TRYCREATE at the end."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work")
        talk.sends(b"A APPEND Work {" + SIZE + b"}\r\n")
        other.last(b"DELETE Work")
        self.assertTrue(talk.sends(HELLO + b"\r\n").startswith(b"A NO [TRYCREATE] "))
