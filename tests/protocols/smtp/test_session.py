"""Conversations: hello, the envelope, the small commands."""

from __future__ import annotations

from twisted.cred.portal import IRealm
from twisted.internet.address import UNIXAddress
from twisted.mail import smtp
from zope.interface.verify import verifyClass, verifyObject

from hostmail.errors import BadMessage, Overloaded, SendingSuspended, TooMany
from hostmail.interfaces.delivery import IIntake, ITransaction
from tests.protocols.smtp.talk import Conversation, Intake, Kept, Realm
from tests.support.wire import Wire


class FakeTests(Conversation):
    def test_fakes_keep_their_interfaces(self):
        """What these tests talk to has the shape of the real thing."""
        verifyObject(IIntake, Intake())
        verifyClass(ITransaction, Kept)
        verifyObject(IRealm, Realm(self.intake))


class HelloTests(Conversation):
    def test_is_a_stock_esmtp(self):
        """Whoever looks for twisted.mail's server finds it, portal, host and factory in place."""
        self.assertIsInstance(self.session, smtp.ESMTP)
        self.assertIsInstance(self.factory, smtp.SMTPFactory)
        self.assertEqual((self.session.host, self.session.factory), (b"mail.example.com", self.factory))

    def test_s08_ehlo_lists_what_is_offered(self):
        """S8: every extension that works is announced, AUTH also the old way (B3)."""
        self.says("EHLO client.example")
        self.hears(
            "250-mail.example.com",
            "250-PIPELINING",
            "250-SIZE 15728640",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-CHUNKING",
            "250-DSN",
            "250-ENHANCEDSTATUSCODES",
            "250-AUTH PLAIN LOGIN",
            "250 AUTH=PLAIN LOGIN",
        )
        self.assertEqual((self.session.peer.helo, self.session.peer.esmtp), ("client.example", True))

    def test_helo_is_answered_shortly(self):
        """RFC 5321 4.1.1.1: HELO offers nothing."""
        self.says("HELO client")
        self.hears("250 mail.example.com")
        self.assertFalse(self.session.peer.esmtp)

    def test_s11_hello_needs_a_name_and_comes_first(self):
        """S11: no MAIL before HELO, no EHLO without a name."""
        self.says("MAIL FROM:<>", "EHLO", "HELO ", "AUTH LOGIN")
        self.hears_codes("503 5.5.1", "501 5.5.4", "501 5.5.4", "503 5.5.1")

    def test_hello_forgets_the_transaction(self):
        """RFC 5321 4.1.4: a second EHLO resets."""
        self.begins_mail()
        self.says("EHLO again")
        self.wire.clear()
        self.says("DATA")
        self.hears_codes("503 5.5.1")

    def test_s18_a_unix_socket_has_no_address(self):
        """S18: a client without an IP address can say EHLO."""
        wire = Wire()
        wire.peerAddr = wire.hostAddr = UNIXAddress("/run/lmtp")
        session = self.factory.buildProtocol(None)
        session.makeConnection(wire)
        session.dataReceived(b"HELO x\r\n")
        self.assertTrue(wire.said().endswith(b"250 mail.example.com\r\n"))
        self.assertEqual(session.peer.ip, "")

    def test_s19_the_name_is_a_setting(self):
        """S19: what the server calls itself never depends on DNS."""
        self.connect(hostname="other.example.com")
        self.hears("220 other.example.com ESMTP")

    def test_refused_connections_are_told_so(self):
        """LIMITS: too many connections hear 421 and are closed."""
        self.sessions.refusal = TooMany("too many connections from your address")
        self.connect()
        self.hears("421 4.7.0 too many connections from your address")
        self.assertTrue(self.wire.disconnecting)

    def test_operators_can_disconnect(self):
        """D10: a kicked session says why and closes."""
        self.sessions.kick("shutting down")
        self.hears("421 4.3.2 shutting down")
        self.assertTrue(self.wire.disconnecting)


