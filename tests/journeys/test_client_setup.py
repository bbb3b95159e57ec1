"""Mail programs that set themselves up, letters in new mailboxes, help with the DNS: at a running service (F3, F6)."""

from __future__ import annotations

import http.client
import imaplib
import json
import plistlib
import poplib
import shutil
import smtplib
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, ClassVar
from unittest import skipUnless
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from tests.clientsetup.test_outlook import question
from tests.journeys.base import ANN, SECONDS, Journey, trusting
from tests.listen.certs import place
from tests.support.appliance import PASSWORD, Appliance
from tests.support.zone import Zone

OWN = "Subject: Hi {login}\n\nYour server is {server}.\n"


def letters(here: Appliance, login: str) -> list[EmailMessage]:
    """What is in a mailbox."""
    client = poplib.POP3("127.0.0.1", here.ports["pop3"], timeout=SECONDS)
    try:
        client.user(login)
        client.pass_(PASSWORD)
        count, _ = client.stat()
        found = [b"\r\n".join(client.retr(number)[1]) for number in range(1, count + 1)]
        return [message_from_bytes(octets, policy=policy.default) for octets in found]
    finally:
        client.quit()


class SetupJourney(Journey):
    """A server with a panel, a port for set-up, a name server of the test's, and a certificate for mail.example.test."""

    accounts = (ANN,)
    more = ("panel", "setup")
    zone: ClassVar[Zone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.zone = Zone()
        cls.zone.open()
        cls.settings = f"""\
welcome_mail: yes
dns: {{servers: ["127.0.0.1:{cls.zone.port}"]}}
tls: {{directory: certificates}}
client_server: mail.{{domain}}
"""
        super().setUpClass()
        place(cls.here.folder / "certificates" / "mail.example.test.pem", "mail.example.test", authority="An authority")
        cls.here.command("domain", "alias", "add", "example.net", "example.test")

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.zone.close()

    def ask(
        self, service: str, path: str, host: str = "mail.example.test", body: bytes | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """One request to the panel's port or to that for set-up."""
        port = self.here.ports[service]
        if service == "panel":
            line: Any = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=trusting())
        else:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        with_type = {"content-type": "text/xml"} if body is not None else {}
        line.request("GET" if body is None else "POST", path, body, {"host": host, **with_type})
        answer = line.getresponse()
        found = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        line.close()
        return found

    def test_a_program_sets_itself_up(self) -> None:
        """From address and password alone, as Thunderbird does it: it finds the file, and every server in it takes the login."""
        status, body, _ = self.ask("setup", f"/mail/config-v1.1.xml?emailaddress={ANN}", "autoconfig.example.test")
        self.assertEqual(status, 200)
        servers = [each for each in ElementTree.fromstring(body).iter() if each.tag.endswith("Server")]
        self.assertEqual(len(servers), 6)
        for each in servers:
            self.assertEqual(each.findtext("hostname"), "mail.example.test")
            login = (each.findtext("username") or "").replace("%EMAILADDRESS%", ANN)
            self.signs_in(each.get("type", ""), int(each.findtext("port", "0")), each.findtext("socketType", ""), login)

    def signs_in(self, kind: str, port: int, socket_type: str, login: str) -> None:
        at, implicit = ("127.0.0.1", port), socket_type == "SSL"
        if kind == "imap":
            imap = imaplib.IMAP4_SSL(*at, ssl_context=trusting()) if implicit else imaplib.IMAP4(*at)
            if not implicit:
                imap.starttls(trusting())
            imap.login(login, PASSWORD)
            imap.logout()
        elif kind == "pop3":
            pop = poplib.POP3_SSL(*at, context=trusting()) if implicit else poplib.POP3(*at)
            if not implicit:
                pop.stls(trusting())
            pop.user(login)
            pop.pass_(PASSWORD)
            pop.quit()
        else:
            smtp = smtplib.SMTP_SSL(*at, context=trusting()) if implicit else smtplib.SMTP(*at)
            if not implicit:
                smtp.starttls(context=trusting())
            smtp.login(login, PASSWORD)
            smtp.quit()

    def test_outlook(self) -> None:
        """It looks around without TLS, is led to the panel's port, and asks there."""
        path = "/autodiscover/autodiscover.xml"
        status, _, headers = self.ask("setup", path, "autodiscover.example.test")
        self.assertEqual(status, 302)
        self.assertTrue(headers["location"].endswith(f":{self.here.ports['panel']}{path}"), headers)
        _, body, _ = self.ask("panel", "/Autodiscover/Autodiscover.xml", body=question(ANN))
        self.assertIn(f"<LoginName>{ANN}</LoginName>".encode(), body)
        _, body, _ = self.ask("panel", f"/autodiscover/autodiscover.json?Email={ANN}&Protocol=AutodiscoverV1")
        self.assertEqual(json.loads(body)["Url"], headers["location"])

    def test_nobody_learns_who_is_there(self) -> None:
        """Somebody and nobody have the same answers; other domains have one, whichever they are."""
        for path in (
            "/mail/config-v1.1.xml?emailaddress={}",
            "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1&Email={}",
        ):
            answers = {self.ask("panel", path.format(each))[:2] for each in (ANN, "nobody@example.test")}
            self.assertEqual(len(answers), 1)
            others = {self.ask("panel", path.format(each))[:2] for each in ("a@elsewhere.test", "b@other.test")}
            self.assertEqual(others, {(404, b"There is nothing here.\n")})

    def test_alias_domain(self) -> None:
        """Set up by an address of it, a program signs in to the mailbox behind it (E6)."""
        _, body, _ = self.ask("setup", "/mail/config-v1.1.xml", "autoconfig.example.net")
        self.assertIn(b"%EMAILLOCALPART%@example.test", body)

    @skipUnless(shutil.which("openssl"), "openssl is not here")
    def test_profile(self) -> None:
        """Signed with the certificate for the server's name; openssl takes it apart again."""
        status, body, headers = self.ask("panel", f"/setup/apple.mobileconfig?address={ANN}")
        self.assertEqual((status, headers["content-type"]), (200, "application/x-apple-aspen-config"))
        command = ["openssl", "cms", "-verify", "-inform", "DER", "-noverify"]
        done = subprocess.run(command, input=body, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        [account] = plistlib.loads(done.stdout)["PayloadContent"]
        self.assertEqual(account["IncomingMailServerUsername"], ANN)

    def test_everything_else(self) -> None:
        """The plain port leads to the panel, and gives no profile away."""
        for path in ("/", "/login", f"/setup/apple.mobileconfig?address={ANN}"):
            self.assertEqual(self.ask("setup", path)[0], 302, path)

    def test_the_first_letter(self) -> None:
        """It is in the new mailbox when the account is there, and `trace` knows it."""
        [message] = letters(self.here, ANN)
        self.assertEqual(message["Subject"], f"Your mailbox {ANN}")
        self.assertIn("mail.example.test, port", message.get_content())
        facts = self.here.json("trace", ANN)
        self.assertIn("the letter that a new mailbox begins with", json.dumps(facts))

    def test_a_domain_s_own_letter(self) -> None:
        """It counts from the next account on; off means none; send puts it there later."""
        self.here.command("domain", "add", "two.test")
        self.here.command("welcome", "set", "two.test", "--file", "-", stdin=OWN)
        self.add("carl@two.test")
        [message] = letters(self.here, "carl@two.test")
        self.assertEqual(
            (message["Subject"], message.get_content().strip()), ("Hi carl@two.test", "Your server is mail.two.test.")
        )
        self.here.command("welcome", "off", "two.test")
        self.add("dora@two.test")
        self.assertEqual(letters(self.here, "dora@two.test"), [])
        self.here.command("welcome", "send", "dora@two.test")
        self.assertEqual(len(letters(self.here, "dora@two.test")), 1)
        self.assertIn("{login}", self.here.command("welcome", "show", "two.test").stdout)
        self.here.command("welcome", "set", "two.test", "--file", "-", stdin="Subject: x\n\n{logn}\n", expect=1)

    def add(self, address: str) -> None:
        self.here.command("account", "add", address, "--password-file", "-", stdin=PASSWORD + "\n")

    def test_client(self) -> None:
        """The steps for an account, to be printed; only who is there has them."""
        text = self.here.command("client", ANN).stdout
        self.assertIn(f"Setting up a mail program for {ANN}", text)
        self.assertIn(f"port {self.here.ports['imaps']}, SSL/TLS", text)
        self.here.command("client", "nobody@example.test", expect=1)

    def test_dns(self) -> None:
        """What is missing, until it is there: all that was said is done, line by line, and nothing is left to say."""
        self.zone.add("mail.example.test", "A", "127.0.0.1")
        told = self.here.command("dns", "check", "example.test", expect=4).stdout
        self.assertIn("example.test is not pointed here yet: it has no MX record", told)
        for line in self.here.json("dns", "records", "example.test")["zone"].splitlines():
            if line and not line.startswith(";"):
                name, _, _, kind, value = line.split(" ", 4)
                if name != "mail.example.test.":
                    self.zone.add(name.rstrip("."), kind, value)
        told = self.here.command("dns", "check", "example.test").stdout
        self.assertIn("mail for example.test comes to this server", told)
        self.assertNotIn("missing", told)


class StoppedTests(SynchronousTestCase):
    def test_without_a_service(self) -> None:
        """An account made while the service is stopped has its letter, too, and the same set-up is told."""
        here = Appliance("welcome_mail: yes\n")
        self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
        here.add(ANN)
        stopped = here.command("client", ANN).stdout
        here.start()
        self.addCleanup(here.stop)
        self.assertEqual([message["Subject"] for message in letters(here, ANN)], [f"Your mailbox {ANN}"])
        self.assertEqual(here.command("client", ANN).stdout, stopped)
