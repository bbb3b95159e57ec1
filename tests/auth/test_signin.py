"""Signing in to the panel, over a real directory (F1, A1-A3, A8)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from hostmail.actor import Role
from hostmail.auth import totp
from hostmail.auth.checker import Checker
from hostmail.auth.grants import RelayGrants
from hostmail.auth.signin import SignIn
from hostmail.auth.throttle import Throttle
from hostmail.auth.verified import VerifiedCredentials
from hostmail.directory.factors import SecondFactors
from hostmail.directory.people import People
from hostmail.envelope import Peer
from hostmail.errors import AlreadyExists, BadValue, LoginFailed, NotFound, Overloaded, Refusal
from hostmail.interfaces.people import ISignIn, Signed
from tests.auth.support import Attempts, PlainPasswords
from tests.directory.support import DirectoryTestCase, Threads
from tests.support.aloud import Aloud

ANN = "ann@example.com"
HERE = Peer("192.0.2.1", "panel")


class SignInCase(DirectoryTestCase):
    """ann (the default mailbox, main login example), the operator zoe, and max, who owns example.com; all with the password secret."""

    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_700_000_000)
        common: dict[str, Any] = {"database": self.database, "in_thread": self.threads, "now": self.clock.seconds}
        self.people, self.factors = People(**common), SecondFactors(**common)
        self.passwords, self.attempts = PlainPasswords(), Attempts()
        self.throttle = Throttle(path=self.path.with_suffix(".throttle"), now=self.clock.seconds)
        grants = RelayGrants(path=self.path.with_suffix(".grants"), now=self.clock.seconds)
        self.addCleanup(self.throttle.close)
        self.addCleanup(grants.close)
        checker = Checker(
            directory=self.directory,
            changes=self.changes,
            passwords=self.passwords,
            verified=VerifiedCredentials(now=self.clock.seconds, events=self.events),
            throttle=self.throttle,
            grants=grants,
            attempts=self.attempts,
            clock=self.clock,
        )
        self.signing = SignIn(
            directory=self.directory,
            people=self.people,
            factors=self.factors,
            checker=checker,
            passwords=self.passwords,
            throttle=self.throttle,
            attempts=self.attempts,
            clock=self.clock,
            now=self.clock.seconds,
            hostname="mail.example.com",
        )
        stored = "{OWN}secret"
        self.get(self.changes.add_account(ANN, password_hash=stored))
        self.get(self.people.add("zoe", Role.OPERATOR, password_hash=stored))
        self.get(self.people.add("max", Role.OWNER, password_hash=stored))
        self.get(self.people.grant("max", "example.com"))

    def good(self, login: str, password: str = "secret", peer: Peer = HERE) -> Signed:
        return self.get(self.signing.sign_in(login, password, peer))

    def bad(self, login: str, password: str = "wrong", peer: Peer = HERE) -> tuple[Refusal, float]:
        """The refusal, and how long it took."""
        return self.slow(self.signing.sign_in(login, password, peer))

    def slow(self, coroutine: Any) -> tuple[Refusal, float]:
        """What is refused in the end, and after how many seconds."""
        asked = Deferred.fromCoroutine(coroutine)
        results: list[Any] = []
        asked.addErrback(results.append)
        seconds = 0.0
        while not results and seconds < 20:
            self.clock.advance(0.5)
            seconds += 0.5
        (failure,) = results
        return failure.check(Refusal) and failure.value, seconds

    def actor(self, signed: Signed) -> Any:
        return self.get(self.signing.actor(signed.subject, signed.credential, "panel", HERE.ip))


class WhoTests(SignInCase):
    def test_operator(self) -> None:
        """An operator signs in by the login of his own."""
        verifyObject(ISignIn, self.signing)
        actor = self.actor(self.good("zoe"))
        self.assertEqual((actor.role, actor.login, actor.way, actor.ip), (Role.OPERATOR, "zoe", "panel", HERE.ip))

    def test_owner(self) -> None:
        """An owner has the domains that are his now, at every request."""
        signed = self.good("max")
        self.assertEqual(self.actor(signed).domains, {"example.com"})
        self.get(self.people.revoke("max", "example.com"))
        self.assertEqual(self.actor(signed).domains, set())

    def test_main_login(self) -> None:
        """A domain's main login is its owner, and the user of its default mailbox (A3)."""
        actor = self.actor(self.good("example"))
        self.assertEqual((actor.role, actor.domains, actor.address), (Role.OWNER, {"example.com"}, ANN))

    def test_user(self) -> None:
        """By mail address and password somebody is the user of his mailbox, even where that is the default one (A1)."""
        actor = self.actor(self.good(ANN))
        self.assertEqual((actor.role, actor.domains, actor.address), (Role.USER, set(), ANN))

    def test_case(self) -> None:
        """Login and password are spelled exactly so (A2)."""
        for login, password in (
            ("Ann@example.com", "secret"),
            ("ZOE", "secret"),
            ("Example", "secret"),
            ("zoe", "Secret"),
        ):
            self.assertIsInstance(self.bad(login, password)[0], LoginFailed)

    def test_no_mail_login(self) -> None:
        """The login of a person opens no mailbox."""
        self.assertIsNone(self.get(self.directory.login("max")))


