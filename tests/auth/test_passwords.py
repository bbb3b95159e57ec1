"""hostmail.auth.passwords: argon2id in threads, bounded (A6, A7, LIMITS Logins)."""

from __future__ import annotations

from typing import Any

import argon2
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from hostmail.auth.passwords import Passwords
from hostmail.errors import BadValue, Overloaded, TemporaryFailure
from hostmail.interfaces.logins import IPasswords
from tests.auth.support import AuthTestCase, at_once


class PasswordsTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.passwords = Passwords(in_thread=at_once, workers=1, memory_kib=64, passes=1)

    def test_is_the_contract(self) -> None:
        """It implements IPasswords."""
        verifyObject(IPasswords, self.passwords)

    def test_own_hashes(self) -> None:
        """What we hash we recognise; it is argon2id with a salt of its own."""
        stored = self.get(self.passwords.hash("correct horse"))
        self.assertTrue(stored.startswith("{ARGON2ID}$argon2id$v=19$"))
        self.assertNotEqual(stored, self.get(self.passwords.hash("correct horse")))
        self.assertTrue(self.get(self.passwords.verify(stored, "correct horse")))
        self.assertFalse(self.get(self.passwords.verify(stored, "Correct horse")))
        self.passwords.check_scheme(stored)

    def test_default_strength(self) -> None:
        """19 MiB, two passes, one lane, unless told otherwise."""
        stored = self.get(Passwords(in_thread=at_once, workers=1).hash("correct horse"))
        self.assertIn("$m=19456,t=2,p=1$", stored)

    def test_octets_that_are_no_utf8(self) -> None:
        """A password typed in an old character set counts as the octets that came."""
        typed = b"caf\xe9".decode("utf-8", "surrogateescape")
        stored = self.get(self.passwords.hash(typed))
        self.assertTrue(self.get(self.passwords.verify(stored, typed)))
        self.assertFalse(self.get(self.passwords.verify(stored, "café")))

    def test_nobodys_hash(self) -> None:
        """Without a stored hash the answer is no, after real work: the hash checked instead is a well-formed one."""
        self.assertFalse(self.get(self.passwords.verify("", "x")))
        nobody = self.passwords._nobody
        kept = argon2.extract_parameters(nobody)
        self.assertEqual((kept.memory_cost, kept.time_cost, kept.hash_len, kept.salt_len), (64, 1, 32, 16))

    def test_endless_password(self) -> None:
        """A password beyond 1,024 octets is wrong, and costs no more than another."""
        stored = "{PLAIN}" + "x" * 1025
        self.assertFalse(self.get(self.passwords.verify(stored, "x" * 1025)))
        self.assertTrue(self.get(self.passwords.verify("{PLAIN}" + "x" * 1024, "x" * 1024)))

    def test_unreadable_hash(self) -> None:
        """A hash nobody can read opens nothing and is told in the log."""
        self.assertFalse(self.get(self.passwords.verify("{NONSENSE}x", "x")))
        self.assertRaises(BadValue, self.passwords.check_scheme, "{NONSENSE}x")

    def test_needs_upgrade(self) -> None:
        """Every hash but our own at present strength is replaced (A7)."""
        ours = self.get(self.passwords.hash("x"))
        weaker = "{ARGON2ID}" + argon2.PasswordHasher(1, 32, 1).hash("x")
        self.assertFalse(self.passwords.needs_upgrade(ours))
        for stored in (weaker, "{PLAIN}x", ours.removeprefix("{ARGON2ID}"), "{ARGON2ID}broken"):
            self.assertTrue(self.passwords.needs_upgrade(stored))

    def test_queue(self) -> None:
        """As many hash at once as there are workers, the queue waits, more is refused; room comes back, whatever happened."""
        waiting: list[Deferred[bool]] = []

        async def later(function: Any, *args: Any) -> Any:
            waiting.append(Deferred())
            return await waiting[-1]

        passwords = Passwords(in_thread=later, workers=1, queue=1)
        first = Deferred.fromCoroutine(passwords.verify("", "x"))
        second = Deferred.fromCoroutine(passwords.verify("", "x"))
        self.refused(passwords.verify("", "x"), Overloaded)
        self.refused(passwords.hash("x"), Overloaded)
        self.assertEqual(len(waiting), 1)
        waiting[0].callback(False)
        waiting[1].errback(ZeroDivisionError())
        self.assertFalse(self.successResultOf(first))
        self.failureResultOf(second, ZeroDivisionError)
        third = Deferred.fromCoroutine(passwords.verify("", "x"))
        self.assertNoResult(third)
        waiting[2].callback(True)
        self.assertTrue(self.successResultOf(third))

    def test_no_memory(self) -> None:
        """When argon2 itself cannot work, that is a failure for now."""

        async def failing(function: Any, *args: Any) -> Any:
            raise argon2.exceptions.HashingError("Memory allocation error")

        passwords = Passwords(in_thread=failing, workers=1)
        refusal = self.refused(passwords.hash("x"), TemporaryFailure)
        self.assertNotIn("Memory", refusal.public)

    def test_strength(self) -> None:
        """Strength is checked against the login."""
        self.passwords.check_strength("correct horse", "ann@example.com")
        self.assertRaises(BadValue, self.passwords.check_strength, "ann@example.com", "ann@example.com")
