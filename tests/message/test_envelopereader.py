"""Reading ENVELOPEs back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.addresses import MailAddress
from hostmail.message.envelope import NIL_ENVELOPE, build_envelope
from hostmail.message.envelopereader import read_envelope
from hostmail.message.scan import scan


def envelope_of(header: bytes) -> bytes:
    """As the index keeps it."""
    return build_envelope(header + b"\r\n", scan(header + b"\r\n"))


class EnvelopeReaderTests(SynchronousTestCase):
    """What was written is read."""

    def test_all(self) -> None:
        """Every value, and the first address of each list."""
        values = read_envelope(
            envelope_of(
                b'Subject: a "quoted" \\ word\r\nFrom: "Bob (B.) \\"x\\"" <bob@b.test>\r\nTo: a@a.test, b@b.test\r\n'
                b"Cc: friends: c@c.test;\r\nIn-Reply-To: <1@x>\r\nMessage-ID: <2@x>\r\n"
            )
        )
        self.assertEqual(values.subject, b'a "quoted" \\ word')
        self.assertEqual(values.sender, MailAddress(b'Bob (B.) "x"', None, b"bob", b"b.test"))
        self.assertEqual(values.to, MailAddress(None, None, b"a", b"a.test"))
        self.assertEqual(values.cc, MailAddress(None, None, b"c", b"c.test"))
        self.assertEqual((values.in_reply_to, values.message_id), (b"<1@x>", b"<2@x>"))

    def test_nothing(self) -> None:
        """An envelope of NILs, and a group without members."""
        self.assertEqual(read_envelope(NIL_ENVELOPE), (None,) * 6)
        self.assertIsNone(read_envelope(envelope_of(b"To: undisclosed-recipients:;\r\n")).to)

    def test_literals(self) -> None:
        """8-bit texts, which are kept as literals."""
        values = read_envelope(envelope_of("Subject: Grüße (\r\nFrom: Jürgen <j@x.test>\r\n".encode()))
        self.assertEqual(values.subject, "Grüße (".encode())
        assert values.sender is not None
        self.assertEqual((values.sender.name, values.sender.mailbox), ("Jürgen".encode(), b"j"))

    @given(st.binary(max_size=80))
    def test_any_header(self, header: bytes) -> None:
        """Whatever stands in a header, its envelope can be read back."""
        for name in (b"Subject: ", b"From: ", b"To: "):
            read_envelope(envelope_of(name + header))
