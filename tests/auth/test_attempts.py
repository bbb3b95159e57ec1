"""hostmail.auth.attempts: what owners see of attempts to sign in (F4)."""

from __future__ import annotations

from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from hostmail.auth import attempts
from hostmail.auth.attempts import LoginAttempts
from hostmail.envelope import Peer
from hostmail.interfaces.logins import ILoginAttempts, LoginAttempt
from tests.auth.support import AuthTestCase, at_once

HOME = Peer("192.0.2.1", "imap")


class AttemptsTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.file()
        self.attempts = self.open()

    def open(self) -> LoginAttempts:
        opened = LoginAttempts(path=self.path, in_thread=at_once, clock=self.clock, now=self.clock.seconds)
        self.addCleanup(lambda: self.get(opened.close()))
        return opened

    def seen(self, account_id: int = 1) -> list[LoginAttempt]:
        return self.get(self.attempts.of_account(account_id))

    def test_is_the_contract(self) -> None:
        """It implements ILoginAttempts."""
        verifyObject(ILoginAttempts, self.attempts)

    def test_alike_are_one(self) -> None:
        """A client that polls is one row with its first and latest time, written or not."""
        first = self.clock.seconds()
        for _ in range(3):
            for _ in range(4):
                self.attempts.tell(1, "ann@example.com", "", HOME)
            self.clock.advance(60)
        [seen] = self.seen()
        self.assertEqual((seen.first, seen.last, seen.count), (first, first + 120, 12))

    def test_newest_first(self) -> None:
        """Reasons, places and protocols are told apart; the newest comes first, and others' accounts are left out."""
        self.attempts.tell(1, "ann@example.com", "wrong password", HOME)
        self.clock.advance(1)
        self.attempts.tell(1, "Ann@example.com", "wrong case", Peer("2001:db8::1", "submission", tls=True))
        self.attempts.tell(2, "bob@example.com", "", HOME)
        self.assertEqual(
            [(one.login, one.refused, one.protocol, one.ip, one.tls) for one in self.seen()],
            [
                ("Ann@example.com", "wrong case", "submission", "2001:db8::1", True),
                ("ann@example.com", "wrong password", "imap", "192.0.2.1", False),
            ],
        )

    def test_last_checks(self) -> None:
        """The last check is a good login by POP3 or IMAP, not one to send mail, nor a failed one."""
        checked = self.clock.seconds()
        self.attempts.tell(1, "ann@example.com", "", HOME)
        self.clock.advance(9)
        self.attempts.tell(1, "ann@example.com", "", Peer("192.0.2.1", "submission"))
        self.attempts.tell(1, "ann@example.com", "wrong password", HOME)
        found = self.get(self.attempts.last_checks([1, 2]))
        self.assertEqual([(one.account_id, one.protocol, one.last) for one in found.values()], [(1, "imap", checked)])

    def test_last_checks_of_many(self) -> None:
        """However many are asked about, it is one question; each gets the latest of its own."""
        for number in range(3):
            for account_id in range(1, 2_001):
                peer = Peer(f"192.0.2.{(account_id + number) % 3}", "pop3s", tls=True)
                self.attempts.tell(account_id, f"{account_id}@example.com", "", peer)
            self.clock.advance(1)
        asked: list[str] = []
        self.get(self.attempts.flush())
        self.attempts._file.connection.set_trace_callback(asked.append)
        found = self.get(self.attempts.last_checks(range(2, 2_001)))
        self.assertEqual((len(asked), len(found)), (1, 1_999))
        self.assertEqual(
            {(one.ip == f"192.0.2.{(key + 2) % 3}", one.tls) for key, one in found.items()}, {(True, True)}
        )

    def test_survives_a_restart(self) -> None:
        """What was written is there for the next process."""
        self.attempts.tell(1, "ann@example.com", "", HOME)
        self.get(self.attempts.close())
        self.attempts = self.open()
        self.assertEqual(len(self.seen()), 1)

    def test_bounded(self) -> None:
        """Whoever guesses from everywhere does not fill the disk; the newest stay."""
        self.patch(attempts, "KINDS_AN_ACCOUNT", 5)
        for number in range(50):
            self.attempts.tell(1, "ann@example.com", "wrong password", Peer(f"192.0.2.{number}", "imap"))
            self.clock.advance(0.05)
        self.clock.advance(10)
        self.assertLessEqual(len(self.seen()), 5)
        self.clock.advance(1)
        self.attempts.tell(1, "ann@example.com", "", HOME)
        self.assertEqual(self.seen()[0].refused, "")
        self.assertEqual(len(self.get(self.attempts.of_account(1, 2))), 2)

    def test_bounded_in_memory(self) -> None:
        """Between two writings there is room for so many kinds."""
        self.patch(attempts, "MOST_UNWRITTEN", 3)
        self.attempts = self.open()
        for number in range(9):
            self.attempts.tell(1, "ann@example.com", "wrong password", Peer(f"192.0.2.{number}", "imap"))
        self.assertEqual(len(self.seen()), 3)

    def test_forgotten_in_time(self) -> None:
        """After three months nobody needs to know who was where."""
        self.patch(attempts, "SWEEP_EVERY", 0)
        self.attempts.tell(1, "ann@example.com", "", HOME)
        self.get(self.attempts.flush())
        self.clock.advance(91 * 86_400)
        self.attempts.tell(2, "bob@example.com", "", HOME)
        self.assertEqual((len(self.seen(2)), len(self.seen(1))), (1, 0))

    def test_odd_logins(self) -> None:
        """A login of any length and any octets is kept as far as it is text."""
        self.attempts.tell(0, "x" * 10_000, "unknown", HOME)
        self.attempts.tell(0, "a\udcff@example.com", "no address", HOME)
        self.assertEqual(sorted(len(one.login) for one in self.seen(0)), [14, 254])

    def test_a_full_disk_keeps_nobody_out(self) -> None:
        """What cannot be written is logged."""
        self.attempts.tell(1, "ann@example.com", "", HOME)
        self.attempts._file.connection.execute("DROP TABLE attempts")
        with capturedLogs() as events:
            self.clock.advance(10)
        self.assertIn("login_attempts_lost", events[0]["log_format"])
        self.flushLoggedErrors()
