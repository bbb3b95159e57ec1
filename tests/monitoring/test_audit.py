"""The file that says who changed what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.address import caseless
from hostmail.errors import TemporaryFailure
from hostmail.interfaces.admin import AuditEntry, IAudit
from hostmail.monitoring.audit import FORGET_EVERY, KEEP_SECONDS, Audit


async def at_once(function: Any, *args: Any) -> Any:
    """A thread that has finished before anybody looks."""
    return function(*args)


class AuditTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(2 * KEEP_SECONDS)
        self.path = Path(self.mktemp())
        self.audit = self.open()

    def open(self, **more: Any) -> Audit:
        audit = Audit(self.path, in_thread=at_once, now=self.clock.seconds, **more)
        self.addCleanup(audit.close)
        return audit

    def get(self, coroutine: Any) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def write(self, subject: str, login: str = "root", outcome: str = "done") -> int:
        entry = AuditEntry(self.clock.seconds(), login, "operator", "command", "", "account.add", subject, "{}")
        number = self.get(self.audit.begin(entry))
        if outcome:
            self.get(self.audit.end(number, outcome))
        return int(number)

    def subjects(self, since: float = 0.0, by: str = "", about: str = "", most: int = 100) -> list[str]:
        return [entry.subject for entry in self.get(self.audit.find(since, by, about, most))]

    def test_kept(self) -> None:
        """What was begun is there at once and after a restart, with what became of it."""
        verifyObject(IAudit, self.audit)
        self.write("a@one.test")
        self.write("b@one.test", outcome="")
        self.audit.close()
        self.audit = self.open()
        outcomes = [(entry.subject, entry.outcome) for entry in self.get(self.audit.find(0.0, "", "", 10))]
        self.assertEqual(outcomes, [("b@one.test", "begun"), ("a@one.test", "done")])

    def test_synced(self) -> None:
        """Each entry is synced before anything is done."""
        (row,) = self.audit._file.ask("PRAGMA synchronous")
        self.assertEqual(row, (2,))

    def test_find_other_letters(self) -> None:
        """Case does not matter in other scripts either."""
        self.write("J\u00dcRGEN@one.test", "\u00d6ner (token)")
        self.assertEqual(self.subjects(about="j\u00fcrgen@"), ["J\u00dcRGEN@one.test"])
        self.assertEqual(self.subjects(by="\u00d6NER"), ["J\u00dcRGEN@one.test"])
        self.assertEqual(self.subjects(by="\u00f6n"), [])

    def test_plain_letters(self) -> None:
        """Python is asked about no row that is ASCII; what has other letters is found by all its spellings."""
        self.write("STRA\u00dfE@one.test", "max")
        for number in range(5):
            self.write(f"Ann{number}@one.test", "Max (backup)")
        asked: list[str] = []

        def folded(text: str) -> str:
            asked.append(text)
            return caseless(text)

        self.audit._file.connection.create_function("caseless", 1, folded, deterministic=True)
        self.assertEqual(self.subjects(by="mAX", about="strasse@"), ["STRA\u00dfE@one.test"])
        self.assertEqual(len(self.subjects(by="mAX", about="aNN")), 5)
        self.assertEqual(set(asked), {"STRA\u00dfE@one.test"})

    def test_find(self) -> None:
        """By whom, about what in any case, since when, and the newest."""
        self.write("ann@one.test", "max")
        self.clock.advance(60)
        self.write("bob@one.test")
        self.write("100%@two.test")
        self.assertEqual(self.subjects(by="MAX"), ["ann@one.test"])
        self.write("cat@one.test", "max (backup)")
        self.assertEqual(self.subjects(by="max"), ["cat@one.test", "ann@one.test"])
        self.assertEqual(self.subjects(by="ma"), [])
        self.assertEqual(self.subjects(about="ONE.test"), ["cat@one.test", "bob@one.test", "ann@one.test"])
        self.assertEqual(self.subjects(about="%"), ["100%@two.test"])
        self.assertEqual(self.subjects(since=self.clock.seconds())[1:], ["100%@two.test", "bob@one.test"])
        self.assertEqual(self.subjects(most=1), ["cat@one.test"])

    def test_page_by_page(self) -> None:
        """What is older than an entry is found by its number, however many came after it."""
        for number in range(5):
            self.write(f"{number}@one.test")
        first = self.get(self.audit.find(0.0, "", "", 2))
        self.write("new@one.test")
        second = self.get(self.audit.find(0.0, "", "", 2, first[-1].number))
        self.assertEqual([each.subject[0] for each in (*first, *second)], ["4", "3", "2", "1"])

    def test_a_year(self) -> None:
        """What is older than a year is forgotten."""
        self.write("old")
        self.clock.advance(KEEP_SECONDS + 1)
        for number in range(FORGET_EVERY):
            self.write(f"new{number}", outcome="")
        self.assertEqual(self.subjects(about="old"), [])
        self.assertEqual(len(self.subjects(most=5000)), FORGET_EVERY)

    def test_bounded(self) -> None:
        """Where the file would grow too large, refused attempts are forgotten first, the oldest before newer ones."""
        self.audit.close()
        self.audit = self.open(most_octets=200_000)
        self.write("kept" + "x" * 200)
        for number in range(2 * FORGET_EVERY):
            self.write(f"refused {number}", outcome="refused: that is not for you to do")
        self.assertEqual(len(self.subjects(about="kept")), 1)
        self.assertLess(len(self.subjects(most=5000)), 2 * FORGET_EVERY)
        self.assertIn(f"refused {2 * FORGET_EVERY - 1}", self.subjects())

    def test_broken(self) -> None:
        """A file that cannot be written refuses the change; that its end cannot be told is only logged."""
        number = self.write("a", outcome="")
        with self.audit._file.writing() as connection:
            connection.execute("DROP TABLE entries")
        self.failureResultOf(Deferred.fromCoroutine(self.audit.begin(AuditEntry(0, *[""] * 7))), TemporaryFailure)
        self.get(self.audit.end(number, "done"))
        self.assertEqual(len(self.flushLoggedErrors(TemporaryFailure)), 1)
