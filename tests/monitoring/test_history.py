"""hostmail.monitoring.history: where is my mail?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.monitoring import history
from hostmail.monitoring.history import FLUSH_AT, FLUSH_SECONDS, History

DAY = 86400.0
START = 1_700_000_000.0


class HistoryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp())
        self.runs: list[str] = []
        self.waits: Deferred[None] | None = None
        self.history = self.open()

    def open(self, most_octets: int = 1 << 30) -> History:
        opened = History(
            self.path,
            in_thread=self.in_thread,
            clock=self.clock,
            now=self.now,
            keep_seconds=30 * DAY,
            most_octets=most_octets,
        )
        self.addCleanup(lambda: self.wait(opened.close()))
        return opened

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        self.runs.append(function.__name__)
        if self.waits is not None:
            await self.waits
        return function(*args)

    def now(self) -> float:
        return START + self.clock.seconds()

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def tell(self, what: Happened, queue_id: str = "q1", **more: Any) -> None:
        self.history.tell(MailFact(self.now(), what, queue_id, **more))

    def find(self, text: str, since: float = 0.0, most: int = 1000) -> list[str]:
        return [f"{fact.what} {fact.recipient}".strip() for fact in self.wait(self.history.find(text, since, most))]

    def one_message(self) -> None:
        self.tell(Happened.ACCEPTED, message_id="m1@example.com", sender="Ann@example.com", words="from 192.0.2.1")
        self.tell(Happened.DELIVERED, recipient="bob@here.test")
        self.tell(Happened.QUEUED, recipient="carl@far.test")
        self.tell(Happened.SENT, recipient="carl@far.test", words="250 ok")


class StoryTests(HistoryCase):
    def test_contract(self) -> None:
        """It is what the contract says."""
        verifyObject(IHistory, self.history)

    def test_by_any_name(self) -> None:
        """A message is found by its sender, Message-ID and queue id, with all that became of it; case does not matter in addresses."""
        self.one_message()
        whole = ["accepted", "delivered bob@here.test", "queued carl@far.test", "sent carl@far.test"]
        for text in ("ann@EXAMPLE.com", "<m1@example.com>", " q1 "):
            self.assertEqual(self.find(text), whole, text)
        self.assertEqual(self.find("nobody@example.com"), [])
        self.assertEqual(self.find("<>"), [])

    def test_by_recipient(self) -> None:
        """Whoever asks about a recipient is not shown the others."""
        self.one_message()
        self.assertEqual(self.find("Carl@far.test"), ["accepted", "queued carl@far.test", "sent carl@far.test"])

    def test_led_to(self) -> None:
        """Of an alias or forward, what became of the mail where it led to is part of the story."""
        self.tell(Happened.ACCEPTED, sender="ann@example.com")
        self.tell(Happened.LED_TO, recipient="info@here.test", words="Eve@far.test")
        self.tell(Happened.SENT, recipient="eve@far.test")
        self.tell(Happened.DELIVERED, recipient="bob@here.test")
        self.assertEqual(
            self.find("info@here.test"),
            ["accepted", "led to info@here.test", "sent eve@far.test"],
        )

    def test_refused(self) -> None:
        """What was never taken has no queue id, and each refusal stands alone."""
        self.tell(Happened.REFUSED, "", sender="ann@example.com", recipient="bob@here.test", words="550")
        self.tell(Happened.REFUSED, "", sender="eve@example.com", recipient="bob@here.test", words="550")
        self.assertEqual(len(self.find("bob@here.test")), 2)
        self.assertEqual(len(self.find("eve@example.com")), 1)

    def test_since_and_most(self) -> None:
        """A story of a message is whole although only a part of it is so new; the newest are shown when there are too many."""
        self.one_message()
        self.clock.advance(7200)
        self.tell(Happened.REPORTED, sender="ann@example.com")
        self.assertEqual(len(self.find("ann@example.com", since=START + 3600)), 5)
        self.assertEqual(self.find("ann@example.com", since=START + 8000), [])
        self.assertEqual(self.find("ann@example.com", most=2), ["sent carl@far.test", "reported"])

    def test_many_messages(self) -> None:
        """More messages than fit into one question of the database."""
        for number in range(1200):
            self.tell(Happened.ACCEPTED, f"q{number}", sender="ann@example.com")
            self.tell(Happened.DELIVERED, f"q{number}", recipient="bob@here.test")
        self.assertEqual(len(self.find("ann@example.com", most=5000)), 2400)

    def test_the_newest_are_whole(self) -> None:
        """Where there is more than is asked for, the newest messages are told of wholly, and the oldest go short."""
        for number in range(100):
            for what in (Happened.ACCEPTED, Happened.LED_TO, Happened.POSTPONED, Happened.SENT, Happened.REPORTED):
                self.tell(what, f"q{number}", sender="ann@example.com" if what is Happened.ACCEPTED else "")
        found = self.wait(self.history.find("ann@example.com", 0.0, 100))
        self.assertEqual([fact.queue_id for fact in found[-10:]], ["q98"] * 5 + ["q99"] * 5)

    def test_one_story_of_very_many(self) -> None:
        """A post for thousands of members is one story: the last few one by one, and how many more there are."""
        self.tell(Happened.ACCEPTED, sender="ann@example.com")
        self.tell(Happened.LIST, recipient="team@here.test", words="sent to its members: 3000")
        for number in range(3000):
            self.tell(Happened.SENT, recipient=f"m{number}@far.test")
        for text in ("q1", "ann@example.com"):
            found = self.wait(self.history.find(text, 0.0, 1000))
            self.assertEqual(
                [(fact.what.value, fact.recipient, fact.more) for fact in found[:4]],
                [
                    ("accepted", "", 0),
                    ("list", "team@here.test", 0),
                    ("sent", "", 2990),
                    ("sent", "m2990@far.test", 0),
                ],
            )
            self.assertEqual(len(found), 13)

    def test_one_of_very_many(self) -> None:
        """A member finds himself among the many, and why he got it."""
        self.test_one_story_of_very_many()
        self.assertEqual(self.find("m7@far.test"), ["accepted", "list team@here.test", "sent m7@far.test"])
        self.assertEqual(self.find("m2999@far.test"), ["accepted", "list team@here.test", "sent m2999@far.test"])

    def test_leads_to_very_many(self) -> None:
        """Of an alias with many targets those that are not told of one by one are counted."""
        self.tell(Happened.ACCEPTED, sender="ann@example.com")
        for number in range(20):
            self.tell(Happened.LED_TO, recipient="all@here.test", words=f"m{number}@here.test")
        for number in range(20):
            self.tell(Happened.DELIVERED, recipient=f"m{number}@here.test")
        found = self.wait(self.history.find("all@here.test", 0.0, 1000))
        self.assertEqual(len([fact for fact in found if fact.what is Happened.DELIVERED and not fact.more]), 10)
        self.assertEqual([fact.more for fact in found if fact.more], [10, 10])

    def test_no_leafing_through(self) -> None:
        """However large the file is, a question is answered by its indexes alone, and refusals are counted by theirs."""
        self.one_message()
        self.find("q1")
        asked: list[str] = []
        connection = self.history._file.connection
        connection.set_trace_callback(asked.append)
        for text in ("q1", "m1@example.com", "ann@example.com", "carl@far.test"):
            self.find(text)
        self.wait(self.history.find("ann@example.com", 0.0, 10, "carl@far.test".__eq__))
        self.history._refused()
        connection.set_trace_callback(None)
        plans = [row[3] for query in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        self.assertGreater(len(plans), 16)
        scans = [step for step in plans if step.startswith("SCAN facts")]
        self.assertEqual(scans, ["SCAN facts USING INDEX facts_not_taken"])

    def test_letters_of_other_scripts(self) -> None:
        """Case does not matter in other letters either, as people ask for them."""
        self.tell(Happened.ACCEPTED, sender="J\u00dcRGEN@example.com")
        self.tell(Happened.LED_TO, recipient="info@here.test", words="\u00d6zg\u00fcr@far.test")
        self.tell(Happened.SENT, recipient="\u00d6ZG\u00dcR@far.test")
        for text in ("J\u00dcRGEN@example.com", "j\u00fcrgen@example.com", "ju\u0308rgen@example.com"):
            self.assertEqual(len(self.find(text)), 3, text)
        self.assertEqual(len(self.find("INFO@here.test")), 3)
        self.assertEqual(len(self.find("\u00f6ZG\u00fcR@far.test")), 2)


class KeepingTests(HistoryCase):
    def test_batches(self) -> None:
        """Facts are written together, a second after the first or as soon as there are many."""
        self.one_message()
        self.assertEqual(self.runs, [])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.runs, ["_add"])
        for _ in range(FLUSH_AT):
            self.tell(Happened.QUEUED)
        self.assertEqual(self.runs, ["_add", "_add"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_while_writing(self) -> None:
        """What is told while the disk is busy follows, and a question waits for it."""
        self.waits = Deferred()
        self.one_message()
        self.clock.advance(FLUSH_SECONDS)
        self.tell(Happened.HELD)
        asked = Deferred.fromCoroutine(self.history.find("q1", 0.0, 10))
        self.assertNoResult(asked)
        waits, self.waits = self.waits, None
        waits.callback(None)
        self.assertEqual(len(self.successResultOf(asked)), 5)

    def test_survives(self) -> None:
        """Closing writes what waits; the next run knows it."""
        self.one_message()
        self.wait(self.history.close())
        self.history = self.open()
        self.assertEqual(len(self.find("q1")), 4)

    def test_forgets_with_time(self) -> None:
        """Facts older than the time they are kept for go."""
        self.one_message()
        self.wait(self.history.find("q1", 0.0, 1))
        self.clock.advance(31 * DAY)
        self.patch(history, "FORGET_EVERY", 1)
        self.tell(Happened.QUEUED, "q2")
        self.assertEqual(self.find("q2"), ["queued"])
        self.assertEqual(self.find("q1"), [])

    def test_bounded(self) -> None:
        """The file does not outgrow its limit: the oldest facts go first."""
        self.history = self.open(most_octets=100_000)
        self.patch(history, "FORGET_AT_ONCE", 200)
        self.patch(history, "FORGET_EVERY", 1)
        for number in range(2000):
            self.tell(Happened.ACCEPTED, f"q{number}", sender=f"ann{number}@example.com", words="w" * 100)
        self.assertEqual(self.find("q0"), [])
        self.assertEqual(self.find("q1999"), ["accepted"])

    def test_refusals_go_first(self) -> None:
        """A flood of refused mail pushes none out that was taken, and the file does not outgrow its limit."""
        self.history = self.open(most_octets=100_000)
        self.patch(history, "FORGET_AT_ONCE", 200)
        self.patch(history, "FORGET_EVERY", 1)
        self.one_message()
        for number in range(2000):
            self.tell(
                Happened.REFUSED, "", sender=f"eve{number}@example.com", recipient="bob@here.test", words="w" * 100
            )
        self.assertEqual(len(self.find("q1")), 4)
        self.assertEqual(self.find("eve0@example.com"), [])
        self.assertEqual(self.find("eve1999@example.com"), ["refused bob@here.test"])
        self.assertLess(self.history._file.octets(), 200_000)

    def test_what_members_did_is_kept(self) -> None:
        """Who left a list with one click is remembered although no message did it, whatever strangers flood."""
        self.history = self.open(most_octets=100_000)
        self.patch(history, "FORGET_AT_ONCE", 200)
        self.patch(history, "FORGET_EVERY", 1)
        self.patch(history, "MOST_WAITING", 2000)
        self.tell(Happened.LIST, "", recipient="team@here.test", words="unsubscribe")
        for number in range(2000):
            self.tell(Happened.REFUSED, "", sender=f"eve{number}@example.com", words="w" * 100)
        self.assertEqual(self.find("team@here.test"), ["list team@here.test"])
        self.assertEqual(self.find("eve0@example.com"), [])
        self.waits = Deferred()
        self.tell(Happened.QUEUED)
        self.clock.advance(FLUSH_SECONDS)
        for _ in range(2000):
            self.tell(Happened.REFUSED, "", sender="eve@example.com")
        self.tell(Happened.LIST, "", recipient="crew@here.test", words="unsubscribe")
        waits, self.waits = self.waits, None
        waits.callback(None)
        self.assertEqual(self.find("crew@here.test"), ["list crew@here.test"])

    def test_refusals_have_their_share(self) -> None:
        """Much mail that is taken leaves the refusals their part of the file, up to the age that all have."""
        self.history = self.open(most_octets=400_000)
        self.patch(history, "FORGET_AT_ONCE", 100)
        self.patch(history, "FORGET_EVERY", 1000)
        for number in range(4000):
            self.tell(Happened.ACCEPTED, f"q{number}", sender=f"ann{number}@example.com", words="w" * 100)
            if number > 3000 and number % 10 == 0:
                self.tell(Happened.REFUSED, "", sender=f"eve{number}@example.com", words="w" * 100)
        self.assertEqual(self.find("q0"), [])
        self.assertEqual(self.find("eve3010@example.com"), ["refused"])
        self.assertEqual(self.find("q3999"), ["accepted"])

    def test_refusals_wait_in_a_place_of_their_own(self) -> None:
        """While the disk does not keep up, a flood of refusals leaves room in memory for the stories of mail that is taken."""
        self.patch(history, "MOST_WAITING", 10)
        self.waits = Deferred()
        self.tell(Happened.ACCEPTED)
        self.clock.advance(FLUSH_SECONDS)
        for _ in range(30):
            self.tell(Happened.REFUSED, "", sender="eve@example.com")
        for _ in range(3):
            self.tell(Happened.QUEUED)
        waits, self.waits = self.waits, None
        waits.callback(None)
        self.assertEqual(len(self.find("q1")), 4)
        self.assertEqual(len(self.find("eve@example.com")), 5)

    def test_a_quiet_server_forgets_too(self) -> None:
        """Where little happens the time is up all the same: it is looked at once a day."""
        self.one_message()
        self.wait(self.history.find("q1", 0.0, 1))
        self.clock.advance(31 * DAY)
        self.tell(Happened.QUEUED, "q2")
        self.assertEqual(self.find("q2"), ["queued"])
        self.assertEqual(self.find("q1"), [])

    def test_texts_that_cannot_be_written(self) -> None:
        """What a peer said in octets that are no text takes nothing else with it."""
        self.tell(Happened.FAILED, words="\udcff said the peer")
        self.tell(Happened.QUEUED)
        self.assertEqual(self.find("q1"), ["failed", "queued"])
        self.assertEqual(self.wait(self.history.find("q1", 0.0, 5))[0].words, "? said the peer")

    def test_disk_trouble(self) -> None:
        """A batch that cannot be written is told in the log, and the next one is."""
        self.path.chmod(0o600)
        blocker = History(
            self.path, in_thread=self.in_thread, clock=self.clock, now=self.now, keep_seconds=DAY, most_octets=1 << 30
        )
        self.addCleanup(lambda: self.wait(blocker.close()))
        self.history._file.connection.execute("PRAGMA busy_timeout=0")
        with blocker._file.writing():
            self.tell(Happened.QUEUED)
            self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.flushLoggedErrors(TemporaryFailure), [])
        self.tell(Happened.QUEUED)
        self.assertEqual(self.find("q1"), ["queued"])

    def test_disk_does_not_keep_up(self) -> None:
        """Memory is bounded, too."""
        self.patch(history, "MOST_WAITING", 10)
        self.waits = Deferred()
        for number in range(30):
            self.tell(Happened.QUEUED, f"q{number}", recipient="bob@here.test")
        self.clock.advance(FLUSH_SECONDS)
        for number in range(30, 60):
            self.tell(Happened.QUEUED, f"q{number}", recipient="bob@here.test")
        waits, self.waits = self.waits, None
        waits.callback(None)
        self.assertEqual(len(self.find("bob@here.test")), 20)

    def test_long_words(self) -> None:
        """Endless answers are cut."""
        self.tell(Happened.FAILED, words="x" * 10_000)
        [fact] = self.wait(self.history.find("q1", 0.0, 1))
        self.assertEqual(len(fact.words), history.MOST_WORDS)
