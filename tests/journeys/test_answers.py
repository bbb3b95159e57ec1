"""Mail that comes back, over real sockets: bounces of forwarded mail (E1), and what autoresponders say (E4)."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import ClassVar

from tests.journeys.base import ANN, letter, until
from tests.journeys.test_outward import Outward
from tests.support.remote import Remote, Taken

CARL, BOB = "carl@far.test", "bob@example.test"
INFO = "info@example.test"


class AnswersTests(Outward):
    """The next server takes and refuses as the test tells it, and is where Carl is."""

    accounts = (ANN, BOB)
    far: ClassVar[Remote]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.far = Remote(port=cls.far_port)
        cls.far.open()
        text = cls.here.folder / "away"
        text.write_text("I am away.\n")
        cls.here.command("forward", "add", INFO, "eve@far.test")
        cls.here.command("autoreply", "set", BOB, "--subject", "Away", "--text-file", str(text))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.far.close()
        super().tearDownClass()

    def tearDown(self) -> None:
        self.far.answers.clear()
        self.far.taken.clear()

    def comes(self, count: int = 1) -> list[Taken]:
        """What the next server has taken, as soon as there is so much."""
        until(lambda: len(self.far.taken) >= count, self.story)
        return self.far.taken

    def send(self, sender: str, to: str, subject: str, *, header: dict[str, str] | None = None) -> None:
        """By SMTP, from outside."""
        message: EmailMessage = letter(subject, sender=sender or CARL, to=to)
        for name, value in (header or {}).items():
            message[name] = value
        with self.smtp() as client:
            client.send_message(message, sender, [to])

    def told(self, text: str) -> str:
        return self.here.command("trace", text).stdout

    def test_forward_refused(self) -> None:
        """A forward that the next server refuses comes back to the sender, who has never heard of that address of ours."""
        self.far.answers["RCPT eve@far.test"] = "550 5.1.1 no eve here"
        self.send(CARL, INFO, "to be refused", header={"Message-ID": "<refused@far.test>"})
        [report] = self.comes()
        self.assertEqual((report.mail[:12], report.recipients[0][:23]), ("MAIL FROM:<>", f"RCPT TO:<{CARL}>"))
        self.assertIn(
            b"<info@example.test>\r\n    550 5.1.1 the address to which this mail is forwarded", report.octets
        )
        self.assertNotIn(b"eve", report.octets)
        story = self.told("<refused@far.test>")
        self.assertIn(f"{INFO} leads to eve@far.test", story)
        self.assertIn("given up for eve@far.test: 550 5.1.1 mx.far.test said: 550 5.1.1 no eve here", story)

    def test_forward_bounced_later(self) -> None:
        """One that was taken and bounced comes back the same way, whatever case the address has got; twice is no loop."""
        self.send(CARL, INFO, "to be bounced")
        [forwarded] = self.comes()
        path = re.fullmatch(r"MAIL FROM:<(SRS0=\S+@example\.test)>.*", forwarded.mail)
        assert path is not None, forwarded.mail
        for address in (path[1], path[1].lower(), path[1].upper()):
            self.far.taken.clear()
            self.send("", address, "Undelivered")
            [bounce] = self.comes()
            self.assertEqual(bounce.mail[:12], "MAIL FROM:<>")
            self.assertEqual(bounce.recipients[0].split(">")[0].lower(), f"rcpt to:<{CARL}")
            self.assertIn(b"Subject: Undelivered", bounce.octets)
        forged = path[1].replace("=carl@", "=dora@")
        with self.smtp() as client:
            client.ehlo()
            client.mail("")
            self.assertEqual(client.rcpt(forged)[0], 550)

    def answer(self) -> Message:
        [taken] = self.comes()
        self.assertEqual((taken.mail[:12], taken.recipients[0]), ("MAIL FROM:<>", f"RCPT TO:<{CARL}>"))
        return message_from_bytes(taken.octets)

    def test_away(self) -> None:
        """Who writes to a mailbox has an answer, once; lists, machines and bounces have none, and nobody answers an answer."""
        self.send(CARL, BOB, "first", header={"Message-ID": "<first@far.test>"})
        answer = self.answer()
        self.assertEqual((answer["From"], answer["To"], answer["Subject"]), (BOB, CARL, "Away"))
        self.assertEqual((answer["In-Reply-To"], answer["Auto-Submitted"]), ("<first@far.test>", "auto-replied"))
        self.assertIn("answered automatically", self.told("<first@far.test>"))
        self.send(CARL, BOB, "second")
        self.send("dora@far.test", BOB, "a list", header={"List-Id": "<x.far.test>"})
        self.send("list-bounces@far.test", BOB, "a machine")
        self.send("", BOB, "a bounce")
        self.send("eve@far.test", BOB, "an answer", header={"Auto-Submitted": "auto-replied"})
        notes = re.compile(r"autoreply: .*: not answered: (.*)\n")
        until(lambda: len(notes.findall(self.here.text())) == 5, self.story)
        self.assertEqual(
            sorted(notes.findall(self.here.text())),
            [
                "from a mailing list",
                "null sender",
                "sent automatically",
                "sent by a machine",
                "this sender was answered before, or very many others lately",
            ],
        )
        self.assertEqual(len(self.far.taken), 1)
