"""Long lists come page by page. A cursor says after which value of its key to go on, so that rows which come and go shift nothing."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from hostmail.web.api.problems import Trouble
from hostmail.web.asked import Asked

USUAL, MOST = 100, 1_000
PAGING = frozenset(("limit", "cursor"))
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,2000}")


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, and the cursor for those after them, "" at the end."""

    rows: Sequence[Any]
    following: str


class Order:
    """How the rows of a list follow each other: "address", "-number" (the largest first), "ip account_id"."""

    def __init__(self, text: str) -> None:
        self.names = tuple(name.removeprefix("-") for name in text.split())
        self._signs = tuple(-1 if name.startswith("-") else 1 for name in text.split())

    def words(self) -> str:
        """For people."""
        each = [
            f"{name}{', the largest first' if sign < 0 else ''}"
            for name, sign in zip(self.names, self._signs, strict=True)
        ]
        return " and ".join(each)

    def key(self, row: Mapping[str, Any]) -> list[Any]:
        """What a row is sorted by."""
        return [-row[name] if sign < 0 else row[name] for name, sign in zip(self.names, self._signs, strict=True)]


def limit_of(asked: Asked) -> int:
    """How many rows are wanted; raises Trouble."""
    for name in PAGING:
        if len(asked.query.all(name)) > 1:
            raise Trouble(422, f"{name} may be given once", argument=name)
    text = asked.query.text("limit")
    if not text and "limit" not in asked.query.names:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise Trouble(422, f"limit: a number from 1 to {MOST}", argument="limit")
    return int(text)


def part_of(rows: Sequence[Mapping[str, Any]], limit: int, cursor: str, order: Order) -> Part:
    """The rows after the cursor, "" for the first; raises Trouble."""
    ordered = sorted(rows, key=order.key)
    start = _start(ordered, cursor, order) if cursor else 0
    chosen = ordered[start : start + limit]
    end = start + len(chosen)
    return Part(chosen, _cursor(ordered, end, order) if end < len(ordered) else "")


def link_to(asked: Asked, cursor: str) -> tuple[str, str]:
    """The Link header to the next page (RFC 8288): the same question, after this cursor."""
    pairs = [(name, text) for name in sorted(asked.query.names - {"cursor"}) for text in asked.query.all(name)]
    query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in [*pairs, ("cursor", cursor)])
    return "link", f'<{asked.raw_path}?{query}>; rel="next"'


def _cursor(rows: Sequence[Mapping[str, Any]], end: int, order: Order) -> str:
    """The key of the last row that was shown, and how many with this key were: facts may be of the same moment."""
    last = order.key(rows[end - 1])
    same = end - bisect_left(rows, last, key=order.key)
    return urlsafe_b64encode(msgspec.json.encode([last, same])).decode().rstrip("=")


def _start(rows: Sequence[Mapping[str, Any]], cursor: str, order: Order) -> int:
    try:
        if not _CURSOR.fullmatch(cursor):
            raise ValueError
        octets = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        last, same = msgspec.json.decode(octets, type=tuple[list[str | int | float], int])
        if len(last) != len(order.names):
            raise ValueError
        begin = bisect_left(rows, last, key=order.key)
    except (ValueError, TypeError, msgspec.MsgspecError):
        raise Trouble(422, "cursor: not one of ours; begin without", argument="cursor") from None
    shown = 0
    while shown < same and begin + shown < len(rows) and order.key(rows[begin + shown]) == last:
        shown += 1
    return begin + shown
