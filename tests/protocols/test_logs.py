"""Log events of sessions: the stage's name, and the peer as it was."""

from __future__ import annotations

import importlib
import pkgutil

from twisted.logger import Logger, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

import hostmail
from hostmail.envelope import Peer
from hostmail.protocols.imap.server import HostmailIMAP4
from hostmail.protocols.logs import StageLogger, shown
from hostmail.protocols.pop3.session import HostmailPOP3
from hostmail.protocols.smtp.session import HostmailESMTP

STAGES = ("delivery", "queue", "relay")


class Speaker:
    log = StageLogger(namespace="protocols.test")


class StageLoggerTests(SynchronousTestCase):
    def test_the_stage_is_named_from_classes_too(self):
        """The stock descriptor would name the class, and make a logger for every event."""
        speaker = Speaker()
        with capturedLogs() as events:
            speaker.log.info("something: {peer}", peer="x")
        self.assertEqual(events[0]["log_namespace"], "protocols.test")
        self.assertIs(speaker.log, speaker.log)

    def test_each_protocol_has_its_name(self):
        """The names of the folders are the names in the log."""
        for session in (HostmailESMTP, HostmailPOP3, HostmailIMAP4):
            self.assertTrue(session.log.namespace.startswith("protocols."), session)

    def test_workers_log_under_their_stage(self):
        """A module's logger is named like the folder it is in."""
        for stage in STAGES:
            for module in pkgutil.iter_modules([f"{hostmail.__path__[0]}/{stage}"], f"hostmail.{stage}."):
                log = getattr(importlib.import_module(module.name), "log", None)
                if isinstance(log, Logger):
                    self.assertEqual(log.namespace, stage)

    def test_a_peer_is_written_down_as_it_was(self):
        """An event formatted later still tells who it was then."""
        peer = Peer(ip="192.0.2.7", protocol="smtp", login="ann@example.com")
        event = {"log_format": "{peer}", "peer": shown(peer)}
        peer.login = ""
        self.assertEqual(formatEvent(event), "smtp 192.0.2.7 ann@example.com")
        self.assertEqual(shown(Peer(ip="", protocol="local")), "local local -")
