"""What a mail store is given by other parts, in its simplest form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zope.interface import implementer

from hostmail.errors import OverQuota, Refusal
from hostmail.interfaces.directory import IUsage, Usage
from hostmail.interfaces.events import Event, FolderChanged, IEvents


@implementer(IUsage)
class FakeUsage:
    """Adds up accounts as one domain with `limit_bytes`; `fault` is raised instead when set."""

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.limit_bytes = limit_bytes
        self.fault: Exception | None = None
        self.accounts: dict[int, Usage] = {}

    def charge(self, account_id: int, used: Usage, growing: bool) -> None:
        if self.fault is not None:
            raise self.fault
        total = used.bytes + sum(usage.bytes for other, usage in self.accounts.items() if other != account_id)
        if growing and self.limit_bytes is not None and total > self.limit_bytes:
            raise OverQuota("domain full")
        self.accounts[account_id] = used

    def charge_all(self, charges: Sequence[tuple[int, Usage]]) -> list[Refusal | None]:
        found: list[Refusal | None] = []
        for account_id, used in charges:
            try:
                self.charge(account_id, used, True)
                found.append(None)
            except OverQuota as refusal:
                found.append(refusal)
        return found


@implementer(IEvents)
class FakeEvents:
    """Keeps what was announced."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def publish(self, event: Event) -> None:
        self.heard.append(event)

    def subscribe(self, kind: type, heard: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: None

    def folders(self) -> set[str]:
        """The folders that were announced as changed."""
        return {event.folder for event in self.heard if isinstance(event, FolderChanged)}
