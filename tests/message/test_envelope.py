"""ENVELOPE."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.envelope import MAX_FEW, MAX_TEXT, NIL_ENVELOPE, build_envelope
from hostmail.message.scan import scan
from tests import corpus
from tests.message import imapgrammar

ANN = [None, None, b"ann", b"example.com"]
BOB = [None, None, b"bob", b"example.org"]


def envelope(data: bytes) -> Any:
    value = imapgrammar.parse(build_envelope(data, scan(data)))
    imapgrammar.check_envelope(value)
    return value


class EnvelopeTests(SynchronousTestCase):
    def test_ordinary(self) -> None:
        """All ten members in the RFC's order; Sender and Reply-To default to From."""
        sender = [[b"Bob Example", None, b"bob", b"example.org"]]
        self.assertEqual(
            envelope(corpus.PLAIN),
            [
                b"Tue, 14 Nov 2023 23:13:18 +0100",
                b"Greetings  from Vienna",
                sender,
                sender,
                sender,
                [[b"Ann", None, b"ann", b"example.com"], [b"Carl, C.", None, b"carl", b"example.com"]],
                None,
                None,
                None,
                b"<1@example.org>",
            ],
        )

    def test_nothing_is_nil(self) -> None:
        """A message without header has ten NILs."""
        self.assertEqual(build_envelope(b"", scan(b"")), NIL_ENVELOPE)
        imapgrammar.check_envelope(imapgrammar.parse(NIL_ENVELOPE))

    def test_empty_reply_to_is_from(self) -> None:
        """Present but empty counts as absent; a real one does not."""
        value = envelope(b"From: ann@example.com\r\nReply-To: \r\nSender: bob@example.org\r\n\r\n")
        self.assertEqual(value[2:5], [[ANN], [BOB], [ANN]])

    def test_raw_eight_bit(self) -> None:
        """Raw 8-bit header text goes out as a literal: one bad message must not kill the session (TWISTED I4)."""
        data = corpus.odd_messages()["raw 8-bit header"]
        self.assertIn(b"{5}\r\nGr\xfc\xdfe", build_envelope(data, scan(data)))
        self.assertEqual(envelope(data)[2][0][0], b"J\xf6rg")

    def test_recipients_of_all_fields(self) -> None:
        """To in two fields is one list; of From the first field counts."""
        value = envelope(
            b"To: ann@example.com\r\nTO: bob@example.org\r\nFrom: ann@example.com\r\nFrom: bob@example.org\r\n\r\n"
        )
        self.assertEqual((value[5], value[2]), ([ANN, BOB], [ANN]))

    def test_groups(self) -> None:
        """Groups keep their arity (RFC 3501 7.4.2)."""
        self.assertEqual(
            envelope(b"To: undisclosed-recipients:;\r\n\r\n")[5],
            [[None, None, b"undisclosed-recipients", None], [None, None, None, None]],
        )

    def test_bounded(self) -> None:
        """Long texts are cut, and From is no place for thousands."""
        data = b"Subject: " + b"x" * 100_000 + b"\r\nFrom: " + b"a@b," * 1000 + b"\r\n\r\n"
        value = envelope(data)
        self.assertEqual((len(value[1]), len(value[2])), (MAX_TEXT, MAX_FEW))

    def test_whole_corpus(self) -> None:
        """Every odd message has a valid envelope."""
        for data in corpus.odd_messages().values():
            envelope(data)
