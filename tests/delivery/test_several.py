"""One recipient, several ends: each gets its copy, or its sender hears why not (E1, D4)."""

from __future__ import annotations

from dataclasses import replace

from hostmail.address import Address
from hostmail.decisions import Forward, IntoMailbox, Refuse, Relay, Several
from hostmail.delivery.ends import sort_out, waiting
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import NoSuchRecipient, OverQuota, RecipientSuspended, TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Room
from tests.delivery.intaking import MESSAGE, IntakeCase

ANN, BEA, CLEO, ALL = "ann@example.com", "bea@example.com", "cleo@example.com", "all@example.com"
BOB = "bob@other.example"
FULL = Room(Usage(10, 1), 10, None, 0)


class SeveralTests(IntakeCase):
    """all@ leads to ann and bea; bob, the sender, is elsewhere."""

    def setUp(self) -> None:
        super().setUp()
        self.directory.lead(ALL, ANN, BEA)

    def reports(self) -> list[bytes]:
        """What waits in the queue for the sender."""
        return [waiting.content for waiting in self.queue.committed if waiting.recipients == [BOB]]

    def queued(self) -> list[list[str]]:
        return [waiting.recipients for waiting in self.queue.committed]

    def test_all_get_it(self) -> None:
        """Every mailbox gets one copy, which tells how it was addressed; the sender's own recipients count once, too."""
        self.send(ALL, BEA)
        for address in (ANN, BEA):
            [copy] = self.mail(address)
            self.assertIn(f"X-Original-To: {ALL}\r\nDelivered-To: {address}\r\n".encode(), copy)
            self.assertTrue(copy.endswith(MESSAGE))
        self.assertEqual(self.queued(), [])

    def test_one_is_full(self) -> None:
        """While one mailbox has room the recipient is accepted; its sender hears of the full one, under the name he knows (D4)."""
        self.store.rooms[1] = FULL
        self.store.refusals[ANN] = OverQuota("full")
        self.send(ALL)
        self.assertEqual(len(self.mail(BEA)), 1)
        [report] = self.reports()
        self.assertIn(b"Final-Recipient: rfc822; all@example.com", report)
        self.assertIn(b"Status: 5.2.2", report)
        self.assertNotIn(b"ann@example.com", report)

    def test_all_are_full(self) -> None:
        """Where every mailbox is full RCPT says so at once, with 552 (D4)."""
        self.store.rooms[1] = self.store.rooms[2] = FULL
        recipient = Recipient(Address.parse(ALL))
        refusal = self.refused(self.intake.recipient(self.peer, Envelope(None), recipient))
        self.assertEqual((refusal.code, refusal.enhanced), (552, "5.2.2"))

    def test_full_and_suspended(self) -> None:
        """Nobody left who takes it: the recipient is refused, as well when the room was gone only at the end."""
        self.directory.lead(ALL, "gone@example.com", ANN)
        self.store.rooms[1] = FULL
        recipient = Recipient(Address.parse(ALL))
        self.assertIsInstance(self.refused(self.intake.recipient(self.peer, Envelope(None), recipient)), OverQuota)
        del self.store.rooms[1]
        self.store.refusals[ANN] = OverQuota("full")
        self.assertIsInstance(self.send_refused(ALL), OverQuota)
        self.assertEqual(self.queued(), [])

    def test_end_that_takes_none(self) -> None:
        """An end that is gone is reported, for others have the mail by then."""
        self.directory.lead(ALL, "gone@example.com", BEA)
        self.send(ALL)
        self.assertEqual(len(self.mail(BEA)), 1)
        [report] = self.reports()
        self.assertIn(b"Status: 5.1.1", report)

    def test_report_that_cannot_be_stored(self) -> None:
        """The queue tries the ends again that could not be reported, and those in trouble: them alone, whatever else the name leads to."""
        self.directory.lead(ALL, "gone@example.com", ANN, BEA, CLEO)
        self.store.refusals = {ANN: OverQuota("full"), CLEO: TemporaryFailure()}
        failing = TemporaryFailure()

        async def fails(*_: object) -> None:
            raise failing

        self.patch(self.intake.notices, "tell", fails)
        self.send(ALL)
        [waiting] = self.queue.committed
        self.assertEqual(waiting.recipients, [CLEO, ANN, "gone@example.com"])

    def test_kept_copy(self) -> None:
        """Mailbox and forward in one transaction."""
        self.directory.lead(ANN, "x@far.example", keep_copy=True)
        self.send(ANN)
        self.assertEqual(len(self.mail(ANN)), 1)
        [waiting] = self.queue.committed
        self.assertEqual(waiting.recipients, ["x@far.example"])

    def test_queue_fails(self) -> None:
        """A forward that cannot be queued is a failure for now, and no copy is kept meanwhile: nobody gets it twice."""
        self.directory.lead(ANN, BOB, keep_copy=True)
        self.queue.failure = TemporaryFailure()
        self.assertIsInstance(self.send_refused(ANN), TemporaryFailure)
        self.assertEqual(self.mail(ANN), [])

    def test_queue_that_takes_no_rows(self) -> None:
        """Nor if its file could be written, but nothing into its tables."""
        self.directory.lead(ANN, BOB, keep_copy=True)
        self.queue.stand_by_failure = TemporaryFailure()
        self.assertIsInstance(self.send_refused(ANN), TemporaryFailure)
        self.assertEqual((self.mail(ANN), self.queue.committed), ([], []))
        self.assertEqual([each.aborted for each in self.queue.prepared], [True])

    def test_full_mailbox_beside_a_forward(self) -> None:
        """A full mailbox does not keep mail from being sent on; its sender hears of the copy."""
        self.directory.lead(ANN, "x@far.example", keep_copy=True)
        self.store.rooms[1] = FULL
        self.store.refusals[ANN] = OverQuota("full")
        self.send(ANN)
        self.assertIn(["x@far.example"], self.queued())
        self.assertEqual(len(self.reports()), 1)

    def test_no_relaying(self) -> None:
        """A forward needs nobody's permission, and gives strangers none."""
        self.directory.lead(ALL, "x@far.example")
        self.send(ALL)
        self.assertEqual(self.queued(), [["x@far.example"]])
        self.refused(self.intake.recipient(self.peer, Envelope(None), Recipient(Address.parse("x@far.example"))))

    def test_discarded(self) -> None:
        """What a catch-all throws away is accepted, stored nowhere, counted and remembered (E2)."""
        self.directory.set("example.com", catch_all="discard")
        self.send("typo@example.com", "Typo+1@example.com", ANN)
        self.assertEqual((len(self.mail(ANN)), self.queued()), (1, []))
        self.assertEqual(self.caught, ["typo@example.com"])
        self.send("other@example.com")
        self.assertEqual(self.spool.left, [])

    def test_remembered_once_it_is_safe(self) -> None:
        """A catch-all remembers mail that it got, not what was refused at the end."""
        self.directory.set("example.com", catch_all=BEA)
        self.store.refusals[BEA] = OverQuota("full")
        self.send_refused("typo@example.com")
        self.assertEqual(self.caught, [])
        del self.store.refusals[BEA]
        self.send("typo@example.com")
        self.assertEqual(self.caught, ["typo@example.com"])

    def test_confirmation(self) -> None:
        """Who asked for a confirmation gets one for the name, however many mailboxes it has (RFC 3461)."""
        self.send(Recipient(Address.parse(ALL), ("SUCCESS",)))
        [report] = self.reports()
        self.assertEqual(report.count(b"Action: delivered"), 1)


