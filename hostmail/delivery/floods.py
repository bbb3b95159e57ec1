"""So that what one stranger is refused does not fill the history."""

from __future__ import annotations

from collections import Counter

from hostmail.address import client_network

MOST_AN_HOUR = 1_000
MOST_CLIENTS = 10_000
_HOUR = 3600.0


class Floods:
    """Counts the refusals of each client, by the hour of Unix time."""

    def __init__(self) -> None:
        self._hour = 0.0
        self._refused: Counter[str] = Counter()

    def count(self, ip: str, now: float) -> int:
        """One more: how many are left to this client. Who has no IP address is not counted."""
        client = client_network(ip)
        if now // _HOUR != self._hour or len(self._refused) >= MOST_CLIENTS:
            self._hour = now // _HOUR
            self._refused.clear()
        self._refused[client] += 1
        return MOST_AN_HOUR - self._refused[client] if client else MOST_AN_HOUR
