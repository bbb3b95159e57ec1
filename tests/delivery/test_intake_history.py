"""What the history hears of mail on its way in."""

from __future__ import annotations

import re

from hostmail.address import Address
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import (
    BadAddress,
    BrokenOff,
    MessageTooBig,
    OutOfSpace,
    OverQuota,
    TemporaryFailure,
)
from hostmail.interfaces.history import Happened
from tests.delivery.intaking import IntakeCase


class StoryTests(IntakeCase):
    """What `hostmail trace` will tell."""

    def test_delivered_and_queued(self) -> None:
        """Who brought a message, and what became of it for each recipient."""
        self.directory.lead("info@example.com", "ann@example.com", "far@elsewhere.example")
        self.send("info@example.com", "x@else.example", peer=self.login, message=b"Message-ID: <m1@x>\r\n\r\nhi\r\n")
        accepted, *ends = self.history.facts
        self.assertEqual((accepted.what, accepted.message_id), (Happened.ACCEPTED, "m1@x"))
        self.assertEqual(accepted.words, "from 192.0.2.7 by submission as ann@example.com, 26 octets")
        self.assertEqual({fact.queue_id for fact in ends}, {accepted.queue_id})
        self.assertEqual(
            self.history.story[1:],
            [
                ("led to", "info@example.com", "ann@example.com"),
                ("led to", "info@example.com", "far@elsewhere.example"),
                ("delivered", "ann@example.com", ""),
                ("queued", "far@elsewhere.example", "forwarded by info@example.com"),
                ("queued", "x@else.example", ""),
            ],
        )

    def test_refused_at_rcpt(self) -> None:
        """Who was told no, and with which words."""
        recipient = Recipient(Address.parse("nobody@example.com"))
        refusal = self.refused(self.intake.recipient(self.peer, Envelope(Address.parse("eve@x.example")), recipient))
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.queue_id, fact.sender), (Happened.REFUSED, "", "eve@x.example"))
        self.assertEqual(fact.recipient, "nobody@example.com")
        self.assertEqual(fact.words, f"550 {refusal.smtp_line()} (192.0.2.7 by smtp)")

    def test_one_end_of_two_names(self) -> None:
        """Where two names lead to one address outside, or to one that was named as well, each has its story all the same."""
        self.directory.lead("info@example.com", "far@elsewhere.example")
        self.directory.lead("sales@example.com", "Far@elsewhere.example")
        self.send("info@example.com", "sales@example.com")
        led = [fact for fact in self.history.story if fact[0] == "led to"]
        self.assertEqual([name for _, name, _ in led], ["info@example.com", "sales@example.com"])
        self.history.facts.clear()
        self.send("far@elsewhere.example", "info@example.com", peer=self.login)
        self.assertIn(("led to", "info@example.com", "far@elsewhere.example"), self.history.story)

    def test_caught(self) -> None:
        """Mail that a catch-all took says so at its end, here or elsewhere."""
        self.directory.set("example.com", catch_all="default")
        self.send("nobody@example.com")
        self.directory.set("example.com", catch_all="far@elsewhere.example")
        self.send("nobody+x@example.com")
        words = "the catch-all takes mail for nobody@example.com"
        self.assertEqual(
            self.history.story[1:3],
            [("led to", "nobody@example.com", "ann@example.com"), ("delivered", "ann@example.com", words)],
        )
        self.assertIn(
            ("queued", "far@elsewhere.example", f"forwarded by nobody+x@example.com, {words}"), self.history.story
        )

    def test_forward_of_spam(self) -> None:
        """Whose mail is not forwarded learns it under his own name, too."""
        self.directory.lead("info@example.com", "ann@example.com", "far@elsewhere.example")
        self.send("info@example.com", message=b"X-Spam-Flag: YES\r\n\r\nhi\r\n")
        self.assertIn(("led to", "info@example.com", "far@elsewhere.example"), self.history.story)

    def test_refused_at_mail(self) -> None:
        """A sender who is told no before he has named anybody, with the login he used."""
        refusal = self.refused(self.intake.sender(self.login, Envelope(Address.parse("eve@x.example"), size=1 << 40)))
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.sender, fact.recipient), (Happened.REFUSED, "eve@x.example", ""))
        self.assertEqual(fact.words, f"552 {refusal.smtp_line()} (192.0.2.7 by submission as ann@example.com)")

    def test_refused_after_data(self) -> None:
        """A message that is not taken after all, found by its Message-ID, too; whoever has found that out."""
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m1@x>\r\n\r\n")
        transaction.write(b"x" * 200_000)
        self.refused(transaction.commit())
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m2@x>\r\n\r\n")
        transaction.abort(MessageTooBig())
        self.assertEqual([(what, to) for what, to, _ in self.history.story], [("refused", "ann@example.com")] * 2)
        self.assertEqual([fact.message_id for fact in self.history.facts], ["m1@x", "m2@x"])

    def test_message_id_of_ours(self) -> None:
        """A message that came without a Message-ID is found by the one that we gave it."""
        self.send("x@else.example", peer=self.login, message=b"Subject: hi\r\n\r\nhi\r\n")
        [given] = re.findall(rb"(?m)^Message-ID: <(.*)>\r$", self.queue.committed[0].content)
        self.assertEqual(self.history.facts[0].message_id, given.decode())

    def test_found_by_its_message_id(self) -> None:
        """Also where it was refused or cut off within its header, or for the line ends of its header."""
        for header in (
            b"Message-ID: <m1@x>\r\nSubj",
            b"Message-ID: <m1@x>\nSubject: hi\n\nhi\n",
            b"Message-Id:\r\n <m1@x>\r\n\r\n",
        ):
            transaction = self.begin("ann@example.com")
            transaction.write(header)
            transaction.abort(BrokenOff())
        self.assertEqual([fact.message_id for fact in self.history.facts], ["m1@x"] * 3)

    def test_cut_off(self) -> None:
        """A client that goes away before the end was refused nothing, but whoever waits for that mail can learn of it."""
        self.begin("ann@example.com").abort()
        self.assertEqual(self.history.story, [])
        transaction = self.begin("ann@example.com")
        transaction.write(b"Message-ID: <m1@x>\r\n\r\n")
        transaction.abort(BrokenOff("the client was silent"))
        self.assertEqual(
            self.history.story, [("broken off", "ann@example.com", "the client was silent (192.0.2.7 by smtp)")]
        )
        self.assertEqual(self.history.facts[0].message_id, "m1@x")

    def test_no_room_to_begin(self) -> None:
        """A message that DATA is refused for, since there is no room for its file, was refused to each of its recipients."""
        self.spool.full = True
        self.assertRaises(OutOfSpace, self.begin, "ann@example.com", "bea@example.com")
        self.assertEqual(
            [(what, to) for what, to, _ in self.history.story],
            [("refused", "ann@example.com"), ("refused", "bea@example.com")],
        )

    def test_refused_by_the_session(self) -> None:
        """What the session turns away by itself is told as it was written."""
        self.intake.turned_away(self.peer, "eve@x.example", "no address", BadAddress())
        [fact] = self.history.facts
        self.assertEqual((fact.what, fact.queue_id, fact.recipient), (Happened.REFUSED, "", "no address"))

    def test_our_own(self) -> None:
        """A message that we wrote says so."""
        self.wait(self.intake.submit(Address.parse("ann@example.com"), b"Subject: hi\r\n\r\n"))
        self.assertEqual(self.history.facts[0].words, "from this server itself, 15 octets")

    def test_ends_that_are_tried_again(self) -> None:
        """What waits in the queue for another try has not been given up: trouble for now, or a report that could not be stored."""
        for number in range(12):
            self.directory.lead(f"n{number}@example.com", f"n{number + 1}@example.com")
        self.directory.lead("info@example.com", "ann@example.com", "n0@example.com")
        self.send("info@example.com")
        self.assertEqual(
            {what for what, _, words in self.history.story if words.startswith("451 4.3.5")}, {"postponed"}
        )
        self.history.facts.clear()
        self.store.refusals["bea@example.com"] = OverQuota("full")
        self.store.refusals["cleo@example.com"] = TemporaryFailure()
        self.send("ann@example.com", "bea@example.com", sender="cleo@example.com")
        told = [(what, to) for what, to, _ in self.history.story]
        self.assertIn(("postponed", "bea@example.com"), told)
        self.assertNotIn(("failed", "bea@example.com"), told)

    def test_mailboxes_that_say_no(self) -> None:
        """A full mailbox beside one that has room, and the report to the sender."""
        self.directory.add("bob@example.com")
        self.store.refusals["bob@example.com"] = OverQuota("full")
        self.send("ann@example.com", "bob@example.com")
        story = sorted((what, to) for what, to, _ in self.history.story if to != "bob@other.example")
        self.assertIn(("delivered", "ann@example.com"), story)
        self.assertIn(("failed", "bob@example.com"), story)
        self.assertIn(("reported", "bob@example.com"), story)
