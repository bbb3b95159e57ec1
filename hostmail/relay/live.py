"""The DNS as it is now, for people who have just changed it: nothing is remembered, and everything has an end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from hostmail.relay.contracts import Exchange
from hostmail.relay.dns import Answer
from hostmail.relay.failures import DnsFailure, NoSuchDomain

ALTOGETHER = 5.0
"""Seconds for all questions of one check, some of which come from the answers to others: somebody sits and waits for it."""


class LiveDns:
    """Begins checks. `lookup` asks, as for `CachedDns`."""

    def __init__(self, lookup: Callable[[str, str], Awaitable[Answer]], clock: Any) -> None:
        self._lookup = lookup
        self._clock = clock

    def begin(self) -> Callable[[str, str], Awaitable[list[str]]]:
        """What asks for the records of a kind at a name, for as long as a check may take.

        It gives them as a zone file has them, with full names, TXT without quotes; none for a name that does not exist. Raises DnsFailure.
        """
        end = self._clock.seconds() + ALTOGETHER

        async def ask(name: str, kind: str) -> list[str]:
            left = end - self._clock.seconds()
            if left <= 0:
                raise DnsFailure("the DNS was too slow to answer about all of it", f"{name} {kind}")
            return await self._ask(name, kind, left)

        return ask

    async def _ask(self, name: str, kind: str, seconds: float) -> list[str]:
        async def asked() -> Answer:
            return await self._lookup(name, kind)

        try:
            answer = await Deferred.fromCoroutine(asked()).addTimeout(seconds, self._clock)
        except TimeoutError:
            raise DnsFailure(f"the DNS has no answer about {name} at present", "the check has taken too long") from None
        if isinstance(answer.refusal, NoSuchDomain):
            return []
        if answer.refusal is not None:
            raise answer.refusal
        return [_text(record) for record in answer.records]


def _text(record: Any) -> str:
    return f"{record.preference} {record.host}." if isinstance(record, Exchange) else str(record)