class SortingTests(IntakeCase):
    def test_each_once(self) -> None:
        """An outside address that two names lead to, or that the sender has named himself, gets the message once."""
        out = Address.parse("x@far.example")
        one, two = Recipient(Address.parse("a@example.com")), Recipient(Address.parse("b@example.com"))
        forwards = [(each, Forward(out, each.address)) for each in (one, two)]
        self.assertEqual(sort_out(forwards).forwards, forwards[:1])
        named = sort_out([*forwards, (Recipient(out), Relay(out))])
        self.assertEqual((named.forwards, named.elsewhere), ([], [Recipient(out)]))
        self.assertTrue(named.leaves)

    def test_known_name(self) -> None:
        """What goes on under another address keeps the name that its sender knows (RFC 3461 5.2.1)."""
        for text, known in (
            ("a+b@example.com", "rfc822;a+2Bb@example.com"),
            ("jürgen@far.example", "utf-8;j+C3+BCrgen@far.example"),
        ):
            self.assertEqual(Recipient(Address.parse(text)).known_as, known)
        self.assertEqual(Recipient(Address.parse(ANN), orcpt="rfc822;x@y.example").known_as, "rfc822;x@y.example")

    def test_nowhere(self) -> None:
        """A refused end without an address of its own is known by the recipient's."""
        recipient = Recipient(Address.parse("a@example.com"))
        ends = (IntoMailbox(1, ANN), Refuse(NoSuchRecipient()), Refuse(RecipientSuspended(), Address.parse(BEA)))
        found = sort_out([(recipient, Several(ends))])
        self.assertEqual([str(end.address) for end in found.nowhere], ["a@example.com", BEA])

    def test_waiting(self) -> None:
        """What waits for a mailbox waits for that alone, and knows how it came there."""
        named = Recipient(Address.parse("a@example.com"), ("FAILURE",), "rfc822;b@example.com")
        ends = (IntoMailbox(1, ANN, caught="a@example.com"), Refuse(RecipientSuspended(), Address.parse(BEA)))
        found = sort_out([(named, Several(ends))])
        self.assertEqual(
            waiting([*found.mailboxes, *found.nowhere]),
            [
                replace(
                    named, address=Address.parse(ANN), routed=True, addressed="a@example.com", caught="a@example.com"
                ),
                replace(named, address=Address.parse(BEA), routed=True, addressed="a@example.com"),
            ],
        )
