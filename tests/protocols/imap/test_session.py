"""A session from greeting to goodbye: states, logins, limits, and what strangers try."""

from __future__ import annotations

import base64
from typing import ClassVar

from twisted.internet.defer import Deferred
from twisted.mail import imap4

from hostmail.errors import Overloaded, PlaintextRefused, TooMany
from hostmail.protocols.base import CLOSE_GRACE_SECONDS
from hostmail.protocols.imap.commands import noop
from hostmail.protocols.imap.commands.entry import ANY, Entry
from hostmail.protocols.imap.commands.table import TABLE
from hostmail.protocols.imap.server import HostmailIMAP4
from tests.protocols.imap.talk import ANN, HELLO, PASSWORD, Broken, Gate, ImapCase, Portal, Talk, small_limits
from tests.support.wire import Wire


class Greeting(ImapCase):
    """The first words."""

    def test_greets_with_capabilities(self) -> None:
        """OK, what we can do before login, who we are."""
        greeting = self.client().greeting
        self.assertTrue(greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR "))
        self.assertIn(b"AUTH=PLAIN AUTH=LOGIN] mail.example.com", greeting)
        self.assertNotIn(b"STARTTLS", greeting)
        self.assertNotIn(b"LOGINDISABLED", greeting)

    def test_it_is_twisteds_server_class(self) -> None:
        """Whoever asks finds an IMAP4Server."""
        self.assertIsInstance(self.client().server, imap4.IMAP4Server)

    def test_a_full_house_says_bye(self) -> None:
        """Too many connections: BYE with the reason, and the end."""
        self.house.sessions.refusal = TooMany("too many connections")
        talk = self.client()
        self.assertEqual(talk.greeting, b"* BYE [LIMIT] too many connections\r\n")
        self.assertTrue(talk.wire.disconnecting)

    def test_capabilities_grow_with_login(self) -> None:
        """What needs a login is announced after it, with LOGIN's own answer too."""
        talk = self.client()
        self.assertNotIn(b" MOVE", talk.asks(b"CAPABILITY")[0])
        answer = talk.last(b'LOGIN ann@example.com "se\\"cr\\\\et"')
        self.assertIn(b"[CAPABILITY IMAP4rev1", answer)
        for word in (b"UIDPLUS", b"MOVE", b"IDLE", b"SPECIAL-USE", b"QUOTA", b"UNSELECT", b"CHILDREN", b"NAMESPACE"):
            self.assertIn(b" " + word, answer)
        self.assertEqual(talk.asks(b"capability")[1], b". OK CAPABILITY completed")


class Commands(ImapCase):
    """Commands and states."""

    def test_nonsense_is_bad_and_the_session_lives(self) -> None:
        """Unknown commands, missing tags, wrong states: BAD each time, and nothing in the log (I22)."""
        talk = self.client()
        self.assertEqual(talk.last(b"FOO bar"), b". BAD unknown command")
        self.assertEqual(talk.last(b"SELECT INBOX"), b". BAD log in first")
        self.assertEqual(talk.sends(b"\r\n"), b"* BAD the tag is missing\r\n")
        self.assertEqual(talk.sends(b"x\r\n"), b"x BAD a space is missing\r\n")
        self.assertEqual(talk.last(b"NOOP x"), b". BAD unexpected words after the end of the command")
        self.assertEqual(talk.last(b"UID NOOP"), b". BAD unknown command")
        talk.logs_in()
        self.assertTrue(talk.last(b"FETCH 1 FLAGS").startswith(b". BAD not in this state"))
        self.assertTrue(talk.last(b"LOGIN a b").startswith(b". BAD not in this state"))
        talk.last(b"SELECT INBOX")
        self.assertTrue(talk.last(b"LOGIN a b").startswith(b". BAD not in this state"))
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_twenty_bad_commands_in_a_row_end_the_session(self) -> None:
        """A good one in between forgives (LIMITS, Lines and commands)."""
        talk = self.client()
        for _ in range(19):
            talk.last(b"FOO")
        talk.last(b"NOOP")
        for _ in range(19):
            talk.last(b"FOO")
        self.assertFalse(talk.wire.disconnecting)
        self.assertEqual(talk.asks(b"FOO"), [b". BAD unknown command", b"* BYE too many errors"])
        self.assertTrue(talk.wire.disconnecting)

    def test_i02_literals_are_never_commands(self) -> None:
        """`SELECT {10+}` with `B LOGOUT` inside does not log out (I2)."""
        talk = self.ann()
        heard = talk.sends(b"A SELECT {10+}\r\nB LOGOUT\r\n\r\nC NOOP\r\n")
        self.assertIn(b"A NO ", heard)
        self.assertNotIn(b"BYE", heard)
        self.assertTrue(heard.endswith(b"C OK NOOP completed\r\n"))

    def test_i02_nor_are_literals_before_login(self) -> None:
        """A stranger's huge literal ends the connection instead of being stored or run."""
        talk = self.client()
        self.assertEqual(talk.sends(b"A LOGIN {99999999+}\r\nB LOGOUT\r\n"), b"A BAD the literal is too long\r\n")
        self.assertTrue(talk.wire.disconnecting)

    def test_waiting_literals_are_invited(self) -> None:
        """LOGIN with both arguments as literals."""
        talk = self.client()
        self.assertEqual(talk.sends(b"A LOGIN {15}\r\n"), b"+ ready for literal\r\n")
        self.assertEqual(talk.sends(b"ann@example.com {8}\r\n"), b"+ ready for literal\r\n")
        self.assertTrue(talk.sends(PASSWORD.encode() + b"\r\n").startswith(b"A OK "))

    def test_i18_long_lines_do_not_drop_the_connection(self) -> None:
        """A UID set of 20,000 octets is refused in words; a line beyond all measure as well (I18)."""
        talk = self.ann(b"INBOX")
        self.assertTrue(talk.last(b"UID FETCH " + b"1," * 10_000 + b"1 FLAGS").startswith(b". BAD too many message"))
        self.assertTrue(talk.last(b"UID FETCH " + b"1," * 50_000 + b"1 FLAGS").startswith(b". BAD the line is too"))
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_i23_commands_can_be_replaced(self) -> None:
        """A subclass changes the table, and that is what runs (I23)."""

        class Chatty(HostmailIMAP4):
            table: ClassVar[dict[bytes, Entry]] = {**TABLE, b"XHELLO": Entry(noop.noop, ANY)}

        server = Chatty(self.client().server.factory)
        wire = Wire()
        server.makeConnection(wire)
        wire.said()
        server.dataReceived(b"a XHELLO\r\n")
        self.assertEqual(wire.said(), b"a OK NOOP completed\r\n")

    def test_i25_framing_is_ours(self) -> None:
        """Commands arrive in any segments, also octet by octet (I25)."""
        talk = self.client()
        heard = b"".join(talk.sends(bytes([octet])) for octet in b"A LOGIN {15+}\r\nann@example.com x\r\nB NOOP\r\n")
        self.assertTrue(heard.startswith(b"A NO [AUTHENTICATIONFAILED]"))
        self.assertTrue(heard.endswith(b"B OK NOOP completed\r\n"))


class Login(ImapCase):
    """Who is there."""

    def test_i03_passwords_may_hold_anything(self) -> None:
        r"""A quote and a backslash, escaped in a quoted string, arrive as they are (I3)."""
        self.client().logs_in()
        self.assertEqual(self.house.portal.asked[0].password, PASSWORD)
        self.assertEqual(self.house.portal.asked[0].peer.protocol, "imap")

    def test_i22_five_failures_end_the_session(self) -> None:
        """Each is answered alike; after the fifth comes BYE, behind the answer (I22, H5)."""
        talk = self.client()
        for _ in range(4):
            self.assertTrue(talk.last(b"LOGIN ann@example.com wrong").startswith(b". NO [AUTHENTICATIONFAILED] "))
        lines = talk.asks(b"LOGIN nobody wrong")
        self.assertTrue(lines[0].startswith(b". NO [AUTHENTICATIONFAILED] "))
        self.assertEqual(lines[1], b"* BYE too many failed logins")
        self.assertTrue(talk.wire.disconnecting)

    def test_i19_faults_of_ours_are_not_explained(self) -> None:
        """What goes wrong inside stays inside (I19)."""
        self.house.portal.failure = RuntimeError("could not connect to db, password=secret")
        answer = self.client().last(b"LOGIN a b")
        self.assertTrue(answer.startswith(b". NO [UNAVAILABLE] "))
        self.assertNotIn(b"secret", answer)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_overload_is_told(self) -> None:
        """A guessing brake or full queue is not a wrong password."""
        self.house.portal.failure = Overloaded()
        talk = self.client()
        self.assertTrue(talk.last(b"LOGIN a b").startswith(b". NO [UNAVAILABLE] "))
        self.assertEqual(talk.server.failed_logins, 0)

    def test_too_many_sessions_of_an_account(self) -> None:
        """NO [LIMIT], and the avatar is given back."""
        self.house.sessions.refuse_login = TooMany("too many sessions")
        talk = self.client()
        self.assertEqual(talk.last(b'LOGIN ann@example.com "se\\"cr\\\\et"'), b". NO [LIMIT] too many sessions")
        self.assertEqual(self.house.portal.logged_out, 1)
        self.assertIsNone(talk.server.account)

    def test_plaintext_may_be_refused(self) -> None:
        """Without TLS a strict listener takes no password, and says so beforehand (B2)."""
        talk = self.client(allow_plaintext_login=False)
        self.assertIn(b"LOGINDISABLED", talk.greeting)
        self.assertNotIn(b"AUTH=", talk.greeting)
        self.assertTrue(talk.last(b"LOGIN a b").startswith(b". NO [PRIVACYREQUIRED] "))
        self.assertTrue(talk.last(b"AUTHENTICATE PLAIN").startswith(b". NO [PRIVACYREQUIRED] "))
        self.assertTrue(talk.last(b"AUTHENTICATE PLAIN AGEAYg==").startswith(b". NO [PRIVACYREQUIRED] "))
        asked = [(type(login.refusal), login.username) for login in self.house.portal.asked]
        self.assertEqual(asked, [(PlaintextRefused, "a"), (PlaintextRefused, "a")])

    def test_plain_with_and_without_initial_response(self) -> None:
        """SASL-IR saves a turn (RFC 4959)."""
        response = base64.b64encode(b"\0ann@example.com\0" + PASSWORD.encode())
        self.assertTrue(self.client().last(b"AUTHENTICATE PLAIN " + response).startswith(b". OK [CAPABILITY "))
        talk = self.client()
        self.assertEqual(talk.sends(b"A AUTHENTICATE plain\r\n"), b"+ \r\n")
        self.assertTrue(talk.sends(response + b"\r\n").startswith(b"A OK [CAPABILITY "))

    def test_login_mechanism_prompts_as_clients_expect(self) -> None:
        """Username: and Password:, octet by octet (H1)."""
        talk = self.client()
        self.assertEqual(talk.sends(b"A AUTHENTICATE LOGIN\r\n"), b"+ " + base64.b64encode(b"Username:") + b"\r\n")
        heard = talk.sends(base64.b64encode(b"ann@example.com") + b"\r\n")
        self.assertEqual(heard, b"+ " + base64.b64encode(b"Password:") + b"\r\n")
        self.assertTrue(talk.sends(base64.b64encode(PASSWORD.encode()) + b"\r\n").startswith(b"A OK "))

    def test_i17_cancelling_is_bad_and_lines_are_whole(self) -> None:
        """`*` gives BAD, nonsense too, an overlong response too; the next line is a command again (I17)."""
        talk = self.client()
        for line in (b"*", b"???", b"=", b"x" * 20_000):
            self.assertEqual(talk.sends(b"A AUTHENTICATE PLAIN\r\n"), b"+ \r\n")
            self.assertTrue(talk.sends(line + b"\r\n").startswith(b"A BAD "), line[:10])
        self.assertTrue(talk.last(b"AUTHENTICATE CRAM-MD5").startswith(b". NO "))
        self.assertTrue(talk.last(b"LOGIN a ").startswith(b". BAD"))
        self.assertTrue(talk.sends(b"A LOGIN a {1+}\r\n\0\r\n").startswith(b"A BAD "))

    def test_a_client_that_leaves_during_login_leaves_nothing_behind(self) -> None:
        """The avatar that comes too late is given back."""
        self.house.portal.delay = Deferred()
        talk = self.client()
        talk.sends(b'A LOGIN ann@example.com "se\\"cr\\\\et"\r\n')
        talk.hangs_up()
        self.house.portal.delay.callback(None)
        self.assertEqual(self.house.portal.logged_out, 1)

    def test_i12_commands_wait_for_the_login_before_them(self) -> None:
        """A whole session in one segment is answered in order, however slow each step is (I12)."""
        self.put(HELLO)
        self.house.portal.delay = Deferred()
        talk = self.client()
        said = b'1 LOGIN ann@example.com "se\\"cr\\\\et"\r\n2 SELECT INBOX\r\n3 FETCH 1 FLAGS\r\n4 NOOP\r\n'
        self.assertEqual(talk.sends(said), b"")
        self.house.portal.delay.callback(None)
        heard = talk.wire.said()
        tags = [line[:1] for line in heard.split(b"\r\n") if line and line[:1] in b"1234"]
        self.assertEqual(tags, [b"1", b"2", b"3", b"4"])
        self.assertIn(b"* 1 FETCH (FLAGS (\\Recent))", heard)


class Tls(ImapCase):
    """STARTTLS."""

    def test_i01_what_was_sent_before_tls_is_forgotten(self) -> None:
        """Commands in the same segment as STARTTLS are never run (I1)."""
        self.house.tls_context = object()
        talk = self.client()
        self.assertIn(b"STARTTLS", talk.greeting)
        self.assertEqual(talk.sends(b"A STARTTLS\r\nB LOGIN a b\r\nC NO"), b"A OK begin TLS now\r\n")
        self.assertIs(talk.wire.tls, self.house.tls_context)
        self.assertEqual(self.house.portal.asked, [])
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")
        self.assertNotIn(b"STARTTLS", talk.asks(b"CAPABILITY")[0])
        self.assertTrue(talk.last(b"STARTTLS").startswith(b". BAD "))

    def test_tls_allows_what_plaintext_does_not(self) -> None:
        """LOGINDISABLED goes away inside TLS."""
        self.house.tls_context = object()
        talk = self.client(allow_plaintext_login=False)
        talk.last(b"STARTTLS")
        self.assertIn(b"AUTH=PLAIN", talk.asks(b"CAPABILITY")[0])
        talk.logs_in()

    def test_without_a_certificate_there_is_no_starttls(self) -> None:
        """BAD, as it was not offered."""
        self.assertTrue(self.client().last(b"STARTTLS").startswith(b". BAD "))


class Goodbye(ImapCase):
    """How sessions end."""

    def test_i15_logout_gives_everything_back(self) -> None:
        """BYE, OK, the folder closed, nobody listening, the avatar gone (I15)."""
        talk = self.ann(b"INBOX")
        self.assertEqual(len(self.house.watch), 1)
        self.assertEqual(talk.asks(b"LOGOUT"), [b"* BYE logging out", b". OK LOGOUT completed"])
        self.assertTrue(talk.wire.disconnecting)
        self.assertEqual((len(self.house.watch), self.house.portal.logged_out), (0, 1))
        talk.hangs_up()
        self.assertEqual(self.house.portal.logged_out, 1)
        self.assertEqual(self.house.sessions.open, [])

    def test_i15_so_does_a_dropped_line(self) -> None:
        """A vanished client leaves nothing behind."""
        talk = self.ann(b"INBOX")
        talk.hangs_up()
        self.assertEqual((len(self.house.watch), self.house.portal.logged_out), (0, 1))

    def test_a_silent_peer_is_cut_off_after_bye(self) -> None:
        """LOGOUT ends even when the client never closes (TWISTED 1.5)."""
        talk = self.client()
        talk.last(b"LOGOUT")
        self.clock.advance(CLOSE_GRACE_SECONDS)
        self.assertTrue(talk.wire.aborted)

    def test_strangers_have_three_minutes_and_users_half_an_hour(self) -> None:
        """Idle time before and after login (LIMITS, Connections)."""
        stranger, ann = self.client(), self.ann()
        stranger.last(b"NOOP")
        self.clock.advance(179)
        self.assertEqual(stranger.wire.said(), b"")
        self.clock.advance(2)
        self.assertEqual(stranger.wire.said(), b"* BYE nothing heard for too long\r\n")
        self.clock.advance(1600)
        ann.wire.said()
        self.assertFalse(ann.wire.disconnecting)
        self.clock.advance(30)
        self.assertEqual(ann.wire.said(), b"* BYE nothing heard for too long\r\n")

    def test_an_operator_can_end_it(self) -> None:
        """The reason is told."""
        talk = self.ann()
        self.house.sessions.kick("maintenance", account_id=ANN.id)
        self.assertEqual(talk.wire.said(), b"* BYE maintenance\r\n")
        self.assertTrue(talk.wire.disconnecting)


class Faults(ImapCase):
    """Our own faults."""

    def test_i19_a_failing_store_is_a_failure_for_now(self) -> None:
        """NO [SERVERBUG] without any of the exception's words; the session lives (I19)."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        account.store = Broken(account.store, {"folders": ValueError("secret /path")})
        self.assertEqual(talk.last(b'LIST "" *'), b". NO [SERVERBUG] something went wrong here, please try again later")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_i13_ok_comes_when_it_is_done(self) -> None:
        """CREATE, DELETE, RENAME, SUBSCRIBE are answered after the store has (I13)."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        gates: list[Deferred[None]] = []
        account.store = Gate(account.store, gates)
        for command in (b"CREATE a", b"SUBSCRIBE a", b"RENAME a b", b"DELETE b", b"UNSUBSCRIBE a"):
            self.assertEqual(talk.sends(b"A " + command + b"\r\n"), b"")
            while gates:
                gates.pop().callback(None)
            self.assertTrue(talk.wire.said().startswith(b"A OK "), command)

    def test_huge_input_behind_a_slow_command_waits_outside(self) -> None:
        """Back-pressure: the transport is paused while a command is under way."""
        self.house.portal.delay = Deferred()
        talk = self.client()
        talk.sends(b'A LOGIN ann@example.com "se\\"cr\\\\et"\r\n')
        talk.sends(b"B NOOP\r\n" * 30_000)
        self.assertEqual(talk.wire.producerState, "paused")
        self.house.portal.delay.callback(None)
        self.assertEqual(talk.wire.said().count(b"B OK"), 30_000)

    def test_limits_are_settings(self) -> None:
        """An operator's smaller limits count."""
        talk = Talk(self.house, limits=small_limits(line_octets=50))
        self.assertEqual(talk.last(b"NOOP" + b" " * 60), b". BAD the line is too long")


class PortalContract(ImapCase):
    """What we ask of the portal."""

    def test_the_peer_is_mind_and_part_of_the_credentials(self) -> None:
        """Checker and realm see who asks, and authzid as it was given."""
        seen = []

        class Curious(Portal):
            def login(self, credentials, mind, interface):  # type: ignore[no-untyped-def]
                seen.append((credentials.peer is mind, credentials.authzid, interface))
                return super().login(credentials, mind, interface)

        self.house.portal = Curious(self.house.store)
        response = base64.b64encode(b"bob\0ann@example.com\0x")
        self.client().last(b"AUTHENTICATE PLAIN " + response)
        self.assertEqual(seen, [(True, "bob", imap4.IAccount)])


class HiddenCapabilities(ImapCase):
    """What some clients are better not told of."""

    hidden = (("Stumble*", frozenset({"QRESYNC", "COMPRESS=DEFLATE"})), ("ann@*", frozenset({"NOTIFY"})))

    def words(self, talk: Talk) -> set[bytes]:
        """CAPABILITY now."""
        return set(talk.asks(b"CAPABILITY")[0].split())

    def test_by_login(self) -> None:
        """From the login on."""
        words = self.words(self.ann(hidden=self.hidden))
        self.assertNotIn(b"NOTIFY", words)
        self.assertIn(b"QRESYNC", words)

    def test_by_the_clients_name(self) -> None:
        """From its ID on, whatever the case; what is hidden cannot be switched on either."""
        talk = self.ann(hidden=self.hidden)
        talk.asks(b'ID ("name" "stumblebird" "version" "1.0")')
        self.assertFalse({b"QRESYNC", b"COMPRESS=DEFLATE"} & self.words(talk))
        self.assertIn(b"CONDSTORE", self.words(talk))
        self.assertEqual(talk.asks(b"ENABLE QRESYNC CONDSTORE")[0], b"* ENABLED CONDSTORE")
