"""The verb that tells what became of mail."""

from __future__ import annotations

import dataclasses
from typing import cast

import msgspec
from twisted.internet.defer import DeferredLock

from hostmail.actor import Actor, Role
from hostmail.address import Address
from hostmail.admin.parts import Parts, Seconds, Verb
from hostmail.admin.permissions import EVERYBODY, May
from hostmail.admin.theirs import facts_of
from hostmail.admin.told import FactTold
from hostmail.errors import BadAddress, BadValue

MOST = 10_000


class Traced(msgspec.Struct, forbid_unknown_fields=True):
    """trace: an address, a Message-ID or a queue id; how many seconds to look back, and at most how many facts."""

    text: str
    seconds: Seconds | None = None
    most: int = 1000


class HistoryVerbs:
    """Asks the history of mail. Questions of those who are no operators cost more: one at a time is asked, in one thread."""

    def __init__(self, parts: Parts) -> None:
        self._now = parts.now
        self._history = parts.history
        self.verbs = {"trace": Verb(Traced, self.trace, May(EVERYBODY, looks=True, acting=True))}
        self._views = parts.view_of
        self._turn = DeferredLock()

    async def trace(self, asked: Traced, actor: Actor) -> list[FactTold]:
        """What became of mail, from the oldest to the newest: facts of those messages that concern who asks."""
        if not asked.text.strip() or not 0 < asked.most <= MOST:
            wrong = "most" if asked.text.strip() else "text"
            raise BadValue(f"name an address, a Message-ID or a queue id, and at most {MOST} facts").about(wrong)
        text = _as_kept(asked.text.strip())
        since = 0.0 if asked.seconds is None else self._now() - asked.seconds
        if actor.role is Role.OPERATOR:
            facts = await self._history.find(text, since, asked.most)
        else:
            reaches, hosted = await self._views(actor)
            async with self._turn:
                facts = await self._history.find(text, since, asked.most, reaches)
            facts = facts_of(facts, reaches, hosted)
        return [cast(FactTold, dataclasses.asdict(fact)) for fact in facts]


def _as_kept(text: str) -> str:
    """An address with its domain as mail carries it (A-labels), if that is written in other letters."""
    if text.rpartition("@")[2].isascii():
        return text
    try:
        return str(Address.parse(text))
    except BadAddress:
        return text
