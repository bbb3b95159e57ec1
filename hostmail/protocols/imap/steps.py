"""Long calculations in steps: a generator that stops now and then, so that whoever drives it can give others their turn.

The calculation itself stays a pure function; `Answers.in_turns` drives it in a session.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from heapq import merge
from typing import Any, TypeVar

RUN, EACH = 4096, 1024

T = TypeVar("T")
Steps = Generator[None, None, T]


def collected(things: Iterable[T]) -> Steps[list[T]]:
    """All of them as a list."""
    found: list[T] = []
    for thing in things:
        found.append(thing)
        if len(found) % EACH == 0:
            yield
    return found


def ordered(things: Sequence[T], key: Callable[[T], Any], reverse: bool = False) -> Steps[list[T]]:
    """As `sorted`, equal ones in their order: runs are sorted one by one, and then merged."""
    runs: list[list[T]] = []
    for first in range(0, len(things), RUN):
        runs.append(sorted(things[first : first + RUN], key=key, reverse=reverse))
        yield
    if len(runs) < 2:
        return runs[0] if runs else []
    return (yield from collected(merge(*runs, key=key, reverse=reverse)))
