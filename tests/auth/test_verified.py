"""hostmail.auth.verified: polling is cheap, and never at the price of a changed password (A6, A8)."""

from __future__ import annotations

from hostmail.auth.verified import RecentFailures, VerifiedCredentials
from hostmail.interfaces.events import DirectoryChanged
from tests.auth.support import AuthTestCase


class VerifiedCredentialsTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.verified = VerifiedCredentials(now=self.clock.seconds, events=self.events, ttl_seconds=300, entries=2)
        self.verified.remember(1, "{X}hash", "secret")

    def test_knows_exactly_this(self) -> None:
        """Only the same account, hash and password are known."""
        self.assertTrue(self.verified.knows(1, "{X}hash", "secret"))
        self.assertFalse(self.verified.knows(1, "{X}hash", "Secret"))
        self.assertFalse(self.verified.knows(1, "{X}other", "secret"))
        self.assertFalse(self.verified.knows(2, "{X}hash", "secret"))

    def test_ends(self) -> None:
        """After five minutes the password is hashed again, however often it was used."""
        self.clock.advance(299)
        self.assertTrue(self.verified.knows(1, "{X}hash", "secret"))
        self.clock.advance(1)
        self.assertFalse(self.verified.knows(1, "{X}hash", "secret"))
        self.assertEqual(len(self.verified), 0)

    def test_dropped_at_once(self) -> None:
        """A changed password, a suspension or a removal is heard; other changes cost nobody anything."""
        self.verified.remember(2, "{X}hash", "secret")
        self.events.publish(DirectoryChanged("example.com", 1))
        self.assertTrue(self.verified.knows(1, "{X}hash", "secret"))
        self.events.publish(DirectoryChanged("example.com", 1, credentials=True))
        self.assertFalse(self.verified.knows(1, "{X}hash", "secret"))
        self.events.publish(DirectoryChanged("example.com", 2, removed=True))
        self.assertFalse(self.verified.knows(2, "{X}hash", "secret"))

    def test_bounded(self) -> None:
        """Only so many are remembered; the oldest goes."""
        for account_id in (2, 3):
            self.verified.remember(account_id, "{X}hash", "secret")
        self.assertEqual(len(self.verified), 2)
        self.assertFalse(self.verified.knows(1, "{X}hash", "secret"))

    def test_octets(self) -> None:
        """Passwords that are no UTF-8 are remembered like any."""
        self.verified.remember(1, "{X}hash", "caf\udce9")
        self.assertTrue(self.verified.knows(1, "{X}hash", "caf\udce9"))

    def test_keeps_no_password(self) -> None:
        """Neither the password nor the hash is kept, and the same password looks different in the next process."""
        other = VerifiedCredentials(now=self.clock.seconds)
        other.remember(1, "{X}hash", "secret")
        kept = [entries[1][0] for entries in (self.verified._entries, other._entries)]
        self.assertNotEqual(*kept)
        self.assertNotIn(b"secret", kept[0])


class RecentFailuresTests(AuthTestCase):
    def test_repeated(self) -> None:
        """The same wrong password from the same client is a repetition; another password or client is not."""
        failures = RecentFailures(entries=2)
        self.assertFalse(failures.is_repeated("192.0.2.1", "ann", "old"))
        self.assertTrue(failures.is_repeated("192.0.2.1", "ann", "old"))
        self.assertFalse(failures.is_repeated("192.0.2.2", "ann", "old"))
        self.assertFalse(failures.is_repeated("192.0.2.1", "ann", "other"))
        self.assertFalse(failures.is_repeated("192.0.2.1", "ann", "old"))

    def test_bounded(self) -> None:
        """Only so many are remembered."""
        failures = RecentFailures(entries=2)
        for login in ("a", "b", "c"):
            failures.is_repeated("192.0.2.1", login, "x")
        self.assertFalse(failures.is_repeated("192.0.2.1", "a", "x"))
