"""Delivery status notifications as text (RFC 3464), read back with the standard library."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from random import Random
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.delivery.bounce import MAX_HEADER, Origin, Original, Outcome, from_xtext, report
from hostmail.delivery.notices import Notices, outcome, wanted
from hostmail.delivery.ours import Cause
from hostmail.delivery.telling import Telling
from hostmail.errors import NoSuchRecipient, OverQuota, Refusal, TemporaryFailure
from hostmail.interfaces.history import Happened
from hostmail.interfaces.queue import Queued
from tests.delivery.fakes import FakeHistory

ORIGINAL = Original("q1", "ann@example.com", b"Subject: hello\r\nFrom: ann\r\n\r\n", 1_700_000_000.0, "id+2B1")
ORIGIN = Origin("mail.example.net", 1_700_000_100.0, "q1.abc")
FAILED = Outcome("bob@x.example", "5.1.1", "550 5.1.1 no such user", "rfc822;bob+2Bx@x.example")


def parts(message: Message) -> tuple[str, Any, str]:
    """Explanation, status groups, original header."""
    text, status, header = message.get_payload()  # type: ignore[misc]
    groups = status.get_payload()  # type: ignore[union-attr]
    return str(text.get_payload(decode=True).decode()), groups, str(header.get_payload())  # type: ignore[union-attr]


class ReportTests(SynchronousTestCase):
    def make(self, action: str = "failed", outcomes: tuple[Outcome, ...] = (FAILED,), **more: Any) -> bytes:
        facts: dict[str, Any] = {"original": ORIGINAL, **more}
        return report(facts["original"], action, outcomes, ORIGIN)

    def test_top(self) -> None:
        """It comes from us, goes to the sender, and no machine answers it (RFC 3834)."""
        message = message_from_bytes(self.make())
        self.assertEqual(message["To"], "<ann@example.com>")
        self.assertEqual(message["From"], "Mail Delivery System <MAILER-DAEMON@mail.example.net>")
        self.assertEqual(message["Auto-Submitted"], "auto-replied")
        self.assertEqual(message["Message-ID"], "<q1.abc@mail.example.net>")
        self.assertEqual(message.get_content_type(), "multipart/report")
        self.assertEqual(message.get_param("report-type"), "delivery-status")
        self.assertIn("could not be delivered", message["Subject"])

    def test_parts(self) -> None:
        """People, machines and the sender's memory each get their part (RFC 3462)."""
        text, (about, bob), header = parts(message_from_bytes(self.make()))
        self.assertIn("<bob@x.example>\r\n    550 5.1.1 no such user", text)
        self.assertEqual(about["Reporting-MTA"], "dns; mail.example.net")
        self.assertEqual(about["Original-Envelope-Id"], "id+1")
        self.assertEqual(about["Arrival-Date"], "Tue, 14 Nov 2023 22:13:20 +0000")
        self.assertEqual(bob["Original-Recipient"], "rfc822;bob+x@x.example")
        self.assertEqual(bob["Final-Recipient"], "rfc822; bob@x.example")
        self.assertEqual((bob["Action"], bob["Status"]), ("failed", "5.1.1"))
        self.assertEqual(bob["Diagnostic-Code"], "smtp; 550 5.1.1 no such user")
        self.assertEqual(header.strip(), "Subject: hello\r\nFrom: ann")

    def test_whole(self) -> None:
        """A message that comes back whole is attached as one, with what its octets need (RFC 3464 2, RFC 6533 3)."""
        content = b"Subject: hello\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n"
        made = self.make(original=replace(ORIGINAL, content=content, whole=True))
        message = message_from_bytes(made)
        attached = message.get_payload(2)
        self.assertEqual(
            (attached.get_content_type(), attached["Content-Transfer-Encoding"]), ("message/rfc822", "8bit")
        )
        self.assertEqual(message["Content-Transfer-Encoding"], "8bit")
        self.assertEqual(message.get_param("report-type"), "delivery-status")
        self.assertIn(content, made)
        international = self.make(original=replace(ORIGINAL, content="Subject: ü\r\n\r\nx".encode(), whole=True))
        self.assertEqual(message_from_bytes(international).get_payload(2).get_content_type(), "message/global")

    def test_several(self) -> None:
        """Each recipient has a group of its own."""
        _, groups, _ = parts(message_from_bytes(self.make(outcomes=(FAILED, Outcome("eve@x.example", "5.2.2")))))
        self.assertEqual(
            [group["Final-Recipient"] for group in groups[1:]], ["rfc822; bob@x.example", "rfc822; eve@x.example"]
        )

    def test_lines(self) -> None:
        """Every line ends in CRLF, and none is too long (RFC 5321 4.5.3.1.6)."""
        message = self.make(outcomes=(Outcome("bob@x.example", "5.0.0", "550 " + "x" * 5000),))
        self.assertEqual(message.count(b"\n"), message.count(b"\r\n"))
        self.assertLess(max(map(len, message.split(b"\r\n"))), 998)

    def test_no_injection(self) -> None:
        """A server's words, an envelope id and an ORCPT cannot make fields or parts of their own."""
        evil = Outcome(
            "bob@x.example", "5.0.0", "550 no\r\nAction: delivered\r\n\r\n--=_q1.abc", "rfc822;x+0D+0AEvil: 1"
        )
        original = Original("q1", "ann@example.com", b"", 0.0, "x+0D+0AEvil: 1")
        message = message_from_bytes(self.make(outcomes=(evil,), original=original))
        _, (about, bob), _ = parts(message)
        self.assertEqual((bob["Action"], bob["Evil"], about["Evil"]), ("failed", None, None))

    def test_utf8(self) -> None:
        """Internationalized addresses and headers make the report an internationalized one (RFC 6533)."""
        data = self.make(outcomes=(Outcome("bäb@x.example", "5.1.1"),))
        message = message_from_bytes(data)
        self.assertEqual(message.get_param("report-type"), "global-delivery-status")
        self.assertEqual(message["Content-Transfer-Encoding"], "8bit")
        self.assertIn("Final-Recipient: utf-8; bäb@x.example\r\n".encode(), data)
        self.assertIn(b"Content-Type: message/global-headers", data)

    def test_long_header(self) -> None:
        """Of an endless header only the beginning comes back, cut at a line's end."""
        long = Original("q1", "ann@example.com", b"X-Line: abcdefgh\r\n" * 10_000, 0.0)
        data = self.make(original=long)
        self.assertLess(len(data), MAX_HEADER + 5000)
        self.assertIn(b"abcdefgh\r\n\r\n--=_q1.abc--\r\n", data)

    def test_xtext(self) -> None:
        """xtext is read as far as it is xtext (RFC 3461 4)."""
        self.assertEqual(from_xtext("a+2Bb+C3+A4"), "a+bä")
        self.assertEqual(from_xtext("+FF"), "\ufffd")
        self.assertEqual(from_xtext("ж+2B"), "ж+2B")


