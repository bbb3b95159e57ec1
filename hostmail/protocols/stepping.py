"""Coroutines that mostly finish at once, run without the price of a Deferred."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from twisted.internet.defer import Deferred


def begun(work: Coroutine[Any, Any, Any]) -> Deferred[Any] | None:
    """Run `work` up to where it has to wait: None if it is done by then, else a Deferred for its end. What it raises is raised."""
    try:
        waiting = work.send(None)
    except StopIteration:
        return None
    return Deferred.fromCoroutine(_rest(work, waiting))


@coroutine
def _rest(work: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, Any]:
    try:
        while True:
            try:
                value = yield waiting
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the coroutine's to handle
                waiting = work.throw(error)
            else:
                waiting = work.send(value)
    except StopIteration as done:
        return done.value
