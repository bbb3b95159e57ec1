"""Verbs about what a domain's DNS has to say, and what it says (F6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any, TypedDict

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from hostmail.actor import Actor, Role
from hostmail.admin.clients import Clients
from hostmail.admin.parts import Named, Parts, Verb
from hostmail.admin.permissions import DOMAIN, OWNERS, May
from hostmail.admin.setups import is_plain_web, web_host, web_port
from hostmail.admin.told import LastCheckTold
from hostmail.clientsetup.checking import (
    Answers,
    Check,
    Checked,
    Question,
    Sending,
    State,
    addresses_of,
    exchanges,
    more_questions,
    questions,
)
from hostmail.clientsetup.records import Place, Record, is_within, records_for, zone
from hostmail.clientsetup.setup import Setup
from hostmail.clientsetup.spf import Ask, BadSpfError, result
from hostmail.errors import NotFound, Overloaded, Refusal
from hostmail.rates import Rates

FRESH_SECONDS, RECENT_SECONDS, MOST_RECENT = 600, 10, 200

log = Logger(namespace="admin")


@dataclass(frozen=True, slots=True)
class LastCheck:
    """What a check came to: `pointed` says whether the domain's mail comes here, None if nobody could say.

    `problems` are those that were seen, without records about which the DNS did not answer.
    """

    at: float
    pointed: bool | None
    words: str
    problems: int


class RecordTold(TypedDict):
    """Records of one kind at one name; `values` are as in a zone file, `zone` are its lines."""

    what: str
    name: str
    kind: str
    values: list[str]
    need: str
    purpose: str
    zone: list[str]


class RecordsTold(TypedDict):
    """What a domain's zone needs; `zone` is all of it as text."""

    domain: str
    records: list[RecordTold]
    zone: str


class SeenTold(TypedDict):
    """What was found of a record; `fix` are lines of a zone file."""

    state: str
    problem: bool
    found: list[str]
    words: str
    fix: list[str]


class CheckedTold(RecordTold, SeenTold):
    """A record beside what was found."""


class DnsCheckTold(TypedDict):
    """A domain's DNS as it is now; `pointed` says whether its mail comes here, null if nobody could say."""

    domain: str
    pointed: bool | None
    words: str
    problems: int
    records: list[CheckedTold]


