"""Certificates and settings that change while the service runs (A5): by server name, replaced on disk, by SIGHUP."""

from __future__ import annotations

import imaplib
import shutil
import signal
import smtplib
import socket
import ssl
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.journeys.base import SECONDS, trusting, until
from tests.listen.certs import pems, place
from tests.support.appliance import Appliance
from tests.support.raw import Raw
from tests.support.shared import Shared


def shown(port: int, name: str | None, starttls: bool = False) -> str:
    """The certificate a client sees that asks for this name, as PEM."""
    context = trusting()
    with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
        if starttls:
            for command in (b"", b"EHLO relay.test\r\n", b"STARTTLS\r\n"):
                plain.sendall(command)
                plain.recv(65536)
        with context.wrap_socket(plain, server_hostname=name) as secure:
            der = secure.getpeercert(True)
    assert der is not None
    return ssl.DER_cert_to_PEM_cert(der).strip()


class CertificateTests(Shared):
    """tls.certificate, tls.directory, replacement and SIGHUP (A5)."""

    here: ClassVar[Appliance]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.here = here = Appliance("tls: {certificate: FOLDER/default.pem, directory: FOLDER/certs}\n")
        here.config.write_text(here.config.read_text().replace("FOLDER", str(here.folder)))
        place(here.folder / "default.pem", "mail.example.test")
        place(here.folder / "certs" / "mail.one.test.pem", "mail.one.test")
        chain, key = pems("mail.two.test")
        two = here.folder / "certs" / "mail.two.test"
        two.mkdir()
        (two / "fullchain.pem").write_bytes(chain)
        (two / "privkey.pem").write_bytes(key)
        (here.folder / "certs" / "mail.four.test.pem").write_text("nothing of the kind")
        here.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.here.stop()
        shutil.rmtree(cls.here.folder, ignore_errors=True)
        super().tearDownClass()

    def in_file(self, *names: str) -> str:
        text = Path(self.here.folder, *names).read_text()
        return text[: text.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----"

    def test_by_server_name(self) -> None:
        """Each name gets its own, on implicit TLS and STARTTLS alike; any other name, and none, the default."""
        wanted = {
            "mail.one.test": self.in_file("certs", "mail.one.test.pem"),
            "MAIL.TWO.TEST": self.in_file("certs", "mail.two.test", "fullchain.pem"),
            "mail.three.test": self.in_file("default.pem"),
            None: self.in_file("default.pem"),
        }
        for name, certificate in wanted.items():
            for service in ("imaps", "pop3s", "submissions"):
                self.assertEqual(shown(self.here.ports[service], name), certificate, (service, name))
            for service in ("smtp", "submission"):
                self.assertEqual(shown(self.here.ports[service], name, True), certificate, (service, name))

    def test_the_log(self) -> None:
        """The log says at start, and every day, which certificates have to be replaced."""
        until(lambda: "certificate_to_replace: mail.four.test, " in self.here.text(), self.here.text)

    def test_a_client_that_checks(self) -> None:
        """The handshake holds for a client that trusts this certificate and insists on the name."""
        context = ssl.create_default_context(cadata=self.in_file("certs", "mail.one.test.pem"))
        there = ("127.0.0.1", self.here.ports["imaps"])
        with (
            socket.create_connection(there, SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="mail.one.test") as secure,
        ):
            self.assertIn(secure.version(), ("TLSv1.2", "TLSv1.3"))
            self.assertTrue(secure.recv(100).startswith(b"* OK"))
        with socket.create_connection(there, SECONDS) as plain, self.assertRaises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="mail.two.test")

    def test_a_replaced_certificate(self) -> None:
        """A handshake a second later shows it, without any signal; a broken one is not used, and the log says so."""
        port = self.here.ports["imaps"]
        for file, name in (("default.pem", None), ("certs/mail.one.test.pem", "mail.one.test")):
            old = shown(port, name)
            place(self.here.folder / file, name or "mail.example.test")
            fresh = self.in_file(file)
            self.assertNotEqual(old, fresh)
            until(lambda name=name, fresh=fresh: shown(port, name) == fresh, self.here.text)  # type: ignore[misc]
        (self.here.folder / "certs" / "mail.one.test.pem").write_text("nothing useful\n")
        self.assertEqual(shown(port, name), fresh)
        until(lambda: bool(shown(port, name)) and "certificate_kept" in self.here.text(), self.here.text)
        place(self.here.folder / "certs" / "mail.one.test.pem", "mail.one.test")

    def test_an_added_certificate(self) -> None:
        """A name that comes to the folder is served without a restart, at once or a second later."""
        port = self.here.ports["pop3s"]
        shown(port, "mail.four.test")
        place(self.here.folder / "certs" / "mail.four.test.pem", "mail.four.test")
        fresh = self.in_file("certs/mail.four.test.pem")
        until(lambda: shown(port, "mail.four.test") == fresh, self.here.text)

    def test_a_replaced_certificate_and_a_signal(self) -> None:
        """SIGHUP: the very next handshake shows it."""
        ports = (self.here.ports["imaps"], self.here.ports["pop3s"])
        for file, name in (("default.pem", None), ("certs/mail.one.test.pem", "mail.one.test")):
            place(self.here.folder / file, name or "mail.example.test")
            shown(ports[0], name)
            place(self.here.folder / file, name or "mail.example.test")
            before = len(self.here.text())
            self.here.signal(signal.SIGHUP)
            until(lambda before=before: "reloaded" in self.here.text()[before:], self.here.text)  # type: ignore[misc]
            self.assertEqual({shown(port, name) for port in ports}, {self.in_file(file)})

    def test_reload(self) -> None:
        """SIGHUP: the log says that it was done, and sessions stay."""
        client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=SECONDS)
        before = len(self.here.text())
        self.here.signal(signal.SIGHUP)
        until(lambda: "reloaded" in self.here.text()[before:], self.here.text)
        self.assertEqual(client.noop()[0], "OK")
        client.logout()

    def test_reload_of_a_broken_configuration(self) -> None:
        """The old settings stay, and the log names file, line and key."""
        good = self.here.config.read_text()
        before = self.here.text()
        self.here.config.write_text(good + "relay_windo: 5m\n")
        try:
            self.here.signal(signal.SIGHUP)
            until(lambda: "relay_windo" in self.here.text()[len(before) :], self.here.text)
        finally:
            self.here.config.write_text(good)
        with Raw(self.here.ports["smtp"]) as talk:
            self.assertIn(b"mail.example.test", talk.greeting)


class ReloadTests(SynchronousTestCase):
    def test_settings_that_change_while_running(self) -> None:
        """SIGHUP: what README names (here the size limit) counts for the next session, and the log names what changed."""
        here = Appliance()
        self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
        self.addCleanup(here.stop)
        here.start()

        def announced() -> str:
            with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=SECONDS) as client:
                client.ehlo("relay.test")
                return client.esmtp_features["size"]

        self.assertEqual(announced(), str(15 << 20))
        here.config.write_text(here.config.read_text() + "message_size_limit: 1M\n")
        here.signal(signal.SIGHUP)
        until(lambda: "message_size_limit" in here.text(), here.text)
        self.assertEqual(announced(), str(1 << 20))
