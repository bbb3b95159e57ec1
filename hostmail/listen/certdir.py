"""The folder of certificates by server name, as an index that costs a peer's invented names nothing.

Names come from peers, so they are looked up in a dictionary and never become part of a path. The folder is listed again only when its
own modification time says that something was added or taken away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from hostmail.listen.pem import Pair

MAX_NAMES = 100_000
RECHECK_SECONDS = 1.0
SETTLED_SECONDS = 2.0

_NAME = re.compile(r"(?:[*_]\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z", re.ASCII)


class CertificateFolder:
    """`NAME.pem`, or `NAME/fullchain.pem` with `NAME/privkey.pem`; `_.example.net` may stand for `*.example.net`."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._found: dict[str, Pair] = {}
        self._mtime: int | None = None
        self._settled = False
        self._checked: float | None = None

    def find(self, name: str) -> Pair | None:
        """The files for exactly this lower-case name."""
        self._refresh()
        return self._found.get(name)

    def names(self) -> list[str]:
        """All names there are certificates for."""
        self._refresh()
        return sorted(self._found)

    def look_again(self) -> None:
        """Let the next look-up list the folder, however soon it comes."""
        self._checked, self._settled = None, False

    def _refresh(self) -> None:
        now = self._now()
        if self._checked is not None and 0 <= now - self._checked < RECHECK_SECONDS:
            return
        self._checked = now
        try:
            mtime = os.stat(self._path).st_mtime_ns
            if mtime == self._mtime and self._settled:
                return
            self._found = self._list()
        except OSError:
            # Unreadable for now: what we knew is better than nothing, and each second is a new try.
            self._settled = False
            return
        self._mtime = mtime
        # A change within the clock's granularity would not show in the time stamp.
        self._settled = abs(now - mtime / 1e9) > SETTLED_SECONDS

    def _list(self) -> dict[str, Pair]:
        found: dict[str, Pair] = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if len(found) >= MAX_NAMES:
                    break
                folder = entry.is_dir()
                name = entry.name.lower() if folder else entry.name.lower().removesuffix(".pem")
                if (folder or entry.name.lower().endswith(".pem")) and _NAME.match(name):
                    here = self._path / entry.name
                    pair = Pair(here / "fullchain.pem", here / "privkey.pem") if folder else Pair(here, here)
                    found["*" + name[1:] if name.startswith("_.") else name] = pair
        return found
