"""hostmail.directory.autoresponders: what accounts answer, and whom they have answered (E4)."""

from __future__ import annotations

from typing import Any

from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.directory import autoresponders
from hostmail.directory.autoresponders import Answered
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.autoresponders import Answer, Autoresponder, IAnswered
from tests.directory.support import HASH, DirectoryTestCase, Threads
from tests.support.aloud import Aloud

BOB, EVE = Address("Bob", "x.example"), Address("eve", "x.example")
WEEK = 7 * 86_400.0


class AutoresponderCase(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))

    def put(self, **more: Any) -> Autoresponder:
        facts: dict[str, Any] = {"subject": "", "text": "away", "starts": None, "until": None, "every": WEEK, **more}
        return self.get(self.changes.set_autoresponder("Ann@example.com", **facts))

    def of_ann(self) -> Autoresponder | None:
        return self.get(self.directory.autoresponder(self.ann.id))


class FactTests(AutoresponderCase):
    def test_set_and_off(self) -> None:
        """It counts at once, replaces the one before, and goes at once (E7)."""
        self.assertIsNone(self.of_ann())
        self.put()
        made = self.put(subject=" Holidays ", text="Grüße", starts=1.0, until=2.0, every=3600.0)
        self.assertEqual(made, Autoresponder(self.ann.id, "Holidays", "Grüße", 1.0, 2.0, 3600.0))
        self.assertEqual(self.of_ann(), made)
        self.get(self.changes.remove_autoresponder("ann@example.com"))
        self.assertIsNone(self.of_ann())
        self.refused(self.changes.remove_autoresponder("ann@example.com"), NotFound)

    def test_costs_nothing(self) -> None:
        """Who has none is known without asking the database."""
        self.of_ann()
        runs = self.threads.runs
        self.of_ann()
        self.assertEqual(self.threads.runs, runs)

    def test_refused(self) -> None:
        """What makes no sense is told."""
        for wrong in (
            {"subject": "two\nlines"}, {"subject": "x" * 201}, {"text": " \n"}, {"text": "x" * 65_537}, {"text": "a\0b"},
            {"starts": 2.0, "until": 2.0}, {"starts": -1.0}, {"until": 1e300}, {"every": 60.0}, {"every": 1e9},
        ):  # fmt: skip
            facts: dict[str, Any] = {"subject": "", "text": "x", "starts": None, "until": None, "every": WEEK, **wrong}
            self.refused(self.changes.set_autoresponder("ann@example.com", **facts), BadValue)
        facts = {"subject": "", "text": "x", "starts": None, "until": None, "every": WEEK}
        self.refused(self.changes.set_autoresponder("nobody@example.com", **facts), NotFound)

    def test_goes_with_the_account(self) -> None:
        """An account, and a domain, is removed with it."""
        self.put()
        self.get(self.changes.remove_account("ann@example.com"))
        self.assertIsNone(self.of_ann())
        self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.put()
        self.get(self.changes.remove_domain("example.com"))
        with self.database.reading() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT count(*) FROM autoresponders").scalar(), 0)


class AnsweredTests(AutoresponderCase):
    def setUp(self) -> None:
        super().setUp()
        self.answered = Answered(database=self.database, in_thread=self.threads, now=self.clock.seconds)
        other, _, _ = self.process(Aloud(), Threads())
        self.elsewhere = Answered(database=other, in_thread=Threads(), now=self.clock.seconds)

    def claim(self, answered: Answered, sender: Address = BOB) -> bool:
        return self.get(answered.claim(self.ann.id, sender, WEEK))

    def test_contract(self) -> None:
        """It is what the contract says."""
        verifyObject(IAnswered, self.answered)

    def test_once_over_all_processes(self) -> None:
        """One answer for a sender in a period, whoever asks, however he is spelled."""
        self.assertTrue(self.claim(self.answered))
        self.assertFalse(self.claim(self.elsewhere))
        self.assertFalse(self.claim(self.answered, Address("bob", "x.example")))
        self.assertTrue(self.claim(self.elsewhere, EVE))
        self.clock.advance(WEEK)
        self.assertTrue(self.claim(self.elsewhere))
        self.assertFalse(self.claim(self.answered))
        answers = self.get(self.answered.answers(self.ann.id))
        self.assertEqual(answers, [Answer("Bob@x.example", WEEK, 2), Answer("eve@x.example", 0.0, 1)])

    def test_given_back(self) -> None:
        """An answer that could not be sent does not count."""
        self.claim(self.answered)
        self.get(self.answered.give_back(self.ann.id, BOB))
        self.assertTrue(self.claim(self.elsewhere))

    def test_new_text(self) -> None:
        """Whoever got the old answer may get the new one."""
        self.put()
        self.claim(self.answered)
        self.put(text="still away")
        self.assertTrue(self.claim(self.answered))

    def test_flood(self) -> None:
        """Whoever sends under many names gets no more answers in an hour than an account may send."""
        self.patch(autoresponders, "MOST_AN_HOUR", 3)
        senders = [Address(f"s{number}", "x.example") for number in range(5)]
        self.assertEqual([self.claim(self.answered, one) for one in senders], [True] * 3 + [False] * 2)
        self.clock.advance(3601)
        self.assertTrue(self.claim(self.answered, senders[4]))

    def test_bounded(self) -> None:
        """The log of an account does not grow for ever: those answered longest ago go."""
        self.patch(autoresponders, "MOST_ANSWERED", 3)
        for number in range(5):
            self.clock.advance(WEEK / 2)
            self.claim(self.answered, Address(f"s{number}", "x.example"))
        found = [answer.sender for answer in self.get(self.answered.answers(self.ann.id))]
        self.assertEqual(found, ["s4@x.example", "s3@x.example", "s2@x.example"])

    def test_bounded_but_never_twice(self) -> None:
        """Whoever is remembered stays so for the period, however many others write: further ones get no answer rather than he two."""
        self.patch(autoresponders, "MOST_ANSWERED", 3)
        senders = [Address(f"s{number}", "x.example") for number in range(5)]
        self.assertEqual([self.claim(self.answered, one) for one in senders], [True] * 3 + [False] * 2)
        self.assertFalse(self.claim(self.answered, senders[0]))
        self.clock.advance(WEEK)
        self.assertTrue(self.claim(self.answered, senders[4]))
