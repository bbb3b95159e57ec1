"""Mail to other people's servers, found in the DNS: another hostmail, and Debian's Postfix, both ways (C9)."""

from __future__ import annotations

import email
import poplib
import shutil
import smtplib
from email.message import Message
from typing import ClassVar

from flufl.bounce import all_failures

from tests.journeys.base import ANN, Journey, letter, until
from tests.support.appliance import PASSWORD, Appliance, free_ports
from tests.support.postfix import Postfix
from tests.support.zone import Zone

DORA = "dora@far.test"
MUCH = "".join(f"{'.' * (number % 3)}line {number}, gr\u00fcn\n" for number in range(60_000))
OUTWARD = """\
direct_delivery: yes
private_addresses: allow
mx_port: {port}
dns: {{servers: ["127.0.0.1:{dns}"]}}
"""


class Outward(Journey):
    """Here is example.test, whose MX is looked up in a zone of the test's."""

    accounts = (ANN,)
    zone: ClassVar[Zone]
    far_port: ClassVar[int]

    @classmethod
    def setUpClass(cls) -> None:
        cls.zone = Zone()
        cls.zone.open()
        cls.far_port = free_ports(1)[0]
        for domain in ("far.test", "example.test"):
            cls.zone.mx(domain, f"10 mx.{domain}")
            cls.zone.add(f"mx.{domain}", "A", "127.0.0.1")
        cls.settings = OUTWARD.format(port=cls.far_port, dns=cls.zone.port)
        super().setUpClass()
        cls.here.command("catchall", "set", "example.test", "--refuse")

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.zone.close()

    def submit(
        self, subject: str, *to: str, options: tuple[str, ...] = (), body: str = "Gr\u00fc\u00dfe.\n.dot\n"
    ) -> None:
        """Ann sends 8-bit text."""
        message = letter(subject, body, sender=ANN, to=", ".join(to))
        message.replace_header("Content-Transfer-Encoding", "8bit")
        message.set_payload(body.encode())
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(ANN, PASSWORD)
            octets = b"\r\n".join(message.as_bytes().split(b"\n"))
            client.sendmail(ANN, list(to), octets, mail_options=["BODY=8BITMIME"], rcpt_options=list(options))

    def letters(self, there: Appliance, login: str) -> list[Message]:
        """What is in somebody's INBOX."""
        client = poplib.POP3("127.0.0.1", there.ports["pop3"], timeout=30)
        client.user(login)
        client.pass_(PASSWORD)
        count = client.stat()[0]
        found = [email.message_from_bytes(b"\r\n".join(client.retr(i + 1)[1]) + b"\r\n") for i in range(count)]
        client.quit()
        return found

    def story(self) -> str:
        """What the log says of mail."""
        lines = self.here.text().splitlines()
        return "\n".join(line for line in lines if "logged in" not in line)[-4000:]

    def arrives(self, there: Appliance, login: str, words: str) -> Message:
        """The message with those words, once it is there."""
        found: list[Message] = []

        def there_it_is() -> bool:
            found[:] = [each for each in self.letters(there, login) if words in each.as_string()]
            return bool(found)

        until(there_it_is, self.story)
        return found[0]


class HostmailTests(Outward):
    """The next server is one of ours."""

    there: ClassVar[Appliance]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.there = Appliance(OUTWARD.format(port=cls.here.ports["smtp"], dns=cls.zone.port))
        text = cls.there.config.read_text().replace("mail.example.test", "mx.far.test")
        cls.there.config.write_text(text.replace(f"tcp:{cls.there.ports['smtp']}:", f"tcp:{cls.far_port}:"))
        cls.there.ports["smtp"] = cls.far_port
        cls.there.start()
        cls.there.add(DORA)
        cls.there.command("catchall", "set", "far.test", "--refuse")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.there.stop()
        shutil.rmtree(cls.there.folder, ignore_errors=True)
        super().tearDownClass()

    def test_there_and_back(self) -> None:
        """A letter finds its way by the DNS, through TLS, and so does the answer."""
        self.submit("hello", DORA)
        message = self.arrives(self.there, DORA, "hello")
        self.assertEqual(message.get_payload(decode=True), "Gr\u00fc\u00dfe.\r\n.dot\r\n".encode())
        received = message.get_all("Received", [])
        self.assertEqual(len(received), 2)
        self.assertIn("ESMTPS", received[0])
        with smtplib.SMTP("127.0.0.1", self.there.ports["submission"], timeout=30) as client:
            client.login(DORA, PASSWORD)
            client.send_message(letter("thanks", sender=DORA, to=ANN))
        self.arrives(self.here, ANN, "thanks")

    def test_large(self) -> None:
        """A letter of many chunks arrives as it was sent, dots and all (RFC 3030)."""
        self.submit("so much", DORA, body=MUCH)
        message = self.arrives(self.there, DORA, "so much")
        self.assertEqual(message.get_payload(decode=True), MUCH.replace("\n", "\r\n").encode())

    def test_unknown(self) -> None:
        """What the other server refuses comes back with its words."""
        self.submit("lost", "nobody@far.test")
        report = self.arrives(self.here, ANN, "<nobody@far.test>")
        self.assertIn("550 5.1.1", report.as_string())
        self.assertIn("mx.far.test said", report.as_string())

    def test_no_such_domain(self) -> None:
        """A domain that does not exist is told at once."""
        self.submit("nowhere", "bob@missing.test")
        self.arrives(self.here, ANN, "missing.test does not exist")

    def test_our_own_fault(self) -> None:
        """A domain whose MX is this server, but which it does not know, comes back instead of going in circles."""
        self.zone.mx("stray.test", "10 mail.example.test")
        self.zone.add("mail.example.test", "A", "127.0.0.1")
        self.submit("stray", "bob@stray.test")
        self.arrives(self.here, ANN, "would come back to this server")


