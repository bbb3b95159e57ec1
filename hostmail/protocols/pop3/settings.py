"""What a POP3 listener is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pop3Settings:
    """One listener's settings; the numbers are LIMITS.md's."""

    hostname: str
    protocol: str = "pop3"
    implicit_tls: bool = False
    allow_plaintext_login: bool = True
    idle_seconds: float = 600.0
    line_octets: int = 255
    bad_commands: int = 20
    failed_logins: int = 5
