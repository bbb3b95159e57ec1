"""What the session refuses by itself, or is cut off from: nobody else can tell it to the history."""

from __future__ import annotations

from tests.protocols.smtp.talk import Conversation


class ToldTests(Conversation):
    """`intake.turned` is what `hostmail trace` will know."""

    def test_what_is_no_address(self) -> None:
        """501: an address that cannot be read is found as it was written; a parameter we do not know keeps its address."""
        self.says_hello()
        self.says("MAIL FROM:<bob@@example.net>", "MAIL FROM:<bob@example.net> X=1", "MAIL FROM:<bob@example.net>")
        self.says("RCPT TO:<ann example.com>", "RCPT TO: no-address", "RCPT TO:<ann@example.com> NOTIFY=x", "RCPT whom")
        senders, recipients = self.intake.turned[:2], self.intake.turned[2:]
        self.assertEqual([one[:2] for one in senders], [("bob@@example.net", ""), ("bob@example.net", "")])
        self.assertEqual([answer[:3] for *_, answer in senders], ["501", "555"])
        self.assertEqual({sender for sender, *_ in recipients}, {"bob@example.net"})
        named = [recipient for _, recipient, _ in recipients]
        self.assertEqual(named, ["ann example.com", "no-address", "ann@example.com", "whom"])
        self.assertEqual({answer[:9] for *_, answer in recipients[:1]}, {"501 5.5.4"})

    def test_octets_that_are_no_text(self) -> None:
        """What is no UTF-8 is told in a form that can be written down."""
        self.says_hello()
        self.sends(b"MAIL FROM:<b\xffb@example.net>\r\n")
        [(sender, _, answer)] = self.intake.turned
        self.assertEqual((sender, answer[:3]), ("b?b@example.net", "501"))
        sender.encode()

    def test_too_many_recipients(self) -> None:
        """452: each recipient that must wait for another message is told; those that were taken go on."""
        self.connect(max_recipients_unauthenticated=1)
        self.begins_mail("ann@example.com", "eve@example.com", "joe@example.com")
        self.assertEqual([recipient for _, recipient, _ in self.intake.turned], ["eve@example.com", "joe@example.com"])
        self.assertEqual({answer[:9] for *_, answer in self.intake.turned}, {"452 4.5.3"})

    def test_strangers_at_submission(self) -> None:
        """530: mail that nobody answers for, where somebody has to."""
        self.connect(require_auth=True)
        self.says_hello()
        self.says("MAIL FROM:<bob@example.net>")
        self.assertEqual([(one[0], one[2][:9]) for one in self.intake.turned], [("bob@example.net", "530 5.7.0")])

    def test_the_intake_tells_the_rest(self) -> None:
        """One fact, one event: what the intake refuses is told by the intake, and what is out of order concerns no mail."""
        self.says("MAIL FROM:<bob@example.net>", "RCPT TO:<ann@example.com>")
        self.begins_mail("nobody@example.com", "ann@example.com", "ann@example.com")
        self.says("MAIL FROM:<bob@example.net>", "DATA", "hi", ".", "DATA", "QUIT")
        self.hangs_up()
        self.assertEqual(self.intake.turned, [])

    def test_how_a_refused_message_begins(self) -> None:
        """A message that cannot be taken from its first octets on is seen as far as these go, to be found by its Message-ID."""
        self.begins_mail()
        self.says("DATA")
        self.sends(b"Message-ID: <m1@x>\n\nhi\r\n")
        self.says("more", ".")
        [kept] = self.intake.kept
        self.assertEqual((kept.state, kept.octets), ("aborted", b"Message-ID: <m1@x>\n\nhi"))
        self.intake.write_fails = OSError()
        self.begins_mail()
        self.wire.clear()
        self.says("DATA", "bare\n", ".")
        self.hears_codes("354", "550 5.6.11")

    def test_gone_before_data(self) -> None:
        """Recipients that were taken, and then no message: how that came about."""
        self.begins_mail("ann@example.com", "eve@example.com")
        self.hangs_up()
        words = "421 4.4.2 the connection was lost before the message"
        self.assertEqual(
            self.intake.turned,
            [("bob@example.net", name, words) for name in ("ann@example.com", "eve@example.com")],
        )

    def test_disconnected_for_errors(self) -> None:
        """The recipients named before the errors that ended the session are told of with that reason."""
        self.begins_mail("ann@example.com")
        self.says(*["RCPT TO:<x@elsewhere.example>"] * 5)
        self.hangs_up()
        [(_, recipient, answer)] = self.intake.turned
        self.assertEqual(
            (recipient, answer), ("ann@example.com", "421 4.4.2 too many errors, disconnected before the message")
        )

    def test_disconnected_by_an_operator(self) -> None:
        """Or with his words."""
        self.begins_mail("ann@example.com")
        self.session.kick("maintenance")
        self.hangs_up()
        self.assertIn("disconnected: maintenance before", self.intake.turned[0][2])

    def test_a_goodbye_is_no_accident(self) -> None:
        """Servers that only ask whether an address exists leave with QUIT or RSET, and have lost nothing."""
        for word in ("QUIT", "RSET"):
            self.connect()
            self.begins_mail("ann@example.com")
            self.says(word)
            self.hangs_up()
        self.assertEqual(self.intake.turned, [])
