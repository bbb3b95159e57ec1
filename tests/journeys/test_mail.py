"""Mail in and out over every port, with the standard library's clients."""

from __future__ import annotations

import base64
import imaplib
import poplib
import smtplib
from email import message_from_bytes

from tests.journeys.base import ANN, BOB, Journey, letter, trusting
from tests.support.appliance import PASSWORD

CARL = "carl@example.test"


class EveryPortTests(Journey):
    accounts = (ANN, BOB, CARL)

    def sent_everywhere(self) -> set[str]:
        """One message on each port that takes mail, in the clear and over TLS as far as the port has both; the subjects."""
        subjects = set()
        for service, tls in (
            ("smtp", ""),
            ("smtp", "STARTTLS"),
            ("submission", ""),
            ("submission", "STARTTLS"),
            ("submissions", "TLS"),
        ):
            port, subjects = self.here.ports[service], subjects | {f"{service} {tls}".strip()}
            with (
                smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=trusting())
                if tls == "TLS"
                else smtplib.SMTP("127.0.0.1", port, timeout=30)
            ) as client:
                if tls == "STARTTLS":
                    client.starttls(context=trusting())
                client.login(ANN, PASSWORD)
                client.send_message(letter(f"{service} {tls}".strip(), sender=ANN, to=CARL))
        return subjects

    def read_by_pop3(self, client: poplib.POP3) -> set[str]:
        client.user(CARL)
        client.pass_(PASSWORD)
        heads = [b"\n".join(client.top(number, 0)[1]) for number in range(1, client.stat()[0] + 1)]
        client.quit()
        return {str(message_from_bytes(head)["Subject"]) for head in heads}

    def read_by_imap(self, client: imaplib.IMAP4) -> set[str]:
        client.login(CARL, PASSWORD)
        client.select("INBOX", readonly=True)
        rows = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        client.logout()
        return {str(message_from_bytes(row[1])["Subject"]) for row in rows if isinstance(row, tuple)}

    def test_every_port_and_every_kind_of_tls(self) -> None:
        """Five ways in, six ways out; each way out shows what came by each way in (B1, B3)."""
        sent, ports = self.sent_everywhere(), self.here.ports
        upgraded_pop3 = poplib.POP3("127.0.0.1", ports["pop3"], timeout=30)
        upgraded_pop3.stls(context=trusting())
        upgraded_imap = imaplib.IMAP4("127.0.0.1", ports["imap"], timeout=30)
        upgraded_imap.starttls(trusting())
        for pop3 in (
            poplib.POP3("127.0.0.1", ports["pop3"], timeout=30),
            upgraded_pop3,
            poplib.POP3_SSL("127.0.0.1", ports["pop3s"], timeout=30, context=trusting()),
        ):
            self.assertEqual(self.read_by_pop3(pop3), sent)
        for imap in (
            imaplib.IMAP4("127.0.0.1", ports["imap"], timeout=30),
            upgraded_imap,
            imaplib.IMAP4_SSL("127.0.0.1", ports["imaps"], timeout=30, ssl_context=trusting()),
        ):
            self.assertEqual(self.read_by_imap(imap), sent)

    def test_in_by_smtp_and_out_by_pop3_and_imap(self) -> None:
        """One mail arrives on 25 and is read on 110 and 143, with its trace fields."""
        self.deliver("plain")
        self.assertIn("plain", self.subjects())
        client = self.imap()
        client.select("INBOX", readonly=True)
        found = client.search(None, "SUBJECT", "plain")[1][0].split()
        text = client.fetch(found[0].decode(), "(BODY.PEEK[])")[1][0][1]  # type: ignore[index]
        assert isinstance(text, bytes)
        self.assertTrue(text.startswith(b"Return-Path: <carl@elsewhere.test>\r\n"))
        self.assertIn(b"Delivered-To: ann@example.test\r\n", text)
        self.assertIn(b"with ESMTP id ", text)
        self.assertIn(b"\r\n.dot\r\n", text)

    def test_587_wants_a_login(self) -> None:
        """Submission is for accounts only."""
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.ehlo("[127.0.0.9]")
            code, words = client.docmd("MAIL FROM:<carl@elsewhere.test>")
        self.assertEqual(code, 530, words)

    def test_append_search_store_expunge(self) -> None:
        """An IMAP day: append, find, flag, copy, delete."""
        client = self.imap(BOB)
        client.create("Work/2026")
        typ, answer = client.append("Work/2026", r"(\Seen)", "", letter("filed").as_bytes())  # type: ignore[arg-type]
        self.assertEqual(typ, "OK", answer)
        client.select("Work/2026")
        self.assertEqual(client.search(None, "SUBJECT", "filed")[1], [b"1"])
        client.copy("1", "Trash")
        client.store("1", "+FLAGS", r"(\Deleted)")
        self.assertEqual(client.expunge()[1], [b"1"])
        self.assertEqual(client.select("Trash")[1], [b"1"])
        names = b" ".join(client.list()[1])  # type: ignore[arg-type]
        for name in (b"Drafts", b"Sent", b"Trash", b"Spam", b"Work/2026"):
            self.assertIn(name, names)
        client.logout()

    def test_unknown_users_are_refused_at_rcpt(self) -> None:
        """550 5.1.1, before any data, where no catch-all takes them (E2)."""
        self.here.command("catchall", "set", "example.test", "--refuse")
        with self.smtp() as client:
            client.ehlo("relay.elsewhere.test")
            client.mail("carl@elsewhere.test")
            code, words = client.rcpt("nobody@example.test")
            self.assertEqual(code, 550)
            self.assertIn(b"5.1.1", words)

    def test_wrong_and_bare_logins_are_explained(self) -> None:
        """A1: the bare name hears what to do."""
        client = poplib.POP3("127.0.0.1", self.here.ports["pop3"], timeout=30)
        client.user("ann")
        with self.assertRaises(poplib.error_proto) as caught:
            client.pass_(PASSWORD)
        self.assertIn("full mail address", str(caught.exception))
        client.quit()

    def test_auth_login_prompts(self) -> None:
        """H1: Thunderbird compares the prompts octet by octet."""
        with self.smtp() as client:
            client.ehlo("pc.example.test")
            code, prompt = client.docmd("AUTH LOGIN")
            self.assertEqual((code, base64.b64decode(prompt)), (334, b"Username:"))
            code, prompt = client.docmd(base64.b64encode(ANN.encode()).decode())
            self.assertEqual((code, base64.b64decode(prompt)), (334, b"Password:"))
            code, _ = client.docmd(base64.b64encode(PASSWORD.encode()).decode())
            self.assertEqual(code, 235)

    def test_fifteen_megabytes(self) -> None:
        """D3: just under the limit arrives whole, over it is refused with 552 5.3.4."""
        body = ("x" * 76 + "\n") * (14 * 1024 * 1024 // 78)
        self.deliver("large", body=body)
        client = self.pop3()
        sizes = [int(line.split()[1]) for line in client.list()[1]]
        self.assertGreater(max(sizes), 13 * 1024 * 1024)
        number = sizes.index(max(sizes)) + 1
        self.assertEqual(sum(line == b"x" * 76 for line in client.retr(number)[1]), 14 * 1024 * 1024 // 78)
        client.dele(number)
        client.quit()
        with self.smtp() as sender:
            sender.ehlo("relay.elsewhere.test")
            code, words = sender.mail("carl@elsewhere.test", ["SIZE=16000000"])
            self.assertEqual(code, 552)
            self.assertIn(b"5.3.4", words)
