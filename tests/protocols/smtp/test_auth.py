"""Conversations: logging in."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.mail import smtp

from hostmail.errors import BareLogin, Overloaded, PlaintextRefused, TooMany
from tests.protocols.smtp.talk import Conversation, plain


class AuthTests(Conversation):
    def setUp(self):
        super().setUp()
        self.says_hello()

    def test_plain_in_one_line(self):
        """B3: AUTH PLAIN with initial response; the avatar becomes the delivery, the account the peer's."""
        self.says(f"AUTH PLAIN {plain()}")
        self.hears("235 2.7.0 Authentication successful")
        self.assertTrue(smtp.IMessageDelivery.providedBy(self.session.delivery))
        self.assertEqual((self.session.delivery.account_id, self.session.peer.login), (7, "ann@example.com"))

    def test_plain_in_two_lines(self):
        """The response may come after an empty challenge, in any case of the name."""
        self.says("auth plain", plain())
        self.hears("334 ", "235 2.7.0 Authentication successful")

    def test_h01_login_prompts_are_exact(self):
        """H1: Thunderbird takes AUTH LOGIN only with these two prompts."""
        self.says("AUTH LOGIN", b64encode(b"ann@example.com").decode(), b64encode(b"sekrit").decode())
        self.hears("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 Authentication successful")

    def test_login_takes_an_initial_response(self):
        """B3: `AUTH LOGIN <user>` asks for the password only."""
        self.says("AUTH LOGIN " + b64encode(b"ann@example.com").decode())
        self.hears("334 UGFzc3dvcmQ6")
        self.says(b64encode(b"sekrit").decode())
        self.hears_codes("235")

    def test_the_authzid_goes_to_the_checker(self):
        """S12: whom the client wants to act as is for the checker to judge, not ignored."""
        self.says(f"AUTH PLAIN {plain(authzid='bob@example.com')}")
        self.assertEqual(self.checker.seen[0].authzid, "bob@example.com")
        self.assertIs(self.checker.seen[0].peer, self.session.peer)

    def test_s12_broken_exchanges_are_answered(self):
        """S12: no argument, bad base64, malformed responses, unknown mechanisms, cancelling: replies, never a traceback."""
        self.says(
            "AUTH",
            "AUTH PLAIN AAAA",
            "AUTH PLAIN =",
            "AUTH PLAIN !",
            "AUTH CRAM-MD5",
            "AUTH PLAIN a b",
            "AUTH LOGIN",
            "*",
            "NOOP",
        )
        self.hears_codes(
            *("501 5.5.4", "501 5.5.2", "501 5.5.2", "501 5.5.2", "504 5.5.4", "501 5.5.4", "334", "501 5.7.0", "250")
        )
        self.assertEqual(self.checker.seen, [])

    def test_wrong_passwords_are_answered_before_the_end(self):
        """H5, C8: the fifth failure gets its 535 first, then the goodbye."""
        for _ in range(4):
            self.says(f"AUTH PLAIN {plain(password='wrong')}")
            self.hears_codes("535 5.7.8")
        self.assertFalse(self.wire.disconnecting)
        self.says(f"AUTH PLAIN {plain(password='wrong')}", "NOOP")
        self.hears_codes("535 5.7.8", "421 4.7.0 disconnected by administrator")
        self.assertTrue(self.wire.disconnecting)

    def test_checkers_choose_their_words(self):
        """F4: bare names, overload and stock checkers are told apart."""
        self.checker.fails = BareLogin()
        self.says(f"AUTH PLAIN {plain()}")
        self.hears("535 5.7.8 login not accepted: use your full mail address as user name")
        self.checker.fails = Overloaded()
        self.says(f"AUTH PLAIN {plain()}")
        self.hears("454 4.7.0 please try again later")
        self.checker.fails = UnauthorizedLogin()
        self.says(f"AUTH PLAIN {plain()}")
        self.hears_codes("535 5.7.8")

    def test_faults_are_temporary(self):
        """A broken database is not a wrong password."""
        self.checker.fails = ValueError("secret")
        self.says(f"AUTH PLAIN {plain()}", "NOOP")
        self.hears_codes("451 4.3.0", "250")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_s12_commands_wait_for_the_login(self):
        """S12: what is pipelined behind a response is run once the login is decided."""
        self.checker.waits = Deferred()
        self.says(f"AUTH PLAIN {plain()}", "MAIL FROM:<>", "RCPT TO:<x@elsewhere.example>")
        self.hears()
        self.checker.waits.callback(None)
        self.hears_codes("235", "250", "250")

    def test_once_is_enough(self):
        """RFC 4954: AUTH twice, and AUTH within a transaction, are out of order."""
        self.says("MAIL FROM:<>", f"AUTH PLAIN {plain()}", "RSET", f"AUTH PLAIN {plain()}", f"AUTH PLAIN {plain()}")
        self.hears_codes("250", "503 5.5.1", "250", "235", "503 5.5.1")

    def test_too_many_sessions_of_one_account(self):
        """LIMITS: over 50 sessions of an account from an address: 421 and the end."""
        self.sessions.refuse_login = TooMany("too many sessions")
        self.says(f"AUTH PLAIN {plain()}")
        self.hears("421 4.7.0 too many sessions")
        self.hangs_up()
        self.assertEqual(self.realm.logged_out, 1)

    def test_logs_out_at_the_end(self):
        """The avatar is given back, also if the line was lost while the login was under way."""
        self.says(f"AUTH PLAIN {plain()}")
        self.hangs_up()
        self.assertEqual(self.realm.logged_out, 1)
        self.connect()
        self.says_hello()
        self.checker.waits = Deferred()
        self.says(f"AUTH PLAIN {plain()}")
        self.hangs_up()
        self.checker.waits.callback(None)
        self.assertEqual(self.realm.logged_out, 2)

    def test_long_responses_fit(self):
        """LIMITS: AUTH lines have 12,288 octets, others 2,048."""
        self.says(
            "AUTH LOGIN",
            b64encode(b"x" * 9_000).decode(),
            "*",
            "AUTH PLAIN " + b64encode(b"\0x\0" + b"y" * 9_000).decode(),
        )
        self.hears_codes("334", "334", "501 5.7.0", "535")
        self.says("AUTH LOGIN", "x" * 13_000, "NOOP")
        self.hears_codes("334", "500 5.5.2 line too long", "250")


