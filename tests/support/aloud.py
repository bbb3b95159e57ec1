"""Events without a reactor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from hostmail.interfaces.events import IEvents


@implementer(IEvents)
class Aloud:
    """Events that are heard inside publish, and remembered."""

    def __init__(self) -> None:
        self.subscribers: list[tuple[type, Callable[[Any], None]]] = []
        self.published: list[Any] = []

    def publish(self, event: Any) -> None:
        self.published.append(event)
        for kind, heard in tuple(self.subscribers):
            if isinstance(event, kind):
                heard(event)

    def subscribe(self, kind: type, heard: Callable[[Any], None]) -> Callable[[], None]:
        self.subscribers.append((kind, heard))
        return lambda: self.subscribers.remove((kind, heard))
