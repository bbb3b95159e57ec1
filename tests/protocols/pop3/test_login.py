"""POP3: who comes in, and how (P1-P15)."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.mail import pop3
from zope.interface.verify import verifyObject

from hostmail.errors import TemporaryFailure, TooMany
from tests.protocols.pop3.conversation import ANN, ONE, TWO, Conversation


def plain(user: str, password: str, authzid: str = "") -> str:
    return base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


class LoginTests(Conversation):
    def test_is_a_stock_pop3_server(self) -> None:
        """Twisted's class and factory stay behind it."""
        self.assertIsInstance(self.session, pop3.POP3)
        verifyObject(pop3.IServerFactory, self.session.factory)
        self.assertEqual(self.greeting, b"+OK mail.example.test POP3 ready\r\n")

    def test_user_and_pass(self) -> None:
        """A password may contain blanks (RFC 1939 section 7)."""
        self.log_in()
        self.hears("STAT")
        self.says(f"+OK 2 {len(ONE) + len(TWO)}\r\n")

    def test_p01_capabilities_are_real_tokens(self) -> None:
        """CAPA lists what RFC 2449 and its registry know (H2)."""
        self.hears("CAPA")
        lines = self.says("+OK").split("\r\n")
        for token in (
            "TOP",
            "UIDL",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "PIPELINING",
            "USER",
            "SASL PLAIN LOGIN",
            "EXPIRE NEVER",
        ):
            self.assertIn(token, lines)
        self.assertNotIn("STLS", lines)
        self.assertEqual(lines[-2:], [".", ""])

    def test_p02_nonsense_never_drops_the_line(self) -> None:
        """Wrong argument counts and numbers get -ERR; a trailing blank is nothing."""
        self.log_in()
        for line in (
            "RETR",
            "RETR x",
            "DELE abc",
            "DELE 99",
            "LIST 0",
            "TOP 1",
            "TOP 1 x",
            "UIDL -1",
            "STAT-",
            "\x00",
            "RETR ٣",
        ):
            self.hears(line)
            self.says("-ERR")
        self.hears("STAT ")
        self.says("+OK 2")
        self.session.dataReceived(b"\xff\xfe\r\n")
        self.says("-ERR unknown command")
        self.assertFalse(self.wire.disconnecting)

    def test_p03_sasl_plain_and_login(self) -> None:
        """PLAIN and LOGIN, with and without an initial response (RFC 5034, B3)."""
        self.hears("AUTH PLAIN " + plain("ann@example.test", "se cret"))
        self.says("+OK 2 messages")
        self.session, self.wire = self.other_session()
        self.hears("AUTH LOGIN")
        self.assertEqual(self.says("+ "), "+ " + base64.b64encode(b"Username:").decode() + "\r\n")
        self.hears(base64.b64encode(b"ann@example.test").decode())
        self.assertEqual(self.says("+ "), "+ " + base64.b64encode(b"Password:").decode() + "\r\n")
        self.hears(base64.b64encode(b"se cret").decode())
        self.says("+OK 2 messages")

    def other_session(self) -> Any:
        self.session.connectionLost()
        session, wire = self.connect()
        wire.clear()
        return session, wire

    def test_sasl_can_go_wrong(self) -> None:
        """Cancelled, malformed or unknown exchanges are refused and forgotten."""
        self.hears("AUTH")
        self.assertEqual(self.says(), "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n")
        for lines in (("AUTH CRAM-MD5",), ("AUTH PLAIN", "*"), ("AUTH PLAIN !!!",), ("AUTH LOGIN", "%%")):
            self.hears(*lines)
            self.assertIn("-ERR", self.says())
        self.hears("AUTH PLAIN")
        self.session.dataReceived(b"x" * 20000 + b"\r\nCAPA\r\n")
        self.assertIn("-ERR line too long\r\n+OK capa", self.says())

    def test_p09_a_second_login_is_refused(self) -> None:
        """USER or PASS after login cannot leak the maildrop's lock."""
        self.log_in()
        self.hears("USER ann@example.test", "PASS se cret", "QUIT")
        self.says("-ERR you are logged in already")
        self.session.connectionLost()
        self.session, self.wire = self.connect()
        self.wire.clear()
        self.log_in()

    def test_p10_commands_behind_an_unfinished_login_wait(self) -> None:
        """Pipelining behind PASS works whatever the checker takes."""
        self.door.hold = True
        self.hears("USER ann@example.test", "PASS se cret", "STAT")
        self.assertEqual(self.says(), "+OK send your password\r\n")
        self.door.held[0].callback(None)
        self.says(f"+OK 2 messages ({len(ONE) + len(TWO)} octets)\r\n+OK 2 ")

    def test_p11_guessing_ends(self) -> None:
        """Five failed logins: each answered with [AUTH], then the line is closed (C8, H5)."""
        for _ in range(5):
            self.assertFalse(self.wire.disconnecting)
            self.hears("USER ann@example.test", "PASS wrong")
            self.assertIn("-ERR [AUTH] login or password not accepted", self.says())
        self.assertTrue(self.wire.disconnecting)

    def test_p11_ten_minutes_of_silence_are_allowed(self) -> None:
        """RFC 1939 section 3: at least ten minutes; then a word and the end, nothing deleted (B4)."""
        self.log_in()
        self.hears("DELE 1")
        self.wire.clear()
        self.clock.advance(599)
        self.assertFalse(self.wire.disconnecting)
        self.clock.advance(2)
        self.assertIn("-ERR [SYS/TEMP] nothing heard", self.says())
        self.session.connectionLost()
        self.assertEqual(len(self.store.contents(ANN)), 2)

    def test_a_bare_name_is_told_so(self) -> None:
        """The user name without a domain gets a reason a person can act on (A1)."""
        self.hears("USER ann", "PASS se cret")
        self.assertIn("use your full mail address", self.says())

    def test_pass_without_user(self) -> None:
        """The name first; an empty one is none."""
        self.hears("PASS x", "USER ", "RETR 1")
        self.assertEqual(
            self.says(),
            "-ERR USER first\r\n-ERR USER needs your full mail address\r\n-ERR log in first\r\n",
        )

    def test_a_fault_of_ours_stays_inside(self) -> None:
        """A broken checker is [SYS/TEMP], and its words go to the log only."""
        self.door.fault = ValueError("password=secret")
        self.hears("USER ann@example.test", "PASS se cret")
        said = self.says()
        self.assertIn("-ERR [SYS/TEMP]", said)
        self.assertNotIn("secret", said)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_what_a_refusal_hides_is_logged(self) -> None:
        """A mailbox that cannot be opened: the client hears to try again, the log hears why (F4)."""
        self.door.fault = TemporaryFailure(private="disk on fire")
        with capturedLogs() as events:
            self.hears("USER ann@example.test", "PASS se cret")
        self.assertIn("-ERR [SYS/TEMP] local error, please try again later", self.says())
        self.assertIn("disk on fire", "".join(filter(None, map(formatEvent, events))))

    def test_a_client_gone_during_login_leaves_no_lock(self) -> None:
        """The maildrop is given back when nobody is there to use it (D10)."""
        self.door.hold = True
        self.hears("USER ann@example.test", "PASS se cret")
        self.session.connectionLost()
        self.door.held[0].callback(None)
        self.door.hold = False
        self.session, self.wire = self.connect()
        self.wire.clear()
        self.log_in()

    def test_too_many_sessions_of_an_account(self) -> None:
        """Over the limit the login is refused for now, and no lock stays."""
        self.sessions.refuse_login = TooMany("too many sessions")
        self.hears("USER ann@example.test", "PASS se cret")
        self.assertIn("-ERR [SYS/TEMP] too many sessions", self.says())
        self.assertEqual((self.session.peer.account_id, self.session.peer.login), (None, ""))
        self.sessions.refuse_login = None
        self.log_in()

    def test_too_many_connections(self) -> None:
        """No greeting, a reason."""
        self.sessions.refusal = TooMany("too many connections")
        _, wire = self.connect()
        self.assertEqual(wire.said(), b"-ERR [SYS/TEMP] too many connections\r\n")

    def test_twenty_bad_commands_end_it(self) -> None:
        """LIMITS: twenty in a row; a good one forgives."""
        self.hears(*["X"] * 19, "NOOP", *["X"] * 19)
        self.assertFalse(self.wire.disconnecting)
        self.wire.clear()
        self.hears("X")
        self.assertIn("too many errors", self.says())
        self.assertTrue(self.wire.disconnecting)

    def test_long_lines(self) -> None:
        """255 octets for commands."""
        self.hears("NOOP " + "x" * 300, "NOOP")
        self.assertEqual(self.says(), "-ERR line too long\r\n+OK\r\n")
        self.log_in()
        self.hears("NOOP " + "x" * 300, "NOOP")
        self.assertEqual(self.says(), "-ERR line too long\r\n+OK\r\n")

    def test_languages_and_utf8(self) -> None:
        """RFC 6856, as far as it costs nothing."""
        self.hears("UTF8", "LANG", "LANG en", "LANG fr")
        self.assertEqual(
            self.says(),
            "+OK UTF-8 it is\r\n+OK languages follow\r\nen English\r\n.\r\n+OK en\r\n-ERR only en is spoken here\r\n",
        )

    def test_quit_before_login(self) -> None:
        """A polite end."""
        self.hears("QUIT")
        self.says("+OK goodbye")
        self.assertTrue(self.wire.disconnecting)

    def test_kicked(self) -> None:
        """The operator's words reach the client."""
        self.sessions.kick("closed by the operator")
        self.assertEqual(self.says(), "-ERR [SYS/TEMP] closed by the operator\r\n")


