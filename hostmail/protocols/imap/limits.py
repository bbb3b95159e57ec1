"""How much of one IMAP command is read before it is refused.

The defaults are those of the limits table of the manual; a session gets its own copy, so that tests and operators can
set others.
"""

from __future__ import annotations

from dataclasses import dataclass

NESTING = 50
TOKENS = 8_000
SEQUENCE_SET_OCTETS = 16 * 1024


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """Sizes in octets of what one command may hold; `before_login_octets` is for all of it, literals included."""

    line_octets: int = 64 * 1024
    command_octets: int = 1024 * 1024
    literal_octets: int = 64 * 1024
    append_octets: int = 15 * 1024 * 1024
    before_login_octets: int = 64 * 1024
