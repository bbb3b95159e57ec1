"""hostmail.auth.checker: who may sign in, what it costs, and what a failure tells (A1-A9, C2, C3, C5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import UsernamePassword
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from zope.interface import Interface, implementer
from zope.interface.verify import verifyObject

from hostmail.auth.barenames import of_domain
from hostmail.auth.checker import Checker
from hostmail.auth.grants import RelayGrants
from hostmail.auth.realm import HostmailRealm
from hostmail.auth.throttle import Throttle, ThrottleLimits
from hostmail.auth.verified import VerifiedCredentials
from hostmail.envelope import Peer
from hostmail.errors import BareLogin, LoginFailed, Overloaded, PlaintextRefused, TemporaryFailure
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.logins import Grant, IRelayGrants, PasswordLogin
from tests.auth.support import Attempts, AuthTestCase, People, PlainPasswords

HOME = "192.0.2.1"


class Upgrades:
    """The one method of IDirectoryChanges that a checker calls."""

    def __init__(self) -> None:
        self.upgraded: list[tuple[int, str, str]] = []

    async def upgrade_hash(self, account_id: int, old_hash: str, new_hash: str) -> bool:
        self.upgraded.append((account_id, old_hash, new_hash))
        return True


@implementer(IRelayGrants)
class NoGrants:
    """A store of grants whose disk is full."""

    async def grant(self, ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        raise TemporaryFailure

    async def find(self, ip: str) -> Grant | None:
        return None

    async def list(self) -> list[Grant]:
        return []

    async def revoke(self, ip: str | None = None, account_id: int | None = None) -> int:
        return 0


class CheckerTestCase(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.people, self.passwords, self.upgrades = People(), PlainPasswords(), Upgrades()
        self.attempts = Attempts()
        self.ann = self.people.add(1, "Ann@example.com", "{OWN}secret")
        self.people.logins["example"] = self.people.logins["Ann@example.com"]
        self.throttle = Throttle(path=self.file(), now=self.clock.seconds)
        self.grants = RelayGrants(path=self.file(), now=self.clock.seconds)
        self.addCleanup(self.throttle.close)
        self.addCleanup(self.grants.close)
        self.checker = self.make()

    def make(self, **more: Any) -> Checker:
        parts: dict[str, Any] = {
            "directory": self.people,
            "changes": self.upgrades,
            "passwords": self.passwords,
            "verified": VerifiedCredentials(now=self.clock.seconds, events=self.events),
            "throttle": self.throttle,
            "grants": self.grants,
            "attempts": self.attempts,
            "clock": self.clock,
        }
        return Checker(**parts | more)

    def ask(self, login: str, password: str, ip: str = HOME, protocol: str = "imap", **more: Any) -> Deferred[int]:
        return self.checker.requestAvatarId(PasswordLogin(login, password, Peer(ip, protocol), **more))

    def good(self, login: str, password: str, **more: Any) -> int:
        return self.successResultOf(self.ask(login, password, **more))

    def bad(self, login: str, password: str, **more: Any) -> LoginFailed:
        """The refusal, after however long it takes."""
        asked = self.ask(login, password, **more)
        self.clock.advance(15)
        refusal = self.failureResultOf(asked, LoginFailed).value
        assert isinstance(refusal, LoginFailed)
        return refusal


class LoginTests(CheckerTestCase):
    def test_is_a_checker(self) -> None:
        """It implements twisted.cred's ICredentialsChecker."""
        verifyObject(ICredentialsChecker, self.checker)

    def test_full_address(self) -> None:
        """Full address and password open the account (A1)."""
        self.assertEqual(self.good("Ann@example.com", "secret"), 1)

    def test_main_login(self) -> None:
        """The domain's main login opens the default mailbox (A3)."""
        self.assertEqual(self.good("example", "secret"), 1)

    def test_stock_credentials(self) -> None:
        """Twisted's own credentials, in bytes and without a session, work as well."""
        asked = self.checker.requestAvatarId(UsernamePassword(b"Ann@example.com", b"secret"))
        self.assertEqual(self.successResultOf(asked), 1)

    def test_both_are_case_sensitive(self) -> None:
        """Another case of login or password is refused (A2)."""
        self.assertEqual(self.bad("ann@example.com", "secret").private, "wrong case")
        self.assertEqual(self.bad("Ann@example.com", "Secret").private, "wrong password")

    def test_bare_name(self) -> None:
        """A bare name is refused with a reason that a person can act on (A1)."""
        refusal = self.bad("Ann", "secret")
        self.assertIsInstance(refusal, BareLogin)
        self.assertIn("full mail address", refusal.public)

    def test_bare_name_where_allowed(self) -> None:
        """Where a listener or server name belongs to one domain, its names may come bare (A4)."""

        async def by_server_name(peer: Peer) -> str:
            return "example.com" if peer.ip == HOME else ""

        everywhere = self.checker
        self.checker = everywhere.for_listener(by_server_name)  # type: ignore[assignment]
        self.assertTrue(verifyObject(ICredentialsChecker, self.checker))
        self.assertEqual(self.good("Ann", "secret"), 1)
        self.assertEqual(self.good("example", "secret"), 1)
        self.assertEqual(self.good("Ann@example.com", "secret"), 1)
        self.assertNotIsInstance(self.bad("Ann", "wrong"), BareLogin)
        self.assertIsInstance(self.bad("Ann", "secret", ip="198.51.100.1"), BareLogin)
        self.checker = everywhere
        self.assertIsInstance(self.bad("Ann", "secret"), BareLogin)

    def test_main_logins_are_not_told(self) -> None:
        """A wrong password for a main login, and a bare name that is none, read the same (A3, LIMITS Logins)."""
        for checker in (self.checker, self.checker.for_listener(of_domain("example.com"))):
            self.checker = checker  # type: ignore[assignment]
            refusals = [self.bad("example", "wrong"), self.bad("exampel", "wrong")]
            self.assertEqual(len({(type(one), one.public) for one in refusals}), 1)

    def test_acting_as_somebody_else(self) -> None:
        """An authorization identity must be empty or the login itself (RFC 4616)."""
        self.assertEqual(self.good("Ann@example.com", "secret", authzid="Ann@example.com"), 1)
        self.assertEqual(self.good("example", "secret", authzid="Ann@example.com"), 1)
        self.assertEqual(
            self.bad("Ann@example.com", "secret", authzid="bob@example.com").private, "acting as somebody else"
        )

    def test_suspended(self) -> None:
        """A suspended login fails, by account and by domain (A9)."""
        self.people.logins["Ann@example.com"] = (replace(self.ann, login_suspended=True), "{OWN}secret")
        self.assertEqual(self.bad("Ann@example.com", "secret").private, "login suspended")
        self.people.logins["Ann@example.com"] = (self.ann, "{OWN}secret")
        self.people.hosted["example.com"] = replace(self.people.hosted["example.com"], login_suspended=True)
        self.assertIn("domain", self.bad("Ann@example.com", "secret").private)
        self.people.hosted.clear()
        self.bad("Ann@example.com", "secret")

    def test_same_words(self) -> None:
        """Unknown, wrong and suspended read the same to the peer (LIMITS Logins)."""
        self.people.add(2, "bob@example.com", "{OWN}secret", login_suspended=True)
        refusals = [
            self.bad("nobody@example.com", "secret"),
            self.bad("Ann@example.com", "wrong"),
            self.bad("bob@example.com", "secret"),
        ]
        self.assertEqual({refusal.public for refusal in refusals}, {LoginFailed.words})
        self.assertEqual(len({refusal.private for refusal in refusals}), 3)

    def test_owner_can_see_why(self) -> None:
        """Each attempt is written down with its plain reason, a misspelled login with the account that it is meant to be (F4)."""
        self.good("Ann@example.com", "secret")
        self.good("example", "secret")
        for login in ("Ann@example.com", "ann@example.com", "Ann", "bob@example.com"):
            self.bad(login, "wrong")
        self.assertEqual(
            self.attempts.told,
            [
                (1, "Ann@example.com", ""),
                (1, "example", ""),
                (1, "Ann@example.com", "wrong password"),
                (1, "ann@example.com", "wrong case"),
                (0, "Ann", "bare name"),
                (0, "bob@example.com", "unknown"),
            ],
        )

    def test_refused_before_the_password(self) -> None:
        """What a session has to refuse whoever it is, is written down, and no password is looked at (B2, F4)."""
        for login, account_id in {"Ann@example.com": 1, "ann@example.com": 1, "bob@example.com": 0}.items():
            asked = self.ask(login, "secret", refusal=PlaintextRefused(private="no TLS"))
            self.failureResultOf(asked, PlaintextRefused)
            self.assertEqual(self.attempts.told.pop(), (account_id, login, "no TLS"))
        self.assertEqual(self.passwords.verified, [])

    def test_shut_out(self) -> None:
        """Somebody whose neighbour guesses too much finds out why he cannot get in (F4)."""
        self.throttle = Throttle(path=self.file(), now=self.clock.seconds, limits=ThrottleLimits(failures_per_client=1))
        self.addCleanup(self.throttle.close)
        self.checker = self.make()
        self.bad("bob@example.com", "wrong")
        self.failureResultOf(self.ask("Ann@example.com", "secret"), Overloaded)
        self.assertEqual(self.attempts.told[-1], (1, "Ann@example.com", "too many failed logins from this address"))

    def test_one_line_a_login(self) -> None:
        """The log has a good login once: POP3 and IMAP tell it themselves, for SMTP it is told here."""
        with capturedLogs() as events:
            for protocol in ("imap", "pop3s", "submission"):
                self.good("Ann@example.com", "secret", protocol=protocol)
        told = [formatEvent(event) for event in events]
        self.assertEqual(told, [f"login_accepted: Ann@example.com from {HOME} by submission"])

    def test_behind_the_portal(self) -> None:
        """Portal, checker and realm together give the avatar."""

        class IThing(Interface): ...

        async def thing(account: Any, peer: Peer) -> tuple[Any, Any]:
            return account.id, lambda: None

        portal = Portal(HostmailRealm(directory=self.people, avatars={IThing: thing}), [self.checker])
        peer = Peer(HOME, "imap")
        got = self.successResultOf(portal.login(PasswordLogin("Ann@example.com", "secret", peer), peer, IThing))
        self.assertEqual((got[1], peer.account_id), (1, 1))