class DnsHelp:
    """Records for a hosted domain, or one that stands for it (E6); the check asks all at once, and has an end."""

    def __init__(self, parts: Parts, clients: Clients) -> None:
        self._parts = parts
        self._clients = clients
        self._last: dict[str, LastCheck] = {}
        self._asking: set[str] = set()
        self._recent: OrderedDict[str, tuple[float, DnsCheckTold]] = OrderedDict()
        self._rates = Rates(per_minute=parts.settings.limits.dns_checks, now=parts.now)
        may = May(OWNERS, looks=True, about={"name": DOMAIN})
        self.verbs = {
            "dns.records": Verb(Named, self.records, may),
            "dns.check": Verb(Named, self.check, replace(may, acting=True)),
            "dns.last": Verb(Named, self.last, may),
        }

    async def records(self, asked: Named) -> RecordsTold:
        """The records that a domain's zone needs.

        One with the server's own name in it needs the server's addresses, too: the DNS knows them, if anybody.
        """
        setup = await self._setup(asked.name)
        answers: Answers = {}
        if is_within(setup.hostname, setup.domain):
            answers = await ask_all(self._parts.live_dns(), {(setup.hostname, kind) for kind in ("A", "AAAA")})
        wanted = records_for(setup, await self._place(setup, addresses_of(answers, setup.hostname) or ()))
        return {"domain": setup.domain, "records": [told(record) for record in wanted], "zone": zone(setup, wanted)}

    async def check(self, asked: Named, actor: Actor) -> DnsCheckTold:
        """Each record as it is now beside what it should be; for who is no operator, as it was if it was looked at some seconds ago."""
        setup = await self._setup(asked.name)
        if actor.role is Role.OPERATOR:
            return await self._check(setup)
        at, known = self._recent.get(setup.domain, (0.0, None))
        if known is not None and 0 <= self._parts.now() - at < RECENT_SECONDS:
            return known
        self._count(actor)
        checked = await self._check(setup)
        self._recent[setup.domain] = self._parts.now(), checked
        self._recent.move_to_end(setup.domain)
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)
        return checked

    def _count(self, actor: Actor) -> None:
        """One look more, by somebody or a program for the same domains; raises Overloaded."""
        wait = self._rates.take(" ".join([actor.login.partition(" ")[0], *sorted(actor.domains)]).encode()).wait
        if wait:
            raise Overloaded(
                f"you have asked for many checks of the DNS just now: wait {ceil(wait)} seconds", wait=wait
            )

    async def _check(self, setup: Setup) -> DnsCheckTold:
        ask = self._parts.live_dns()
        without = await self._place(setup, ())
        answers = dict(await ask_all(ask, questions(setup, records_for(setup, without), without.web_host)))
        answers |= await ask_all(ask, more_questions(setup, answers) - answers.keys())
        place = await self._place(setup, addresses_of(answers, setup.hostname) or ())
        found = Check(setup, place, answers, await sending(ask, setup.domain, place))
        checked = found.checked(records_for(setup, place))
        words = verdict(setup, found, answers)
        known = sum(each.is_problem and each.state is not State.UNKNOWN for each in checked)
        self._last[setup.domain] = LastCheck(self._parts.now(), found.pointed, words, known)
        return {
            "domain": setup.domain,
            "pointed": found.pointed,
            "words": words,
            "problems": sum(each.is_problem for each in checked),
            "records": [{**told(each.record), **seen(each)} for each in checked],
        }

    async def last(self, asked: Named) -> LastCheckTold:
        """What the last check came to, without waiting for the DNS: one that is some minutes old is made again meanwhile."""
        setup = await self._setup(asked.name)
        domain = setup.domain
        found = self._last.get(domain)
        is_old = found is None or self._parts.now() - found.at >= FRESH_SECONDS
        if is_old and domain not in self._asking:
            self._asking.add(domain)
            checking = Deferred.fromCoroutine(self._check(setup))
            checking.addErrback(partial(log.failure, "dns_not_checked"))
            checking.addBoth(lambda _: self._asking.discard(domain))
        found = self._last.get(domain)
        return {
            "domain": domain,
            "at": found.at if found else None,
            "pointed": found.pointed if found else None,
            "words": found.words if found else "",
            "problems": found.problems if found else None,
        }

    async def _setup(self, name: str) -> Setup:
        setup = await self._clients.setup_of(name.strip())
        if setup is None:
            await self._parts.find_domain(name)
            raise NotFound(f"{name} is not hosted here")
        return setup

    async def _place(self, setup: Setup, addresses: tuple[str, ...]) -> Place:
        settings = self._parts.settings
        way_out = await self._parts.ways_out.of_domain(setup.login_domain)
        return Place(
            addresses=addresses,
            sources=way_out.sources or settings.source_addresses,
            smarthost=way_out.smarthost is not None or settings.smarthost is not None,
            web_port=web_port(settings),
            web_host=web_host(settings),
            plain_web=is_plain_web(settings),
        )


async def ask_all(ask: Ask, asked: Iterable[Question]) -> Answers:
    """The answers to all questions, which are asked at once; for some perhaps the refusal."""

    async def one(name: str, kind: str) -> Any:
        try:
            return await ask(name, kind)
        except Refusal as refusal:
            return refusal

    every = sorted(asked)
    results: Any = await DeferredList([Deferred.fromCoroutine(one(*each)) for each in every], fireOnOneErrback=True)
    return {question: answer for question, (_, answer) in zip(every, results, strict=True)}


async def sending(ask: Ask, domain: str, place: Place) -> Sending | None:
    """What SPF says about mail from here; None if the DNS does not answer about something on the way."""
    results: dict[str, str] = {}
    try:
        for address in place.sources or place.addresses:
            results[address] = await result(ask, domain, address)
    except BadSpfError as error:
        return Sending(results, str(error))
    except Refusal:
        return None
    return Sending(results)


def verdict(setup: Setup, found: Check, answers: Answers) -> str:
    """Where the domain's mail goes, in a sentence."""
    if found.pointed is None:
        return f"nobody can say at present where mail for {setup.shown} goes: the DNS does not answer"
    if found.pointed:
        return f"mail for {setup.shown} comes to this server"
    values = answers[setup.domain, "MX"]
    hosts = [] if isinstance(values, Refusal) else [host or "nowhere" for _, host in exchanges(values)]
    return f"{setup.shown} is not pointed here yet: " + (
        f"its mail goes to {', '.join(hosts[:5])}" if hosts else "it has no MX record"
    )


def told(record: Record) -> RecordTold:
    """A record as JSON."""
    return {
        "what": record.what.value,
        "name": record.name,
        "kind": record.kind,
        "values": list(record.values),
        "need": record.need.value,
        "purpose": record.purpose,
        "zone": record.lines(),
    }


def seen(checked: Checked) -> SeenTold:
    """What was found, as JSON."""
    return {
        "state": checked.state.value,
        "problem": checked.is_problem,
        "found": list(checked.found),
        "words": checked.words,
        "fix": list(checked.fix),
    }
