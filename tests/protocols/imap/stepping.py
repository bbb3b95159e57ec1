"""Drives calculations in steps where nobody waits."""

from __future__ import annotations

from typing import TypeVar

from hostmail.protocols.imap.steps import Steps

T = TypeVar("T")


def finished(steps: Steps[T]) -> T:
    """The result, in one go."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
