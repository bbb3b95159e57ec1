"""Autoresponders at work: claims, null sender, one answer (E4)."""

from __future__ import annotations

from dataclasses import replace

from hostmail.errors import OverQuota
from hostmail.interfaces.autoresponders import Autoresponder
from tests.delivery.intaking import IntakeCase

PERSONAL = b"From: bob@other.example\r\nTo: ann@example.com\r\nSubject: Lunch?\r\n\r\nHungry.\r\n"


class AnsweringTests(IntakeCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory.autoresponders[1] = Autoresponder(1, "", "I am away.")

    def answers(self) -> list[tuple[str, list[str]]]:
        return [(each.envelope.sender, each.recipients) for each in self.queue.committed]

    def test_answered_once(self) -> None:
        """The answer has the null sender and goes to the reverse-path; the same sender's next message has none."""
        for _ in range(3):
            self.send("ann@example.com", message=PERSONAL)
        self.assertEqual(self.answers(), [("", ["bob@other.example"])])
        self.assertIn(b"Auto-Submitted: auto-replied", self.queue.committed[0].content)
        self.assertIn(("answered", "ann@example.com", "an answer went to bob@other.example"), self.history.story)

    def test_way_out(self) -> None:
        """An answer is mail of the account that gives it, and takes its way (C9)."""
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual([each.account_id for each in self.queue.committed], [1])

    def test_others(self) -> None:
        """Each sender has his own answer, local ones as well."""
        self.directory.add("bea@example.com")
        self.send("ann@example.com", message=PERSONAL)
        self.send("ann@example.com", message=PERSONAL, sender="bea@example.com")
        self.assertEqual(self.answers(), [("", ["bob@other.example"])])
        self.assertIn(b"Subject: Auto: Lunch?", self.mail("bea@example.com")[0])

    def test_no_ping_pong(self) -> None:
        """Two who are away answer each other once."""
        bea = self.directory.add("bea@example.com")
        self.directory.autoresponders[bea.id] = Autoresponder(bea.id, "", "I am away, too.")
        self.send("ann@example.com", message=PERSONAL, sender="bea@example.com")
        self.assertEqual((len(self.mail("ann@example.com")), len(self.mail("bea@example.com"))), (1, 1))

    def test_through_an_alias(self) -> None:
        """Mail to an alias that names the alias is answered in the mailbox's name."""
        self.directory.lead("info@example.com", "ann@example.com")
        self.send("info@example.com", message=PERSONAL.replace(b"ann@", b"info@"))
        self.assertEqual(self.answers(), [("", ["bob@other.example"])])
        self.assertIn(b"From: ann@example.com", self.queue.committed[0].content)

    def test_not_answered(self) -> None:
        """Not to lists, not outside its time, not for mail that did not arrive; and nobody is claimed for it."""
        self.send("ann@example.com", message=b"List-Id: <x>\r\n" + PERSONAL)
        self.directory.autoresponders[1] = Autoresponder(1, "", "I am away.", until=1_600_000_000.0)
        self.send("ann@example.com", message=PERSONAL)
        self.directory.autoresponders[1] = Autoresponder(1, "", "I am away.")
        self.store.refusals["ann@example.com"] = OverQuota()
        self.send_refused("ann@example.com", message=PERSONAL)
        self.assertEqual((self.answers(), self.answered.claimed), ([], set()))

    def test_why_not_is_told(self) -> None:
        """Whoever asks why somebody got no answer finds the reason; where no autoresponder is on, there is nothing to say."""
        self.directory.add("bea@example.com")
        for message in (b"List-Id: <x>\r\n" + PERSONAL, PERSONAL, PERSONAL):
            self.send("ann@example.com", "bea@example.com", message=message)
        self.assertEqual(
            [(to, words) for what, to, words in self.history.story if what == "not answered"],
            [
                ("ann@example.com", "from a mailing list"),
                ("ann@example.com", "this sender was answered before, or very many others lately"),
            ],
        )

    def test_name_in_utf8(self) -> None:
        """An answer whose own header is beyond ASCII asks for servers that take that, whoever it goes to (RFC 6531)."""
        account = self.directory.add("j\u00fcrgen@example.com")
        self.directory.autoresponders[account.id] = Autoresponder(account.id, "", "Ich bin fort.")
        self.send("j\u00fcrgen@example.com", message=PERSONAL.replace(b"ann@", "j\u00fcrgen@".encode()))
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual([each.envelope.smtputf8 for each in self.queue.committed], [True, False])

    def test_suspended(self) -> None:
        """An account that may send nothing sends no answers, nor does one of such a domain (A9)."""
        account = self.directory.all_accounts[1]
        self.directory.all_accounts[1] = replace(account, outgoing_suspended=True)
        self.send("ann@example.com", message=PERSONAL)
        self.directory.all_accounts[1] = account
        self.directory.set("example.com", outgoing_suspended=True)
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual((self.answers(), self.answered.claimed), ([], set()))

    def test_answer_breaks(self) -> None:
        """An answer that could not be made for a fault of ours does not count either."""

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        self.patch(self.intake.answering, "_submit", broken)
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.answered.claimed, set())

    def test_answer_refused(self) -> None:
        """An answer that nobody takes does not count; the message is safe."""
        self.queue.failure = OverQuota()
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual((len(self.mail("ann@example.com")), self.answered.claimed), (1, set()))

    def test_trouble(self) -> None:
        """Whatever breaks here is logged, and concerns nobody else."""

        async def broken(*_: object) -> bool:
            raise ZeroDivisionError

        self.patch(self.answered, "claim", broken)
        self.send("ann@example.com", message=PERSONAL)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.mail("ann@example.com")), 1)
