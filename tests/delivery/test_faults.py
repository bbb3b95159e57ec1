"""hostmail.delivery.transaction: whatever step fails, nothing is lost, and nothing is done twice but where that is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import ensureDeferred

from hostmail.errors import OverQuota, Refusal, TemporaryFailure
from tests.delivery.intaking import IntakeCase

ANN, BEA, ALL = "ann@example.com", "bea@example.com", "all@example.com"
EVE, CARL, BOB = "eve@far.example", "carl@else.example", "bob@other.example"


class Faults:
    """Counts steps; the one that is chosen fails."""

    def __init__(self, chosen: int, error: Exception) -> None:
        self.chosen, self.error = chosen, error
        self.steps: list[str] = []

    def watch(self, owner: Any, name: str) -> None:
        """Each call of the method is a step."""
        method: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def step(*arguments: Any, **more: Any) -> Any:
            self.steps.append(name)
            if len(self.steps) == self.chosen:
                raise self.error
            done = await method(*arguments, **more)
            if name == "prepare":
                self.watch(done, "stand_by")
                self.watch(done, "commit")
            return done

        setattr(owner, name, step)

    @property
    def failed(self) -> str:
        """Which step it was, "" if there were not so many."""
        return self.steps[self.chosen - 1] if len(self.steps) >= self.chosen else ""


class FaultTests(IntakeCase):
    """all@ leads to ann, to bea who has no room, and to eve elsewhere; carl is elsewhere, too."""

    def try_once(self, chosen: int, error: Exception, answer: Refusal) -> tuple[str, bool]:
        """Which step failed, and whether the client was told so."""
        self.setUp()
        self.directory.lead(ALL, ANN, BEA, EVE)
        self.store.refusals[BEA] = answer
        transaction = self.begin(ALL, CARL, peer=self.login, sender=BOB)
        transaction.write(b"Subject: hello\r\n\r\nHow are you?\r\n")
        faults = Faults(chosen, error)
        faults.watch(self.queue, "prepare")
        faults.watch(self.store, "deliver")
        faults.watch(self.directory, "account")
        faults.watch(self.directory, "domain")
        faults.watch(self.intake._parts.senders, "rewrite")
        refused: list[Exception] = []
        ensureDeferred(transaction.commit()).addErrback(lambda failure: refused.append(failure.value))
        self.flushLoggedErrors(ZeroDivisionError)
        return faults.failed, bool(refused)

    @property
    def filled(self) -> int:
        return len(self.mail(ANN))

    def queued(self, to: str) -> int:
        return sum(waiting.recipients.count(to) for waiting in self.queue.committed)

    def check(self, failed: str, refused: bool) -> None:
        """What must hold after any one failure."""
        self.assertEqual([each for each in self.queue.prepared if each in self.queue.committed and each.aborted], [])
        self.assertEqual(
            [each for each in self.queue.prepared if each not in self.queue.committed and not each.aborted], []
        )
        if not refused:
            found = (
                self.filled + self.queued(ANN),
                self.queued(EVE),
                self.queued(CARL),
                self.queued(BOB) + self.queued(BEA),
            )
            self.assertEqual(found, (1, 1, 1, 1), failed)
        elif self.filled:
            # The window: mailboxes are full, and the queue breaks down just before its part is live. Twice is better than lost.
            self.assertEqual(failed, "commit")
        if refused:
            mine = [waiting.recipients for waiting in self.queue.committed if waiting.recipients != [BOB]]
            self.assertEqual(mine, [], failed)

    def every_step(self, answer: Refusal) -> set[tuple[str, bool, int]]:
        """Let each step fail in turn, once for now and once by a fault of ours."""
        seen: set[tuple[str, bool, int]] = set()
        for error in (TemporaryFailure(), ZeroDivisionError()):
            chosen = 0
            failed = "any"
            while failed:
                chosen += 1
                failed, refused = self.try_once(chosen, error, answer)
                self.check(failed, refused)
                seen.add((failed, refused, self.filled))
        return seen

    def test_mailbox_that_is_full(self) -> None:
        """Beside a mailbox that refuses for good."""
        self.assertIn(("", False, 1), self.every_step(OverQuota("full")))

    def test_mailbox_that_is_busy(self) -> None:
        """Beside a mailbox that refuses for now."""
        self.assertIn(("", False, 1), self.every_step(TemporaryFailure()))
