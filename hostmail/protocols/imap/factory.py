"""Twisted's factory for IMAP listeners."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from hostmail.protocols.imap.server import HostmailIMAP4
from hostmail.protocols.imap.settings import ImapSettings
from hostmail.protocols.imap.watch import FolderWatch


class HostmailIMAP4Factory(ServerFactory):
    """Makes one `HostmailIMAP4` a connection, around the one portal. All listeners of a process share one `FolderWatch`."""

    noisy = False
    protocol = HostmailIMAP4

    def __init__(
        self,
        *,
        portal: Any,
        sessions: Any,
        clock: Any,
        watch: FolderWatch,
        settings: ImapSettings,
        tls_context: Any = None,
    ) -> None:
        self.portal = portal
        self.sessions = sessions
        self.clock = clock
        self.watch = watch
        self.settings = settings
        self.tls_context = tls_context

    def buildProtocol(self, addr: IAddress | None) -> HostmailIMAP4:
        """A new session."""
        return HostmailIMAP4(self)
