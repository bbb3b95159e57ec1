"""Our reports as list software reads them: flufl.bounce, which Mailman drops members by (RFC 3464)."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message

from flufl.bounce import all_failures
from twisted.trial.unittest import SynchronousTestCase

from hostmail.delivery.bounce import Origin, Original, Outcome, report

ORIGINAL = Original("q1", "list-bounces@example.com", b"Subject: hello\r\nFrom: ann\r\n\r\n", 1_700_000_000.0)
ORIGIN = Origin("mail.example.net", 1_700_000_100.0, "q1.abc")
BOB = Outcome("bob@x.example", "5.1.1", "550 5.1.1 no such user", "rfc822;bob@x.example")
EVE = Outcome("eve@x.example", "5.2.2", "552 5.2.2 mailbox full")


class ReadTests(SynchronousTestCase):
    def made(self, action: str, *outcomes: Outcome, original: Original = ORIGINAL) -> Message:
        """A report, without a fault that the standard library knows of."""
        octets = report(original, action, outcomes, ORIGIN)
        for each in message_from_bytes(octets, policy=policy.default).walk():
            self.assertEqual(each.defects, [])
        return message_from_bytes(octets)

    def read(self, action: str, *outcomes: Outcome, original: Original = ORIGINAL) -> tuple[set[bytes], set[bytes]]:
        """Who failed for now, and who for good."""
        temporary, permanent = all_failures(self.made(action, *outcomes, original=original))
        return set(temporary), set(permanent)

    def test_failed(self) -> None:
        """Everybody who is named has failed for good, under the address that the sender knows."""
        self.assertEqual(self.read("failed", BOB, EVE), (set(), {b"bob@x.example", b"eve@x.example"}))
        known = replace(BOB, recipient="b.o.b@y.example")
        self.assertIn(b"bob@x.example", self.read("failed", known)[1])

    def test_delayed(self) -> None:
        """A delay is no failure for good."""
        waiting = replace(BOB, status="4.4.1", answer="451 4.4.1 x.example does not answer")
        self.assertEqual(self.read("delayed", waiting), ({b"bob@x.example"}, set()))

    def test_success(self) -> None:
        """Confirmations name nobody who failed."""
        for action in ("delivered", "relayed"):
            fine = Outcome("bob@x.example", "2.0.0", orcpt="rfc822;bob@x.example")
            self.assertEqual(self.read(action, fine), (set(), set()))

    def test_returned(self) -> None:
        """Neither a whole message that comes back (RET=FULL) nor its header (HDRS) is taken for a part of the report."""
        content = (
            b"Subject: x\r\nFinal-Recipient: rfc822; eve@x.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n--b--\r\n"
        )
        for whole in (True, False):
            original = replace(ORIGINAL, content=content if whole else content.partition(b"\r\n\r\n")[0], whole=whole)
            self.assertEqual(self.read("failed", BOB, original=original), (set(), {b"bob@x.example"}))

    def test_international(self) -> None:
        """Addresses in UTF-8 come in the form of RFC 6533, which the standard library reads; older readers find nothing they mistake."""
        far = Outcome("jürgen@x.example", "5.1.1", "550 5.1.1 unbekannt", "utf-8;jürgen@x.example")
        message = self.made("failed", far)
        self.assertEqual(message.get_param("report-type"), "global-delivery-status")
        status = message.get_payload(1)
        assert isinstance(status, Message)
        self.assertEqual(status.get_content_type(), "message/global-delivery-status")
        self.assertIn("Final-Recipient: utf-8; jürgen@x.example", status.as_bytes().decode())
        self.assertEqual(all_failures(message)[1] - {"jürgen@x.example".encode()}, set())

    def test_words_in_utf8(self) -> None:
        """A server's words in UTF-8 do not hide whom they are about."""
        words = replace(BOB, answer="550 5.1.1 kein Empfänger")
        self.assertEqual(self.read("failed", words), (set(), {b"bob@x.example"}))

    def test_subject_in_utf8(self) -> None:
        """Nor does a header in UTF-8."""
        original = replace(ORIGINAL, content="Subject: grüße\r\n\r\n".encode())
        self.assertEqual(self.read("failed", BOB, original=original), (set(), {b"bob@x.example"}))