class CostTests(CheckerTestCase):
    def test_polling_hashes_once(self) -> None:
        """A client that polls is hashed once in five minutes (A8)."""
        for _ in range(10):
            self.good("Ann@example.com", "secret")
        self.assertEqual(len(self.passwords.verified), 1)
        self.clock.advance(300)
        self.good("Ann@example.com", "secret")
        self.assertEqual(len(self.passwords.verified), 2)

    def test_a_new_password_counts_at_once(self) -> None:
        """The old password opens nothing from the moment the new one is set (A6), announced or not."""
        self.good("Ann@example.com", "secret")
        self.people.logins["Ann@example.com"] = (self.ann, "{OWN}new")
        self.bad("Ann@example.com", "secret")
        self.good("Ann@example.com", "new")

    def test_changed_while_hashing(self) -> None:
        """A password that is changed, or a login that is suspended, while its hash is being computed opens nothing (A6, C4)."""
        verify, logins = self.passwords.verify, self.people.logins
        changes = (
            (self.ann, "{OWN}new"),
            (replace(self.ann, login_suspended=True), "{OWN}secret"),
            None,
        )
        for number, change in enumerate(changes):

            async def changing(stored: str, password: str, change: Any = change) -> bool:
                right = await verify(stored, password)
                logins["Ann@example.com"] = change
                if change is None:
                    del logins["Ann@example.com"]
                return right

            logins["Ann@example.com"] = (self.ann, "{OWN}secret")
            self.checker = self.make()
            self.passwords.verify = changing  # type: ignore[method-assign]
            self.bad("Ann@example.com", "secret", ip=f"192.0.2.{number}")
        self.assertEqual(self.get(self.grants.list()), [])

    def test_upgraded_while_hashing(self) -> None:
        """Two devices at once, with a hash that the other one's login just replaced: both are let in (A7)."""
        verify = self.passwords.verify

        async def upgrading(stored: str, password: str) -> bool:
            self.people.logins["Ann@example.com"] = (self.ann, "{OWN}secret")
            return await verify(stored, password)

        self.people.logins["Ann@example.com"] = (self.ann, "{PLAIN}secret")
        self.passwords.verify = upgrading  # type: ignore[method-assign]
        self.assertEqual(self.good("Ann@example.com", "secret"), 1)

    def test_announced_changes_hash_again(self) -> None:
        """An announcement drops the record."""
        self.good("Ann@example.com", "secret")
        self.events.publish(DirectoryChanged("example.com", 1, credentials=True))
        self.good("Ann@example.com", "secret")
        self.assertEqual(len(self.passwords.verified), 2)

    def test_unknown_costs_a_hash(self) -> None:
        """For a login that does not exist a hash is computed all the same."""
        self.bad("nobody@example.com", "secret")
        self.bad("nobody", "secret")
        self.assertEqual(self.passwords.verified, ["", ""])

    def test_foreign_hash_is_replaced(self) -> None:
        """A good login with a foreign hash puts ours in its place (A7); a bad one does not."""
        self.people.add(2, "bob@example.com", "{PLAIN}secret")
        self.bad("bob@example.com", "wrong")
        self.assertEqual(self.upgrades.upgraded, [])
        self.good("bob@example.com", "secret")
        self.good("bob@example.com", "secret")
        self.assertEqual(self.upgrades.upgraded, [(2, "{PLAIN}secret", "{OWN}secret")])

    def test_upgrading_may_fail(self) -> None:
        """A hash that cannot be replaced now keeps nobody out: it is tried again later."""
        self.people.add(2, "bob@example.com", "{PLAIN}secret")
        self.passwords.failing = Overloaded()
        self.good("bob@example.com", "secret")
        self.clock.advance(300)
        self.passwords.failing = ZeroDivisionError()
        self.good("bob@example.com", "secret")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.upgrades.upgraded, [])


