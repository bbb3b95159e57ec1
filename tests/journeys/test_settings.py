"""Settings that change who may sign in and send, on a running service."""

from __future__ import annotations

import hashlib
import imaplib
import poplib
import socket
import ssl
from base64 import b64encode
from typing import Any

from tests.journeys.base import ANN, Journey, trusting, until
from tests.journeys.test_relaying import check_mail
from tests.support.appliance import PASSWORD


class Asking(imaplib.IMAP4_SSL):
    """IMAP over TLS with a server name of the test's choice."""

    def __init__(self, port: int, server_name: str) -> None:
        self._server_name = server_name
        super().__init__("127.0.0.1", port, ssl_context=trusting(), timeout=30)

    def _create_socket(self, timeout: Any) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        return self.ssl_context.wrap_socket(plain, server_hostname=self._server_name)


class SettingsJourney(Journey):
    """Two accounts of two domains: two grants from one address are too many; on the port for IMAP over TLS names need no domain."""

    accounts = (ANN, "carl@example.org")
    settings = (
        "shared_grants: refuse\nlimits: {grants_per_ip: 1, failed_login_delay: 0s}\n"
        "hide_capabilities: ['Stumble* QRESYNC COMPRESS=DEFLATE', 'carl@* NOTIFY']\n"
    )

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.here.stop()
        text, port = cls.here.config.read_text(), f'"tcp:{cls.here.ports["imaps"]}:interface=127.0.0.1"'
        cls.here.config.write_text(text.replace(port, f"{{endpoint: {port}, bare_names: server_name}}"))
        cls.here.start()

    def signs_in(self, login: str, server_name: str) -> str:
        """OK, or the words of the refusal, on the port where names need no domain."""
        client = Asking(self.here.ports["imaps"], server_name)
        try:
            return client.login(login, PASSWORD)[0]
        except imaplib.IMAP4.error as error:
            return str(error)
        finally:
            client.shutdown()

    def test_hidden_capabilities(self) -> None:
        """A program that stumbles is not offered what it stumbles over, nor is a person; everybody else is."""
        offered = set(self.imap().capability()[1][-1].split())
        self.assertLessEqual({b"QRESYNC", b"COMPRESS=DEFLATE", b"NOTIFY"}, offered)
        self.assertEqual(set(self.imap("carl@example.org").capability()[1][-1].split()), offered - {b"NOTIFY"})
        client = self.imap()
        client.xatom("ID", '("name" "Stumblebird" "version" "1")')
        self.assertEqual(set(client.capability()[1][-1].split()), offered - {b"QRESYNC", b"COMPRESS=DEFLATE"})

    def test_bare_names(self) -> None:
        """Whoever asks for a domain's own server name signs in without the domain there, and nowhere else (A4)."""
        self.assertEqual(self.signs_in("ann", "mail.example.test"), "OK")
        self.assertEqual(self.signs_in("carl", "example.org"), "OK")
        self.assertIn("not accepted", self.signs_in("carl", "mail.example.test"))
        self.assertIn("full mail address", self.signs_in("ann", "mail.elsewhere.test"))
        with self.assertRaisesRegex(poplib.error_proto, "full mail address"):
            self.pop3("ann")

    def test_shared_grants(self) -> None:
        """Where the operator says so, an address that too many share must log in to send (C6); the command says why."""
        source = "127.0.0.9"
        check_mail(self.here.ports["pop3"], source)
        self.assertEqual(self.relays(source), 250)
        check_mail(self.here.ports["pop3"], source, "carl@example.org")
        self.assertEqual(self.relays(source), 550)
        self.assertIn("2 accounts share it", self.here.command("relay", "why", source).stdout)

    def test_imported_again(self) -> None:
        """A list with hashes of another system is imported, people sign in, and importing it again changes nothing (A7)."""
        digest = hashlib.sha1(PASSWORD.encode() + b"salt").digest() + b"salt"
        people = self.here.folder / "moved.csv"
        stored = f"{{SSHA}}{b64encode(digest).decode()}"
        people.write_text(
            f"\ufeffaddress,password,quota\r\ndora@example.test,{stored},20M\r\n", encoding="utf-8", newline=""
        )
        told = [self.here.json("account", "import", str(people), *more) for more in (["--dry-run"], [], [])]
        self.assertEqual([(one["created"], one["unchanged"]) for one in told], [(1, 0), (1, 0), (0, 1)])
        self.pop3("dora@example.test").quit()
        until(lambda: "password_hash_upgraded: dora@example.test" in self.here.text(), self.here.text)
        told = [self.here.json("account", "import", str(people), *more) for more in (["--dry-run"], [])]
        self.assertEqual([(one["updated"], one["unchanged"]) for one in told], [(0, 1), (0, 1)])
        self.pop3("dora@example.test").quit()

    def relays(self, source: str) -> int:
        """The reply to a recipient elsewhere."""
        with self.smtp(source) as client:
            client.helo("client.test")
            client.mail("ann@example.test")
            return client.rcpt("someone@elsewhere.test")[0]
