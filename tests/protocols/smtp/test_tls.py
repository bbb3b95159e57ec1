"""STARTTLS over a real socket: what is injected in plaintext is never run inside TLS."""

from __future__ import annotations

import datetime
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from hostmail.protocols.smtp.factory import HostmailSMTPFactory
from tests.protocols.smtp.talk import SETTINGS, CheckedPortal, Checker, Intake, Realm
from tests.support.wire import OpenSessions


def self_signed() -> bytes:
    """A certificate for localhost with its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem) + private


def read_reply(connection: socket.socket) -> bytes:
    """One whole reply."""
    heard = b""
    while not heard.endswith(b"\r\n") or heard.splitlines()[-1][3:4] == b"-":
        octets = connection.recv(4096)
        if not octets:
            break
        heard += octets
    return heard


def attack(port: int) -> tuple[bytes, bytes, str]:
    """STARTTLS and a MAIL in one segment, then a NOOP inside TLS: the answers to STARTTLS and NOOP, and the version."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        read_reply(plain)
        plain.sendall(b"EHLO x\r\n")
        read_reply(plain)
        plain.sendall(b"STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
        ready = read_reply(plain)
        with context.wrap_socket(plain) as secret:
            secret.sendall(b"NOOP\r\n")
            answer = read_reply(secret)
            secret.sendall(b"QUIT\r\n")
            read_reply(secret)
            return ready, answer, str(secret.version())


def send(port: int) -> dict[str, tuple[int, bytes]]:
    """What the standard library's client does to submit a message; the recipients refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=10) as client:
        client.starttls(context=context)
        client.login("ann@example.com", "sekrit")
        recipients = ["x@elsewhere.example", "nobody@example.com"]
        return client.sendmail("ann@example.com", recipients, "Subject: hi\n\n.dot\n")


class RealSocketTests(TestCase):
    timeout = 30

    async def talk(self, client: Callable[[int], Any]) -> Any:
        """Run `client` in a thread against a listening server; its result once the session has ended."""
        self.intake, self.peers, gone = Intake(), [], Deferred()
        sessions = OpenSessions()
        leave = sessions.leave

        def left(session):
            self.peers.append(session.peer)
            leave(session)
            gone.callback(None)

        sessions.leave = left
        pem = Path(self.mktemp())
        pem.write_bytes(self_signed())
        factory = HostmailSMTPFactory(
            portal=CheckedPortal(Realm(self.intake), Checker()),
            intake=self.intake,
            sessions=sessions,
            clock=reactor,
            settings=replace(SETTINGS, allow_plaintext_login=False),
            tls_context=DefaultOpenSSLContextFactory(str(pem), str(pem)),
        )
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        try:
            result = await deferToThread(client, port.getHost().port)
            await gone
        finally:
            await port.stopListening()
        return result

    async def test_s01_starttls_injection_over_a_socket(self) -> None:
        """S1: inside TLS the first answer is the one to the client's own first command; the peer knows about TLS."""
        ready, answer, version = await self.talk(attack)
        self.assertEqual(ready, b"220 2.0.0 Ready to start TLS\r\n")
        self.assertEqual(answer, b"250 2.0.0 Ok\r\n")
        self.assertEqual(self.intake.asked, [])
        self.assertEqual((self.peers[0].tls, self.peers[0].tls_version), (True, version))

    async def test_a_real_client_submits_a_message(self) -> None:
        """B2, B3: STARTTLS, login and a message with one good recipient, as the standard library does it."""
        refused = await self.talk(send)
        self.assertEqual({who: code for who, (code, _) in refused.items()}, {"nobody@example.com": 550})
        (kept,) = self.intake.kept
        self.assertEqual((kept.state, kept.recipients), ("committed", ["x@elsewhere.example"]))
        self.assertEqual(kept.octets, b"Subject: hi\r\n\r\n.dot\r\n")
        self.assertEqual((self.peers[0].login, self.peers[0].esmtp), ("ann@example.com", True))
