"""When to try again, when to warn, when to give up (RFC 5321 4.5.4.1): pure arithmetic over Unix times."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

FIRST_DELAYS = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE)
LATER_DELAY = 1 * HOUR
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds: how long mail is tried, how long mail with the null sender is, and when its sender hears of a delay (None: never)."""

    lifetime: float = 5 * DAY
    bounce_lifetime: float = 2 * DAY
    warn_after: float | None = 4 * HOUR

    def deadline(self, created: float, sender: str) -> float:
        """When a message is given up; mail with the null sender earlier, for nobody waits for it."""
        return created + (self.lifetime if sender else min(self.bounce_lifetime, self.lifetime))

    def next_attempt(self, attempts: int, created: float, sender: str, now: float, chance: float) -> float | None:
        """When to try again after the `attempts`-th failure, None to give up.

        `chance` (0 to 1) spreads what failed together by a tenth either way. The last attempt falls on the deadline itself.
        """
        end = self.deadline(created, sender)
        if now >= end:
            return None
        delay = FIRST_DELAYS[attempts - 1] if 1 <= attempts <= len(FIRST_DELAYS) else LATER_DELAY
        return min(now + delay * (1 + JITTER * (2 * chance - 1)), end)

    def should_warn(self, created: float, sender: str, now: float, warned: bool) -> bool:
        """Whether the sender should hear that the message is delayed: once (C9)."""
        return bool(sender) and not warned and self.warn_after is not None and now >= created + self.warn_after
