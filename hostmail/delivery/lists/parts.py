"""What everything that happens to a list's mail works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import DeferredLock

from hostmail.delivery.lists.letters import Letters
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.work import Rates
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import IListMembers
from hostmail.interfaces.queue import IQueue
from hostmail.interfaces.threads import InThread


@dataclass(frozen=True, slots=True)
class ListParts:
    """`keep_seconds` is how long a post waits for the owners at most. `deciding` is held while one ends. `now` is Unix time."""

    directory: IDirectory
    members: IListMembers
    queue: IQueue
    letters: Letters
    telling: ListTelling
    rates: Rates
    in_thread: InThread
    now: Callable[[], float]
    keep_seconds: float
    deciding: DeferredLock
