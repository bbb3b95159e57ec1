"""The avatar, used as stock twisted.mail would use it."""

from __future__ import annotations

from twisted.internet.testing import StringTransportWithDisconnection
from twisted.mail import smtp
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.envelope import Peer
from hostmail.errors import OverQuota, SendingSuspended
from hostmail.protocols.smtp.delivery import HostmailDelivery
from tests.protocols.smtp.talk import Intake


class DeliveryTests(SynchronousTestCase):
    def setUp(self):
        self.intake = Intake()
        self.peer = Peer("192.0.2.7", "smtp", account_id=7)
        self.delivery = HostmailDelivery(self.intake, self.peer, 7)

    def test_keeps_the_interface(self):
        """It is what the portal promises."""
        verifyObject(smtp.IMessageDelivery, self.delivery)
        self.assertEqual(self.delivery.account_id, 7)

    def test_the_stock_server_can_deliver_through_it(self):
        """twisted.mail's own ESMTP in front of our intake takes a message."""
        server, wire = smtp.ESMTP(), StringTransportWithDisconnection()
        server.noisy, server.timeout, server.delivery, wire.protocol = False, None, self.delivery, server
        server.makeConnection(wire)
        lines = ["HELO x", "MAIL FROM:<bob@example.net>", "RCPT TO:<ann@example.com>", "DATA", "hi", ".", "QUIT"]
        server.dataReceived("".join(line + "\r\n" for line in lines).encode())
        self.assertEqual(
            [line[:3] for line in wire.value().splitlines()], [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
        )
        (kept,) = self.intake.kept
        self.assertTrue(kept.octets.startswith(b"Received: from x ([192.0.2.7])"))
        self.assertTrue(kept.octets.endswith(b"\r\nhi\r\n"))
        self.assertEqual((kept.state, kept.envelope.sender), ("committed", "bob@example.net"))

    def test_refusals_become_stock_errors(self):
        """Refusals arrive as the exceptions that stock protocols turn into replies."""
        origin, user = smtp.Address(b"bob@example.net"), smtp.User(b"nobody@example.com", b"", None, b"bob@example.net")
        self.assertEqual(self.failureResultOf(self.delivery.validateTo(user), smtp.SMTPBadRcpt).value.code, 550)
        self.intake.sender_fails = SendingSuspended()
        self.assertEqual(
            self.failureResultOf(self.delivery.validateFrom((b"x", b""), origin), smtp.SMTPBadSender).value.code, 550
        )

    def test_a_failing_commit_keeps_its_code(self):
        """Over quota is 552 here too; a cut message is forgotten."""
        self.intake.commit_fails = OverQuota()
        user = smtp.User(b"ann@example.com", b"", None, b"bob@example.net")
        begin = self.successResultOf(self.delivery.validateTo(user))
        self.assertEqual(self.failureResultOf(begin().eomReceived(), smtp.SMTPServerError).value.code, 552)
        begin().connectionLost()
        self.assertEqual(self.intake.kept[1].state, "aborted")

    def test_s15_trace_fields_survive_odd_names(self):
        """S15: a client without a name, or with a bad one, still gets a field of one line."""
        self.assertIn(b"from unknown ", self.delivery.receivedHeader((None, b""), None, []))
        self.assertNotIn(b"\n", self.delivery.receivedHeader((b"a\nb", b""), None, []))
