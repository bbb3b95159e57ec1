"""Answers from the DNS: dnspython in threads, behind a cache that honours the records' times to live (RFC 1035, 2308)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from twisted.internet.defer import Deferred, DeferredList

from hostmail.errors import Refusal
from hostmail.interfaces import InThread
from hostmail.relay.contracts import Exchange
from hostmail.relay.failures import DnsFailure, NoSuchDomain

MOST_ENTRIES = 10_000
MOST_RECORDS = 100
SHORTEST, LONGEST = 5.0, 86400.0
LONGEST_NEGATIVE = 3600.0
FAILURE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Records of one kind, as plain values, and how long they hold; or the refusal instead of them."""

    records: tuple[Any, ...] = ()
    seconds: float = FAILURE_SECONDS
    refusal: Refusal | None = None


class Lookup:
    """One question to the DNS, asked of `servers` (address, port) or those of the system. It blocks, for `seconds` at most."""

    def __init__(self, servers: Sequence[tuple[str, int]] = (), seconds: float = 20.0) -> None:
        self._servers = servers
        self._seconds = seconds

    def __call__(self, name: str, kind: str) -> Answer:
        """The records of `kind` (MX, A, AAAA) at `name`, behind aliases (CNAME)."""
        try:
            found = self._resolver().resolve(f"{name}.", kind, raise_on_no_answer=False, lifetime=self._seconds)
        except dns.resolver.NXDOMAIN as error:
            return Answer((), _negative_seconds(error), NoSuchDomain(f"the domain {name} does not exist"))
        except (dns.exception.SyntaxError, dns.name.NameTooLong) as error:
            return Answer((), LONGEST_NEGATIVE, NoSuchDomain(f"{name} is no domain name", repr(error)))
        except (dns.exception.DNSException, OSError) as error:
            return Answer(refusal=DnsFailure(f"the DNS has no answer about {name} at present", repr(error)))
        seconds = float(found.chaining_result.minimum_ttl)
        if found.rrset is None:
            return Answer((), min(seconds, LONGEST_NEGATIVE))
        return Answer(tuple(_plain(record) for record in list(found.rrset)[:MOST_RECORDS]), seconds)

    def _resolver(self) -> dns.resolver.Resolver:
        """The system's servers are read anew each time: they change while we run."""
        resolver = dns.resolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self._servers]
        return resolver


def _plain(record: Any) -> Exchange | str:
    if hasattr(record, "exchange"):
        return Exchange(int(record.preference), record.exchange.to_text(omit_final_dot=True).lower().removesuffix("."))
    return str(ip_address(record.address))


def _negative_seconds(error: dns.resolver.NXDOMAIN) -> float:
    """How long the name may be held for missing: what the zone's SOA says (RFC 2308 5)."""
    responses = error.responses().values()
    return min([LONGEST_NEGATIVE, *(float(response.resolve_chaining().minimum_ttl) for response in responses)])


class CachedDns:
    """The contract `Dns` over a blocking `lookup`. One question is on its way once, however many want to know.

    Answers hold as long as their records say, five seconds at least and a day at most; failures for half a minute.
    """

    def __init__(
        self,
        *,
        lookup: Callable[[str, str], Answer],
        in_thread: InThread,
        now: Callable[[], float],
        most_entries: int = MOST_ENTRIES,
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._close = close
        self._lookup = lookup
        self._in_thread = in_thread
        self._now = now
        self._most = most_entries
        self._known: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()
        self._asked: dict[tuple[str, str], list[Deferred[Answer]]] = {}

    def close(self) -> None:
        """Nobody will ask any more."""
        self._close()

    async def exchanges(self, domain: str) -> Sequence[Exchange]:
        """The MX records of `domain`."""
        return _records(await self._answer(domain, "MX"))

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
            answer: Answer = await self._in_thread(self._lookup, *key)
        except Exception as error:  # noqa: BLE001 - no thread to be had, or a fault in a library: all who wait are told
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
