"""What somebody who is no operator sees of the ways of mail: his own, up to where they enter another customer's domain (F1). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cache
from typing import Any

from hostmail.address import caseless
from hostmail.errors import NotFound, Refusal
from hostmail.interfaces.history import Happened, MailFact

Reaches = Callable[[str], bool]
"""Whether an address is his."""

HostedHere = Callable[[str], bool]
"""Whether an address is anybody's here."""

_FORWARDED = re.compile(r"forwarded by (\S+?)(?:,|\Z)")
_BROUGHT_BY = re.compile(r"[^\s(]+ by \S+ as ([^\s,;)]+)")
_WAITS = (Happened.QUEUED, Happened.HELD)


# One pass, however long a word is: part of what is said here was typed by whoever is refused.
_WORD = re.compile(r"[^\s,;:()<>'\"]+")
_ANOTHERS = "somebody else's address"


def refusal_for(refusal: Refusal, said: str, reaches: Reaches, hosted: HostedHere) -> Refusal:
    """A refusal without near misses and addresses that are another customer's, but for those that he named himself in what he `said`."""

    named = said.casefold()

    def shown(found: re.Match[str]) -> str:
        local, _, rest = found[0].rpartition("@")
        domain, mark, tail = rest.partition("?")
        address = f"{local}@{domain}"
        if not (local and domain and hosted(address)) or reaches(address) or address.casefold() in named:
            return found[0]
        return f"{_ANOTHERS}{mark}{tail}"

    words, suggestion = refusal.public, getattr(refusal, "suggestion", "")
    if suggestion and not reaches(suggestion):
        words = words.removesuffix(f" (did you mean {suggestion}?)")
        suggestion = ""
    told = copy(refusal)
    told.public = _WORD.sub(shown, words)
    if isinstance(told, NotFound):
        told.suggestion = suggestion
    return told


def facts_of(facts: Sequence[MailFact], reaches: Reaches, hosted: HostedHere) -> list[MailFact]:
    """Of each message what happened to him as its sender or as one of its recipients.

    What another customer does with mail is that one's affair: where it leads to, and who signed in to send it. So of recipients that are
    not his only those are told who are elsewhere, and whom he wrote or sent it on to himself.
    """
    reaches, hosted = cache(reaches), cache(hosted)
    stories: dict[str, list[MailFact]] = {}
    for number, fact in enumerate(facts):
        stories.setdefault(fact.queue_id or f"refused {number}", []).append(fact)
    told = {id(fact) for story in stories.values() for fact in _of_message(story, reaches, hosted)}
    return [_without_others(fact, reaches) for fact in facts if id(fact) in told]


def _of_message(story: Sequence[MailFact], reaches: Reaches, hosted: HostedHere) -> Iterable[MailFact]:
    sent = any(fact.sender and reaches(fact.sender) for fact in story)
    if not sent and not any(fact.recipient and reaches(fact.recipient) for fact in story):
        return []
    onward = {fact.words for fact in story if fact.what is Happened.LED_TO and reaches(fact.recipient)}
    written = {fact.recipient for fact in story if sent and _is_written_to(fact, reaches)}
    known = {caseless(address) for address in onward | written if not hosted(address)}
    return [fact for fact in story if (sent if fact.more else _is_his(fact, reaches, known))]


def _is_his(fact: MailFact, reaches: Reaches, known: set[str]) -> bool:
    return not fact.recipient or reaches(fact.recipient) or caseless(fact.recipient) in known


def _is_written_to(fact: MailFact, reaches: Reaches) -> bool:
    """Whether the sender named this recipient, or one of his addresses sends it on there."""
    if fact.what not in _WAITS:
        return not fact.queue_id
    forwarder = _FORWARDED.match(fact.words)
    return forwarder is None or reaches(forwarder[1])


def _without_others(fact: MailFact, reaches: Reaches) -> MailFact:
    """Without the login and the address of another customer's user who brought the message."""
    brought = _BROUGHT_BY.search(fact.words)
    if brought is None or not fact.sender or reaches(brought[1]):
        return fact
    return replace(fact, words=_BROUGHT_BY.sub("a user of this server", fact.words))


def route_of(told: Mapping[str, Any], reaches: Reaches, hosted: HostedHere) -> dict[str, Any]:
    """A way as `hostmail route` shows it, up to where it enters another customer's domain."""
    steps, shown, followed = [], set(), [True]
    for step in told["steps"]:
        depth, address = step["depth"], step["address"]
        del followed[depth + 1 :]
        if not followed[-1]:
            followed.append(False)
            continue
        his = reaches(address)
        followed.append(his)
        shown.add(address)
        elsewhere = {"rule": "", "words": "somebody else's, on this server"} if hosted(address) and not his else {}
        steps.append(step | elsewhere)
    ends = [
        end
        for end in told["ends"]
        if reaches(end["address"]) or (end["address"] in shown and not hosted(end["address"]))
    ]
    return {**told, "steps": steps, "ends": ends}
