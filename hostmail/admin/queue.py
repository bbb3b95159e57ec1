"""Verbs about mail that waits to be sent on (C9)."""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from collections.abc import Sequence
from typing import TypedDict, cast

import msgspec
from twisted.logger import Logger

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Parts, Verb
from hostmail.admin.permissions import OWNERS, May, reaches, unreachable
from hostmail.admin.told import QueuedTold
from hostmail.admin.values import LISTED, MOST_LISTED
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.directory import Account
from hostmail.interfaces.history import Happened, MailFact
from hostmail.interfaces.queue import Changed, Owner, Queued

log = Logger(namespace="queue")


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """queue.list: what to choose, "" for everything, and at most how many rows."""

    pattern: str = ""
    most: int = LISTED


class Pattern(msgspec.Struct, forbid_unknown_fields=True):
    """queue.stats: what to count, "" for everything."""

    pattern: str = ""


class OneMessage(msgspec.Struct, forbid_unknown_fields=True):
    """queue.cat: a whole queue id."""

    queue_id: str


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    """The others: what to choose, or `all` of it."""

    pattern: str = ""
    all: bool = False


class WaitingForTold(TypedDict):
    """What waits for one destination: recipients, since when, how many are being sent, and one of the last answers."""

    domain: str
    recipients: int
    oldest: float
    sending: int
    answer: str


class StatsTold(TypedDict):
    """The queue in numbers: `states` are recipients by state, `octets` count each message once, the fullest destinations come first."""

    messages: int
    octets: int
    oldest: float | None
    states: dict[str, int]
    destinations: list[WaitingForTold]


class MessageTold(TypedDict):
    """A whole message in base64."""

    message: str


class RetriedTold(TypedDict):
    """How many recipients are tried now."""

    retried: int


class HeldTold(TypedDict):
    """How many recipients are kept."""

    held: int


class ReleasedTold(TypedDict):
    """How many recipients go on; `suspended` are those whose mail stays held, as they may send nothing now."""

    released: int
    suspended: list[str]


class BouncedTold(TypedDict):
    """How many recipients were returned."""

    bounced: int


class DeletedTold(TypedDict):
    """How many recipients were dropped."""

    deleted: int


