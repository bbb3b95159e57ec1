"""Our Received field."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.headers import count_received, field_value
from hostmail.message.scan import scan
from hostmail.message.trace import received_field, with_protocol


def field(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "helo": "client.example.org",
        "ip": "192.0.2.7",
        "by": "mx.example.com",
        "protocol": "ESMTPSA",
        "queue_id": "Q1",
        "timestamp": 1_700_000_000,
    }
    return received_field(**(arguments | changes))


class ReceivedTests(SynchronousTestCase):
    def test_everything(self) -> None:
        """All clauses in the order of RFC 5321 4.4."""
        self.assertEqual(
            field(
                reverse_name="host.example.org",
                tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
                comment="relay grant of ann@example.com",
                recipients=["bob@example.net"],
            ),
            b"Received: from client.example.org (host.example.org [192.0.2.7])\r\n"
            b"\t(using TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
            b"\t(relay grant of ann@example.com)\r\n"
            b"\tby mx.example.com with ESMTPSA id Q1\r\n"
            b"\tfor <bob@example.net>;\r\n"
            b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n",
        )

    def test_least(self) -> None:
        """Without extras; IPv6 is marked, and without an address there is no comment."""
        self.assertEqual(
            field(ip="2001:db8::1", helo=""),
            b"Received: from unknown ([IPv6:2001:db8::1])\r\n"
            b"\tby mx.example.com with ESMTPSA id Q1;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n",
        )
        self.assertIn(b"from client.example.org\r\n", field(ip=""))

    def test_blind_copies_stay_blind(self) -> None:
        """`for` only with one recipient (RFC 5321 7.2)."""
        self.assertNotIn(b"for <", field(recipients=["a@example.com", "b@example.com"]))

    def test_no_injection(self) -> None:
        """Whatever the peer says, it is one field with short lines (TWISTED S10)."""
        nasty = 'x\r\nX-Injected: 1\r\n\r\n(")\\\x85\u2028\ud800' + "y" * 5000
        made = field(helo=nasty, reverse_name=nasty, tls=nasty, comment=nasty, recipients=[nasty], queue_id=nasty)
        (only,) = scan(made + b"\r\n").fields
        self.assertEqual((only.name, only.end), (b"received", len(made)))
        self.assertEqual(count_received(made), 1)
        self.assertIsNone(field_value(made, b"x-injected"))
        self.assertLess(max(len(line) for line in made.split(b"\r\n")), 998)

    def test_parentheses_in_comments(self) -> None:
        """A comment cannot be left early."""
        self.assertIn(b"(a \\) b)", field(comment="a ) b"))

    def test_utf8(self) -> None:
        """Addresses in UTF-8 do not make the header one that servers without SMTPUTF8 cannot take; who sent it can be read all the same."""
        made = field(recipients=["jörg@example.com"], comment="authenticated as jörg@example.com", helo="jörgs-pc")
        self.assertTrue(made.isascii())
        self.assertNotIn(b"for <", made)
        self.assertIn(rb"(authenticated as j\xf6rg@example.com)", made)

    def test_protocols(self) -> None:
        """The keywords of RFC 3848 and RFC 6531."""
        for arguments, expected in [
            ((False, False, False, False), "SMTP"),
            ((True, False, False, False), "ESMTP"),
            ((True, True, False, False), "ESMTPS"),
            ((True, False, True, False), "ESMTPA"),
            ((True, True, True, False), "ESMTPSA"),
            ((True, True, True, True), "UTF8SMTPSA"),
        ]:
            esmtp, tls, authenticated, utf8 = arguments
            self.assertEqual(with_protocol(esmtp=esmtp, tls=tls, authenticated=authenticated, utf8=utf8), expected)
