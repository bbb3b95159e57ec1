"""POP before SMTP, closed relay, quota: as strangers and customers meet them."""

from __future__ import annotations

import poplib
import shutil
import smtplib
import socket
import time

from tests.journeys.base import ANN, BOB, Journey, letter
from tests.support.appliance import PASSWORD, Appliance

AWAY = "dora@far.test"


def check_mail(port: int, source: str, login: str = ANN) -> None:
    """Check mail by POP3 from a given loopback address."""

    class From(poplib.POP3):
        def _create_socket(self, timeout: float) -> socket.socket:
            return socket.create_connection((self.host, self.port), 30, (source, 0))

    client = From("127.0.0.1", port)
    try:
        client.user(login)
        client.pass_(PASSWORD)
        client.quit()
    finally:
        client.close()


class RelayJourney(Journey):
    def rcpt(self, source: str) -> tuple[int, bytes]:
        with self.smtp(source) as client:
            client.ehlo("pc.example.test")
            client.mail(ANN)
            return client.rcpt(AWAY)


class WindowTests(RelayJourney):
    settings = "relay_window: 3s\n"
    accounts = (ANN,)

    def test_checking_mail_opens_exactly_that_address_for_a_while(self) -> None:
        """C2, C3: open from 127.0.0.2 at once, closed from 127.0.0.3, closed again when the window ends."""
        check_mail(self.here.ports["pop3"], "127.0.0.2")
        self.assertEqual(self.rcpt("127.0.0.2")[0], 250)
        self.assertEqual(self.rcpt("127.0.0.3")[0], 550)
        time.sleep(3.2)
        self.assertEqual(self.rcpt("127.0.0.2")[0], 550)


class RelayTests(RelayJourney):
    def test_closed_to_strangers(self) -> None:
        """C1: 550 5.7.1 relaying prohibited, with a hint."""
        code, words = self.rcpt("127.0.0.9")
        self.assertEqual(code, 550)
        self.assertIn(b"5.7.1", words)
        self.assertIn(b"relaying prohibited", words)

    def test_relayed_mail_waits_in_the_queue(self) -> None:
        """Mail for elsewhere is durable, attributed, and visible in `queue list`."""
        check_mail(self.here.ports["pop3"], "127.0.0.4")
        with self.smtp("127.0.0.4") as client:
            client.send_message(letter("to far away", sender=ANN, to=AWAY))
        rows = self.here.json("queue", "list")
        self.assertIn(AWAY, [row["recipient"] for row in rows])

    def test_grants_are_listed_opened_and_revoked(self) -> None:
        """C4: the command line sees and changes grants of the running service."""
        self.here.command("relay", "allow", "127.0.0.7")
        self.assertIn("127.0.0.7", [grant["ip"] for grant in self.here.json("relay", "list")])
        self.assertEqual(self.rcpt("127.0.0.7")[0], 250)
        self.here.command("relay", "revoke", "127.0.0.7", "--yes")
        self.assertEqual(self.rcpt("127.0.0.7")[0], 550)

    def test_five_relay_attempts_end_the_session(self) -> None:
        """C8: 421 4.7.0 disconnected by administrator."""
        with self.smtp("127.0.0.9") as client:
            client.ehlo("spam.elsewhere.test")
            client.mail("x@elsewhere.test")
            answers = [client.docmd(f"RCPT TO:<y{n}@far.test>") for n in range(5)]
        self.assertEqual(answers[-1][0], 421)
        self.assertIn(b"disconnected by administrator", answers[-1][1])

    def test_a_password_change_closes_the_grant(self) -> None:
        """C4, A6: the account's grants go with the old password."""
        check_mail(self.here.ports["pop3"], "127.0.0.5", BOB)
        self.assertEqual(self.rcpt("127.0.0.5")[0], 250)
        self.here.command("account", "passwd", BOB, "--password-file", "-", stdin="Another-Secret-9\n")
        self.assertEqual(self.rcpt("127.0.0.5")[0], 550)
        with self.assertRaises(poplib.error_proto):
            check_mail(self.here.ports["pop3"], "127.0.0.5", BOB)
        self.here.command("account", "passwd", BOB, "--password-file", "-", stdin=PASSWORD + "\n")
        check_mail(self.here.ports["pop3"], "127.0.0.5", BOB)


