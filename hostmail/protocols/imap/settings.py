"""What an IMAP listener is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from hostmail.protocols.imap.limits import CommandLimits


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """One listener's settings; the numbers are LIMITS.md's.

    `hidden` are patterns for a client's name or login, each with capabilities that it is not offered.
    """

    hostname: str
    protocol: str = "imap"
    implicit_tls: bool = False
    allow_plaintext_login: bool = True
    unauthenticated_seconds: float = 180.0
    idle_seconds: float = 1800.0
    keepalive_seconds: float = 120.0
    bad_commands: int = 20
    failed_logins: int = 5
    limits: CommandLimits = field(default_factory=CommandLimits)
    hidden: tuple[tuple[str, frozenset[str]], ...] = ()
