"""What parts and processes tell each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zope.interface import Interface


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """A domain or account changed. `kind`: domain or account; `account_id` 0 for a whole domain."""

    domain: str
    account_id: int = 0
    credentials: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FolderChanged:
    """Something in a folder changed; `folder` "" when the list of folders did."""

    account_id: int
    folder: str


Event = DirectoryChanged | FolderChanged


class IEvents(Interface):
    """Announcements. They save time; nothing is correct only because of one (ARCHITECTURE 8)."""

    def publish(event: Event) -> None:
        """Tell every subscriber. Thread-safe; subscribers run on the reactor's thread."""

    def subscribe(kind: type, heard: Callable[[Any], None]) -> Callable[[], None]:
        """Call `heard(event)` for each event of that class; returns the way to stop."""