class PostfixTests(Outward):
    """The next server is Debian's Postfix, which sends mail for example.test here."""

    there: ClassVar[Postfix]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.there = Postfix(cls.far_port, "far.test", ("dora",), {"example.test": cls.here.ports["smtp"]})
        cls.there.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.there.stop()
        super().tearDownClass()

    def comes_to_dora(self, subject: str) -> bytes:
        """What Postfix keeps for her."""
        found: list[bytes] = []

        def there_it_is() -> bool:
            found[:] = [each for each in self.there.letters("dora") if subject.encode() in each]
            return bool(found)

        until(there_it_is, lambda: self.story() + self.there.text()[-3000:])
        return found[0]

    def test_there(self) -> None:
        """A letter reaches Postfix whole, and its report of success reaches the sender (RFC 3461)."""
        self.submit("to postfix", DORA, options=("NOTIFY=SUCCESS,FAILURE",))
        self.assertTrue(self.comes_to_dora("to postfix").endswith("\n\nGr\u00fc\u00dfe.\n.dot\n".encode()))
        report = self.arrives(self.here, ANN, "Action: delivered")
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertIn("mx.far.test", report.as_string())

    def test_large(self) -> None:
        """A letter of many chunks arrives as it was sent, dots and all; Postfix counts them (RFC 3030)."""
        self.submit("so much", DORA, body=MUCH)
        self.assertTrue(self.comes_to_dora("so much").endswith(f"\n\n{MUCH}".encode()))
        until(lambda: "bdat=" in self.there.text(), self.there.text)

    def test_unknown_there(self) -> None:
        """Whom Postfix does not know, the sender hears of."""
        self.submit("lost", "nobody@far.test", DORA)
        self.comes_to_dora("Subject: lost")
        report = self.arrives(self.here, ANN, "<nobody@far.test>")
        self.assertIn("550 5.1.1", report.as_string())

    def test_from_there(self) -> None:
        """Postfix's mail reaches our users; whom we do not know, it tells its own sender in our words."""
        with smtplib.SMTP("127.0.0.1", self.far_port, timeout=30) as client:
            client.send_message(letter("from postfix", sender=DORA, to=ANN))
            client.send_message(letter("astray", sender=DORA, to="nobody@example.test"))
        self.arrives(self.here, ANN, "from postfix")
        bounce = self.comes_to_dora("Undelivered Mail")
        self.assertIn(b"550", bounce)
        self.assertIn(b"5.1.1", bounce)
        self.assertEqual(all_failures(email.message_from_bytes(bounce))[1], {b"nobody@example.test"})

    def test_forwarded_and_back(self) -> None:
        """Postfix refuses what we forward for somebody: our report finds its way to the sender there, and tells the address he knows."""
        self.here.command("forward", "add", "fred@example.test", "gone@far.test")
        with smtplib.SMTP("127.0.0.1", self.far_port, timeout=30) as client:
            client.send_message(letter("to be forwarded", sender=DORA, to="fred@example.test"))
        report = email.message_from_bytes(self.comes_to_dora("could not be delivered"))
        self.assertEqual(report["Return-Path"], "<>")
        self.assertEqual(all_failures(report), (set(), {b"fred@example.test"}))
        status = report.get_payload(1)
        assert isinstance(status, Message)
        self.assertIn("Final-Recipient: rfc822; fred@example.test", status.as_string())
        self.assertNotIn("gone@far.test", report.as_string())