class DelayTests(CheckerTestCase):
    def test_failures_wait(self) -> None:
        """A failed login is answered after 2 s, the next after 4."""
        for seconds in (2, 4):
            asked = self.ask("Ann@example.com", "wrong")
            self.clock.advance(seconds - 0.1)
            self.assertNoResult(asked)
            self.clock.advance(0.2)
            self.failureResultOf(asked, LoginFailed)

    def test_counted_from_when_it_came_in(self) -> None:
        """How long the hashing took does not show: the answer comes 2 s after the question."""
        self.passwords.waiting = []
        asked = self.ask("Ann@example.com", "wrong")
        self.clock.advance(1.5)
        self.passwords.waiting[0].callback(None)
        self.assertNoResult(asked)
        self.clock.advance(0.5)
        self.failureResultOf(asked, LoginFailed)

    def test_correct_logins_never_wait(self) -> None:
        """While a guess waits, and after it, the right password opens at once (A8)."""
        waiting = self.ask("Ann@example.com", "wrong")
        self.good("Ann@example.com", "secret")
        self.assertNoResult(waiting)
        self.clock.advance(2)
        self.failureResultOf(waiting, LoginFailed)

    def test_guessers_are_refused(self) -> None:
        """After a hundred failures an address gets neither answer nor hashing for 15 minutes."""
        for number in range(100):
            self.ask("Ann@example.com", f"guess {number}").addErrback(lambda failure: None)
        hashed = len(self.passwords.verified)
        self.failureResultOf(self.ask("Ann@example.com", "secret"), Overloaded)
        self.failureResultOf(self.ask("nobody@example.com", "secret"), Overloaded)
        self.assertEqual(len(self.passwords.verified), hashed)
        self.good("Ann@example.com", "secret", ip="198.51.100.1")
        self.clock.advance(15 * 60)
        self.good("Ann@example.com", "secret")

    def test_known_clients_get_in(self) -> None:
        """Who opened the account from there lately gets in, although his neighbour guesses."""
        self.good("Ann@example.com", "secret")
        for number in range(100):
            self.ask("nobody@example.com", f"guess {number}").addErrback(lambda failure: None)
        self.good("Ann@example.com", "secret")
        self.clock.advance(60)

    def test_an_old_password_on_some_device(self) -> None:
        """A device that sends the same wrong password for ever blocks nobody at its address."""
        self.people.add(2, "bob@example.com", "{OWN}secret")
        for _ in range(300):
            self.ask("Ann@example.com", "old").addErrback(lambda failure: None)
        self.assertEqual(self.good("bob@example.com", "secret"), 2)
        self.clock.advance(15)

    def test_overloaded(self) -> None:
        """When the queue for hashing is full, that is what the peer is told, and no failure is counted."""

        async def full(stored: str, password: str) -> bool:
            raise Overloaded

        self.patch(self.passwords, "verify", full)
        self.failureResultOf(self.ask("Ann@example.com", "secret"), Overloaded)
        self.assertEqual(self.throttle.failed(HOME, "Ann@example.com", 1), 2)

    def test_broken_counters_keep_nobody_out(self) -> None:
        """A good login works although its success cannot be noted."""
        with self.throttle._file.writing() as connection:
            connection.execute("ALTER TABLE known RENAME TO aside")
        self.good("Ann@example.com", "secret")
        self.assertEqual(len(self.flushLoggedErrors()), 1)


