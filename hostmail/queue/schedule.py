"""When to try again, when to warn, when to give up (RFC 5321 4.5.4.1): pure arithmetic over Unix times."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

FIRST_DELAYS = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE)
LATER_DELAY = 1 * HOUR
JITTER = 0.1
LIFETIME = 5 * DAY
BOUNCE_LIFETIME = 2 * DAY
WARN_AFTER = 4 * HOUR


def deadline(created: float, sender: str) -> float:
    """When a message is given up; mail with the null sender earlier, for nobody waits for it."""
    return created + (LIFETIME if sender else BOUNCE_LIFETIME)


def next_attempt(attempts: int, created: float, sender: str, now: float, chance: float) -> float | None:
    """When to try again after the `attempts`-th failure, None to give up.

    `chance` (0 to 1) spreads what failed together by a tenth either way. The last attempt falls on the deadline itself.
    """
    end = deadline(created, sender)
    if now >= end:
        return None
    delay = FIRST_DELAYS[attempts - 1] if 1 <= attempts <= len(FIRST_DELAYS) else LATER_DELAY
    return min(now + delay * (1 + JITTER * (2 * chance - 1)), end)


def should_warn(created: float, sender: str, now: float, warned: bool) -> bool:
    """Whether the sender should hear that the message is delayed: once, after four hours (C9)."""
    return bool(sender) and not warned and now >= created + WARN_AFTER
