"""Mail that waits: message files and rows behind the contract (ARCHITECTURE 7), with the disk kept in threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import and_
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.envelope import Envelope, Recipient
from hostmail.errors import NotFound
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Changed, IQueue, Owner, Queued, QueueStats
from hostmail.interfaces.threads import InThread
from hostmail.queue import adding, choosing, rows
from hostmail.queue.committer import Committer
from hostmail.queue.contracts import Leaving, QueuedRow, Taker
from hostmail.queue.files import Kept, QueueFiles, WaitingFile
from hostmail.queue.filters import condition
from hostmail.queue.prepared import Prepared
from hostmail.queue.tables import MIGRATIONS
from hostmail.queue.together import Together
from hostmail.sql.database import Database

log = Logger(namespace="queue")

Rows = list[QueuedRow]
Step = Callable[[Sequence[int]], Awaitable[Sequence[Any]]]

CHANGED_AT_ONCE = 5000
CHOSEN_AT_ONCE, PASSES = 500, 5
PUT_OFF_AT_ONCE = 1000


def unheard(changed: Sequence[tuple[str, str]]) -> None:
    """Nobody wants to know which."""


@implementer(IQueue)
class Queue:
    """Keeps everything below `directory`: `queue.sqlite` and `files/`.

    `woken` is called on the reactor whenever a row of this process has become due, and `retried` when somebody says that things are
    better now; new mail goes to the `taker` at once if that has room. The runner sets all three. Making a Queue brings its tables
    up to date and therefore blocks: do it at start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        in_thread: InThread,
        now: Callable[[], float],
        gather: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        MIGRATIONS.apply(directory / "queue.sqlite")
        self._database = Database(directory / "queue.sqlite")
        self._files = QueueFiles(directory / "files")
        self._committer = Committer(self._database, in_thread, self._files.sync_directory, gather)
        self._in_thread = in_thread
        self._now = now
        self._owed: list[int] = []
        self._finishing: Together[int] = Together(self._forget)
        self._removing: Together[str] = Together(self._remove)
        self._recovered = False
        self.woken: Callable[[], None] = lambda: None
        self.retried: Callable[[], None] = lambda: None
        self.taker: Taker | None = None
        self._coming = 0

    async def prepare(
        self,
        queue_id: str,
        spooled: ISpoolFile,
        envelope: Envelope,
        recipients: Sequence[Recipient],
        account_id: int | None,
        mark: bytes = b"",
        for_domain: str = "",
    ) -> Prepared:
        """The file is kept and synced; rows follow at `commit`, or at `stand_by`, and nobody may see them before that is done.

        A small message that the spool still holds in memory (`body`) never becomes a file there. `mark` goes above the trace fields.

        Raises OutOfSpace, TemporaryFailure. What a crash leaves in between goes with a later start: nobody was told that we have it.
        """
        kept: Kept = await self._in_thread(self._files.take, queue_id, spooled, spooled.body(), mark)
        size = spooled.size - len(spooled.prefix) + kept.prefix_length
        facts = (account_id, self._now(), for_domain, kept.octets)
        message = adding.NewMessage(queue_id, kept.name, size, kept.prefix_length, *facts)
        return Prepared(self, message, envelope, recipients)

    async def list(self, pattern: str = "", most: int | None = None) -> list[Queued]:
        """Rows that fit `pattern` (see `filters`), oldest first, at most `most`."""
        return [*await self._in_thread(self._list, self._fitting(pattern), most)]

    def _list(self, condition: Any, most: int | None) -> Rows:
        return self._as_queued(self._read(choosing.listed, condition, most))

    async def stats(self, pattern: str = "") -> QueueStats:
        """Numbers over what fits."""
        numbers: QueueStats = await self._reading(choosing.stats, self._fitting(pattern))
        return numbers

    def _fitting(self, pattern: str) -> Any:
        return condition(pattern, self._now())

    def _as_queued(self, found: Sequence[Any]) -> Rows:
        return [rows.as_queued(row, self._files.path(row.file)) for row in found]

    async def owners(self, pattern: str) -> Sequence[Owner]:
        """Account and domain of each that has sent something that fits and is held."""
        found: Sequence[Owner] = await self._reading(choosing.owners, self._fitting(pattern))
        return found

    async def held(self, account_id: int) -> tuple[int, int]:
        """How many recipients of an account's mail are held, and octets."""
        found: tuple[int, int] = await self._reading(choosing.held, account_id)
        return found

    async def retry(self, pattern: str) -> int:
        """Make them due now; how many. What is just being sent or held is left alone."""
        self.retried()
        return await self._choose(
            choosing.MAY_RETRY, self._fitting(pattern), self._at_once(choosing.make_due), passes=1
        )

    async def hold(self, pattern: str, changed: Changed = unheard) -> int:
        """Keep them until they are released; how many."""
        step = partial(self._committer.write, choosing.hold)
        return await self._choose(choosing.MAY_HOLD, self._fitting(pattern), step, changed)

    async def release(self, pattern: str, changed: Changed = unheard, kept: Sequence[Owner] = ()) -> int:
        """Held ones are due now; how many. Those of `kept` stay."""
        those = and_(self._fitting(pattern), choosing.none_of(kept))
        return await self._choose(choosing.MAY_RELEASE, those, self._at_once(choosing.release), changed)

    async def bounce(self, pattern: str, changed: Changed = unheard) -> int:
        """Have them returned to their senders, as soon as the runner comes to it; how many."""
        those = and_(self._fitting(pattern), choosing.NOT_YET_RETURNED)
        return await self._choose(choosing.MAY_RETURN, those, self._at_once(choosing.give_back), changed)

    async def delete(self, pattern: str, changed: Changed = unheard) -> int:
        """Drop them without a bounce; how many."""
        return await self._choose((), self._fitting(pattern), self._drop, changed)

    def _at_once(self, step: Callable[..., Any]) -> Step:
        return lambda ids: self._committer.write(step, ids, self._now())

    async def _drop(self, ids: Sequence[int]) -> Sequence[Any]:
        found: Sequence[Any] = await self._reading(choosing.named, ids)
        await self.finish([row.id for row in found])
        return found

    async def _choose(
        self, states: Sequence[str], those: Any, step: Step, changed: Changed = unheard, passes: int = PASSES
    ) -> int:
        """Batch by batch, so that others write in between; what comes in meanwhile is not touched. Each batch is told once it is done.

        Whatever interrupts it, what was done is done, and the same once more does the rest. What was just being sent when its turn came,
        and waits again, is met by the next pass.
        """
        last, many, before = await self._reading(choosing.newest), 0, -1
        while passes and many > before:
            passes, before, after = passes - 1, many, 0
            while ids := await self._reading(choosing.batch, those, states, after, last, CHOSEN_AT_ONCE):
                after, done = ids[-1], await step(ids)
                many += len(done)
                changed([(row.queue_id, row.recipient) for row in done])
                self.woken()
        return many

    async def content(self, queue_id: str) -> bytes:
        """A whole message, with the trace fields it travels with; raises NotFound."""
        found = await self.list(f"id:{queue_id}", 1)
        if not found or found[0].queue_id != queue_id:
            raise NotFound(f"no message {queue_id} is in the queue")
        content: bytes = await self._in_thread(self._files.content, found[0].path)
        return content

    async def count(self) -> int:
        """Recipients waiting."""
        many: int = await self._reading(rows.count)
        return many

    async def recover(self) -> int:
        """Before anything is leased: forget leases of the last run, remove files that nobody waits for; how many.

        Rows that had no way out so far are due now: perhaps there is one by now. Only the first call in a process forgets leases: later
        ones, after a reload, may come while mail is being sent, which would be sent twice.
        """
        first, self._recovered = not self._recovered, True
        if first:
            await self._committer.write(rows.release, self._now())
            self._leave(await self._committer.write(adding.give_up, None))
        await self._choose(choosing.MAY_RETRY, choosing.UNTRIED, self._at_once(choosing.make_due), passes=1)
        known = await self._reading(rows.files)
        removed: int = await self._in_thread(self._files.sweep, known, self._now())
        return removed

    async def lease(self, seconds: float, limit: int) -> Rows:
        """Take rows that are due; nobody else gets them for `seconds`."""
        if self._owed:
            await self._finishing.do(())
        now = self._now()
        return self._as_queued(await self._committer.write(rows.lease, now, now + seconds, limit, durable=False))

    async def renew(self, ids: Sequence[int], seconds: float) -> None:
        """Keep leased rows for longer."""
        await self._committer.write(rows.renew, ids, self._now() + seconds, durable=False)

    async def next_due(self) -> float | None:
        """When the next waiting row is due (Unix time)."""
        when: float | None = await self._reading(rows.next_due)
        return when

    async def postpone(self, attempts: Sequence[rows.Attempt]) -> None:
        """Give leased rows back after an attempt."""
        await self._committer.write(rows.postpone, attempts, durable=any(each.warned for each in attempts))

    async def park(self, leased: Sequence[QueuedRow], next_attempt: float, answer: str) -> None:
        """Give leased rows back without an attempt."""
        await self._committer.write(rows.PARK, leased, next_attempt, answer, durable=False)

    async def keep(self, ids: Sequence[int], why: str) -> None:
        """Hold leased rows until somebody releases them."""
        await self._committer.write(rows.hold, ids, why)

    async def put_off(self, way: str, until: float, answer: str, ages: rows.Ages) -> None:
        """Let waiting rows that take a way be due at `until`, without an attempt, but for those whose sender is to hear something.

        Others write between its steps.
        """
        many = PUT_OFF_AT_ONCE
        while many == PUT_OFF_AT_ONCE:
            step = (rows.put_off, way, until, answer, ages, PUT_OFF_AT_ONCE)
            many = await self._committer.write(*step, durable=False)

    async def bring_back(self, way: str, until: float, most: int) -> int:
        """Let some rows that were put off until then be due now; how many."""
        many: int = await self._committer.write(rows.bring_back, way, until, self._now(), most, durable=False)
        return many

    async def split(self, row: QueuedRow, to: Sequence[Recipient], forwarded: Sequence[Leaving] = ()) -> None:
        """Let a leased row's message go to other recipients instead, at once, also in the forms in which it is forwarded.

        Those are new messages of no account, as old as this one unless they are made anew. All of it happens, or nothing: after a crash
        nobody gets it twice.
        """
        prepared: list[Prepared] = []
        try:
            for each in forwarded:
                spooled = each.content or await self.open(row)
                whose = (each.envelope, each.recipients, None, each.mark, each.for_domain)
                prepared.append(await self.prepare(row.queue_id, spooled, *whose))
            messages = [
                further.made(self._now() if each.anew else row.created)
                for each, further in zip(forwarded, prepared, strict=True)
            ]
            files = await self._committer.write(adding.split, row, to, messages, self._now())
        except BaseException:
            for further in prepared:
                await further.abort()
            raise
        self._leave(files)
        self.woken()

    async def finish(self, ids: Sequence[int]) -> None:
        """Forget rows for good. The files nobody else waits for go soon; those that a crash leaves go with a later start.

        What cannot be written now, on a disk that is full say, is done before anything else is leased: it must not be sent once more.
        """
        await self._finishing.do(ids)

    async def _forget(self, ids: Sequence[int]) -> None:
        self._owed += ids
        while some := self._owed[:CHANGED_AT_ONCE]:
            self._leave(await self._committer.write(rows.finish, some))
            del self._owed[: len(some)]

    def _leave(self, files: Sequence[str]) -> None:
        if files:
            Deferred.fromCoroutine(self._removing.do(files)).addErrback(partial(log.failure, "files_not_removed"))

    async def _remove(self, files: Sequence[str]) -> None:
        await self._in_thread(self._files.remove, *files)

    async def original(self, row: QueuedRow, whole: bool) -> tuple[bytes, bool]:
        """What a report returns: the header as the sender wrote it, or all of a message that is not too large; and whether it is all."""
        original: tuple[bytes, bool] = await self._in_thread(self._files.original, row.file, row.prefix_length, whole)
        return original

    async def open(self, row: QueuedRow) -> WaitingFile:
        """The message as a sealed spool file; raises TemporaryFailure."""
        file: WaitingFile = await self._in_thread(self._files.waiting, row.file, row.prefix_length)
        return file

    async def insert(self, messages: Sequence[adding.New]) -> None:
        """Durable when it returns, all of them or none: what is due is with the `taker`, or waits for its turn."""
        count = sum(len(recipients) for _, _, recipients in messages)
        self._coming += count
        try:
            until = self.taker.lease_until(self._coming) if self.taker is not None else 0.0
            _, leased = await self._committer.write(adding.ADD, messages, until)
        finally:
            self._coming -= count
        for row in leased:
            row.path = self._files.path(row.file)
        if self.taker is not None and leased:
            self.taker.begin(leased)
        elif leased:
            await self.give_back(leased)
        if len(leased) < count:
            self.woken()

    async def give_back(self, leased: Sequence[QueuedRow]) -> None:
        """Nobody works on these by now: they are due. If that cannot be written they are when their lease is over."""
        with log.failuresHandled("lease_not_ended"):
            await self.park([*leased], self._now(), "")
        self.woken()

    async def stand_by(self, messages: Sequence[adding.New]) -> Sequence[int]:
        """Durable when it returns, all of them or none, and seen by nobody before `go_live` gets their ids."""
        ids: Sequence[int] = await self._committer.write(adding.stand_by, messages)
        return ids

    async def go_live(self, ids: Sequence[int], also: Sequence[Recipient], messages: Sequence[adding.New]) -> None:
        """Those and further `messages` are durable and due when it returns, all or none; `also` are more recipients of the first."""
        await self._committer.write(adding.go_live, ids, also, messages, self._now())
        self.woken()

    async def give_up(self, message_id: int | None, file: str) -> None:
        """A prepared message that will not come. If its rows cannot be removed now, they and the file go at the next start."""
        with log.failuresHandled("prepared_not_removed: {file}", file=file):
            if message_id is not None:
                await self._committer.write(adding.give_up, [message_id], durable=False)
            await self._in_thread(self._files.remove, file)

    def close(self) -> None:
        """Close the database; nothing may be under way."""
        self._database.close()

    async def _reading(self, step: Callable[..., Any], *arguments: Any) -> Any:
        return await self._in_thread(self._read, step, *arguments)

    def _read(self, step: Callable[..., Any], *arguments: Any) -> Any:
        with self._database.reading() as connection:
            return step(connection, *arguments)
