"""hostmail.monitoring.events: announcements reach everybody, once, on the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hostmail.interfaces.events import DirectoryChanged, FolderChanged, IEvents
from hostmail.monitoring.events import EventBus


@implementer(IReactorFromThreads)
class Turns:
    """A reactor whose turns the test takes."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.calls.append((callable, args))

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call, args in calls:
            call(*args)


class EventBusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Turns()
        self.bus = EventBus(reactor=self.reactor)
        self.heard: list[Any] = []

    def test_is_the_contract(self) -> None:
        """It implements IEvents."""
        verifyObject(IEvents, self.bus)

    def test_delivers_on_the_reactors_next_turn(self) -> None:
        """Nothing is delivered inside publish, everything by the next turn, in order."""
        self.bus.subscribe(FolderChanged, self.heard.append)
        self.bus.publish(FolderChanged(1, "INBOX"))
        self.bus.publish(FolderChanged(2, "Sent"))
        self.assertEqual(self.heard, [])
        self.reactor.turn()
        self.assertEqual(self.heard, [FolderChanged(1, "INBOX"), FolderChanged(2, "Sent")])

    def test_many_at_once(self) -> None:
        """The reactor is called once for all that waits; what a subscriber publishes comes in a later turn."""
        self.bus.subscribe(FolderChanged, self.heard.append)
        stop = self.bus.subscribe(FolderChanged, lambda event: self.bus.publish(FolderChanged(9, "again")))
        self.bus.publish(FolderChanged(1, "INBOX"))
        self.bus.publish(FolderChanged(2, "Sent"))
        self.assertEqual(len(self.reactor.calls), 1)
        self.reactor.turn()
        self.assertEqual((len(self.heard), len(self.reactor.calls)), (2, 1))
        stop()
        self.reactor.turn()
        self.assertEqual(self.heard[2:], [FolderChanged(9, "again")] * 2)

    def test_by_class(self) -> None:
        """A subscriber hears events of its class only."""
        self.bus.subscribe(FolderChanged, self.heard.append)
        self.bus.publish(DirectoryChanged("example.com"))
        self.reactor.turn()
        self.assertEqual(self.heard, [])

    def test_stop(self) -> None:
        """After stop nothing more is heard; stopping twice is fine."""
        stop = self.bus.subscribe(FolderChanged, self.heard.append)
        stop()
        stop()
        self.bus.publish(FolderChanged(1, "INBOX"))
        self.reactor.turn()
        self.assertEqual(self.heard, [])

    def test_one_failing_subscriber_stops_nobody(self) -> None:
        """A subscriber's exception is logged and the others hear the event all the same."""
        self.bus.subscribe(FolderChanged, lambda event: 1 / 0)
        self.bus.subscribe(FolderChanged, self.heard.append)
        self.bus.publish(FolderChanged(1, "INBOX"))
        self.reactor.turn()
        self.assertEqual(self.heard, [FolderChanged(1, "INBOX")])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
