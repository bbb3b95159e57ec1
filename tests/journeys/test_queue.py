"""Mail for elsewhere: on its way, waiting, coming back, and surviving a crash (C9, D12)."""

from __future__ import annotations

import contextlib
import email
import itertools
import re
import signal
import smtplib
import threading
import time
from collections import Counter
from email.message import Message
from typing import Any

from hostmail.queue.lanes import PER_DESTINATION
from tests.journeys.base import ANN, letter
from tests.journeys.behind import SinkJourney
from tests.support.appliance import PASSWORD
from tests.support.remote import Remote

KILLED_AFTER, ROUNDS = 12, 3
MANY = 60


class QueueTests(SinkJourney):
    accounts = (ANN,)

    def submit(self, subject: str, *to: str, body: str = "Hello.\n.dot\n") -> None:
        """Ann sends by the submission port."""
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(ANN, PASSWORD)
            client.send_message(letter(subject, body, sender=ANN, to=", ".join(to)), to_addrs=list(to))

    def rows(self) -> list[dict[str, Any]]:
        """What `hostmail queue list` shows."""
        found: list[dict[str, Any]] = self.here.json("queue", "list")
        return found

    def waits(self, *rows: tuple[str, int, str]) -> None:
        """Until the queue shows exactly these recipients, attempts, and beginnings of answers."""
        deadline = time.monotonic() + 15
        while True:
            found = [(row["recipient"], row["attempts"], row["last_answer"]) for row in self.rows()]
            alike = len(found) == len(rows) and all(
                (there[:2] == want[:2] and there[2].startswith(want[2]))
                for there, want in zip(found, rows, strict=True)
            )
            if alike:
                return
            self.assertLess(time.monotonic(), deadline, (found, self.here.text()[-2000:]))

    def letters(self) -> list[Message]:
        """Ann's INBOX, which is empty afterwards."""
        client = self.pop3()
        found = []
        for number in range(client.stat()[0]):
            found.append(email.message_from_bytes(b"\r\n".join(client.retr(number + 1)[1]) + b"\r\n"))
            client.dele(number + 1)
        client.quit()
        return found

    def test_sent_on(self) -> None:
        """The next server gets the message as it was written, one copy for all recipients, with our Received and nothing else."""
        self.submit("away", "dora@far.test", "emil@far.test")
        self.sink.waits_for(1)
        [taken] = self.sink.taken
        self.assertEqual((taken.sender, taken.to), (ANN, ["dora@far.test", "emil@far.test"]))
        header, _, body = taken.octets.partition(b"\r\n\r\n")
        self.assertEqual(body, b"Hello.\r\n.dot\r\n")
        fields = [line.split(b":")[0].lower() for line in header.split(b"\r\n") if line[:1] not in b" \t"]
        expected = [b"received", b"from", b"to", b"subject", b"content-type", b"content-transfer-encoding"]
        self.assertEqual(sorted(fields), sorted([*expected, b"mime-version", b"date", b"message-id"]))
        self.assertTrue(header.startswith(b"Received: from "))
        self.assertIn(b"(authenticated as ann@example.test)", header)
        self.assertNotIn(b"for <", header)
        self.waits()

    def test_refused_for_now(self) -> None:
        """450 waits, visible with the answer, for its turn or for the operator's; who was taken at once gets no second copy."""
        self.sink.answers["RCPT later@far.test"] = "450 4.2.1 greylisted"
        self.submit("twice", "now@far.test", "later@far.test")
        self.waits(("later@far.test", 1, "450 4.2.1 localhost said: 450 4.2.1 greylisted"))
        [row] = self.rows()
        self.assertTrue(50 < row["next_attempt"] - row["created"] < 80, row)
        self.sink.answers.clear()
        self.here.command("queue", "retry", "later@far.test")
        self.sink.waits_for(2)
        self.assertEqual([taken.to for taken in self.sink.taken], [["now@far.test"], ["later@far.test"]])
        self.waits()

    def test_refused_for_good(self) -> None:
        """5xx comes back at once: a report that any mail program can read, with the reason and the sender's own header (RFC 3464)."""
        self.sink.answers["RCPT nobody@far.test"] = "550 5.1.1 no such user"
        self.submit("gone", "nobody@far.test", "dora@far.test")
        self.sink.waits_for(1)
        self.waits()
        [report] = self.letters()
        self.assertEqual((report["Return-Path"], report["To"]), ("<>", f"<{ANN}>"))
        self.assertEqual(report["Auto-Submitted"], "auto-replied")
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        words, status, original = report.get_payload()  # type: ignore[misc]
        self.assertIn("550 5.1.1 no such user", words.get_payload())  # type: ignore[union-attr,operator]
        about, recipient = status.get_payload()  # type: ignore[union-attr,misc]
        self.assertEqual(about["Reporting-MTA"], "dns; mail.example.test")  # type: ignore[index,call-overload]
        self.assertEqual(
            (recipient["Final-Recipient"], recipient["Action"], recipient["Status"]),  # type: ignore[index,call-overload]
            ("rfc822; nobody@far.test", "failed", "5.1.1"),
        )
        self.assertEqual(original.get_content_type(), "text/rfc822-headers")  # type: ignore[union-attr]
        self.assertIn("Subject: gone", original.get_payload())  # type: ignore[union-attr,operator]
        self.assertEqual(report.defects, [])

    def test_next_server_down(self) -> None:
        """Mail waits, says why, and goes when there is somebody to take it; delete drops it without a word."""
        self.sink.close()
        try:
            self.submit("patience", "dora@far.test", "emil@far.test")
            answer = "451 4.4.1 localhost refuses connections"
            self.waits(("dora@far.test", 1, answer), ("emil@far.test", 1, answer))
            self.assertIn("dora@far.test", self.here.command("queue", "list").stdout)
            self.here.command("queue", "delete", "emil@far.test", "--yes")
        finally:
            self.sink.open()
        self.here.command("queue", "retry", "--all")
        self.sink.waits_for(1)
        self.waits()
        self.assertEqual([taken.to for taken in self.sink.taken], [["dora@far.test"]])
        self.assertEqual(self.letters(), [])

    def test_killed_while_sending(self) -> None:
        """kill -9 loses nothing: what had its 250 reaches the next server.

        A message comes twice if the next server took it and we died before that was written down: at most one for each connection.
        No protocol can close this gap, for the 250 of the next server may be what was lost (RFC 1047).
        """
        self.sink.slow = 0.05
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(ANN, PASSWORD)
            for number in range(MANY):
                client.send_message(letter(f"n{number}", sender=ANN, to=f"r{number}@far.test"))
        self.sink.waits_for(KILLED_AFTER)
        self.here.kill()
        before = len(self.sink.taken)
        self.assertLess(before, MANY)
        self.sink.slow = 0.0
        self.here.start()
        self.waits()
        counts = Counter(recipient for taken in self.sink.taken for recipient in taken.to)
        self.assertEqual(set(counts), {f"r{number}@far.test" for number in range(MANY)})
        self.assertLessEqual(sum(counts.values()) - MANY, PER_DESTINATION)
        # A file whose row was gone when we died is swept by a start an hour later: it might have been about to get its row.
        self.assertLessEqual(len(list((self.here.data / "queue" / "files").iterdir())), PER_DESTINATION)

    def test_killed_again_and_again(self) -> None:
        """kill -9 while mail comes in, goes out, and waits for a second attempt: whoever had his 250 finds all of it at the next server.

        Who was taken there before gets no second copy with the others, but for what was on its way at the very moment.
        """
        self.sink.slow = 0.01
        taken_in: list[str] = []

        def submit(number: int, worker: int) -> None:
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client,
            ):
                client.login(ANN, PASSWORD)
                for count in itertools.count():
                    to = [f"{kind}{number}.{worker}.{count}@far.test" for kind in ("now", "later")]
                    self.sink.answers[f"RCPT {to[1]}"] = "450 4.2.1 greylisted"
                    client.send_message(letter(f"n{count}", sender=ANN, to=to[0]), to_addrs=to)
                    taken_in.extend(to)

        for number in range(ROUNDS):
            workers = [threading.Thread(target=submit, args=(number, worker)) for worker in range(3)]
            for worker in workers:
                worker.start()
            self.sink.waits_for(len(self.sink.taken) + KILLED_AFTER)
            self.here.kill()
            for worker in workers:
                worker.join(30)
            self.here.start()
        self.sink.answers.clear()
        self.here.command("queue", "retry", "--all")
        self.waits()
        counts = Counter(recipient for taken in self.sink.taken for recipient in taken.to)
        self.assertEqual(set(taken_in) - set(counts), set())
        self.assertLessEqual(counts.total() - len(counts), ROUNDS * PER_DESTINATION)
        for taken in self.sink.taken:
            self.assertTrue(taken.octets.endswith(b"\r\n\r\nHello.\r\n.dot\r\n"), taken.octets[-30:])

    def test_without_a_way_out(self) -> None:
        """Without a smarthost mail waits, visible and untried; with one again it goes, without a restart (SIGHUP)."""
        settings = self.here.config.read_text()
        self.here.config.write_text(re.sub(r"smarthost.*\n", "", settings))
        self.reload(1)
        self.submit("no way", "dora@far.test")
        self.waits(("dora@far.test", 0, "waiting: no smarthost is set, and direct_delivery is off"))
        self.here.config.write_text(settings)
        self.reload(2)
        self.sink.waits_for(1)
        self.waits()

    def test_ways_of_their_own(self) -> None:
        """Mail that waits takes its domain's smarthost with the next attempt, and an account's comes before that; forwards too (C9, E7)."""
        own = [Remote() for _ in range(2)]
        for sink in own:
            sink.open()
            self.addCleanup(sink.close)
        domains, anns = own
        self.sink.answers["RCPT dora@far.test"] = "450 4.2.1 greylisted"
        self.submit("waits", "dora@far.test")
        self.waits(("dora@far.test", 1, "450 4.2.1 localhost said: 450 4.2.1 greylisted"))
        self.here.command("domain", "set", "example.test", "--smarthost", f"localhost:{domains.port}")
        self.addCleanup(self.here.command, "domain", "set", "example.test", "--smarthost", "none")
        self.here.command("queue", "retry", "dora@")
        domains.waits_for(1)
        self.here.command("forward", "add", "away@example.test", "emil@far.test")
        self.addCleanup(self.here.command, "forward", "remove", "away@example.test")
        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30) as client:
            client.sendmail(
                "zoe@other.test", ["away@example.test"], b"From: zoe@other.test\r\nSubject: on\r\n\r\n.\r\n"
            )
        domains.waits_for(2)
        self.assertEqual(domains.taken[1].to, ["emil@far.test"])
        self.here.command("account", "set", ANN, "--smarthost", f"localhost:{anns.port}")
        self.addCleanup(self.here.command, "account", "set", ANN, "--smarthost", "none")
        way = self.here.json("route", "dora@far.test", "--from", ANN)["way_out"]
        self.assertEqual((way["smarthost"], way["owner"]), (f"localhost:{anns.port}", ANN))
        self.submit("ann's", "dora@far.test")
        anns.waits_for(1)
        self.waits()
        self.assertEqual((len(domains.taken), len(anns.taken), len(self.sink.taken)), (2, 1, 0))

    def reload(self, times: int) -> None:
        """SIGHUP, and until it has been obeyed so many times."""
        self.here.signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self.here.text().count("reloaded ") < times:
            self.assertLess(time.monotonic(), deadline, self.here.text()[-2000:])
            time.sleep(0.02)
