"""Verbs about mail that waits to be sent on (C9)."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from hostmail.admin.parts import Parts, Verb
from hostmail.errors import BadValue, NotFound


class Pattern(msgspec.Struct, forbid_unknown_fields=True):
    """queue.list: part of a queue id, sender or recipient; "" is everything."""

    pattern: str = ""


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    """queue.show, queue.retry, queue.delete: the same, or `all` of it."""

    pattern: str = ""
    all: bool = False


class QueueVerbs:
    """Rows are recipients: one message may have several."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "queue.list": Verb(Pattern, self.all),
            "queue.show": Verb(Chosen, self.show),
            "queue.retry": Verb(Chosen, self.retry),
            "queue.delete": Verb(Chosen, self.delete),
        }

    async def all(self, asked: Pattern) -> list[dict[str, Any]]:
        """What waits. The file's path is our own affair."""
        rows = [dataclasses.asdict(row) for row in await self._parts.queue.list(asked.pattern)]
        return [{name: value for name, value in row.items() if name != "path"} for row in rows]

    async def show(self, asked: Chosen) -> list[dict[str, Any]]:
        """The same for a pattern that must match."""
        rows = await self.all(Pattern(_pattern(asked)))
        if not rows:
            raise NotFound(f"nothing in the queue matches {asked.pattern}")
        return rows

    async def retry(self, asked: Chosen) -> dict[str, Any]:
        """Try now."""
        return {"retried": _some(await self._parts.queue.retry(_pattern(asked)), asked)}

    async def delete(self, asked: Chosen) -> dict[str, Any]:
        """Drop without telling the sender."""
        return {"deleted": _some(await self._parts.queue.delete(_pattern(asked)), asked)}


def _pattern(asked: Chosen) -> str:
    if bool(asked.pattern) == asked.all:
        raise BadValue("name part of a queue id, sender or recipient, or all")
    return asked.pattern


def _some(count: int, asked: Chosen) -> int:
    if not count and not asked.all:
        raise NotFound(f"nothing in the queue matches {asked.pattern}")
    return count