class ThrottleTests(SignInCase):
    def test_all_look_the_same(self) -> None:
        """Unknown, wrong and suspended get the same words, after the same hashing and the same time (A8)."""
        self.get(self.people.add("tom", Role.OWNER, password_hash="{OWN}secret"))
        self.get(self.people.set("tom", suspended=True))
        self.get(self.changes.add_account("sue@example.com", password_hash="{OWN}secret"))
        self.get(self.changes.set_account("sue@example.com", login_suspended=True))
        tried = [
            ("zoe", "wrong"),
            ("max", "wrong"),
            ("tom", "secret"),
            ("tom", "wrong"),
            ("example", "wrong"),
            (ANN, "wrong"),
            ("sue@example.com", "secret"),
            ("nobody", "wrong"),
            ("nobody@example.com", "wrong"),
            ("x@elsewhere.example", "wrong"),
            ("\udcff", "wrong"),
            ("", ""),
        ]
        seen = set()
        for number, (login, password) in enumerate(tried):
            self.passwords.verified.clear()
            refusal, seconds = self.bad(login, password, Peer(f"192.0.2.{number + 10}", "panel"))
            seen.add((type(refusal), refusal.public, len(self.passwords.verified), seconds))
        self.assertEqual(len(seen), 1, seen)

    def test_slower_each_time(self) -> None:
        """Guessing the password of a person is slowed like any other, and a right one is not."""
        waits = [self.bad("zoe", f"guess {number}")[1] for number in range(6)]
        self.assertEqual(waits, sorted(waits))
        self.assertEqual((waits[0], waits[-1]), (2.0, 15.0))
        self.good("zoe")

    def test_one_throttle(self) -> None:
        """A client that has failed too often anywhere is kept out everywhere, from mail and from the panel."""
        self.guess(60, "zoe")
        self.guess(60, ANN)
        for login in ("max", "example", ANN, "nobody"):
            self.assertIsInstance(self.bad(login, "secret")[0], Overloaded)
        self.good("max", peer=Peer("198.51.100.9", "panel"))

    def test_known_stays_in(self) -> None:
        """Who signed in well from here lately is not kept out by others' guessing from the same address."""
        self.good("zoe")
        self.guess(120, "nobody")
        self.good("zoe")
        self.assertIsInstance(self.bad("max", "secret")[0], Overloaded)

    def guess(self, times: int, login: str) -> None:
        """Many at once."""
        guesses = [self.signing.sign_in(login, f"guess {number}", HERE) for number in range(times)]
        asked = [Deferred.fromCoroutine(each) for each in guesses]
        self.clock.advance(15)
        for each in asked:
            self.failureResultOf(each, LoginFailed, Overloaded)

    def test_attempts(self) -> None:
        """What was tried on a mailbox is in its owner's list."""
        self.bad("example")
        self.good(ANN)
        self.assertEqual(self.attempts.told, [(1, "example", "wrong password"), (1, ANN, "")])

    def test_persons_attempts(self) -> None:
        """So is what was tried on an operator's or owner's own login, good and bad, under a number that no account has."""
        self.bad("zoe")
        self.good("zoe")
        self.get(self.people.set("max", suspended=True))
        self.bad("max", "secret")
        wanted = [(-1, "zoe", "wrong password"), (-1, "zoe", ""), (-2, "max", "suspended")]
        self.assertEqual(self.attempts.told, wanted)
        self.guess(120, "nobody")
        self.bad("max", "secret")
        self.assertEqual(self.attempts.told[-1], (-2, "max", "too many failed logins from this address"))


