"""Announcements within one process: what changed, told to whoever keeps something that depends on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.interfaces.events import Event, IEvents

Heard = Callable[[Any], None]


@implementer(IEvents)
class EventBus:
    """Carries events to the reactor's thread, in the order they were published.

    An event is never delivered inside `publish`: the publisher may hold locks or be half done. Since a thread's own result
    reaches the reactor the same way, whoever publishes in a thread before returning has been heard by the time its caller
    goes on. Many events at once wake the reactor once. A subscriber that fails is logged and stops nobody else.
    """

    log = Logger()

    def __init__(self, *, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._heard: dict[type, list[Heard]] = {}
        self._waiting: deque[Event] = deque()
        self._is_called = False

    def publish(self, event: Event) -> None:
        """Tell every subscriber of the event's class, soon. Thread-safe."""
        self._waiting.append(event)
        if not self._is_called:
            self._is_called = True
            self._reactor.callFromThread(self._deliver_waiting)

    def subscribe(self, kind: type, heard: Heard) -> Callable[[], None]:
        """Call `heard(event)` for each event of class `kind`; returns the way to stop, which may be called twice."""
        subscribers = self._heard.setdefault(kind, [])
        subscribers.append(heard)

        def stop() -> None:
            if heard in subscribers:
                subscribers.remove(heard)

        return stop

    def _deliver_waiting(self) -> None:
        self._is_called = False  # before looking: who publishes from now on calls again
        for _ in range(len(self._waiting)):
            self._deliver(self._waiting.popleft())

    def _deliver(self, event: Event) -> None:
        for heard in tuple(self._heard.get(type(event), ())):
            with self.log.failuresHandled("event_not_heard: {event!r}", event=event):
                heard(event)
