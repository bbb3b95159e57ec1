"""Group commit: many writers, few transactions, and no one pays for another's mistake."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from twisted.internet.defer import Deferred, ensureDeferred, fail
from twisted.trial.unittest import SynchronousTestCase

from hostmail.queue.committer import MOST_AT_ONCE, Bulk, Committer
from hostmail.sql.database import Database


def note(connection: Connection, number: int) -> int:
    """A step."""
    connection.execute(text("INSERT INTO notes VALUES (:number)"), {"number": number})
    return number * 10


def spoil(connection: Connection) -> None:
    """A step that fails after it has written."""
    note(connection, 666)
    raise KeyError("spoilt")


class CommitterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = Database(Path(self.mktemp()))
        self.addCleanup(self.database.close)
        with self.database.writing() as connection:
            connection.execute(text("CREATE TABLE notes (number INTEGER)"))
        self.threads: list[Callable[[], None]] = []
        self.synced = 0
        self.committer = Committer(self.database, self.in_thread, self.sync)

    def sync(self) -> None:
        self.synced += 1

    def in_thread(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.threads.append(lambda: done.callback(function(*args)))
        return done

    def ask(self, coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        return ensureDeferred(coroutine)

    def notes(self) -> list[int]:
        with self.database.reading() as connection:
            return list(connection.execute(text("SELECT number FROM notes ORDER BY number")).scalars())

    def test_who_asks_during_a_commit_shares_the_next_one(self) -> None:
        """One transaction and one sync for all that came meanwhile; each gets its own answer."""
        answers = [self.ask(self.committer.write(note, number)) for number in range(5)]
        self.assertEqual(len(self.threads), 1)
        self.threads.pop(0)()
        self.assertEqual(self.successResultOf(answers[0]), 0)
        self.assertNoResult(answers[1])
        self.assertEqual(len(self.threads), 1)
        self.threads.pop(0)()
        self.assertEqual([self.successResultOf(answer) for answer in answers[1:]], [10, 20, 30, 40])
        self.assertEqual((self.notes(), self.synced, self.threads), ([0, 1, 2, 3, 4], 2, []))

    def test_gather(self) -> None:
        """Where several have shared a commit, the next one waits a moment for more; whoever writes alone does not wait."""
        moments: list[Deferred[None]] = []

        def gather() -> Deferred[None]:
            moments.append(Deferred())
            return moments[-1]

        committer = Committer(self.database, self.in_thread, self.sync, gather)
        for number in range(3):
            self.ask(committer.write(note, number))
        self.threads.pop(0)()
        self.assertEqual(moments, [])
        self.ask(committer.write(note, 3))
        self.threads.pop(0)()
        self.assertEqual((len(moments), self.threads), (1, []))
        late = self.ask(committer.write(note, 4))
        moments[0].callback(None)
        self.threads.pop(0)()
        self.assertEqual(self.successResultOf(late), 40)
        self.ask(committer.write(note, 5))
        self.assertEqual((len(moments), len(self.threads)), (1, 1))
        self.threads.pop(0)()
        self.assertEqual(self.notes(), [0, 1, 2, 3, 4, 5])

    def test_bulk(self) -> None:
        """Neighbours with the same step are one call of it where that is cheaper; who spoils it fails alone."""
        calls: list[int] = []

        def note_all(connection: Connection, asked: Sequence[tuple[int]]) -> list[int]:
            calls.append(len(asked))
            return [spoil(connection) or 0 if number == 13 else note(connection, number) for (number,) in asked]

        bulk = Bulk(note_all)
        steps = [(bulk, 0), (bulk, 1), (bulk, 2), (note, 3), (bulk, 4)]
        answers = [self.ask(self.committer.write(*each)) for each in steps]
        self.threads.pop(0)()
        self.threads.pop(0)()
        self.assertEqual([self.successResultOf(answer) for answer in answers], [0, 10, 20, 30, 40])
        self.assertEqual(calls, [1, 2, 1])
        answers = [self.ask(self.committer.write(bulk, number)) for number in (12, 13, 14)]
        self.threads.pop(0)()
        self.threads.pop(0)()
        self.failureResultOf(answers.pop(1), KeyError)
        self.assertEqual([self.successResultOf(answer) for answer in answers], [120, 140])
        self.assertEqual(self.notes(), [0, 1, 2, 3, 4, 12, 14])

    def test_one_who_fails_spoils_nothing(self) -> None:
        """Others in its transaction are written all the same, and it leaves nothing."""
        first = self.ask(self.committer.write(note, 1))
        bad, good = self.ask(self.committer.write(spoil)), self.ask(self.committer.write(note, 2))
        self.threads.pop(0)()
        self.threads.pop(0)()
        self.failureResultOf(bad, KeyError)
        self.assertEqual((self.successResultOf(first), self.successResultOf(good)), (10, 20))
        self.assertEqual(self.notes(), [1, 2])

    def test_notes_to_ourselves_are_not_synced(self) -> None:
        """A lease may be forgotten by a power cut; what is promised may not."""
        self.ask(self.committer.write(note, 1, durable=False))
        self.threads.pop(0)()
        self.assertEqual((self.notes(), self.synced), ([1], 0))
        self.ask(self.committer.write(note, 2))
        self.threads.pop(0)()
        self.assertEqual(self.synced, 1)

    def test_directory_trouble_is_for_those_who_need_it_synced(self) -> None:
        """No promise where the names of files could not be made durable."""

        def broken() -> None:
            raise OSError("no")

        self.committer = Committer(self.database, self.in_thread, broken)
        self.ask(self.committer.write(note, 0, durable=False))
        durable = self.ask(self.committer.write(note, 1))
        loose = self.ask(self.committer.write(note, 2, durable=False))
        self.threads.pop(0)()
        self.threads.pop(0)()
        self.failureResultOf(durable, OSError)
        self.successResultOf(loose)
        self.assertEqual(self.notes(), [0, 2])

    def test_many_wait_for_several_transactions(self) -> None:
        """No transaction grows without end, and an answer may ask again."""
        answers = [self.ask(self.committer.write(note, number)) for number in range(2 * MOST_AT_ONCE)]
        answers[0].addCallback(lambda _: self.ask(self.committer.write(note, -1)))
        turns = 0
        while self.threads:
            self.threads.pop(0)()
            turns += 1
        self.assertEqual((turns, len(self.notes())), (3, 2 * MOST_AT_ONCE + 1))

    def test_without_threads_everybody_is_told(self) -> None:
        """Nobody waits for ever when the pool has stopped."""
        self.committer = Committer(self.database, lambda *_: fail(RuntimeError("stopped")), self.sync)
        self.failureResultOf(self.ask(self.committer.write(note, 1)), RuntimeError)
        self.failureResultOf(self.ask(self.committer.write(note, 1)), RuntimeError)
