"""hostmail.auth.grants: POP before SMTP (C2-C6)."""

from __future__ import annotations

from typing import Any

from twisted.logger import LogLevel, globalLogPublisher
from zope.interface.verify import verifyObject

from hostmail.auth.grants import RelayGrants
from hostmail.errors import BadValue
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.logins import Grant, IRelayGrants
from tests.auth.support import AuthTestCase


class GrantsTestCase(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.file()
        self.grants = self.open(events=self.events)

    def open(self, **more: Any) -> RelayGrants:
        grants = RelayGrants(path=self.path, now=self.clock.seconds, **more)
        self.addCleanup(grants.close)
        return grants

    def grant(self, ip: str, account_id: int = 1, seconds: float | None = None) -> None:
        self.get(self.grants.grant(ip, account_id, f"user{account_id}@example.com", seconds))

    def holder(self, ip: str, grants: RelayGrants | None = None) -> int | None:
        found = self.get((grants or self.grants).find(ip))
        return found.account_id if found else None


class WindowTests(GrantsTestCase):
    def test_is_the_contract(self) -> None:
        """It implements IRelayGrants."""
        verifyObject(IRelayGrants, self.grants)

    def test_thirty_minutes(self) -> None:
        """An address may relay for half an hour after a check (C2)."""
        self.assertIsNone(self.holder("192.0.2.1"))
        self.grant("192.0.2.1")
        now = self.clock.seconds()
        self.assertEqual(
            self.get(self.grants.find("192.0.2.1")), Grant("192.0.2.1", 1, "user1@example.com", now + 1800)
        )
        self.clock.advance(1799)
        self.assertEqual(self.holder("192.0.2.1"), 1)
        self.clock.advance(1)
        self.assertIsNone(self.holder("192.0.2.1"))
        self.assertEqual(self.get(self.grants.list()), [])

    def test_renewed_by_each_check(self) -> None:
        """Each further check begins a new window (C2)."""
        self.grant("192.0.2.1")
        self.clock.advance(1500)
        self.grant("192.0.2.1")
        self.clock.advance(1500)
        self.assertEqual(self.holder("192.0.2.1"), 1)
        self.assertEqual(len(self.get(self.grants.list())), 1)

    def test_never_shortened(self) -> None:
        """A long grant of the operator's is not cut short by a shorter one."""
        self.grant("192.0.2.1", 0, seconds=86_400)
        self.grant("192.0.2.1", 0)
        self.clock.advance(86_399)
        self.assertEqual(self.holder("192.0.2.1"), 0)

    def test_latest_holder(self) -> None:
        """Mail is attributed to the account whose grant ends last (C4)."""
        self.grant("192.0.2.1", 1)
        self.clock.advance(1)
        self.grant("192.0.2.1", 2)
        self.assertEqual(self.holder("192.0.2.1"), 2)

    def test_exactly_this_address(self) -> None:
        """A grant is for one address, IPv6 too, however it is spelled (C6)."""
        self.grant("::ffff:192.0.2.1")
        self.grant("2001:DB8:0::1", 2)
        self.assertEqual(self.holder("192.0.2.1"), 1)
        self.assertEqual(self.holder("2001:db8::1"), 2)
        self.assertIsNone(self.holder("192.0.2.2"))
        self.assertIsNone(self.holder("2001:db8::2"))
        self.assertIsNone(self.holder(""))

    def test_no_address(self) -> None:
        """What is no IP address cannot hold a grant."""
        for text in ("", "localhost", "192.0.2.0/24", "/run/x.sock"):
            self.refused(self.grants.grant(text, 1, "x"), BadValue)

    def test_swept(self) -> None:
        """Entries past their time leave the file with the next grant."""
        self.grant("192.0.2.1")
        self.clock.advance(1800)
        self.grant("192.0.2.2")
        rows = self.grants._file.connection.execute("SELECT count(*) FROM grants").fetchone()
        self.assertEqual(rows, (1,))

    def test_other_processes_and_restart(self) -> None:
        """Other processes see a grant before `grant` returns (C3), and so does the next start."""
        other = self.open()
        self.grant("192.0.2.1")
        self.assertEqual(self.holder("192.0.2.1", other), 1)
        self.get(other.revoke())
        self.assertIsNone(self.holder("192.0.2.1"))
        self.grant("192.0.2.3")
        self.grants.close()
        self.assertEqual(self.holder("192.0.2.3", self.open()), 1)


class RevokeTests(GrantsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.grant("192.0.2.1", 1)
        self.grant("192.0.2.2", 1)
        self.grant("192.0.2.2", 2)

    def test_by_address_account_or_all(self) -> None:
        """Grants are closed by address, by account, or all, and counted (C4)."""
        self.assertEqual(self.get(self.grants.revoke(ip="::ffff:192.0.2.2", account_id=2)), 1)
        self.assertEqual(self.get(self.grants.revoke(ip="192.0.2.2")), 1)
        self.assertEqual(self.get(self.grants.revoke(account_id=1)), 1)
        self.assertEqual(self.get(self.grants.revoke()), 0)

    def test_ends_with_the_login(self) -> None:
        """A password change, a suspension or a deletion revokes the account's grants (C4); other changes do not."""
        self.events.publish(DirectoryChanged("example.com", 1))
        self.events.publish(DirectoryChanged("example.com", 0, credentials=True))
        self.assertEqual(len(self.get(self.grants.list())), 3)
        self.events.publish(DirectoryChanged("example.com", 1, credentials=True))
        self.assertEqual([grant.account_id for grant in self.get(self.grants.list())], [2])
        self.events.publish(DirectoryChanged("example.com", 2, removed=True))
        self.assertEqual(self.get(self.grants.list()), [])


class SharedTests(GrantsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.warnings: list[dict[str, Any]] = []

        def observe(event: dict[str, Any]) -> None:
            if event["log_level"] is LogLevel.warn and "relay_grant_shared" in str(event["log_format"]):
                self.warnings.append(event)

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        for account_id in range(1, 6):
            self.grant("192.0.2.1", account_id)

    def test_logged_and_honoured(self) -> None:
        """A sixth account at one address is logged, once, and may relay all the same (C6)."""
        self.assertEqual(self.warnings, [])
        self.grant("192.0.2.1", 6)
        self.grant("192.0.2.1", 6)
        self.assertEqual([event["accounts"] for event in self.warnings], [6])
        self.assertIsNotNone(self.holder("192.0.2.1"))

    def test_logged_once_an_hour(self) -> None:
        """Many people behind one address do not flood the log: a warning an hour for each network."""
        for account_id in range(6, 40):
            self.grant("192.0.2.1", account_id)
        self.assertEqual(len(self.warnings), 1)
        for account_id in range(1, 7):
            self.grant("192.0.2.2", account_id)
        self.assertEqual([event["ip"] for event in self.warnings], ["192.0.2.1", "192.0.2.2"])
        self.clock.advance(3600)
        for account_id in range(1, 7):
            self.grant("192.0.2.1", account_id)
        self.assertEqual(len(self.warnings), 3)

    def test_auth_demanded(self) -> None:
        """Where the operator says so, a shared address grants nobody anything but what he opened himself (C6)."""
        strict = self.open(honour_shared=False)
        self.assertIsNotNone(self.holder("192.0.2.1", strict))
        self.grant("192.0.2.1", 6)
        self.assertIsNone(self.holder("192.0.2.1", strict))
        self.grant("192.0.2.1", 0)
        self.assertEqual(self.holder("192.0.2.1", strict), 0)
