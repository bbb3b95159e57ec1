"""What of a change is written down: who wanted what of whom, without anything that is secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict, cast

import msgspec

from hostmail.actor import Actor
from hostmail.admin.parts import Parts, Seconds, Verb
from hostmail.admin.permissions import May
from hostmail.errors import BadValue
from hostmail.interfaces.admin import AuditEntry

HIDDEN = "***"
SECRETS = ("password", "current", "code", "token", "secret")
MOST_TEXT, MOST_ITEMS, MOST_OCTETS, MOST_DEPTH = 200, 10, 4096, 5
MOST_ENTRIES = 1_000


def entry_of(verb: str, known: Verb, arguments: Mapping[str, Any], actor: Actor, now: float) -> AuditEntry:
    """The entry for what somebody wants, before anything else is looked at."""
    given = {name: value for name, value in arguments.items() if name in known.arguments.__struct_fields__}
    told = json.dumps(without_secrets(given), ensure_ascii=False)
    return AuditEntry(
        now,
        actor.login[:MOST_TEXT],
        actor.role.value,
        actor.way,
        actor.ip,
        verb,
        subject_of(known.may, given)[:MOST_TEXT],
        told if len(told) <= MOST_OCTETS else json.dumps({"too long": len(told)}),
    )


def subject_of(may: May, given: Mapping[str, Any]) -> str:
    """What it is about, as it was said."""
    names = [*(path for path in may.about if "." not in path), "address", "name", "login", "ip", "pattern", "id"]
    return next((str(given[name]) for name in names if isinstance(given.get(name), str | int)), "")


def without_secrets(value: Any, depth: int = 0) -> Any:
    """A JSON value with its passwords and codes hidden, and with what is long or deep cut."""
    if depth > MOST_DEPTH:
        return "and more inside"
    if isinstance(value, Mapping):
        return {name: HIDDEN if is_secret(name) else without_secrets(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        more = [f"and {len(value) - MOST_ITEMS} more"] if len(value) > MOST_ITEMS else []
        return [without_secrets(each, depth + 1) for each in value[:MOST_ITEMS]] + more
    if isinstance(value, str):
        return value[:MOST_TEXT].encode("utf-8", "backslashreplace").decode()
    return value if isinstance(value, int | float | bool) or value is None else str(type(value).__name__)


def is_secret(name: object) -> bool:
    """Whether an argument of this name is for nobody's eyes."""
    return any(word in str(name) for word in SECRETS)


class ListAudit(msgspec.Struct, forbid_unknown_fields=True):
    """audit.list: how many seconds to look back, whose changes, and about what; at most how many entries, of those `before` a number."""

    seconds: Seconds | None = None
    by: str = ""
    about: str = ""
    most: int = 100
    before: int | None = None


class ChangeTold(TypedDict):
    """Something that somebody changed, or wanted to."""

    number: int
    at: float
    login: str
    role: str
    way: str
    ip: str
    verb: str
    subject: str
    arguments: dict[str, Any]
    outcome: str


class AuditVerbs:
    """Who changed what."""

    def __init__(self, parts: Parts) -> None:
        self._audit = parts.audit
        self._now = parts.now
        self.verbs = {"audit.list": Verb(ListAudit, self.all, May(looks=True))}

    async def all(self, asked: ListAudit) -> list[ChangeTold]:
        """Who changed what, the newest first."""
        if not 0 < asked.most <= MOST_ENTRIES:
            raise BadValue(f"at most {MOST_ENTRIES} entries are listed at once").about("most")
        since = 0.0 if asked.seconds is None else self._now() - asked.seconds
        found = await self._audit.find(since, asked.by.strip(), asked.about.strip(), asked.most, asked.before)
        return [
            cast(ChangeTold, msgspec.to_builtins(entry) | {"arguments": json.loads(entry.arguments)}) for entry in found
        ]
