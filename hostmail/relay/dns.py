"""What the DNS said, kept as long as its records say (RFC 1035, 2308)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from hostmail.errors import Refusal
from hostmail.relay.contracts import Exchange
from hostmail.relay.failures import DnsFailure

MOST_ENTRIES = 10_000
SHORTEST, LONGEST = 5.0, 86400.0
LONGEST_NEGATIVE = 3600.0
FAILURE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Records of one kind, as plain values, and how long they hold; or the refusal instead of them."""

    records: tuple[Any, ...] = ()
    seconds: float = FAILURE_SECONDS
    refusal: Refusal | None = None


class CachedDns:
    """The contract `Dns` over `lookup`, which asks. One question is on its way once, however many want to know.

    Answers hold as long as their records say, five seconds at least and a day at most; failures for half a minute.
    """

    def __init__(
        self,
        *,
        lookup: Callable[[str, str], Awaitable[Answer]],
        now: Callable[[], float],
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._lookup = lookup
        self._now = now
        self._most = most_entries
        self._known: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()
        self._asked: dict[tuple[str, str], list[Deferred[Answer]]] = {}

    async def exchanges(self, domain: str) -> Sequence[Exchange]:
        """The MX records of `domain`."""
        return _records(await self._answer(domain, "MX"))

    async def texts(self, name: str) -> Sequence[str]:
        """The TXT records at a name."""
        return _records(await self._answer(name, "TXT"))

    async def addresses(self, host: str) -> Sequence[str]:
        """IPv6 and IPv4 addresses; what one kind of question finds counts even if the other one fails."""
        kinds = ("AAAA", "A")
        asked = [Deferred.fromCoroutine(self._answer(host, kind)) for kind in kinds]
        answers: list[Answer] = [answer for _, answer in await DeferredList(asked, fireOnOneErrback=True)]
        found = [str(address) for answer in answers for address in answer.records]
        if not found:
            # A failure says less than "there is none", so it goes first.
            for answer in sorted(answers, key=lambda one: one.refusal is not None and one.refusal.permanent):
                _records(answer)
        return found

    async def _answer(self, name: str, kind: str) -> Answer:
        key = (name.lower(), kind)
        until, known = self._known.get(key, (0.0, Answer()))
        if self._now() < until:
            self._known.move_to_end(key)
            return known
        waiting = self._asked.get(key)
        if waiting is not None:
            waiting.append(Deferred())
            return await waiting[-1]
        return await self._ask(key)

    async def _ask(self, key: tuple[str, str]) -> Answer:
        self._asked[key] = []
        try:
            answer = await self._lookup(*key)
        except Exception as error:  # noqa: BLE001 - a fault of ours, or of a library: all who wait are told
            answer = Answer((), 0.0, DnsFailure(private=repr(error)))
        if answer.seconds:
            self._keep(key, answer)
        for waiting in self._asked.pop(key):
            waiting.callback(answer)
        return answer

    def _keep(self, key: tuple[str, str], answer: Answer) -> None:
        self._known[key] = (self._now() + min(max(answer.seconds, SHORTEST), LONGEST), answer)
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


def _records(answer: Answer) -> tuple[Any, ...]:
    if answer.refusal is not None:
        # Raised many times while it is in the cache: each time with a traceback of its own.
        raise answer.refusal.with_traceback(None)
    return answer.records
