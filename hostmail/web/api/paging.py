"""Long lists come page by page. A cursor says after which row to go on, so that rows which come and go before it shift nothing."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from hostmail.web.api.problems import Trouble
from hostmail.web.asked import Asked

USUAL, MOST = 100, 1_000
PAGING = frozenset(("limit", "cursor"))


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, and the cursor for those after them, "" at the end."""

    rows: Sequence[Any]
    following: str


def limit_of(asked: Asked) -> int:
    """How many rows are wanted; raises Trouble."""
    text = asked.query.text("limit")
    if not text and "limit" not in asked.query.names:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise Trouble(422, f"limit: a number from 1 to {MOST}")
    return int(text)


def part_of(rows: Sequence[Any], limit: int, cursor: str, key: str) -> Part:
    """The rows after the cursor, "" for the first; raises Trouble."""
    start = _start(rows, cursor, key) if cursor else 0
    chosen = rows[start : start + limit]
    end = start + len(chosen)
    return Part(chosen, _cursor(end, chosen[-1].get(key)) if end < len(rows) else "")


def link_to(asked: Asked, cursor: str) -> tuple[str, str]:
    """The Link header to the next page (RFC 8288): the same question, after this cursor."""
    pairs = [(name, text) for name in sorted(asked.query.names - {"cursor"}) for text in asked.query.all(name)]
    query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in [*pairs, ("cursor", cursor)])
    return "link", f'<{asked.raw_path}?{query}>; rel="next"'


def _cursor(end: int, last: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode([end, last])).decode().rstrip("=")


def _start(rows: Sequence[Any], cursor: str, key: str) -> int:
    """Behind the row that was the last one; where it has gone, at the place it had."""
    try:
        octets = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        end, last = msgspec.json.decode(octets, type=tuple[int, Any])
    except (ValueError, UnicodeError, msgspec.MsgspecError):
        raise Trouble(422, "cursor: not one of ours; begin without") from None
    end = min(max(end, 0), len(rows) + 1)
    same = [number for number, row in enumerate(rows, 1) if row.get(key) == last]
    return min(same, key=lambda number: abs(number - end)) if same else max(0, end - 1)