class WantedTests(SynchronousTestCase):
    def test_notify(self) -> None:
        """Without NOTIFY failures and delays are told; with it, exactly what it names (RFC 3461 4.1)."""
        for notify, told in (
            ((), ["failed", "delayed"]),
            (("NEVER",), []),
            (("SUCCESS",), ["delivered", "relayed"]),
            (("failure", "DELAY"), ["failed", "delayed"]),
        ):
            actions = ("failed", "delayed", "delivered", "relayed")
            self.assertEqual([action for action in actions if wanted(action, notify)], told)

    def test_status(self) -> None:
        """What was given up has a permanent status, whatever the last trouble was; a delay a temporary one."""
        self.assertEqual(outcome("failed", "a@b", "", TemporaryFailure()).status, "5.3.0")
        self.assertEqual(outcome("failed", "a@b", "", OverQuota()).status, "5.2.2")
        self.assertEqual(outcome("delivered", "a@b", "", None).status, "2.0.0")
        self.assertEqual(outcome("delayed", "a@b", "", TemporaryFailure()).status, "4.3.0")


class NoticesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.causes: list[Cause] = []
        self.error: Refusal | None = None
        self.history = FakeHistory()
        self.notices = Notices(
            self.submit,
            hostname="mail.example.net",
            now=lambda: 0.0,
            random=Random(1),
            telling=Telling(self.history, lambda: 0.0),
        )

    async def submit(self, recipient: Address, message: bytes, cause: Cause) -> None:
        if self.error:
            raise self.error
        self.causes.append(cause)
        self.sent.append((str(recipient), message))

    def row(self, sender: str = "ann@example.com", notify: str = "") -> Queued:
        return Queued(1, "q1", sender, "bob@x.example", "", 1, None, 0.0, 0.0, notify=notify)

    def report(self, row: Queued) -> Any:
        return ensureDeferred(self.notices.report([(row, NoSuchRecipient())], "failed", b"Subject: x\r\n\r\n", False))

    def test_queued_rows(self) -> None:
        """The queue's failures are reported with the original's header."""
        self.successResultOf(self.report(self.row()))
        [(recipient, message)] = self.sent
        self.assertEqual(recipient, "ann@example.com")
        self.assertIn(b"Subject: x", message)

    def test_whose_affair(self) -> None:
        """A report goes the way of whoever sent the message; a stranger's, that of the domain that did not take it, if it is one."""
        sent = replace(self.row(), account_id=7, for_domain="example.com")
        stray, alias = self.row(), replace(self.row(), recipient="ann@y.example", addressed="eve@X.example")
        other = replace(self.row(), recipient="ann@y.example")
        for rows, cause in (
            ([sent], Cause("example.com", 7)),
            ([stray, alias], Cause("x.example")),
            ([stray, other], Cause()),
        ):
            results = [(row, NoSuchRecipient()) for row in rows]
            self.successResultOf(ensureDeferred(self.notices.report(results, "failed", b"", False)))
            self.assertEqual(self.causes.pop(), cause)

    def test_nobody_to_tell(self) -> None:
        """No report to the null sender, to what is no address, or to who wants none (LIMITS, Messages)."""
        for row in (self.row(sender=""), self.row(sender="nonsense"), self.row(notify="NEVER")):
            self.successResultOf(self.report(row))
        self.assertEqual(self.sent, [])

    def test_nobody_was_told(self) -> None:
        """That nobody was told of a failure, and why, is part of the story; of a success it is not."""
        self.successResultOf(self.report(self.row(sender="")))
        [(what, recipient, words)] = self.history.story
        self.assertEqual((what, recipient, words), ("unreported", "bob@x.example", "null sender"))
        self.error = NoSuchRecipient()
        self.successResultOf(self.report(self.row()))
        self.assertEqual(self.history.story[1][2], "5.1.1 no such user here")

    def test_refused(self) -> None:
        """A sender that takes no mail ends it; a failure for now is for the caller."""
        self.error = NoSuchRecipient()
        self.successResultOf(self.report(self.row()))
        self.error = TemporaryFailure()
        self.failureResultOf(self.report(self.row()), TemporaryFailure)

    def test_told(self) -> None:
        """That the sender was told is part of the message's story."""
        self.successResultOf(self.report(self.row()))
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.queue_id, fact.sender), (Happened.REPORTED, "q1", "ann@example.com"))
        self.assertEqual((fact.recipient, fact.words), ("bob@x.example", "failed"))
