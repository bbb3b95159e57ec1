"""A service that has been used for a while: many accounts, long names, mail that waits, and markup in what strangers wrote."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
from typing import Any

import bcrypt

from hostmail.admin.client import ControlClient
from hostmail.admin.control_path import socket_path
from tests.support.appliance import PASSWORD, Appliance

DOMAIN, OTHER, EMPTY = "example.test", "a-much-longer-name-than-anybody-would-like-to-type.example", "empty.test"
ANN = f"ann@{DOMAIN}"
LONG = f"Maximiliane.Wolfeschlegelsteinhausenbergerdorff-Montgomery@{DOMAIN}"
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
STRANGER = '"<b>stranger</b>"@elsewhere.example'
UNREACHABLE = ("elsewhere.example", "far.example", "an-even-longer-host-name.of-some-company.somewhere-else.example")
"""Where mail waits for, as the DNS has no answer about them."""

MANY = 150


def hashed() -> str:
    """The one password, hashed quickly: it is that of everybody."""
    return "{BLF-CRYPT}" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


class Furnished:
    """Fills an appliance that has just been started; `call` asks its control socket."""

    def __init__(self, here: Appliance, accounts: int = MANY) -> None:
        self.here = here
        self.control = ControlClient(socket_path(here.data))
        self.hash = hashed()
        self._domains(accounts)
        self._addresses()
        self._lists()
        self._people()
        self._mail()
        self._logins()

    def call(self, verb: str, **arguments: Any) -> Any:
        """The answer of a verb."""
        return self.control.call(verb, arguments)

    def account(self, address: str, quota: int | None = 200 * 1024**2) -> None:
        """One more account, with the one password."""
        self.call("account.add", address=address, password_hash=self.hash, quota=quota)

    def _domains(self, accounts: int) -> None:
        self.call("domain.add", name=DOMAIN, quota=50 * 1024**3, main_login="examplecom")
        self.call("domain.add", name=OTHER)
        self.call("domain.add", name=EMPTY)
        for address in (ANN, f"Bob@{DOMAIN}", LONG, f"postbox@{OTHER}", f"gone@{DOMAIN}"):
            self.account(address)
        for number in range(accounts - 5):
            self.account(f"person{number:03}.of-the-sales-department@{DOMAIN}", None if number % 7 == 0 else 1024**3)
        self.account(f"full@{DOMAIN}", 2_000)
        self.call("account.set", address=f"Bob@{DOMAIN}", login_suspended=True, outgoing_suspended=True)
        self.call("account.remove", address=f"gone@{DOMAIN}")
        self.call("domain.set", name=DOMAIN, pop_before_smtp=True)
        self.call("domain.set", name=EMPTY, active=False, incoming_suspended=True)

    def _addresses(self) -> None:
        self.call("address.set", address=f"sales@{DOMAIN}", targets=[ANN, LONG, "partner@elsewhere.example"])
        self.call("address.set", address=ANN, targets=["ann.private@elsewhere.example"], keep_copy=True)
        self.call("catchall.set", name=DOMAIN, catch_all="default")
        away = "I am away until Monday.\n\nIn a hurry? Ask sales@example.test.\n\nAnn\n"
        self.call("autoreply.set", address=ANN, text=away, subject="Away until Monday", until=4e9)

    def _lists(self) -> None:
        address = f"news@{DOMAIN}"
        self.call("list.add", address=address, owners=[ANN], description="What is new, once a month")
        members = [*(f"reader{number}@elsewhere.example" for number in range(12)), ANN, LONG]
        rows = [{"line": number, "member": member} for number, member in enumerate(members, 1)]
        self.call("list.member.import", address=address, rows=rows)

    def _people(self) -> None:
        self.call("operator.add", login="root", password=PASSWORD)
        self.call("operator.add", login="night-shift", password=PASSWORD)
        self.call("operator.set", login="night-shift", suspended=True)
        self.call("owner.add", login="agency", password=PASSWORD, domains=[DOMAIN, OTHER], accounts=500, quota=10**12)
        self.call("relay.allow", ip="192.0.2.7")

    def _mail(self) -> None:
        """To somebody here, to nobody, to the full mailbox, to a list's owners, and to elsewhere, where nobody answers."""
        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30) as client:
            for to in (
                ANN,
                f"nobody.ever.had.this.name@{DOMAIN}",
                f"full@{DOMAIN}",
                f"full@{DOMAIN}",
                f"Info@{DOMAIN}",
                f"news@{DOMAIN}",
            ):
                with contextlib.suppress(smtplib.SMTPException):
                    client.sendmail(STRANGER, to, nasty(to))
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(LONG, PASSWORD)
            for to in (f"dora@{host}" for host in UNREACHABLE[1:]):
                client.sendmail(LONG, to, nasty(to))

    def _logins(self) -> None:
        for login, password in ((ANN, PASSWORD), (ANN, "wrong"), (ANN.upper(), PASSWORD), ("ann", PASSWORD)):
            client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=30)
            with contextlib.suppress(imaplib.IMAP4.error):
                client.login(login, password)
            client.shutdown()


def nasty(to: str) -> bytes:
    """A message whose header is made to be run by whoever shows it without care."""
    lines = (
        f"From: {SCRIPT} <stranger@elsewhere.example>",
        f"To: {SCRIPT} <{to}>",
        f"Subject: Hello {SCRIPT}",
        f"Message-ID: <{SCRIPT.replace(' ', '')}@elsewhere.example>",
        "",
        *["Hello."] * 200,
    )
    return "\r\n".join([*lines, ""]).encode()
