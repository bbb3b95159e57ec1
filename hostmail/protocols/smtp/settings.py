"""What an operator decides about one SMTP listener."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """One listener's rules and limits (LIMITS.md).

    `protocol` is smtp, submission or submissions. `require_auth` demands a login, or a relay grant, before MAIL (RFC 6409 4.3).
    `allow_plaintext_login` False offers AUTH over TLS only (BEHAVIOURS B2). `implicit_tls`: the transport is TLS from the start.
    """

    hostname: str
    message_size_limit: int = 15 * 1024 * 1024
    require_auth: bool = False
    allow_plaintext_login: bool = True
    protocol: str = "smtp"
    implicit_tls: bool = False
    idle_seconds: float = 300.0
    data_idle_seconds: float = 180.0
    command_line_octets: int = 2_048
    auth_line_octets: int = 12_288
    max_recipients: int = 1_000
    max_recipients_unauthenticated: int = 100
    max_messages: int = 1_000
    errors_before_delay: int = 20
    error_delay_seconds: float = 1.0
    max_errors: int = 50
    max_relaying_refusals: int = 5
    max_failed_logins: int = 5
