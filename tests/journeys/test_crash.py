"""kill -9 under load: every 250 is there after the restart (D12), and no lock stays (D10).

The second time as a power cut would leave it: indexes have lost what they last wrote; the third time they are gone.
"""

from __future__ import annotations

import contextlib
import imaplib
import itertools
import os
import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from tests.journeys.base import ANN, BOB, Journey, letter
from tests.support.appliance import PASSWORD

ROUNDS, EACH_ROUND = 3, 30
GUEST, FORWARD, TEAM = "guest@far.test", "friend@far.test", "team@example.test"


class CrashTests(Journey):
    """Strangers deliver, a user sends elsewhere, another one files copies by IMAP, until the process is killed."""

    def setUp(self) -> None:
        super().setUp()
        self.acknowledged: dict[str, list[str]] = defaultdict(list)
        self.known: dict[tuple[str, str], tuple[int, dict[int, str]]] = {}

    def deliver_on(self, subjects: Callable[[], str]) -> None:
        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30) as client:
            while True:
                subject = subjects()
                client.send_message(letter(subject))
                self.acknowledged["delivered"].append(subject)

    def deliver_to_an_alias(self, subjects: Callable[[], str]) -> None:
        """One end is a mailbox, the other one is elsewhere."""
        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=30) as client:
            while True:
                subject = subjects()
                client.send_message(letter(subject, to=TEAM))
                self.acknowledged["forwarded"].append(subject)

    def submit(self, subjects: Callable[[], str]) -> None:
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(BOB, PASSWORD)
            while True:
                guest = f"{subjects()}-{GUEST}"
                client.send_message(letter("away", sender=BOB, to=guest))
                self.acknowledged["queued"].append(guest)

    def append(self, subjects: Callable[[], str]) -> None:
        client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=30)
        try:
            client.login(BOB, PASSWORD)
            while True:
                subject = subjects()
                if client.append("Sent", "", "", letter(subject).as_bytes())[0] == "OK":
                    self.acknowledged["filed"].append(subject)
        finally:
            client.shutdown()

    def round_of_load(self, number: int) -> None:
        """Load until enough is acknowledged in every way, then kill -9 and start again."""
        before = {way: len(found) for way, found in self.acknowledged.items()}

        def enough() -> bool:
            ways = ("delivered", "forwarded", "queued", "filed")
            return all(len(self.acknowledged[way]) >= before.get(way, 0) + EACH_ROUND // 3 for way in ways)

        def run(work: Callable[[Callable[[], str]], None], worker: int) -> None:
            count = itertools.count()
            with contextlib.suppress(OSError, smtplib.SMTPException, imaplib.IMAP4.error):
                work(lambda: f"r{number}-w{worker}-n{next(count)}")

        works = (self.deliver_on, self.deliver_on, self.deliver_to_an_alias, self.submit, self.append)
        threads = [threading.Thread(target=run, args=(work, worker)) for worker, work in enumerate(works)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while not enough() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.here.kill()
        for thread in threads:
            thread.join(30)
        self.lose(number)
        self.here.start()
        for login, folder in ((ANN, "INBOX"), (BOB, "Sent")):
            self.compare(login, folder)

    def lose(self, number: int) -> None:
        """Of the mailboxes' indexes: nothing, half of the log, all."""
        for index in self.here.data.glob("domains/*/*/index.sqlite"):
            log = index.with_name(index.name + "-wal")
            if number % 3 == 1 and log.exists():
                os.truncate(log, log.stat().st_size // 2)
            elif number % 3 == 2:
                for suffix in ("", "-wal", "-shm"):
                    index.with_name(index.name + suffix).unlink(missing_ok=True)

    def compare(self, login: str, folder: str) -> None:
        """What had a UID has the same one, under the same UIDVALIDITY; it is nobody else's."""
        client = self.imap(login)
        client.select(folder, readonly=True)
        validity = int(client.response("UIDVALIDITY")[1][0])
        client.logout()
        now = dict(self.stored(login, folder))
        before = self.known.get((login, folder), (validity, {}))
        self.assertEqual((validity, {uid: now.get(uid) for uid in before[1]}), before)
        self.known[login, folder] = (validity, now)

    def stored(self, login: str, folder: str) -> list[tuple[int, str]]:
        """(UID, subject) of all messages, in their order."""
        client = self.imap(login)
        client.select(folder, readonly=True)
        rows = client.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        client.logout()
        return [
            (int(row[0].split(b"UID ")[1].split()[0]), row[1].decode().partition(":")[2].strip())
            for row in rows
            if isinstance(row, tuple)
        ]

    def test_every_acknowledged_message_survives(self) -> None:
        """Delivered, forwarded, queued or filed: whatever was answered with 250 or OK is there, UIDs grow, nothing is damaged or locked."""
        self.here.command("alias", "add", TEAM, BOB)
        self.here.command("forward", "add", TEAM, FORWARD)
        for number in range(ROUNDS):
            self.round_of_load(number)
        kept = {
            "delivered": self.stored(ANN, "INBOX"),
            "forwarded": self.stored(BOB, "INBOX"),
            "filed": self.stored(BOB, "Sent"),
        }
        for way, found in kept.items():
            self.assertEqual(set(self.acknowledged[way]) - {subject for _, subject in found}, set())
            uids = [uid for uid, _ in found]
            self.assertEqual(uids, sorted(set(uids)))
        queued = [row["recipient"] for row in self.here.json("queue", "list")]
        self.assertEqual(set(self.acknowledged["queued"]) - set(queued), set())
        self.assertGreaterEqual(queued.count(FORWARD), len(self.acknowledged["forwarded"]))
        self.assertGreaterEqual(min(map(len, self.acknowledged.values())), ROUNDS * EACH_ROUND // 3)
        for login in (ANN, BOB):
            self.pop3(login).quit()
            self.assertEqual(self.here.json("mailbox", "verify", login)["problems"], [])
