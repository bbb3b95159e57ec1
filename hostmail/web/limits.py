"""What one HTTP peer may send, and for how long (LIMITS, Panel)."""

from __future__ import annotations

KIB, MIB = 1024, 1024 * 1024

BODY_OCTETS, UPLOAD_OCTETS = 64 * KIB, 20 * MIB
FIELDS = 100
LINE_OCTETS, HEADER_OCTETS, HEADER_FIELDS = 8 * KIB, 16 * KIB, 60
REQUESTS_PER_CONNECTION = 1_000

HEADER_SECONDS = 20.0
"""From the first octet of a request, or from the connection, until its last header: however many octets trickle in."""

BODY_SECONDS, UPLOAD_SECONDS = 60.0, 900.0
IDLE_SECONDS = 15.0
"""Between two requests. It is short: browsers open a new connection without anybody noticing."""

SENDING_SECONDS = 120.0
"""For the peer to take an answer after which the connection ends."""

FAREWELL_SECONDS = 1.0
"""For the peer to agree to the end while nothing is under way: browsers leave idle connections as they are, and the service has to stop."""
