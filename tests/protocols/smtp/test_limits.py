"""Conversations: every limit, and what goes over it."""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import OutOfSpace
from hostmail.protocols.smtp.replies import reply
from tests.protocols.smtp.talk import Conversation, plain


class LineTests(Conversation):
    def test_s03_memory_is_bounded_without_line_ends(self):
        """S3: one answer for an endless line, no buffer, and its rest is not run."""
        for _ in range(200):
            self.sends(b"A" * 65_536)
        self.hears("500 5.5.2 line too long")
        self.assertLess(len(self.session.input), 16_384)
        self.sends(b"MAIL FROM:<evil@x>\r\nNOOP\r\n")
        self.hears("250 2.0.0 Ok")

    def test_command_lines_have_2048_octets(self):
        """LIMITS: one octet more is too long, and the session lives."""
        self.says("NOOP " + "x" * 2_043, "NOOP " + "x" * 2_044, "NOOP")
        self.hears("250 2.0.0 Ok", "500 5.5.2 line too long", "250 2.0.0 Ok")


class RecipientTests(Conversation):
    def accepted(self, count: int) -> int:
        """How many of so many recipients were taken."""
        self.says("MAIL FROM:<>", *(f"RCPT TO:<u{number}@example.com>" for number in range(count)))
        replies = self.wire.said().decode().splitlines()[1:]
        self.assertLessEqual({line[:9] for line in replies}, {"250 2.1.5", "452 4.5.3"})
        return sum(line.startswith("250") for line in replies)

    def test_s11_strangers_have_100_recipients(self):
        """S11: more than 100 get 452, those before stay, and nobody is punished for trying (RFC 5321 4.5.3.1.10)."""
        self.says_hello()
        with capturedLogs() as events:
            self.assertEqual(self.accepted(200), 100)
        self.assertEqual(len(events), 1)
        self.says("DATA", "x", ".")
        self.assertEqual(len(self.intake.kept[0].recipients), 100)

    def test_users_have_1000(self):
        """Those who logged in have 1,000, and so have those who have just checked their mail (C2)."""
        self.says_hello()
        self.says(f"AUTH PLAIN {plain()}")
        self.wire.clear()
        self.assertEqual(self.accepted(1_020), 1_000)
        self.connect()
        self.says_hello()
        self.intake.open.add("192.0.2.7")
        self.assertEqual(self.accepted(1_020), 1_000)


