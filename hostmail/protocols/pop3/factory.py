"""Twisted's factory for POP3 listeners."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.mail.pop3 import IServerFactory
from zope.interface import implementer

from hostmail.protocols.pop3.session import HostmailPOP3
from hostmail.protocols.pop3.settings import Pop3Settings


@implementer(IServerFactory)
class HostmailPOP3Factory(ServerFactory):
    """Makes one `HostmailPOP3` a connection, around the one portal."""

    noisy = False
    protocol = HostmailPOP3

    def __init__(
        self, *, portal: Any, sessions: Any, clock: Any, settings: Pop3Settings, tls_context: Any = None
    ) -> None:
        self.portal = portal
        self.sessions = sessions
        self.clock = clock
        self.settings = settings
        self.tls_context = tls_context

    def buildProtocol(self, addr: IAddress | None) -> HostmailPOP3:
        """A new session."""
        session = HostmailPOP3(self.settings, self.portal, self.sessions, self.clock, self.tls_context)
        session.factory = self  # type: ignore[assignment]
        return session

    # What the stock interface asks of a factory, for code that reads it (RFC 2449).

    def cap_IMPLEMENTATION(self) -> str:
        """The name in CAPA."""
        return "hostmail"

    def cap_EXPIRE(self) -> int | str:
        """Mail left on the server stays."""
        return "NEVER"

    def cap_LOGIN_DELAY(self) -> int:
        """Polling is never limited (A8)."""
        return 0

    def perUserExpiration(self) -> bool:
        """One policy for all."""
        return False

    def perUserLoginDelay(self) -> bool:
        """None for anybody."""
        return False