class SmallCommandTests(Conversation):
    def test_s06_the_mandatory_ones_work(self):
        """S6: NOOP, VRFY, EXPN, HELP and RSET are answered, before EHLO too."""
        self.says("NOOP", "noop with text", "VRFY ann", "VRFY", "EXPN list", "HELP", "help MAIL", "RSET")
        self.hears_codes(
            "250 2.0.0", "250 2.0.0", "252 2.0.0", "501 5.5.4", "502 5.5.1", "214 2.0.0", "214 2.0.0", "250 2.0.0"
        )

    def test_unknown_commands(self):
        """Nothing but commands is run, whatever attributes a protocol has."""
        self.says("FOO", "", "UNKNOWN", "__init__", "dataReceived x", "MAILFROM:<a@b>")
        self.hears(*["500 5.5.2 unknown command"] * 6)

    def test_s10_control_characters_are_no_command(self):
        """S10: bare CR, LF and NUL in a command line are refused, quoted or not."""
        self.says_hello()
        self.sends(b'MAIL FROM:<"x\nX-Injected: 1"@b.c>\r\nEHLO a\0b\r\nEHLO a\rb\r\n')
        self.hears_codes("500 5.5.2", "500 5.5.2", "500 5.5.2")
        self.assertEqual(self.intake.asked, [])

    def test_commands_that_stand_alone(self):
        """DATA, RSET and STARTTLS take no argument."""
        self.begins_mail()
        self.says("DATA now", "RSET x", "STARTTLS x")
        self.hears_codes("501 5.5.4", "501 5.5.4", "501 5.5.4")

    def test_quit_ends(self):
        """QUIT is answered, the rest is not read."""
        self.says("QUIT", "NOOP")
        self.hears("221 2.0.0 Bye")
        self.assertTrue(self.wire.disconnecting)

    def test_the_stock_hooks_still_work(self):
        """sendCode and lookupMethod do what their names say for whoever subclasses."""
        self.session.sendCode(250, b"one\ntwo")
        self.session.sendCode(250)
        self.hears("250-one", "250 two", "250 ")
        self.assertEqual(self.session.lookupMethod(b"noop"), self.session.do_NOOP)
        self.assertIsNone(self.session.lookupMethod("UNKNOWN"))


