"""How much nonsense one session may send before it is slowed and dropped (BEHAVIOURS C8, LIMITS)."""

from __future__ import annotations

from hostmail.errors import LoginFailed, Overloaded, Refusal, RelayingProhibited, TemporaryFailure, TooMany
from hostmail.protocols.smtp.settings import SmtpSettings


class Budget:
    """Counts the errors that a client caused; faults and limits of ours cost it nothing."""

    __slots__ = ("_settings", "errors", "failed_logins", "relaying_refusals")

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self.errors = self.failed_logins = self.relaying_refusals = 0

    def spend(self, refusal: Refusal) -> None:
        """Count one refusal.

        Too many recipients is what RFC 5321 4.5.3.1.10 tells clients to expect, and is no error of theirs.
        """
        if isinstance(refusal, TemporaryFailure | Overloaded | TooMany):
            return
        self.errors += 1
        self.failed_logins += isinstance(refusal, LoginFailed)
        self.relaying_refusals += isinstance(refusal, RelayingProhibited)

    @property
    def delay_seconds(self) -> float:
        """How long the next command waits for its turn."""
        return self._settings.error_delay_seconds if self.errors >= self._settings.errors_before_delay else 0.0

    @property
    def exhausted(self) -> bool:
        """True if the session has to end now."""
        return (
            self.errors >= self._settings.max_errors
            or self.failed_logins >= self._settings.max_failed_logins
            or self.relaying_refusals >= self._settings.max_relaying_refusals
        )
