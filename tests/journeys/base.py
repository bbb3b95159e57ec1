"""What journeys share: one appliance a class, clients of the standard library, a message."""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import shutil
import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.support.appliance import PASSWORD, Appliance
from tests.support.shared import Shared

SECONDS = 20.0
ANN, BOB = "ann@example.test", "bob@example.test"


def trusting() -> ssl.SSLContext:
    """Takes the self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def letter(
    subject: str, body: str = "Hello.\n.dot\n", sender: str = "carl@elsewhere.test", to: str = ANN
) -> EmailMessage:
    """A small message."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content(body)
    return message


def until(true: Callable[[], bool], words: Callable[[], str]) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(words())
        time.sleep(0.02)


def logs_in(here: Appliance, login: str, password: str = PASSWORD) -> dict[str, bool]:
    """Whether IMAP and SMTP take this login now."""
    found = {"imap": True, "smtp": True}
    client = imaplib.IMAP4("127.0.0.1", here.ports["imap"], timeout=SECONDS)
    try:
        client.login(login, password)
    except imaplib.IMAP4.error:
        found["imap"] = False
    finally:
        client.shutdown()
    with smtplib.SMTP("127.0.0.1", here.ports["submission"], timeout=SECONDS) as sender:
        sender.starttls(context=trusting())
        try:
            sender.login(login, password)
        except smtplib.SMTPAuthenticationError:
            found["smtp"] = False
    return found


class Journey(Shared):
    """A real service; each class has its own."""

    settings: ClassVar[str] = ""
    more: ClassVar[tuple[str, ...]] = ()
    panel_tls: ClassVar[bool] = True
    accounts: ClassVar[tuple[str, ...]] = (ANN, BOB)
    here: ClassVar[Appliance]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.here = Appliance(cls.settings, more=cls.more, panel_tls=cls.panel_tls)
        try:
            cls.here.start()
            cls.here.add(*cls.accounts)
        except BaseException:
            cls.here.stop()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        cls.here.stop()
        shutil.rmtree(cls.here.folder, ignore_errors=True)
        super().tearDownClass()

    def smtp(self, source: str = "127.0.0.1") -> smtplib.SMTP:
        client = smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30, source_address=(source, 0))
        self.addCleanup(client.close)
        return client

    def pop3(self, login: str = ANN, source: str = "") -> poplib.POP3:
        client = poplib.POP3("127.0.0.1", self.here.ports["pop3"], timeout=30)
        self.addCleanup(client.close)
        client.user(login)
        client.pass_(PASSWORD)
        return client

    def imap(self, login: str = ANN) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=30)
        self.addCleanup(self._close, client)
        client.login(login, PASSWORD)
        return client

    def _close(self, client: imaplib.IMAP4) -> None:
        with contextlib.suppress(OSError):
            client.shutdown()

    def deliver(self, subject: str, to: str = ANN, body: str = "Hello.\n.dot\n") -> None:
        """One message by SMTP on port 25."""
        with self.smtp() as client:
            client.send_message(letter(subject, body, to=to))

    def subjects(self, login: str = ANN) -> list[str]:
        """What POP3 shows."""
        client = self.pop3(login)
        count = client.stat()[0]
        found = []
        for number in range(1, count + 1):
            for line in client.top(number, 0)[1]:
                if line.lower().startswith(b"subject:"):
                    found.append(line[8:].strip().decode())
        client.quit()
        return found


class Alone(SynchronousTestCase):
    """Each test has an appliance of its own."""

    def appliance(self, settings: str = "") -> Appliance:
        here = Appliance(settings)
        self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
        self.addCleanup(here.stop)
        return here