class TlsTests(Conversation):
    tls_context = object()
    settings = replace(Conversation.settings, allow_plaintext_login=False)

    def test_passwords_wait_for_tls(self) -> None:
        """A listener that refuses plaintext says what to do, and offers no mechanism (B2)."""
        self.hears("CAPA")
        said = self.says()
        self.assertIn("STLS\r\n", said)
        self.assertNotIn("SASL", said)
        self.hears("USER ann@example.test", "AUTH PLAIN", "AUTH")
        self.assertEqual(self.says().count("switch on TLS"), 2)

    def test_stls_forgets_what_was_said(self) -> None:
        """What came with STLS is dropped, the session starts anew inside (S1, RFC 2595)."""
        self.hears("STLS", "USER ann@example.test")
        self.assertEqual(self.says(), "+OK begin TLS\r\n")
        self.assertIs(self.wire.tls, self.tls_context)
        self.hears("PASS se cret", "STLS")
        self.assertEqual(self.says(), "-ERR USER first\r\n-ERR TLS is active already\r\n")
        self.log_in()
        self.hears("CAPA")
        self.assertNotIn("STLS", self.says())

    def test_no_certificate_no_stls(self) -> None:
        """Without a context STLS is refused."""
        self.tls_context = None
        self.session, self.wire = self.connect()
        self.wire.clear()
        self.hears("STLS")
        self.says("-ERR TLS is not available")