class QueueVerbs:
    """Rows are recipients: one message may have several. What a pattern may say is the queue's affair (`hostmail queue --help`)."""

    def __init__(self, parts: Parts) -> None:
        self._queue = parts.queue
        self._history = parts.history
        self._find_account = parts.find_account
        self._directory = parts.directory
        self._now = parts.now
        self.verbs = {
            "queue.list": Verb(Listed, self.listed, May(OWNERS, looks=True, acting=True)),
            "queue.show": Verb(Chosen, self.show, May(OWNERS, looks=True, acting=True)),
            "queue.stats": Verb(Pattern, self.stats, May(looks=True)),
            "queue.cat": Verb(OneMessage, self.cat, May(looks=True)),
            "queue.retry": Verb(Chosen, self.retry),
            "queue.hold": Verb(Chosen, self.hold, May(acting=True)),
            "queue.release": Verb(Chosen, self.release, May(acting=True)),
            "queue.bounce": Verb(Chosen, self.bounce, May(acting=True)),
            "queue.delete": Verb(Chosen, self.delete, May(acting=True)),
        }

    async def listed(self, asked: Listed, actor: Actor) -> list[QueuedTold]:
        """What waits to be sent on; for an owner what is his affair."""
        if not 0 < asked.most <= MOST_LISTED:
            raise BadValue(f"at most {MOST_LISTED} recipients are listed: use a filter, or queue stats")
        if actor.role is Role.OPERATOR:
            rows = await self._queue.list(await self._known(asked.pattern), asked.most)
        else:
            rows = await self._of_owner(asked, actor)
        found: dict[int | None, Account | None] = {}
        for number in {row.account_id for row in rows if row.account_id is not None}:
            found[number] = await self._directory.account(number)
        his = {number: one for number, one in found.items() if one is not None and reaches(actor, one.address)}
        return [_told(row, his.get(row.account_id)) for row in rows]

    async def _of_owner(self, asked: Listed, actor: Actor) -> list[Queued]:
        """What his domains send, and what waits for their mailboxes."""
        for word in asked.pattern.split():
            name, _, address = word.partition(":")
            if name.lower() == "account" and not reaches(actor, address):
                raise unreachable(address)
        pattern = await self._known(asked.pattern)
        found: dict[int, Queued] = {}
        for domain in sorted(actor.domains):
            for word in (f"domain:{domain}", f"to:@{domain}"):
                rows = await self._queue.list(f"{word} {pattern}", asked.most)
                found |= {row.id: row for row in rows if row.for_domain == domain or reaches(actor, row.recipient)}
        return [found[number] for number in sorted(found)][: asked.most]

    async def show(self, asked: Chosen, actor: Actor) -> list[QueuedTold]:
        """What waits and fits a pattern, which must match something."""
        rows = await self.listed(Listed(_pattern(asked)), actor)
        if not rows:
            raise NotFound(f"nothing in the queue matches {asked.pattern}")
        return rows

    async def stats(self, asked: Pattern) -> StatsTold:
        """The queue in numbers: by state, and by destination."""
        return cast(StatsTold, dataclasses.asdict(await self._queue.stats(await self._known(asked.pattern))))

    async def cat(self, asked: OneMessage) -> MessageTold:
        """A message as it waits, in base64."""
        return {"message": b64encode(await self._queue.content(asked.queue_id)).decode()}

    async def retry(self, asked: Chosen) -> RetriedTold:
        """Try to send now."""
        return {"retried": _some(await self._queue.retry(await self._pattern(asked)), asked, "waiting")}

    async def hold(self, asked: Chosen, actor: Actor) -> HeldTold:
        """Keep mail until it is released."""
        pattern = await self._pattern(asked)
        held = await self._queue.hold(pattern, self._teller(Happened.HELD, _by(actor)))
        return {"held": self._done("held", held, asked, "waiting")}

    async def release(self, asked: Chosen, actor: Actor) -> ReleasedTold:
        """Let held mail go on, but for that of the `suspended`: who may send nothing now sends nothing older either."""
        pattern = await self._pattern(asked)
        suspended = {
            owner: name for owner in await self._queue.owners(pattern) if (name := await self._suspended(owner))
        }
        tell = self._teller(Happened.QUEUED, f"released {_by(actor)}")
        released = await self._queue.release(pattern, tell, tuple(suspended))
        names = sorted(set(suspended.values()))
        if names and not released:
            raise BadValue(f"outgoing mail of {', '.join(names)} is suspended, so what is held stays: resume it first")
        return {"released": self._done("released", released, asked, "held"), "suspended": names}

    async def bounce(self, asked: Chosen, actor: Actor) -> BouncedTold:
        """Return mail to its senders."""
        pattern = await self._pattern(asked)
        bounced = await self._queue.bounce(pattern, self._teller(Happened.RETURNED, _by(actor)))
        return {"bounced": self._done("returned", bounced, asked, "waiting or held")}

    async def delete(self, asked: Chosen, actor: Actor) -> DeletedTold:
        """Drop mail without telling its sender."""
        pattern = await self._pattern(asked)
        deleted = await self._queue.delete(pattern, self._teller(Happened.DELETED, _by(actor)))
        return {"deleted": self._done("deleted", deleted, asked)}

    def _teller(self, what: Happened, words: str) -> Changed:
        """Each has it in its story."""

        def tell(changed: Sequence[tuple[str, str]]) -> None:
            now = self._now()
            for queue_id, recipient in changed:
                self._history.tell(MailFact(now, what, queue_id, recipient=recipient, words=words))

        return tell

    def _done(self, what: str, many: int, asked: Chosen, state: str = "") -> int:
        """How many; the log has one line."""
        if many:
            words = "queue_changed: {what} {many} recipients that fit {pattern}"
            log.info(words, what=what, many=many, pattern=asked.pattern or "all")
        return _some(many, asked, state)

    async def _suspended(self, owner: Owner) -> str:
        """The account or domain among these whose outgoing mail is suspended (A9), "" if none is."""
        number, name = owner
        account = await self._directory.account(number) if number else None
        domain = await self._directory.domain(name if account is None else account.domain)
        if domain is not None and domain.outgoing_suspended:
            return domain.name
        return account.address if account is not None and account.outgoing_suspended else ""

    async def _pattern(self, asked: Chosen) -> str:
        return await self._known(_pattern(asked))

    async def _known(self, pattern: str) -> str:
        """With the number of each account that is named by its address, for the queue knows no addresses of accounts."""
        return " ".join([await self._known_word(word) for word in pattern.split()])

    async def _known_word(self, word: str) -> str:
        name, _, address = word.partition(":")
        if name.lower() != "account" or "@" not in address:
            return word
        return f"account:{(await self._find_account(address)).id}"


def _told(row: Queued, account: Account | None) -> QueuedTold:
    """What everybody may know of it, and whose it is."""
    names = [field.name for field in dataclasses.fields(Queued) if field.name not in ("path", "octets")]
    told = {name: getattr(row, name) for name in names} | {"account": "" if account is None else account.address}
    return cast(QueuedTold, told)


def _by(actor: Actor) -> str:
    return f"by the {actor.role} {actor.login}"


def _pattern(asked: Chosen) -> str:
    if bool(asked.pattern) == asked.all:
        raise BadValue("name part of a queue id, sender or recipient, or all")
    return asked.pattern


def _some(count: int, asked: Chosen, state: str = "") -> int:
    """Raises NotFound where nothing fits that is in such a `state` as is needed."""
    if not count and not asked.all:
        raise NotFound(f"nothing{f' {state}' if state else ''} in the queue matches {asked.pattern}")
    return count
