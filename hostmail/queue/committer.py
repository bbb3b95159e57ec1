"""Many writers, few transactions: what is asked for while one commit runs shares the next one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

MOST_AT_ONCE = 200
GATHER_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Bulk:
    """A step that is cheaper for many: it gets everybody's arguments, in pairs or more, and returns everybody's answers."""

    many: Callable[[Connection, Sequence[Any]], Sequence[Any]]

    def __call__(self, connection: Connection, *arguments: Any) -> Any:
        """For one alone."""
        return self.many(connection, [arguments])[0]


@dataclass(slots=True)
class _Asked:
    """One caller's step and arguments, and where its answer goes."""

    step: Callable[..., Any]
    arguments: tuple[Any, ...]
    durable: bool
    answer: Deferred[Any] = field(default_factory=Deferred)


class Committer:
    """Runs steps of the form `step(connection, *arguments)` inside transactions, several callers' in one (group commit).

    A caller's answer comes when its transaction is committed, and synced if any of its steps is durable. A step that raises spoils nothing
    for the others: they are run again, each in a transaction of its own. `before_durable` runs ahead of each synced commit, in its thread.

    Where several shared the last commit, more are about to ask: `gather` is given a moment to wait for them (GATHER_SECONDS), for a commit
    costs more than all that is in it. Whoever writes alone never waits for it.
    """

    def __init__(
        self,
        database: Database,
        in_thread: InThread,
        before_durable: Callable[[], None],
        gather: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._database = database
        self._in_thread = in_thread
        self._before_durable = before_durable
        self._gather = gather
        self._waiting: list[_Asked] = []
        self._running = False

    async def write(self, step: Callable[..., Any], *arguments: Any, durable: bool = True) -> Any:
        """What `step` returns, once that is committed; what it raises."""
        asked = _Asked(step, arguments, durable)
        self._waiting.append(asked)
        if not self._running:
            self._running = True
            Deferred.fromCoroutine(self._run())
        return await asked.answer

    async def _run(self) -> None:
        shared = False
        while self._waiting:
            if shared and self._gather is not None:
                await self._gather()
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                answers: Sequence[Any] = await self._in_thread(self._commit, batch)
            except Exception:  # noqa: BLE001 - the threads are gone: everybody is told
                answers = [Failure()] * len(batch)
            shared = len(batch) > 1
            for asked, answer in zip(batch, answers, strict=True):
                asked.answer.callback(answer)
        self._running = False

    def _commit(self, batch: Sequence[_Asked]) -> list[Any]:
        """An answer or a Failure for each."""
        try:
            return self._transaction(batch)
        except Exception:  # noqa: BLE001 - whoever asked gets it
            if len(batch) == 1:
                return [Failure()]
        return [answer for asked in batch for answer in self._commit([asked])]

    def _transaction(self, batch: Sequence[_Asked]) -> list[Any]:
        durable = any(asked.durable for asked in batch)
        if durable:
            self._before_durable()
        with self._database.writing(durable) as connection:
            return [
                answer
                for step, group in groupby(batch, key=attrgetter("step"))
                for answer in _run(connection, step, [asked.arguments for asked in group])
            ]


def _run(connection: Connection, step: Callable[..., Any], asked: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
    """What neighbours in the batch want done, in the order that they asked."""
    if isinstance(step, Bulk):
        return step.many(connection, asked)
    return [step(connection, *arguments) for arguments in asked]
