"""Everybody at once in one mailbox: two Maildirs that mbsync keeps, deliveries, IMAP, POP3 and a program that knows nothing of us.

Each of them does what only it does, to messages that it knows by their numbers. So it is known to the last message and flag what
must be left when all are quiet. Mail comes while mbsync runs, and each message that comes gives the others a turn.
"""

from __future__ import annotations

import imaplib
import os
import poplib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.journeys.base import letter
from tests.support.mbsync import mbsync_settings
from tests.support.missing import program
from tests.support.programs import SECONDS, Programs

LOGIN = "everybody@example.test"
SYNCS, BATCH = 4, 8
DELIVERED = 2 * SYNCS * BATCH
MANY = 1000
LETTERS = {"S": r"\Seen", "R": r"\Answered", "F": r"\Flagged", "D": r"\Draft"}
WHO = ("imap", "pop3", "near", "far", "outside")  # deletes the messages of its number, of eight; the other three stay


def number_of(subject: str) -> int:
    return int(subject.partition("-")[2]) % 8


def subject_of(header: str) -> str:
    found = re.search(r"(?mi)^Subject: (\S+)", header)
    assert found is not None, header
    return found[1]


class TogetherTests(Programs):
    accounts = (LOGIN,)

    def setUp(self) -> None:
        super().setUp()
        program("mbsync")
        self.change = threading.Condition()
        self.wanted = threading.Semaphore(0)
        self.delivered = 0
        self.flags: dict[str, set[str]] = {}
        self.gone: set[str] = set()

    # ------------------------------------------------------------------------------------------------- what was done

    def makes(self, subject: str, *flags: str) -> None:
        with self.change:
            self.flags[subject] = set(flags)

    def removes(self, *subjects: str) -> None:
        with self.change:
            self.gone.update(subjects)
            self.change.notify_all()

    def adds(self, subject: str, flag: str) -> None:
        with self.change:
            self.flags[subject].add(flag)

    def takes(self, subject: str, flag: str) -> None:
        with self.change:
            self.flags[subject].discard(flag)

    def truth(self) -> list[tuple[str, list[str]]]:
        return sorted((subject, sorted(flags)) for subject, flags in self.flags.items() if subject not in self.gone)

    def is_for(self, who: str, subject: str) -> bool:
        """Whether this message is this one's to delete."""
        return subject.startswith("d-") and number_of(subject) == WHO.index(who)

    def turns(self, who: str) -> Iterator[int]:
        """One for each message that came, or that somebody else removed, until this one has removed all that are its own."""
        known = -1
        for turn in range(MANY):
            if self.is_done(who):
                return
            known = self.next_change(known)
            yield turn
        raise AssertionError(f"{who} does not find what is to be removed")

    def next_change(self, known: int) -> int:
        with self.change:
            assert self.change.wait_for(lambda: self.ended or self.changes != known, SECONDS), "nothing comes"
            return self.changes

    def is_done(self, who: str) -> bool:
        with self.change:
            return sum(self.is_for(who, subject) for subject in self.gone) == DELIVERED // 8

    @property
    def changes(self) -> int:
        return self.delivered + len(self.gone)

    @property
    def ended(self) -> bool:
        return self.delivered == DELIVERED

    # ----------------------------------------------------------------------------------------------------- who does it

    def deliveries(self) -> None:
        """Strangers' mail: some whenever mbsync begins."""
        with self.smtp() as client:
            for number in range(DELIVERED):
                assert number % BATCH or self.wanted.acquire(timeout=SECONDS), "mbsync does not run any more"
                self.makes(f"d-{number}")
                client.send_message(letter(f"d-{number}", to=LOGIN))
                with self.change:
                    self.delivered += 1
                    self.change.notify_all()

    def listed(self, client: imaplib.IMAP4) -> list[tuple[int, str, set[str]]]:
        """(UID, subject, flags) of all messages."""
        rows = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        found = []
        for row in rows:
            if isinstance(row, tuple):
                uid, flags = re.search(rb"UID (\d+)", row[0]), re.search(rb"FLAGS \(([^)]*)\)", row[0])
                assert uid is not None
                assert flags is not None
                words = set(flags[1].decode().split()) - {r"\Recent"}
                found.append((int(uid[1]), subject_of(row[1].decode()), words))
        return found

    def imap_session(self) -> None:
        """Stores flags, takes some away, appends, expunges by UID."""
        client = self.imap(LOGIN)
        client.select("INBOX")
        for turn in self.turns("imap"):
            for uid, subject, flags in self.listed(client):
                if self.is_for("imap", subject):
                    client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
                    self.assertEqual(client.uid("EXPUNGE", str(uid))[0], "OK")
                    self.removes(subject)
                elif subject.startswith("d-") and number_of(subject) in (5, 6) and r"\Flagged" not in flags:
                    self.assertEqual(client.uid("STORE", str(uid), "+FLAGS", r"(\Flagged)")[0], "OK")
                    self.adds(subject, r"\Flagged")
                elif subject == f"s-{turn}":
                    self.assertEqual(client.uid("STORE", str(uid), "-FLAGS", r"(\Flagged)")[0], "OK")
                    self.takes(subject, r"\Flagged")
            if turn < SYNCS:
                self.makes(f"i-{turn}", r"\Seen")
                client.append("INBOX", r"(\Seen)", "", letter(f"i-{turn}").as_bytes())
        client.logout()

    def pop3_sessions(self) -> None:
        """Delete at QUIT; what somebody else removed meanwhile answers -ERR."""
        for _ in self.turns("pop3"):
            client, doomed = self.pop3(LOGIN), []
            for number in range(1, client.stat()[0] + 1):
                try:
                    subject = subject_of(b"\n".join(client.top(number, 0)[1]).decode())
                except poplib.error_proto:
                    continue
                if self.is_for("pop3", subject):
                    client.dele(number)
                    doomed.append(subject)
            client.quit()
            self.removes(*doomed)

    def outside(self) -> None:
        """A program in the server's Maildir: delivers, marks, removes; who finds a file renamed looks again."""
        (maildir,) = self.here.data.glob("domains/example.test/everybody*/Maildir")
        for turn in self.turns("outside"):
            if turn < SYNCS:
                path = maildir / "tmp" / f"1.{turn}.outside"
                path.write_bytes(letter(f"o-{turn}").as_bytes())
                self.makes(f"o-{turn}")
                path.rename(maildir / "new" / path.name)
            for subject, path in self.files(maildir):
                try:
                    if self.is_for("outside", subject):
                        path.unlink()
                        self.removes(subject)
                    elif subject == f"s-{turn}":
                        self.mark(path, "D")
                        self.adds(subject, LETTERS["D"])
                except FileNotFoundError:
                    continue

    def replica(self, name: str) -> Callable[[], None]:
        """A Maildir of the account, and its user between two runs of mbsync."""

        def work() -> None:
            for turn in range(SYNCS):
                self.user_of(name)
                self.makes(f"{name}-{turn}", r"\Seen")
                self.file(f"{name}/INBOX/cur/17.{turn}.{name}:2,S", letter(f"{name}-{turn}").as_bytes())
                self.wanted.release()
                self.sync(name)

        return work

    def user_of(self, name: str) -> None:
        """Reads, answers and deletes what has come to this Maildir."""
        flag, numbers = {"near": ("S", (5, 6)), "far": ("R", (5, 7))}[name]
        for subject, path in self.files(self.home / name / "INBOX"):
            if self.is_for(name, subject):
                path.unlink()
                self.removes(subject)
            elif subject.startswith("d-") and number_of(subject) in numbers:
                self.mark(path, flag)
                self.adds(subject, LETTERS[flag])

    def sync(self, name: str) -> None:
        (self.home / name).mkdir(exist_ok=True)
        settings = mbsync_settings(self.here, LOGIN, self.home / name, self.server_certificate)
        self.run_program("mbsync", "--config", self.file(f"{name}.rc", settings), "--all")

    def files(self, maildir: Path) -> list[tuple[str, Path]]:
        """(subject, file) of all messages that do not move while one looks."""
        found = []
        for place in ("new", "cur"):
            for entry in os.listdir(maildir / place):
                path = maildir / place / entry
                try:
                    found.append((subject_of(path.read_text()), path))
                except FileNotFoundError:
                    continue
        return found

    def mark(self, path: Path, flag: str) -> None:
        base, _, info = path.name.partition(":2,")
        path.rename(path.parent.parent / "cur" / f"{base}:2,{''.join(sorted({*info, flag}))}")

    # --------------------------------------------------------------------------------------------------------- the end

    def state_of(self, name: str) -> list[tuple[str, list[str]]]:
        """As `truth`, of a local Maildir: a message that is there twice stands there twice."""
        inbox = self.home / name / "INBOX"
        return sorted(
            (subject, sorted(LETTERS[each] for each in path.name.partition(":2,")[2]))
            for subject, path in self.files(inbox)
        )

    def far_state(self) -> list[tuple[int, str, set[str]]]:
        client = self.imap(LOGIN)
        client.select("INBOX", readonly=True)
        found = self.listed(client)
        client.logout()
        return found

    def test_all_at_once(self) -> None:
        """Nothing lost, nothing twice: at the end both Maildirs and the server hold the same messages with the same flags."""
        self.server_certificate = self.certificate()
        client = self.imap(LOGIN)
        for number in range(DELIVERED):
            client.append("INBOX", r"(\Flagged)", "", letter(f"s-{number}").as_bytes())
            self.makes(f"s-{number}", r"\Flagged")
        client.logout()
        for name in ("near", "far"):
            self.sync(name)
        works = [
            *(self.deliveries, self.imap_session, self.pop3_sessions, self.outside),
            *(self.replica("near"), self.replica("far")),
        ]
        with ThreadPoolExecutor(len(works)) as pool:
            for done in [pool.submit(work) for work in works]:
                done.result(timeout=5 * SECONDS)
        for name in ("near", "far"):
            self.sync(name)
            self.user_of(name)
        for name in ("near", "far", "near"):
            self.sync(name)
        truth = self.truth()
        far = self.far_state()
        self.assertEqual(sorted((subject, sorted(flags)) for _, subject, flags in far), truth)
        for name in ("near", "far"):
            self.assertEqual(self.state_of(name), truth, name)
        uids = [uid for uid, _, _ in far]
        self.assertEqual(uids, sorted(set(uids)))
        self.assertEqual(len(self.gone), DELIVERED * len(WHO) // 8)
        self.assertEqual(self.here.json("mailbox", "verify", LOGIN)["problems"], [])
        before = self.files(self.home / "near" / "INBOX")
        self.sync("near")
        self.assertEqual((self.files(self.home / "near" / "INBOX"), self.far_state()), (before, far))
