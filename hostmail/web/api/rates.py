"""What a program is told of how many requests its token may make."""

from __future__ import annotations

import math

from hostmail.rates import WINDOW_SECONDS, Room


def rate_headers(room: Room) -> list[tuple[str, str]]:
    """For the answer (draft-ietf-httpapi-ratelimit-headers); Retry-After for who must wait."""
    seconds = math.ceil(room.wait if room.wait else WINDOW_SECONDS / room.limit)
    found = [
        ("ratelimit-policy", f'"token";q={room.limit};w={WINDOW_SECONDS:.0f}'),
        ("ratelimit", f'"token";r={room.left};t={seconds}'),
    ]
    return [*found, ("retry-after", str(math.ceil(room.wait)))] if room.wait else found
