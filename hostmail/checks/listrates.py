"""How much mailing lists send, and how often strangers may have them write: one member must not ruin our name (E3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

from hostmail.checks.counts import Counts

MOST_NOTICES = 10
REMINDER_HOURS = 20


class ListRates:
    """Counts each list's posts and their recipients, to the nearest five minutes, in the file of `SendingRates`; all processes share it.

    Each raises TemporaryFailure if the counters cannot be read. `now` is Unix time.
    """

    def __init__(
        self,
        *,
        path: Path,
        now: Callable[[], float],
        posts_per_hour: int,
        recipients_per_day: int,
        requests_per_ip: int,
    ) -> None:
        self._counts = Counts(path=path, now=now)
        self._posts = posts_per_hour
        self._recipients = recipients_per_day
        self._requests = requests_per_ip

    def excess(self, list_id: int, recipients: int) -> str:
        """Which limit a post to so many would be over, in words; "" if none. One larger than a day's alone may go if it is the first."""
        with self._counts.writing() as counting:
            posts = counting.sum(f"list {list_id}", 1)
            today = counting.sum(f"list recipients {list_id}", 24)
        if posts >= self._posts:
            return f"{posts} posts went out within an hour"
        over = today and today + recipients > self._recipients
        return f"posts went to {today} recipients within a day" if over else ""

    def sent(self, list_id: int, recipients: int) -> None:
        """One post more went out."""
        with self._counts.writing() as counting:
            counting.add(f"list {list_id}")
            counting.add(f"list recipients {list_id}", recipients)

    def may_notify(self, list_id: int) -> bool:
        """Whether the owners are written to about one held post, and not only with the next reminder: ten times a day."""
        return self._claim(f"list notices {list_id}", MOST_NOTICES, 24)

    def may_remind(self, list_id: int) -> bool:
        """Once a day, whoever asks."""
        return self._claim(f"list reminder {list_id}", 1, REMINDER_HOURS)

    def may_ask(self, ip: str) -> bool:
        """Whether a client (IPv6: one /64) may have lists write to somebody once more within the hour; those of our own always."""
        network = _network(ip)
        return not network or self._claim(f"list requests {network}", self._requests, 1)

    def _claim(self, key: str, most: int, hours: int) -> bool:
        with self._counts.writing() as counting:
            if counting.sum(key, hours) >= most:
                return False
            counting.add(key)
        return True

    def close(self) -> None:
        """Close the file."""
        self._counts.close()


def _network(ip: str) -> str:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 32 if address.version == 4 else 64), strict=False))