class PlaintextTests(Conversation):
    tls_context = "context"

    def setUp(self):
        super().setUp()
        self.connect(allow_plaintext_login=False)
        self.wire.clear()

    def test_b02_no_password_without_tls(self):
        """B2, S12: where policy says so AUTH is neither offered nor taken before TLS."""
        self.says("EHLO x")
        offered = self.wire.said()
        self.assertIn(b"STARTTLS", offered)
        self.assertNotIn(b"AUTH", offered)
        self.says(f"AUTH PLAIN {plain()}")
        self.hears_codes("538 5.7.11")
        self.assertEqual([type(seen.refusal) for seen in self.checker.seen], [PlaintextRefused])
        self.says("AUTH LOGIN")
        self.hears_codes("538 5.7.11")
        self.assertEqual(len(self.checker.seen), 1)

    def test_tls_opens_it(self):
        """After STARTTLS the passwords are welcome, and STARTTLS is not offered twice."""
        self.says("EHLO x", "STARTTLS")
        self.wire.clear()
        self.says("EHLO x")
        offered = self.wire.said()
        self.assertIn(b"AUTH PLAIN LOGIN", offered)
        self.assertNotIn(b"STARTTLS", offered)
        self.says(f"AUTH PLAIN {plain()}", "STARTTLS")
        self.hears_codes("235", "503 5.5.1")

    def test_implicit_tls_opens_it(self):
        """On port 465 all is TLS from the start."""
        self.connect(allow_plaintext_login=False, implicit_tls=True, protocol="submissions")
        self.says_hello()
        self.assertTrue(self.session.peer.tls)
        self.says(f"AUTH PLAIN {plain()}")
        self.hears_codes("235")

    def test_submission_says_what_is_missing(self):
        """RFC 3207: the way to a login is STARTTLS first."""
        self.connect(allow_plaintext_login=False, require_auth=True)
        self.says_hello()
        self.says("MAIL FROM:<>")
        self.hears("530 5.7.0 Must issue a STARTTLS command first")


class StartTlsTests(Conversation):
    tls_context: Any = "context"

    def test_s01_starttls_injection_is_dropped(self):
        """S1: what came in one segment with STARTTLS is never run."""
        self.says("EHLO x", "STARTTLS", "MAIL FROM:<evil@example.net>", "RCPT TO:<ann@example.com>")
        self.assertTrue(self.wire.said().endswith(b"220 2.0.0 Ready to start TLS\r\n"))
        self.assertEqual(self.wire.tls, "context")
        self.assertEqual(self.intake.asked, [])

    def test_s01_starttls_forgets_everything(self):
        """S1, RFC 3207 4.2: hello and transaction are gone after the handshake."""
        self.begins_mail()
        self.says("STARTTLS")
        self.hears_codes("220 2.0.0")
        self.says("RCPT TO:<ann@example.com>", "MAIL FROM:<>", "EHLO x")
        self.assertEqual([line[:3] for line in self.wire.said().decode().splitlines()][:3], ["503", "503", "250"])

    def test_not_after_login_and_not_twice(self):
        """STARTTLS comes before AUTH, once."""
        self.says_hello()
        self.says(f"AUTH PLAIN {plain()}", "STARTTLS")
        self.hears_codes("235", "503 5.5.1")
        self.connect()
        self.says("STARTTLS")
        self.wire.clear()
        self.says("STARTTLS")
        self.hears_codes("503 5.5.1")


class NoTlsTests(Conversation):
    def test_starttls_without_a_certificate(self):
        """RFC 3207: 454 where TLS is not available."""
        self.says("STARTTLS")
        self.hears("454 4.7.0 TLS is not available here")


class SubmissionTests(Conversation):
    def setUp(self):
        super().setUp()
        self.connect(require_auth=True, protocol="submission")
        self.says_hello()

    def test_wants_to_know_who_sends(self):
        """RFC 6409 4.3: no MAIL before a login."""
        self.says("MAIL FROM:<ann@example.com>")
        self.hears_codes("530 5.7.0 Authentication required")
        self.says(f"AUTH PLAIN {plain()}", "MAIL FROM:<ann@example.com>", "RCPT TO:<x@elsewhere.example>")
        self.hears_codes("235", "250", "250")
        self.assertEqual(self.session.peer.protocol, "submission")

    def test_c02_checking_mail_first_is_enough(self):
        """C2: a live grant for the client's address opens MAIL."""
        self.intake.open.add("192.0.2.7")
        self.says("MAIL FROM:<ann@example.com>")
        self.hears_codes("250")