class QuotaTests(Journey):
    def test_quota_counts_at_once(self) -> None:
        """D4, D5, E7: over quota is 552 5.2.2 at RCPT; raising it, or deleting, makes room at once."""
        self.here.command("quota", "set", ANN, "100K")
        self.deliver("fits", body="x" * 70 + "\n")
        with self.smtp() as client:
            client.ehlo("relay.elsewhere.test")
            client.mail("carl@elsewhere.test", ["SIZE=120000"])
            code, words = client.rcpt(ANN)
            self.assertEqual(code, 552)
            self.assertIn(b"5.2.2", words)
        self.here.command("quota", "set", ANN, "1M")
        self.deliver("fits now", body=("y" * 70 + "\n") * 1500)
        used = {row["login"]: row["used"] for row in self.here.json("account", "list", "example.test")}
        self.assertGreater(used[ANN], 100_000)
        client2 = self.pop3()
        for number in range(client2.stat()[0]):
            client2.dele(number + 1)
        client2.quit()
        used = {row["login"]: row["used"] for row in self.here.json("account", "list", "example.test")}
        self.assertEqual(used[ANN], 0)

    def test_over_quota_without_size_is_refused_after_data(self) -> None:
        """D4: the message bounces at its sender, never silently."""
        self.here.command("quota", "set", BOB, "20K")
        with self.smtp() as client:
            client.ehlo("relay.elsewhere.test")
            client.mail("carl@elsewhere.test")
            client.rcpt(BOB)
            code, words = client.data(b"Subject: big\r\n\r\n" + b"z" * 70 + b"\r\n" + (b"z" * 70 + b"\r\n") * 600)
        self.assertEqual(code, 552)
        self.assertIn(b"5.2.2", words)
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            self.here.command("quota", "set", BOB, "1")
            self.deliver("no", to=BOB)


class LockTests(Journey):
    def test_second_pop3_session_waits_for_a_live_one(self) -> None:
        """D10: a second check waits inside PASS and is served when the first is done."""
        first = self.pop3()
        second = poplib.POP3("127.0.0.1", self.here.ports["pop3"], timeout=30)
        second.user(ANN)
        second._putcmd("PASS " + PASSWORD)  # type: ignore[attr-defined]
        time.sleep(0.5)
        first.quit()
        self.assertTrue(second._getresp().startswith(b"+OK"))  # type: ignore[attr-defined]
        second.quit()

    def test_a_holder_that_sleeps(self) -> None:
        """D10: a session that has said nothing for long is told so and loses the mailbox; what it had marked stays."""
        here = Appliance()
        self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
        self.addCleanup(here.stop)
        here.first = "from hostmail.protocols.pop3 import maildrop; maildrop.IDLE_HOLDER_SECONDS = 1.0; "
        here.start()
        here.add(ANN)
        with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=30) as sender:
            sender.send_message(letter("kept"))
        sleeper, second = (poplib.POP3("127.0.0.1", here.ports["pop3"], timeout=30) for _ in range(2))
        for client in (sleeper, second):
            self.addCleanup(client.close)
            client.user(ANN)
        sleeper.pass_(PASSWORD)
        sleeper.dele(1)
        second.pass_(PASSWORD)
        self.assertEqual(second.stat()[0], 1)
        with self.assertRaisesRegex(poplib.error_proto, "another mail program"):
            sleeper.noop()
        second.quit()

    def test_a_vanished_client_leaves_no_lock(self) -> None:
        """D10: the next check succeeds at once."""
        first = self.pop3()
        first.close()
        self.pop3().quit()