class SessionTests(Conversation):
    def test_messages_per_session(self):
        """LIMITS: after so many messages the session ends with 421."""
        self.connect(max_messages=2)
        for _ in range(2):
            self.begins_mail()
            self.says("DATA", "x", ".")
            self.hears_codes("354", "250")
        self.says("MAIL FROM:<>")
        self.hears("421 4.7.0 too many messages in one session")
        self.assertTrue(self.wire.disconnecting)

    def test_errors_slow_and_end_a_session(self):
        """LIMITS: from the 20th error on each command waits a second, the 50th ends it."""
        for _ in range(20):
            self.says("FOO")
        self.hears(*["500 5.5.2 unknown command"] * 20)
        self.says(*["FOO"] * 40)
        self.hears()
        for _ in range(29):
            self.clock.advance(1)
            self.hears_codes("500")
        self.clock.advance(1)
        self.hears("421 4.7.0 disconnected by administrator")
        self.assertTrue(self.wire.disconnecting)

    def test_slowed_sessions_still_work(self):
        """A slowed command that takes time is waited for, and the next one after it."""
        self.says_hello()
        self.says(*["FOO"] * 20)
        self.wire.clear()
        self.intake.slow = True
        self.says("MAIL FROM:<>", "NOOP")
        self.clock.advance(1)
        self.hears()
        self.intake.waits[0].callback(None)
        self.hears_codes("250 2.1.0")
        self.clock.advance(1)
        self.hears_codes("250 2.0.0")

    def test_a_slowed_session_may_hang_up(self):
        """No timer is left behind."""
        self.says(*["FOO"] * 21)
        self.hangs_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_c08_relaying_refusals_end_a_session(self):
        """C8: the answer to the fifth attempt to relay is the goodbye."""
        self.says_hello()
        self.says("MAIL FROM:<>", *["RCPT TO:<x@elsewhere.example>"] * 6)
        self.hears_codes("250", *["550 5.7.1 relaying prohibited"] * 4, "421 4.7.0 disconnected by administrator")

    def test_s16_idle_sessions_end(self):
        """S16: 5 minutes without a command, 1 minute without a first one, and the connection is gone for sure."""
        self.says("NOOP")
        self.clock.pump([60] * 5)
        self.hears("250 2.0.0 Ok", "421 4.4.2 mail.example.com heard nothing for too long, closing")
        self.clock.advance(5)
        self.assertTrue(self.wire.aborted)
        self.connect()
        self.wire.clear()
        self.clock.advance(61)
        self.hears_codes("421 4.4.2")

    def test_s16_silence_within_data_ends_after_three_minutes(self):
        """LIMITS: 3 minutes without an octet of the message, whenever in a session that is; octets begin them anew."""
        self.begins_mail()
        self.clock.pump([50] * 5)
        self.says("DATA")
        self.wire.clear()
        self.clock.pump([1] * 179)
        self.sends(b"x")
        self.clock.pump([1] * 179)
        self.assertFalse(self.wire.disconnecting)
        self.clock.pump([1] * 2)
        self.hears_codes("421 4.4.2")
        self.hangs_up()
        self.assertEqual(self.intake.kept[0].state, "aborted")
        self.assertIn("silent for too long within the message", str(self.intake.kept[0].why))

    def test_s16_commands_have_their_five_minutes_after_data(self):
        """What counts within DATA is over with it."""
        self.begins_mail()
        self.says("DATA", "x", ".")
        self.wire.clear()
        self.clock.pump([1] * 299)
        self.hears()
        self.clock.pump([1] * 2)
        self.hears_codes("421 4.4.2")

    def test_s16_our_own_time_does_not_count(self):
        """S16: the timer stands still while the server works."""
        self.begins_mail()
        self.intake.slow = True
        self.says("RCPT TO:<u@example.com>")
        self.clock.pump([100] * 20)
        self.assertFalse(self.wire.disconnecting)


class ReplyTests(SynchronousTestCase):
    def test_replies_fit_the_wire(self):
        """RFC 5321 4.5.3.1.5: no line over 512 octets, no control characters, ASCII."""
        self.assertEqual(reply(250, "a", "b"), b"250-a\r\n250 b\r\n")
        self.assertEqual(len(reply(550, "x" * 900)), 4 + 480 + 2)
        self.assertEqual(reply(550, "a\r\n250 ü"), b"550 a 250 ?\r\n")


class LogTests(Conversation):
    def test_the_log_says_who_and_what(self):
        """One line per event: login, recipient refused, message refused, with peer, account and message id."""
        self.intake.commit_fails = OutOfSpace(private="disk full")
        with capturedLogs() as events:
            self.says_hello()
            self.says(f"AUTH PLAIN {plain(password='wrong')}", f"AUTH PLAIN {plain()}", "MAIL FROM:<>")
            self.says("RCPT TO:<nobody@example.com>", *[f"RCPT TO:<u{number}@example.com>" for number in range(12)])
            self.says("DATA", "x", ".")
        texts = [str(formatEvent(event)) for event in events]
        self.assertEqual({event["log_namespace"] for event in events}, {"protocols.smtp"})
        self.assertEqual(
            [text.split(":")[0] for text in texts],
            ["login of 'ann@example.com' refused", "login", "'RCPT TO", "message q1 from=<> refused"],
        )
        self.assertIn("[wrong password] (192.0.2.7 )", texts[0])
        self.assertIn("452 4.3.1", texts[3])
        self.assertIn("[disk full] (192.0.2.7 ann@example.com)", texts[3])
        self.assertIn("and 2 more", texts[3])

    def test_passwords_are_never_logged(self):
        """Nothing of an exchange gets into the log, broken or not."""
        with capturedLogs() as events:
            self.says_hello()
            self.says(
                "AUTH PLAIN " + plain(password="wrong"),
                "AUTH PLAIN x" + plain(),
                "AUTH LOGIN",
                "sekrit",
                "auth\tplain sekrit!",
            )
        log = "\n".join(str(formatEvent(event)) for event in events)
        for secret in ("sekrit", "wrong", plain()):
            self.assertNotIn(secret, log.replace("[wrong password]", ""))