class GrantTests(CheckerTestCase):
    def granted(self, protocol: str = "pop3", **more: Any) -> Grant | None:
        self.get(self.grants.revoke())
        self.good("Ann@example.com", "secret", protocol=protocol, **more)
        return self.get(self.grants.find(HOME))

    def test_checking_mail_opens_a_grant(self) -> None:
        """A POP3 or IMAP login lets its address relay before it is answered (C2, C3), attributed (C4)."""
        for protocol in ("pop3", "pop3s", "imap", "imaps"):
            grant = self.granted(protocol)
            assert grant is not None
            self.assertEqual((grant.account_id, grant.login), (1, "Ann@example.com"))

    def test_sending_does_not(self) -> None:
        """SMTP AUTH and the web open no grant."""
        for protocol in ("smtp", "submission", "submissions", "web", ""):
            self.assertIsNone(self.granted(protocol))

    def test_failed_logins_do_not(self) -> None:
        """Only a correct login opens a grant."""
        self.bad("Ann@example.com", "wrong")
        self.assertIsNone(self.get(self.grants.find(HOME)))

    def test_switched_off(self) -> None:
        """POP before SMTP is switched off per server and per domain (C5)."""
        self.checker = self.make(pop_before_smtp=False)
        self.assertIsNone(self.granted())
        self.checker = self.make()
        self.people.hosted["example.com"] = replace(self.people.hosted["example.com"], pop_before_smtp=False)
        self.assertIsNone(self.granted())

    def test_outgoing_suspended(self) -> None:
        """Who may not send gets no grant, and reads his mail all the same (A9, C4)."""
        self.people.logins["Ann@example.com"] = (replace(self.ann, outgoing_suspended=True), "{OWN}secret")
        self.assertIsNone(self.granted())
        self.people.logins["Ann@example.com"] = (self.ann, "{OWN}secret")
        self.people.hosted["example.com"] = replace(self.people.hosted["example.com"], outgoing_suspended=True)
        self.assertIsNone(self.granted())

    def test_unix_sockets(self) -> None:
        """Who comes without an address opens nothing."""
        self.assertEqual(self.good("Ann@example.com", "secret", ip=""), 1)
        self.assertEqual(self.get(self.grants.list()), [])

    def test_no_room_for_grants(self) -> None:
        """A grant that cannot be written keeps nobody from his mail; the log has it."""
        self.checker = self.make(grants=NoGrants())
        self.good("Ann@example.com", "secret")
        self.assertEqual(len(self.flushLoggedErrors(TemporaryFailure)), 1)
