"""Header questions of delivery."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.headers import (
    count_fields,
    count_received,
    field_value,
    field_values,
    has_delivered_to,
    header_end,
    message_id,
    remove_field,
)
from tests import corpus


class HeaderTests(SynchronousTestCase):
    def test_values(self) -> None:
        """By name in any case, unfolded; the body is not looked at."""
        data = b"Subject: a\r\n b\r\nSUBJECT : c\r\nX-Subject: d\r\n\r\nSubject: e\r\n"
        self.assertEqual(field_values(data, b"sUbject"), [b"a b", b"c"])
        self.assertEqual(field_value(data, b"Subject"), b"a b")
        self.assertIsNone(field_value(data, b"Date"))
        self.assertEqual(count_fields(data, b"subject"), 2)

    def test_header_end(self) -> None:
        """The body's first octet."""
        self.assertEqual(corpus.PLAIN[header_end(corpus.PLAIN) :], b"Hello,\r\nthis is text.\r\n")
        self.assertEqual(header_end(b"A: b\r\n"), 6)

    def test_received(self) -> None:
        """Hops are counted, all of them, over the parser's limit on fields too."""
        self.assertEqual(count_received(corpus.PLAIN), 2)
        self.assertEqual(count_received(b"A: b\r\n" * 2000 + b"Received: x\r\n" * 3 + b"\r\n"), 3)

    def test_delivered_to(self) -> None:
        """Exactly this address, in any case, bare or in brackets."""
        data = b"Delivered-To: Ann@Example.com\r\nDelivered-To: <bob@example.com>\r\n\r\n"
        self.assertTrue(has_delivered_to(data, "ann@example.com"))
        self.assertTrue(has_delivered_to(data, "bob@example.com"))
        self.assertFalse(has_delivered_to(data, "n@example.com"))

    def test_remove(self) -> None:
        """Only that field goes, folding and all, every time; the body keeps its look-alikes."""
        data = b"A: b\r\nReturn-Path: <x>\r\n\t(y)\r\nC: d\r\nreturn-path: z\r\n\r\nReturn-Path: body\r\n"
        self.assertEqual(remove_field(data, b"Return-Path"), b"A: b\r\nC: d\r\n\r\nReturn-Path: body\r\n")
        self.assertIs(remove_field(corpus.PLAIN, b"X-None"), corpus.PLAIN)
        self.assertEqual(remove_field(b"Return-Path: <x>\r\n\r\nbody", b"return-path"), b"\r\nbody")

    def test_message_id(self) -> None:
        """With its brackets; None if absent or nonsense."""
        self.assertEqual(message_id(corpus.PLAIN), b"<1@example.org>")
        self.assertIsNone(message_id(b"Message-ID: none\r\n\r\n"))
        self.assertIsNone(message_id(b"\r\n"))