class EnvelopeTests(Conversation):
    def setUp(self):
        super().setUp()
        self.says_hello()

    def test_takes_sender_and_recipients(self):
        """A plain envelope; the intake saw each part of it."""
        self.says("MAIL FROM:<Bob@Example.NET> SIZE=100", "RCPT TO:<ann@example.com>", "RCPT TO:<postmaster>")
        self.hears("250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.1.5 Ok")
        envelope, *recipients = self.intake.asked
        self.assertEqual((envelope.sender, envelope.size), ("Bob@example.net", 100))
        self.assertEqual([str(recipient.address) for recipient in recipients], ["ann@example.com", "postmaster"])

    def test_s07_parameters_count(self):
        """S7: parameters reach the envelope, unknown ones are refused."""
        self.says(
            "MAIL FROM:<> BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x",
            "RCPT TO:<ann@example.com> NOTIFY=DELAY ORCPT=rfc822;a@b",
        )
        self.hears_codes("250", "250")
        envelope, recipient = self.intake.asked
        self.assertEqual(
            (envelope.body, envelope.smtputf8, envelope.ret, envelope.envid), ("8BITMIME", True, "FULL", "x")
        )
        self.assertEqual((recipient.notify, recipient.orcpt), (("DELAY",), "rfc822;a@b"))
        self.says("RSET", "MAIL FROM:<> FOO=bar")
        self.hears_codes("250", "555 5.5.4")

    def test_size_is_refused_beforehand(self):
        """D3: MAIL SIZE= over the limit is refused for good."""
        self.says("MAIL FROM:<> SIZE=15728641", "MAIL FROM:<> SIZE=15728640")
        self.hears_codes("552 5.3.4", "250 2.1.0")

    def test_order_matters(self):
        """RFC 5321 4.1.4: commands out of order get 503 and change nothing."""
        self.says("RCPT TO:<ann@example.com>", "DATA", "MAIL FROM:<>", "MAIL FROM:<>", "DATA", "AUTH PLAIN")
        self.hears_codes("503 5.5.1", "503 5.5.1", "250", "503 5.5.1", "503 5.5.1", "503 5.5.1")

    def test_refusals_of_the_intake_become_replies(self):
        """A stage raises meaning, the session says it in SMTP; private words stay private."""
        self.intake.sender_fails = SendingSuspended(private="secret")
        self.says("MAIL FROM:<>")
        self.hears("550 5.7.1 sending is suspended for this account: please ask your provider")
        self.intake.sender_fails = None
        self.intake.recipient_fails = Overloaded("wait\r\n250 injected\xfc")
        self.says("MAIL FROM:<>", "RCPT TO:<ann@example.com>")
        self.hears("250 2.1.0 Ok", "454 4.7.0 wait 250 injected?")

    def test_faults_of_ours_are_temporary_and_secret(self):
        """What we did not expect is 451, all of it in the log, none of it on the wire."""
        self.intake.sender_fails = ValueError("secret")
        self.says("MAIL FROM:<>")
        self.intake.sender_fails = None
        self.intake.recipient_fails = KeyError("secret")
        self.says("MAIL FROM:<>", "RCPT TO:<ann@example.com>", "NOOP")
        self.hears(
            "451 4.3.0 local error, please try again later",
            "250 2.1.0 Ok",
            "451 4.3.0 local error, please try again later",
            "250 2.0.0 Ok",
        )
        self.assertEqual(len(self.flushLoggedErrors(ValueError, KeyError)), 2)

    def test_the_same_recipient_twice_is_one(self):
        """A repeated address is accepted and counts once."""
        self.says("MAIL FROM:<>", "RCPT TO:<ann@example.com>", "RCPT TO:<ann@EXAMPLE.com>", "DATA", "x", ".")
        self.hears_codes("250", "250", "250", "354", "250")
        self.assertEqual(self.intake.kept[0].recipients, ["ann@example.com"])

    def test_s13_some_recipients_may_fail(self):
        """S13: those refused at RCPT are out, the others get the message."""
        self.says(
            "MAIL FROM:<>", "RCPT TO:<nobody@example.com>", "RCPT TO:<ann@example.com>", "RCPT TO:<x@elsewhere.example>"
        )
        self.hears_codes("250", "550 5.1.1", "250", "550 5.7.1 relaying prohibited")
        self.says("DATA", "x", ".")
        self.assertEqual(self.intake.kept[0].recipients, ["ann@example.com"])

    def test_s04_s20_slow_judges_keep_the_order(self):
        """S4, S20: pipelined commands wait for the answer to the one before, replies come in order."""
        self.intake.slow = True
        self.says(
            "MAIL FROM:<>", "RCPT TO:<nobody@example.com>", "RCPT TO:<ann@example.com>", "DATA", "hi", ".", "QUIT"
        )
        self.hears()
        self.assertEqual(len(self.intake.waits), 1)
        for expected in ("250 2.1.0", "550 5.1.1", "250 2.1.5"):
            wait = self.intake.waits[-1]
            wait.callback(None)
            heard = self.wire.said().decode()
            self.assertTrue(heard.startswith(expected), heard)
        self.assertEqual([line[:3] for line in heard.splitlines()], ["250", "354", "250", "221"])
        self.assertEqual(self.intake.kept[0].octets, b"hi\r\n")

    def test_s09_literals_and_utf8(self):
        """S9: address literals and UTF-8 addresses are addresses."""
        self.says("MAIL FROM:<a@[192.0.2.1]> SMTPUTF8", "RCPT TO:<jürgen@example.com>")
        self.hears_codes("250", "250")

    def test_a_refusal_may_close(self):
        """A refusal with 421 ends the session."""
        self.intake.sender_fails = BadMessage("go away", code=421, enhanced="4.7.0")
        self.says("MAIL FROM:<>", "NOOP")
        self.hears("421 4.7.0 go away")
        self.assertTrue(self.wire.disconnecting)

    def test_losing_the_line_while_judging_is_no_fault(self):
        """The client may vanish at any time."""
        self.intake.slow = True
        self.says("MAIL FROM:<>")
        self.hangs_up()
        self.intake.waits[0].callback(None)
        self.hears()
