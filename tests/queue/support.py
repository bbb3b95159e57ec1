"""A real queue in a temporary directory whose threads are the caller's own, and stand-ins for the stages around it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.decisions import Decision, ForList, Forward, Relay
from hostmail.delivery.forwarding import Leaving
from hostmail.delivery.lists.work import Onward
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import Refusal, SendingSuspended, TemporaryFailure
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued
from hostmail.queue.queue import Queue
from hostmail.queue.runner import Runner
from tests.delivery.fakes import FakeHistory, FakeSpool

START = 1_700_000_000.0


async def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """A thread pool that does it here and now."""
    return function(*args)


@dataclass
class Result:
    """What a sender says about one recipient."""

    refusal: Refusal | None = None
    answer: str = "250 2.0.0 ok"
    dsn: bool = True
    unreachable: bool = False
    crowded: bool = False


LATER = Result(TemporaryFailure("busy"))


@dataclass
class FakeSender:
    """Sends to nowhere; `results` by recipient, anything else is accepted."""

    results: dict[str, Any] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)
    error: Exception | None = None
    waits: Deferred[None] | None = None
    way_out: bool = True
    smarthost: str = ""
    suspended: set[int | None] = field(default_factory=set)

    async def destination(self, row: Queued) -> str | None:
        if row.account_id in self.suspended:
            raise SendingSuspended(private=f"account {row.account_id} is suspended")
        if not self.way_out:
            return None
        if self.smarthost:
            return self.smarthost
        return row.recipient.rpartition("@")[2]

    async def send(self, rows: Sequence[Queued]) -> list[Any]:
        self.calls.append([row.recipient for row in rows])
        if self.waits is not None:
            await self.waits
        if self.error is not None:
            raise self.error
        return [self.results.get(row.recipient, Result()) for row in rows]

    def abort(self) -> None:
        assert self.waits is not None
        self.error = TemporaryFailure("stopped")
        self.waits.callback(None)


class QueueCase(SynchronousTestCase):
    """A queue, a clock, and a way to put messages in."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.directory = Path(self.mktemp())
        self.queue = self.open_queue()
        self.spool = FakeSpool()
        self.addCleanup(self.spool.clean)

    def open_queue(self) -> Queue:
        queue = Queue(self.directory, in_thread=at_once, now=self.now)
        self.addCleanup(queue.close)
        return queue

    def now(self) -> float:
        return START + self.clock.seconds()

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))

    def prepare(
        self, *to: str, prefix: bytes = b"Received: here\r\n", sender: str = "ann@example.com", **more: Any
    ) -> Any:
        notify, held = more.pop("notify", ()), more.pop("held", "")
        spooled = self.spool.create(prefix)
        spooled.write(b"Subject: hi\r\n\r\nbody\r\n")
        self.wait(spooled.seal())
        facts = {name: more.pop(name) for name in ("routed", "addressed", "caught", "delay") if name in more}
        own_senders = more.pop("own_senders", {})
        account_id, for_domain = more.pop("account_id", 7), more.pop("for_domain", "")
        recipients = [
            Recipient(Address.parse(each), notify, held=held, own_sender=own_senders.get(each, ""), **facts)
            for each in to
        ]
        envelope = Envelope(Address.parse(sender) if sender else None, **more)
        whose = (account_id, b"", for_domain)
        prepared = self.wait(self.queue.prepare(f"q{len(self.spool.files)}", spooled, envelope, recipients, *whose))
        spooled.discard()
        return prepared

    def put(self, *to: str, **more: Any) -> None:
        self.wait(self.prepare(*to, **more).commit())
        self.clock.advance(0)

    def rows(self, pattern: str = "") -> list[Queued]:
        listed: list[Queued] = self.wait(self.queue.list(pattern))
        return listed

    @property
    def files(self) -> list[Path]:
        return sorted((self.directory / "files").iterdir())


class RunnerCase(QueueCase):
    """With a runner over it."""

    def setUp(self) -> None:
        super().setUp()
        self.sender = FakeSender()
        self.decisions: dict[str, Decision] = {}
        self.answers: list[Refusal | None] = []
        self.history = FakeHistory()
        self.delivered: list[str] = []
        self.reports: list[tuple[str, list[str]]] = []
        self.report_error: Exception | None = None
        self.decide_error: Exception | None = None
        self.forward_error: Exception | None = None
        self.forwarded = True
        self.for_lists: list[tuple[str, ForList]] = []
        self.onward: Onward | Refusal = Onward()

    def start(self) -> Runner:
        runner = Runner(
            queue=self.queue,
            clock=self.clock,
            now=self.now,
            random=Random(3),
            decide=self.decide,
            deliver=self.deliver,
            forward=self.forward,
            for_list=self.for_list,
            report=self.report,
            sender=self.sender,
            history=self.history,
        )
        self.wait(runner.start())
        self.addCleanup(runner.stop)
        return runner

    async def decide(self, address: Address, *, routed: bool) -> Decision:
        if self.decide_error:
            raise self.decide_error
        return self.decisions.get(f"{address} routed" if routed else str(address), Relay(address))

    async def deliver(self, spooled: ISpoolFile, waiting: Sequence[tuple[Queued, Any]]) -> list[Refusal | None]:
        with open(spooled.path, "rb") as file:
            assert file.read().startswith(spooled.prefix)
        self.delivered += [decision.delivered_to for _, decision in waiting]
        self.decided = [decision for _, decision in waiting]
        return self.answers or [None] * len(waiting)

    async def for_list(self, row: Queued, spooled: ISpoolFile, decision: ForList) -> Onward:
        if isinstance(self.onward, Refusal):
            raise self.onward
        self.for_lists.append((row.recipient, decision))
        return self.onward

    async def forward(self, spooled: ISpoolFile, row: Queued, forwards: Sequence[Forward]) -> list[Leaving]:
        if self.forward_error:
            raise self.forward_error
        path = Address.parse("rewritten@example.test")
        return [
            Leaving(Envelope(path), [Recipient(each.address)], b"Delivered-To: x\r\n")
            for each in forwards
            if self.forwarded
        ]

    async def report(
        self, results: Sequence[tuple[Queued, Refusal | None]], action: str, content: bytes, whole: bool
    ) -> None:
        if self.report_error:
            raise self.report_error
        self.reports.append((action, [row.recipient for row, _ in results]))
        self.told = (content, whole)

    def pass_time(self, seconds: float, step: float = 30.0) -> None:
        """Let the clock go on in steps, so that everything that falls due happens about when it should."""
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until:
            self.clock.advance(min(step, until - self.clock.seconds()))