class RevokedTests(SignInCase):
    def test_password(self) -> None:
        """A new password ends what was opened with the old one, within the same second (A6)."""
        zoe, main, user = self.good("zoe"), self.good("example"), self.good(ANN)
        self.get(self.people.set("zoe", password_hash="{OWN}secret"))
        self.get(self.changes.set_password(ANN, "{OWN}secret"))
        for signed in (zoe, main, user):
            self.assertIsNone(self.actor(signed))
            stamp = self.get(self.signing.credential(signed.subject))
            self.assertIsNotNone(self.actor(Signed(signed.subject, stamp)))

    def test_changed_meanwhile(self) -> None:
        """A password that was changed while it was looked at opens nothing (C4)."""
        for login, change in (
            ("zoe", lambda: self.people.set("zoe", password_hash="{OWN}new")),
            ("example", lambda: self.changes.set_password(ANN, "{OWN}new")),
        ):
            self.passwords.waiting = []
            asked = Deferred.fromCoroutine(self.signing.sign_in(login, "secret", HERE))
            self.get(change())
            waiting, self.passwords.waiting = self.passwords.waiting, None
            waiting[0].callback(None)
            self.clock.advance(15)
            self.failureResultOf(asked, LoginFailed)

    def test_changed_elsewhere(self) -> None:
        """Another process's change is heard a second later; meanwhile the old password opens nothing that would stay open."""
        self.good("example")
        self.good(ANN)
        _, _, elsewhere = self.process(Aloud(), Threads())
        self.get(elsewhere.set_password(ANN, "{OWN}new"))
        self.assertEqual(self.get(self.directory.login(ANN))[1], "{OWN}secret")  # type: ignore[index]
        for login in ("example", ANN):
            refusal, _ = self.bad(login, "secret")
            self.assertEqual(refusal.private, "changed while signing in")

    def test_better_hash(self) -> None:
        """A password that was imported is hashed anew at the first login, which goes on (A7)."""
        self.get(self.changes.set_password(ANN, "{OLD}secret"))
        signed = self.good(ANN)
        self.assertEqual(self.get(self.people.signing_in(ANN)).password_hash, "{OWN}secret")  # type: ignore[union-attr]
        self.assertIsNotNone(self.actor(signed))
        self.assertIsNotNone(self.actor(self.good(ANN)))

    def test_suspended_and_gone(self) -> None:
        """Who is suspended or removed is nobody at his next request."""
        zoe, main, user = self.good("zoe"), self.good("max"), self.good(ANN)
        self.get(self.people.set("zoe", suspended=True))
        self.get(self.people.remove("max"))
        self.get(self.changes.set_account(ANN, login_suspended=True))
        for signed in (zoe, main, user):
            self.assertIsNone(self.actor(signed))
            self.assertEqual(self.get(self.signing.credential(signed.subject)), "")

    def test_no_stamp(self) -> None:
        """An empty stamp is nobody's."""
        self.assertIsNone(self.actor(Signed("person:1", "")))
        self.assertIsNone(self.actor(Signed("nobody:1", "0.0")))

    def test_own_password(self) -> None:
        """Whoever sets his own password has to know the one he has, and is slowed like anybody who signs in."""
        for signed in (self.good("zoe"), self.good("example"), self.good(ANN)):
            self.get(self.signing.check_password(signed.subject, "secret", HERE))
            refusal, seconds = self.slow(self.signing.check_password(signed.subject, "wrong", HERE))
            self.assertIsInstance(refusal, LoginFailed)
            self.assertEqual((refusal.argument, "you have now" in refusal.public), ("current", True))
            self.assertGreaterEqual(seconds, 2.0)
        self.refused(self.signing.check_password("person:99", "secret", HERE), LoginFailed)


