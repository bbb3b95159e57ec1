"""How work that may block is handed away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class InThread(Protocol):
    """Runs `function(*args)` where it may block; what it returns or raises comes back on the reactor's thread."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Awaitable[T]: ...
