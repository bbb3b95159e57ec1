"""Makes the sessions of one SMTP listener."""

from __future__ import annotations

from typing import Any

from twisted.mail import smtp

from hostmail.protocols.smtp.session import HostmailESMTP
from hostmail.protocols.smtp.settings import SmtpSettings


class HostmailSMTPFactory(smtp.SMTPFactory):
    """One listener's sessions.

    `tls_context` is what `startTLS` takes, None to offer no STARTTLS; with `settings.implicit_tls` the endpoint brings TLS itself.
    """

    noisy = False
    protocol: Any = HostmailESMTP

    def __init__(
        self,
        *,
        portal: Any,
        intake: Any,
        sessions: Any,
        clock: Any,
        settings: SmtpSettings,
        tls_context: Any = None,
    ) -> None:
        super().__init__(portal)
        self.intake, self.sessions, self.clock = intake, sessions, clock
        self.settings = settings
        self.tls_context = tls_context
        self.domain = settings.hostname.encode("ascii")
        self.timeout = int(settings.idle_seconds)

    def buildProtocol(self, addr: Any) -> HostmailESMTP:
        """A session for a new connection."""
        session = HostmailESMTP(
            portal=self.portal,
            intake=self.intake,
            sessions=self.sessions,
            clock=self.clock,
            settings=self.settings,
            tls_context=self.tls_context,
        )
        session.factory = self
        return session