class CodeTests(SignInCase):
    def setUp(self) -> None:
        super().setUp()
        self.subject = self.good("zoe").subject
        self.secret, self.codes = self.enrol(self.subject)

    def enrol(self, subject: str) -> tuple[bytes, list[str]]:
        """His secret and recovery codes."""
        self.get(self.signing.begin_factor(subject))
        factor = self.get(self.factors.factor(subject))
        assert factor is not None
        codes = self.get(self.signing.confirm_factor(subject, self.code(factor.secret)))
        self.clock.advance(60)
        return factor.secret, codes

    def code(self, secret: bytes, later: int = 0) -> str:
        return totp.code_of(secret, int(self.clock.seconds() // 30) + later)

    def check(self, code: str, subject: str = "") -> None:
        self.get(self.signing.check_code(subject or self.subject, code, HERE))

    def wrong(self, code: str) -> Refusal:
        return self.slow(self.signing.check_code(self.subject, code, HERE))[0]

    def test_needed(self) -> None:
        """Who has one needs a code besides; a code of the app lets him in."""
        self.assertTrue(self.good("zoe").needs_code)
        self.assertFalse(self.good("max").needs_code)
        self.check(self.code(self.secret))

    def test_main_login(self) -> None:
        """A domain's owner by its main login may have one, too; reading mail needs none."""
        subject = self.good("example").subject
        secret, _ = self.enrol(subject)
        self.assertTrue(self.good("example").needs_code)
        self.assertFalse(self.good(ANN).needs_code)
        self.check(self.code(secret), subject)

    def test_replay(self) -> None:
        """A code that was used is used up, and so are those before it."""
        now, before = self.code(self.secret), self.code(self.secret, -1)
        self.check(now)
        for code in (now, before):
            self.assertIsInstance(self.wrong(code), LoginFailed)
            self.clock.advance(-self.clock.seconds() % 30 - 30)
        self.clock.advance(60)
        self.check(self.code(self.secret))

    def test_confirming_code(self) -> None:
        """The code that put it in force signs nobody in."""
        self.get(self.factors.remove(self.subject))
        self.get(self.signing.begin_factor(self.subject))
        factor = self.get(self.factors.factor(self.subject))
        assert factor is not None
        code = self.code(factor.secret)
        self.get(self.signing.confirm_factor(self.subject, code))
        self.refused_later(code)

    def refused_later(self, code: str) -> None:
        self.assertIsInstance(self.wrong(code), LoginFailed)

    def test_attempts_with_codes(self) -> None:
        """A right password with a wrong code is told as what it is: somebody may know the password."""
        self.attempts.told.clear()
        self.good("zoe")
        self.assertEqual(self.attempts.told, [])
        self.wrong("000000")
        self.check(self.code(self.secret))
        self.assertEqual(self.attempts.told, [(-1, "zoe", "wrong or used code"), (-1, "zoe", "")])
        self.clock.advance(60)
        for _ in range(11):
            self.wrong("000000")
        self.assertEqual(self.attempts.told[-1], (-1, "zoe", "too many wrong codes"))

    def test_new_recovery_codes(self) -> None:
        """Others take the place of all there are; whoever has no second factor has none."""
        codes = self.get(self.signing.new_codes(self.subject))
        self.assertEqual(len(set(codes) - set(self.codes)), 10)
        self.assertIsInstance(self.wrong(self.codes[0]), LoginFailed)
        self.check(codes[0])
        factor = self.get(self.factors.factor(self.subject))
        self.assertEqual(factor and factor.codes, 9)
        self.refused(self.signing.new_codes("person:2"), NotFound)
        self.get(self.signing.begin_factor("person:2"))
        self.refused(self.signing.new_codes("person:2"), NotFound)

    def test_recovery_codes(self) -> None:
        """Each opens once, however it is typed."""
        first, second, *_ = self.codes
        self.check(first.upper().replace("-", " "))
        self.refused_later(first)
        self.check(second)

    def test_guessing(self) -> None:
        """Ten wrong codes close it for a while, from wherever the next one comes; the right one as well."""
        for _ in range(10):
            self.assertIsInstance(self.wrong("x"), LoginFailed)
        refusal = self.refused(
            self.signing.check_code(self.subject, self.codes[0], Peer("198.51.100.7", "panel")), Overloaded
        )
        self.assertIn("quarter of an hour", refusal.public)
        self.clock.advance(900)
        self.check(self.code(self.secret))

    def test_known_after_the_code(self) -> None:
        """Only who has shown both is known here from now on."""
        number = -int(self.subject.partition(":")[2])
        peer = Peer("198.51.100.7", "panel")
        self.good("zoe", peer=peer)
        self.assertFalse(self.throttle.is_known(peer.ip, number))
        self.get(self.signing.check_code(self.subject, self.code(self.secret), peer))
        self.assertTrue(self.throttle.is_known(peer.ip, number))

    def test_ends_sessions(self) -> None:
        """What was opened without it, or with another, ends when it changes."""
        signed = self.good("zoe")
        self.get(self.factors.remove(self.subject))
        self.assertIsNone(self.actor(signed))
        self.refused(self.signing.check_code(self.subject, "123456", HERE), LoginFailed)

    def test_beginning(self) -> None:
        """One at a time, confirmed with a right code, and for people only who manage something."""
        self.refused(self.signing.begin_factor(self.subject), AlreadyExists)
        self.refused(self.signing.confirm_factor(self.subject, "123456"), NotFound)
        other = self.good("max").subject
        text, uri = self.get(self.signing.begin_factor(other))
        self.assertIn(text, uri)
        self.refused(self.signing.confirm_factor(other, "nonsense"), BadValue)
        self.assertFalse(self.good("max").needs_code)
        self.refused(self.signing.begin_factor(self.good(ANN).subject), NotFound)
        self.refused(self.signing.begin_factor("person:99"), NotFound)

    def test_log(self) -> None:
        """The log says why, never what was typed."""
        with capturedLogs() as events:
            self.wrong("987654")
        (event,) = [event for event in events if "reason" in event]
        self.assertEqual(event["reason"], "wrong or used code")
        self.assertNotIn("987654", repr(events))
