"""How the service is, in one look."""

from __future__ import annotations

import os
from collections import Counter
from typing import TypedDict

from hostmail.admin.parts import NoArguments, Parts, Verb
from hostmail.admin.permissions import May


class VersionTold(TypedDict):
    """Which program this is."""

    version: str


class StatusTold(VersionTold):
    """The server as it is now; seconds for `uptime`."""

    running: bool
    hostname: str
    profile: str
    pid: int | None
    uptime: int | None
    domains: int
    accounts: int
    sessions: dict[str, int]
    relay_grants: int
    queue: int


class Status:
    """Counts of everything that can be counted cheaply."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._started = parts.now()
        self.verbs = {
            "status": Verb(NoArguments, self.status, May(looks=True)),
            "version": Verb(NoArguments, self.show_version, May(looks=True)),
        }

    async def status(self, _: NoArguments) -> StatusTold:
        """Running or not, since when, who is connected, what waits."""
        parts = self._parts
        domains, accounts = await parts.counts()
        running = parts.sessions is not None
        sessions = Counter(one.peer.protocol for one in parts.sessions.all()) if parts.sessions is not None else {}
        return {
            "running": running,
            "version": parts.version,
            "hostname": parts.settings.hostname,
            "profile": parts.settings.profile,
            "pid": os.getpid() if running else None,
            "uptime": round(parts.now() - self._started) if running else None,
            "domains": domains,
            "accounts": accounts,
            "sessions": dict(sorted(sessions.items())),
            "relay_grants": len(await parts.grants.list()),
            "queue": await parts.queue.count(),
        }

    async def show_version(self, _: NoArguments) -> VersionTold:
        """Which version is running."""
        return {"version": self._parts.version}
