"""Tokens that programs show to the API."""

from __future__ import annotations

from typing import Any

from zope.interface.verify import verifyObject

from hostmail.actor import Actor, Role
from hostmail.directory import tokens
from hostmail.directory.people import People
from hostmail.directory.tokens import MAX_NAME, Tokens, digest_of
from hostmail.errors import BadValue, NotFound, TooMany
from hostmail.interfaces.people import ITokens, Token
from tests.directory.support import HASH, DirectoryTestCase

ANN = "ann@example.com"


class TokenTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        common = {"database": self.database, "in_thread": self.threads, "now": self.clock.seconds}
        self.tokens, self.people = Tokens(**common), People(**common)
        self.get(self.changes.add_account(ANN, password_hash=HASH))
        self.get(self.people.add("max", Role.OWNER, password_hash=HASH))
        self.get(self.people.grant("max", "example.com"))

    def add(self, role: Role, subject: str = "", **more: Any) -> str:
        """What the program shows."""
        return self.get(self.tokens.add("backup", role, subject=subject, made_by="root", **more))[1]

    def actor(self, token: str) -> Actor | None:
        return self.get(self.tokens.actor(token, "192.0.2.1"))

    def listed(self) -> list[Token]:
        return self.get(self.tokens.tokens())

    def test_operator(self) -> None:
        """An operator's token is an operator, who came by the API."""
        verifyObject(ITokens, self.tokens)
        actor = self.actor(self.add(Role.OPERATOR))
        assert actor is not None
        self.assertEqual(
            (actor.role, actor.way, actor.ip, actor.login), (Role.OPERATOR, "api", "192.0.2.1", "root (backup)")
        )
        looking = self.actor(self.add(Role.OPERATOR, read_only=True))
        assert looking is not None
        self.assertTrue(looking.read_only)

    def test_not_kept(self) -> None:
        """What a program shows is nowhere in the database, only a digest of it."""
        token = self.add(Role.OPERATOR)
        with self.database.reading() as connection:
            (row,) = connection.exec_driver_sql("SELECT * FROM tokens").all()
        self.assertIn(digest_of(token), row)
        self.assertNotIn(token.rpartition("_")[2], repr(row))

    def test_unknown(self) -> None:
        """What is no token of ours opens nothing."""
        token = self.add(Role.OPERATOR)
        for text in ("", token[:-1], token + "x", token.removeprefix("hostmail_"), "hostmail_", "hostmail_\udcff"):
            self.assertIsNone(self.actor(text), text)

    def test_expires(self) -> None:
        """It ends at its time, and cannot be made after it."""
        token = self.add(Role.OPERATOR, expires=60.0)
        self.clock.advance(59)
        self.assertIsNotNone(self.actor(token))
        self.clock.advance(1)
        self.assertIsNone(self.actor(token))
        self.refused(self.tokens.add("x", Role.OPERATOR, subject="", made_by="root", expires=60.0), BadValue)

    def test_revoke(self) -> None:
        """A revoked one opens nothing."""
        token = self.add(Role.OPERATOR)
        (listed,) = self.listed()
        self.get(self.tokens.revoke(listed.id))
        self.assertIsNone(self.actor(token))
        self.refused(self.tokens.revoke(listed.id), NotFound)

    def test_last_used(self) -> None:
        """When it was used is told, to the minute."""
        self.clock.advance(1000)
        token = self.add(Role.OPERATOR)
        self.assertIsNone(self.listed()[0].last_used)
        for seconds, told in ((0, 1000), (59, 1000), (1, 1060)):
            self.clock.advance(seconds)
            self.actor(token)
            self.assertEqual(self.listed()[0].last_used, told)

    def test_owner(self) -> None:
        """For domains: those that are named, as long as they are hosted."""
        self.get(self.changes.add_domain("more.example"))
        token = self.add(Role.OWNER, domains=["Example.com", "more.example", "more.example"])
        self.assertEqual(self.actor(token).domains, {"example.com", "more.example"})  # type: ignore[union-attr]
        self.assertEqual(self.listed()[0].domains, ("example.com", "more.example"))
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual(self.actor(token).domains, {"more.example"})  # type: ignore[union-attr]

    def test_account(self) -> None:
        """For one account, as long as that may sign in."""
        token = self.add(Role.USER, address="ANN@example.com")
        self.assertEqual(self.actor(token).address, ANN)  # type: ignore[union-attr]
        self.get(self.changes.set_account(ANN, login_suspended=True))
        self.assertIsNone(self.actor(token))
        self.get(self.changes.remove_account(ANN))
        self.assertEqual(self.listed(), [])

    def test_no_more_than_its_maker(self) -> None:
        """What its maker loses, the token loses at once."""
        subject = self.get(self.people.signing_in("max")).subject  # type: ignore[union-attr]
        of_domain = self.add(Role.OWNER, subject, domains=["example.com"])
        of_account = self.add(Role.USER, subject, address=ANN)
        as_operator = self.add(Role.OPERATOR, subject)
        self.assertIsNone(self.actor(as_operator))
        self.assertEqual(self.actor(of_domain).login, "max (backup)")  # type: ignore[union-attr]
        self.assertIsNotNone(self.actor(of_account))
        self.get(self.people.revoke("max", "example.com"))
        self.assertEqual(self.actor(of_domain).domains, set())  # type: ignore[union-attr]
        self.assertIsNone(self.actor(of_account))
        self.get(self.people.grant("max", "example.com"))
        self.get(self.people.set("max", suspended=True))
        self.assertEqual((self.actor(of_domain), self.actor(of_account)), (None, None))
        self.get(self.people.remove("max"))
        self.assertEqual(self.listed(), [])

    def test_users_own(self) -> None:
        """A user's own token is for his own mailbox, and goes with it."""
        token = self.add(Role.USER, "account:1", address=ANN)
        self.assertEqual(self.actor(token).address, ANN)  # type: ignore[union-attr]
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual(self.listed(), [])

    def test_so_many(self) -> None:
        """Nobody makes so many that others can make none."""
        self.patch(tokens, "MAX_OF_ONE", 2)
        for _ in range(2):
            self.add(Role.USER, "account:1", address=ANN)
        another = self.tokens.add("x", Role.USER, subject="account:1", made_by=ANN, address=ANN)
        self.refused(another, TooMany)
        self.add(Role.OPERATOR)
        self.patch(tokens, "MAX_TOKENS", 3)
        self.refused(self.tokens.add("x", Role.OPERATOR, subject="", made_by="root"), TooMany)

    def test_senseless(self) -> None:
        """A token has a name and one scope."""
        for name in ("", " ", "x" * (MAX_NAME + 1), "a\nb"):
            self.refused(self.tokens.add(name, Role.OPERATOR, subject="", made_by="root"), BadValue)
        for role, scope in (
            (Role.OPERATOR, {"domains": ["example.com"]}),
            (Role.OWNER, {}),
            (Role.OWNER, {"domains": ["example.com"], "address": ANN}),
            (Role.USER, {"domains": ["example.com"]}),
        ):
            self.refused(self.tokens.add("x", role, subject="", made_by="root", **scope), BadValue)  # type: ignore[arg-type]
        self.refused(self.tokens.add("x", Role.USER, subject="", made_by="", address="no@example.com"), NotFound)
        self.refused(self.tokens.add("x", Role.OWNER, subject="", made_by="", domains=["no.example"]), NotFound)
