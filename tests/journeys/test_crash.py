"""kill -9 under load: every 250 is there after the restart (D12), and no lock stays (D10)."""

from __future__ import annotations

import contextlib
import shutil
import smtplib
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.journeys.base import ANN, Journey, letter

ROUNDS = 3


class CrashTests(SynchronousTestCase):
    def test_every_acknowledged_message_survives(self) -> None:
        """Several rounds of senders, killed in the middle."""
        Journey.setUpClass()
        here = Journey.here
        try:
            journey = Journey("deliver")
            acknowledged: list[str] = []

            def send(worker: int, round_: int) -> None:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    client = smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=30)
                    for n in range(10_000):
                        subject = f"r{round_}-w{worker}-n{n}"
                        client.send_message(letter(subject))
                        acknowledged.append(subject)

            for round_ in range(ROUNDS):
                before = len(acknowledged)
                senders = [threading.Thread(target=send, args=(worker, round_)) for worker in range(4)]
                for sender in senders:
                    sender.start()
                while len(acknowledged) < before + 40:
                    time.sleep(0.01)
                here.kill()
                for sender in senders:
                    sender.join(30)
                here.start()
            client = journey.imap()
            client.select("INBOX", readonly=True)
            rows = client.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            found = [row[1].decode().partition(":")[2].strip() for row in rows if isinstance(row, tuple)]
            self.assertEqual(sorted(set(acknowledged) - set(found)), [])
            uids = [int(row[0].split(b"UID ")[1].split()[0]) for row in rows if isinstance(row, tuple)]
            self.assertEqual(uids, sorted(set(uids)))
            client.logout()
            journey.pop3().quit()
            self.assertGreaterEqual(len(acknowledged), 40 * ROUNDS)
            self.assertEqual(here.json("mailbox", "verify", ANN)["problems"], [])
            journey.doCleanups()
        finally:
            here.stop()
            shutil.rmtree(here.folder, ignore_errors=True)
