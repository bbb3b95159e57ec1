"""Where mail goes: aliases, forwards, catch-alls and domain aliases, changed by the command while a session is open (E1, E2, E6, E7)."""

from __future__ import annotations

import smtplib
from typing import Any

from tests.journeys.base import ANN, BOB, Journey, letter

CARL = "carl@elsewhere.test"


class RoutingJourney(Journey):
    # A smarthost where nobody answers: what is sent on stays in the queue, to be seen. Reading mail must not make us no stranger.
    settings = "smarthost: 127.0.0.1:9\npop_before_smtp: no\n"

    def setUp(self) -> None:
        super().setUp()
        self.client = self.smtp()
        self.client.ehlo("relay.elsewhere.test")

    def code(self, recipient: str) -> int:
        """What RCPT says, in the session that is open all the time."""
        self.client.mail(CARL)
        code = self.client.rcpt(recipient)[0]
        self.client.rset()
        return code

    def send(self, subject: str, *recipients: str) -> None:
        self.client.send_message(letter(subject, to="undisclosed"), CARL, recipients)

    def queued(self) -> list[str]:
        return [row["recipient"] for row in self.here.json("queue", "list")]

    def received(self, login: str, subject: str) -> list[bytes]:
        """The header of each message of that subject."""
        client = self.pop3(login)
        found = [b"\n".join(client.top(number, 0)[1]) for number in range(1, client.stat()[0] + 1)]
        client.quit()
        return [header for header in found if f"Subject: {subject}\n".encode() in header + b"\n"]

    def route(self, address: str) -> Any:
        return self.here.json("route", address)

    def test_alias_chain(self) -> None:
        """A chain of aliases leads to each mailbox once, from the moment the command has returned; removed, it is unknown at once."""
        self.here.command("catchall", "set", "example.test", "--refuse")
        self.assertEqual(self.code("sales@example.test"), 550)
        self.here.command("alias", "add", "team@example.test", ANN, BOB)
        self.here.command("alias", "add", "sales@example.test", "team@example.test", BOB)
        self.send("chain", "Sales+spring@example.test")
        for login in (ANN, BOB):
            [header] = self.received(login, "chain")
            self.assertIn(b"X-Original-To: Sales+spring@example.test", header)
            self.assertIn(f"Delivered-To: {login}".encode(), header)
        words = self.here.command("route", "sales@example.test").stdout
        self.assertIn("sales@example.test: alias: on to team@example.test, bob@example.test", words)
        self.assertIn("    ann@example.test: mailbox: into the mailbox ann@example.test", words)
        loop = self.here.command("alias", "add", "team@example.test", "sales@example.test", expect=1)
        self.assertIn("team@example.test -> sales@example.test -> team@example.test", loop.stderr)
        self.here.command("alias", "remove", "sales@example.test")
        self.assertEqual(self.code("sales@example.test"), 550)

    def test_forward_with_a_kept_copy(self) -> None:
        """What is forwarded is in the mailbox and in the queue when the sender has its 250."""
        self.here.command("forward", "add", ANN, "ann@far.test", "--keep-copy")
        self.send("forwarded", ANN)
        self.assertIn("ann@far.test", self.queued())
        self.assertEqual(len(self.received(ANN, "forwarded")), 1)
        self.here.command("forward", "add", ANN, "--no-keep-copy")
        self.send("only forwarded", ANN)
        self.assertEqual(self.queued().count("ann@far.test"), 2)
        self.assertEqual(self.received(ANN, "only forwarded"), [])
        self.here.command("forward", "remove", ANN)
        self.send("kept", ANN)
        self.assertEqual(len(self.received(ANN, "kept")), 1)

    def test_catch_all(self) -> None:
        """Unknown names go where the domain's owner wants them, and are remembered; one can be blocked, or made an alias."""
        self.here.command("catchall", "set", "example.test", BOB)
        self.send("caught", "typo@example.test", "other@example.test")
        self.send("caught again", "Typo+tag@example.test")
        self.assertEqual(len(self.received(BOB, "caught")), 1)
        names = {row["address"].casefold(): row["count"] for row in self.here.json("catchall", "names", "example.test")}
        self.assertEqual((names["typo@example.test"], names["other@example.test"]), (2, 1))
        self.here.command("catchall", "names", "example.test", "--block", "typo", "--alias", "other", ANN)
        self.assertEqual((self.code("typo@example.test"), self.code("other@example.test")), (550, 250))
        self.assertEqual(self.route("other@example.test")["ends"][0]["address"], ANN)
        self.here.command("catchall", "names", "example.test", "--unblock", "typo")
        self.here.command("catchall", "set", "example.test", "--discard")
        self.send("thrown away", "typo@example.test")
        self.assertEqual(self.received(BOB, "thrown away"), [])
        self.here.command("catchall", "set", "example.test", "carl@far.test")
        self.send("sent on", "third@example.test")
        self.assertIn("carl@far.test", self.queued())

    def test_domain_alias(self) -> None:
        """Every address in a domain that stands for another is the same address there; without it, relaying is prohibited."""
        self.assertEqual(self.code("ann@example.org"), 550)
        self.here.command("domain", "alias", "add", "example.org", "example.test")
        self.send("by another name", "bob@Example.ORG")
        self.assertEqual(len(self.received(BOB, "by another name")), 1)
        self.here.command("domain", "alias", "remove", "example.org")
        self.assertEqual(self.code("bob@example.org"), 550)

    def test_domain_that_is_not_active(self) -> None:
        """Mail to a domain that is being prepared goes where the DNS says, and so not for strangers; its accounts work."""
        self.here.add("dora@new.test")
        self.here.command("domain", "set", "new.test", "--not-active")
        self.assertEqual(self.code("dora@new.test"), 550)
        self.pop3("dora@new.test").quit()
        self.here.command("domain", "set", "new.test", "--active")
        self.assertEqual(self.code("dora@new.test"), 250)

    def test_new_domain(self) -> None:
        """A domain made under the classic profile has a catch-all: its default mailbox (E2)."""
        self.here.add("owner@classic.test")
        self.send("unknown", "anybody@classic.test")
        self.assertEqual(len(self.received("owner@classic.test", "unknown")), 1)

    def test_offline(self) -> None:
        """The same commands work on the data of a service that is stopped, and count when it runs again."""
        self.client.close()
        self.here.stop()
        try:
            self.here.command("alias", "add", "office@example.test", BOB)
            self.assertEqual(self.here.json("alias", "list", "office@example.test")[0]["aliases"], [BOB])
        finally:
            self.here.start()
        self.client = smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30)
        self.addCleanup(self.client.close)
        self.send("to the office", "office@example.test")
        self.assertEqual(len(self.received(BOB, "to the office")), 1)
