"""login.list, throttle.*: why somebody cannot get at his mail (F4)."""

from __future__ import annotations

from hostmail.envelope import Peer
from hostmail.errors import NotFound
from tests.admin.facts import NOW
from tests.admin.test_service import Base

HOME = Peer("192.0.2.1", "imap")


class LoginTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.world.facts.by_key["ann@one.test"].id
        for refused in ("", "wrong password"):
            self.world.attempts.tell(self.ann, "ann@one.test", refused, HOME)

    def test_reasons_and_what_to_do(self) -> None:
        """Each attempt has its plain reason, and what to do about it."""
        good, bad = self.call("login.list", address="ann@one.test")
        self.assertEqual((good["accepted"], good["advice"], good["ip"]), (True, "", "192.0.2.1"))
        self.assertEqual((bad["accepted"], bad["reason"]), (False, "wrong password"))
        self.assertIn("old one", bad["advice"])
        self.refused(NotFound, "no account", "login.list", address="eve@one.test")

    def test_last_check(self) -> None:
        """An account is shown with the last time that its mail was checked, and how."""
        for told in (self.call("account.show", address="ann@one.test"), self.call("account.list")[0]):
            self.assertEqual(told["last_check"], {"at": NOW, "protocol": "imap", "ip": "192.0.2.1"})
        self.assertIsNone(self.call("account.show", address="bob@one.test")["last_check"])

    def test_throttled(self) -> None:
        """Operators see who is slowed down, and let him begin anew."""
        (row,) = self.call("throttle.list")
        self.assertEqual((row["ip"], row["failures"], row["refused_until"]), ("192.0.2.66/32", 3.0, NOW + 900))
        self.assertEqual(self.call("throttle.forgive", ip="192.0.2.66"), {"ip": "192.0.2.66"})
        self.assertEqual(self.call("throttle.list"), [])
        self.refused(NotFound, "no failed logins are known", "throttle.forgive", ip="192.0.2.66")
