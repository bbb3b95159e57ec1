"""Verbs about operators and owners, about oneself, and about tokens (F1)."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.actor import Actor, Role
from hostmail.envelope import Peer
from hostmail.errors import AlreadyExists, BadValue, LoginFailed, NotAllowed, NotFound
from hostmail.interfaces.admin import IAudit
from hostmail.interfaces.people import IPeople, ISecondFactors, ISignIn, ITokens, Standing
from tests.admin.facts import NOW
from tests.admin.fakes import World
from tests.admin.people import RIGHT

STRONG = "long enough"
ANN = "ann@one.test"
MAX = Actor(Role.OWNER, "max", "panel", "192.0.2.1", person_id=1, domains=frozenset({"one.test"}))
MAIN = Actor(Role.OWNER, "one", "panel", "192.0.2.1", domains=frozenset({"one.test"}), address=ANN)
USER = Actor(Role.USER, ANN, "panel", "192.0.2.1", address=ANN)


class PeopleCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.populate()
        self.call, self.call_as = self.world.call, self.world.call_as
        self.call("owner.add", login="max", password=STRONG, domains=["one.test"], accounts=5)
        for actor, number in ((MAIN, "domain:1"), (USER, "account:1")):
            standing = Standing(number, actor.login, actor.role, "0", account_id=1, address=ANN)
            self.world.people.others[actor.login] = standing


class OperatorTests(PeopleCase):
    def test_fakes(self) -> None:
        """The fakes are what they say."""
        world = self.world
        for interface, fake in (
            (IPeople, world.people),
            (ISecondFactors, world.factors),
            (ISignIn, world.sign_in),
            (ITokens, world.tokens),
            (IAudit, world.audit),
        ):
            verifyObject(interface, fake)

    def test_operators(self) -> None:
        """An operator is added, listed, suspended, gets another password, and goes."""
        self.call("operator.add", login="zoe", password=STRONG)
        (row,) = self.call("operator.list")
        self.assertEqual((row["login"], row["suspended"], row["second_factor"]), ("zoe", False, False))
        self.assertTrue(self.call("operator.set", login="zoe", suspended=True)["suspended"])
        self.call("operator.passwd", login="zoe", password="another " + STRONG)
        self.assertEqual(self.world.people.hashes["zoe"], "{ARGON2ID}another " + STRONG)
        self.call("operator.remove", login="zoe")
        self.assertEqual(self.call("operator.list"), [])

    def test_owners(self) -> None:
        """An owner is added with his domains and limits, is changed, and goes."""
        self.assertEqual(self.call("owner.show", login="max")["accounts"], 5)
        told = self.call("owner.set", login="max", accounts=None, lists=0, suspended=True)
        self.assertEqual((told["accounts"], told["lists"], told["suspended"]), (None, 0, True))
        self.call("domain.add", name="two.test")
        self.assertEqual(self.call("owner.grant", login="max", domain="two.test")["domains"], ["one.test", "two.test"])
        self.assertEqual(self.call("owner.revoke", login="max", domain="one.test")["domains"], ["two.test"])
        self.assertEqual([row["login"] for row in self.call("owner.list")], ["max"])
        self.call("owner.passwd", login="max", password="another " + STRONG)
        self.call("owner.remove", login="max")
        self.assertEqual(self.call("owner.list"), [])

    def test_refused(self) -> None:
        """Weak passwords, taken logins and unknown domains are refused before anything is made."""
        with self.assertRaises(BadValue):
            self.call("operator.add", login="zoe", password="short")
        with self.assertRaises(NotFound):
            self.call("owner.add", login="tom", password=STRONG, domains=["nowhere.test"])
        with self.assertRaises(AlreadyExists):
            self.call("operator.add", login="max", password=STRONG)
        self.assertEqual(list(self.world.people.known), ["max"])

    def test_not_mixed_up(self) -> None:
        """What is said of operators reaches no owner."""
        for verb, more in (
            ("operator.remove", {}),
            ("operator.passwd", {"password": STRONG}),
            ("operator.set", {"suspended": True}),
        ):
            with self.assertRaisesRegex(NotFound, "no operator, but an owner"):
                self.call(verb, login="max", **more)

    def test_operators_only(self) -> None:
        """Nobody else makes operators, owners, or more of himself."""
        for verb in self.world.admin.verbs:
            if verb.startswith(("operator.", "owner.", "audit.", "factor.")):
                for actor in (MAX, MAIN, USER):
                    with self.assertRaises(NotAllowed):
                        self.call_as(actor, verb)


class OwnTests(PeopleCase):
    def test_show(self) -> None:
        """Everybody sees who he is."""
        told = self.call_as(MAX, "own.show")
        self.assertEqual((told["login"], told["role"], told["domains"]), ("max", "owner", ["one.test"]))
        self.assertIs(told["second_factor"], False)
        self.call("owner.set", login="max", lists=3)
        limits = {"accounts": 5, "forwards": None, "lists": 3, "quota": None}
        self.assertEqual(self.call_as(MAX, "own.show")["limits"], limits)
        self.assertIsNone(self.call_as(MAIN, "own.show")["limits"])
        self.assertIsNone(self.call_as(USER, "own.show")["second_factor"])
        self.assertEqual(self.call("own.show")["role"], "operator")

    def test_passwd(self) -> None:
        """Whoever knows his password sets another, his own, wherever it is kept; grants made with the old one are closed (C4)."""
        for actor in (MAX, MAIN, USER):
            with self.assertRaises(LoginFailed):
                self.call_as(actor, "own.passwd", current="wrong", password=STRONG)
        new = "another " + STRONG
        self.call_as(MAX, "own.passwd", current=RIGHT, password=new)
        self.assertEqual(self.world.people.hashes["max"], "{ARGON2ID}" + new)
        for actor, password, grants in ((USER, new + "1", 1), (MAIN, new + "2", 0)):
            told = self.call_as(actor, "own.passwd", current=RIGHT, password=password)
            self.assertEqual(told, {"login": actor.login, "revoked_grants": grants})
            self.assertEqual(self.world.facts.hashes[1], "{ARGON2ID}" + password)
        self.assertEqual(self.world.sign_in.checked[-1][1].ip, "192.0.2.1")
        with self.assertRaises(BadValue):
            self.call_as(USER, "own.passwd", current=RIGHT, password="short")

    def test_factor(self) -> None:
        """A second factor is begun with the password, confirmed, shown, and removed with a last code."""
        for actor in (MAX, MAIN):
            with self.assertRaises(LoginFailed):
                self.call_as(actor, "own.factor.begin", current="wrong")
            self.assertEqual(self.call_as(actor, "own.factor.begin", current=RIGHT)["secret"], "SECRET")
            self.assertIs(self.call_as(actor, "own.show")["second_factor"], False)
            told = self.call_as(actor, "own.factor.confirm", code="123456")
            self.assertEqual(told, {"recovery_codes": ["one", "two"]})
            self.assertEqual(self.call_as(actor, "own.show")["second_factor"], {"recovery_codes": 2})
            with self.assertRaises(LoginFailed):
                self.call_as(actor, "own.factor.remove", code="wrong")
            self.assertEqual(self.call_as(actor, "own.factor.remove", code=RIGHT), {"removed": True})
        with self.assertRaises(NotAllowed):
            self.call_as(USER, "own.factor.begin", current=RIGHT)

    def test_new_codes(self) -> None:
        """Who shows a code gets new recovery codes; somebody else's an operator makes, never by a session his own."""
        self.call_as(MAX, "own.factor.begin", current=RIGHT)
        with self.assertRaises(LoginFailed):
            self.call_as(MAX, "own.factor.codes", code="wrong")
        told = {"recovery_codes": ["three", "four"]}
        self.assertEqual(self.call_as(MAX, "own.factor.codes", code=RIGHT), told)
        self.assertEqual(self.call("factor.codes", login="max"), told)
        for login in ("one", "nobody"):
            with self.assertRaises(NotFound):
                self.call("factor.codes", login=login)
        self.call("operator.add", login="zoe", password=STRONG)
        zoe = Actor(Role.OPERATOR, "zoe", "panel", person_id=self.world.people.known["zoe"].id)
        self.call_as(zoe, "own.factor.begin", current=RIGHT)
        with self.assertRaisesRegex(NotAllowed, "your own second factor"):
            self.call_as(zoe, "factor.codes", login="zoe")

    def test_lost(self) -> None:
        """An operator takes away the second factor of somebody who has lost it."""
        self.call_as(MAIN, "own.factor.begin", current=RIGHT)
        self.assertEqual(self.call("factor.remove", login="one"), {"login": "one"})
        for login in ("one", "nobody"):
            with self.assertRaises(NotFound):
                self.call("factor.remove", login=login)

    def test_nobody_in_person(self) -> None:
        """The command and tokens are nobody who has a password or a second factor."""
        token = Actor(Role.OWNER, "max", "api", domains=frozenset({"one.test"}))
        for verb, more in (
            ("own.passwd", {"current": RIGHT, "password": STRONG}),
            ("own.factor.begin", {"current": RIGHT}),
            ("own.factor.remove", {"code": RIGHT}),
        ):
            with self.assertRaises(NotAllowed):
                self.call(verb, **more)
            with self.assertRaises(NotAllowed):
                self.call_as(token, verb, **more)

    def test_own_by_another_way(self) -> None:
        """Without his password the owner by the main login sets no new one, for that is his own, too."""
        with self.assertRaises(NotAllowed):
            self.call_as(MAIN, "account.passwd", address="ANN@one.test", password=STRONG)
        self.call_as(MAIN, "account.passwd", address="bob@one.test", password=STRONG)
        self.call_as(MAX, "account.passwd", address=ANN, password=STRONG)

    def test_own_from_a_file(self) -> None:
        """Nor by importing it; what says the same, and others, are imported all the same."""
        rows = [{"line": 1, "address": "ANN@one.test", "password": "another " + STRONG}]
        rows += [{"line": 2, "address": "bob@one.test", "password": "another " + STRONG}]
        told = self.call_as(MAIN, "account.import", rows=rows)
        self.assertEqual([row["outcome"] for row in told], ["problem", "updated"])
        self.assertIn("your own password", told[0]["problem"])
        self.assertEqual(self.world.facts.hashes[1], "{ARGON2ID}" + STRONG)
        told = self.call_as(
            MAIN, "account.import", rows=[{"line": 1, "address": ANN, "password": STRONG, "quota": "1M"}]
        )
        self.assertEqual([row["outcome"] for row in told], ["updated"])

    def test_more_operators(self) -> None:
        """Nor does such a session make another operator, who would outlive it."""
        self.call("operator.add", login="zoe", password=STRONG)
        zoe = Actor(Role.OPERATOR, "zoe", "panel", person_id=self.world.people.known["zoe"].id)
        for wrong in ("", "wrong"):
            with self.assertRaises(LoginFailed):
                self.call_as(zoe, "operator.add", login="tom", password=STRONG, current=wrong)
        self.call_as(zoe, "operator.add", login="tom", password=STRONG, current=RIGHT)

    def test_own_as_an_operator(self) -> None:
        """An operator's open session sets no other password for him, and takes away no second factor of his; the command does."""
        self.call("operator.add", login="zoe", password=STRONG)
        zoe = Actor(Role.OPERATOR, "zoe", "panel", person_id=self.world.people.known["zoe"].id)
        self.call_as(zoe, "own.factor.begin", current=RIGHT)
        with self.assertRaisesRegex(NotAllowed, "your own password"):
            self.call_as(zoe, "operator.passwd", login="zoe", password="another " + STRONG)
        with self.assertRaisesRegex(NotAllowed, "your own second factor"):
            self.call_as(zoe, "factor.remove", login="zoe")
        self.call_as(zoe, "owner.passwd", login="max", password="another " + STRONG)
        self.call("operator.passwd", login="zoe", password="another " + STRONG)
        self.assertEqual(self.call("factor.remove", login="zoe"), {"login": "zoe"})


class LoginTests(PeopleCase):
    def test_logins(self) -> None:
        """Operators see who tried to sign in as an operator or owner, and everybody who tried it as himself."""
        peer = Peer("192.0.2.66", "panel")
        self.world.attempts.tell(-1, "max", "wrong password", peer)
        self.world.attempts.tell(1, "one", "wrong or used code", peer)
        for told in (self.call("person.logins", login="max"), self.call_as(MAX, "own.logins")):
            self.assertEqual([(row["reason"], row["ip"]) for row in told], [("wrong password", "192.0.2.66")])
        for actor in (MAIN, USER):
            (row,) = self.call_as(actor, "own.logins")
            self.assertIn("may know the password", row["advice"])
        with self.assertRaises(NotFound):
            self.call("person.logins", login="nobody")
        for actor in (MAX, MAIN, USER):
            with self.assertRaises(NotAllowed):
                self.call_as(actor, "person.logins", login="max")


class TokenTests(PeopleCase):
    def add(self, actor: Actor, **more: Any) -> Any:
        return self.call_as(actor, "token.add", **{"name": "backup", "current": RIGHT} | more)

    def test_own_scope(self) -> None:
        """Without a scope a token is for what its maker may; what the program shows is told once."""
        told = self.add(MAX, read_only=True, days=30)
        self.assertEqual((told["role"], told["domains"], told["read_only"]), ("owner", ["one.test"], True))
        self.assertEqual((told["expires"], told["token"]), (NOW + 30 * 86400, "shown 1"))
        self.assertNotIn("token", self.call_as(MAX, "token.list")[0])
        self.assertEqual(self.add(USER)["address"], ANN)
        self.assertEqual(self.call("token.add", name="all")["role"], "operator")
        self.assertEqual([token.subject for token in self.world.tokens.kept], ["person:1", "account:1", ""])

    def test_smaller_scope(self) -> None:
        """It may be for less; never for more."""
        self.assertEqual(self.add(MAX, address="bob@one.test")["role"], "user")
        self.assertEqual(self.call("token.add", name="x", domains=["one.test"])["role"], "owner")
        for actor, more in (
            (MAX, {"operator": True}),
            (MAX, {"domains": ["one.test", "two.test"]}),
            (MAX, {"address": "x@two.test"}),
            (USER, {"domains": ["one.test"]}),
            (USER, {"address": "bob@one.test"}),
        ):
            with self.assertRaises(
                NotAllowed if "operator" in more or (actor is USER and "domains" in more) else NotFound
            ):
                self.add(actor, **more)
        with self.assertRaises(BadValue):
            self.call("token.add", name="x", operator=True, domains=["one.test"])
        for days in (0, 5000):
            with self.assertRaises(BadValue):
                self.add(MAX, days=days)

    def test_with_the_password(self) -> None:
        """A session left open makes no token, which would outlive it: whoever makes one says his password."""
        for actor in (MAX, MAIN, USER):
            for wrong in ("", "wrong"):
                with self.assertRaises(LoginFailed):
                    self.add(actor, current=wrong)
        self.assertEqual(self.world.tokens.kept, [])
        self.assertEqual(self.world.sign_in.checked[-1][1].ip, "192.0.2.1")

    def test_own_tokens(self) -> None:
        """Everybody sees and revokes his own, operators all."""
        self.add(MAX)
        self.add(USER)
        self.assertEqual(len(self.call("token.list")), 2)
        self.assertEqual([row["id"] for row in self.call_as(USER, "token.list")], [2])
        with self.assertRaises(NotFound):
            self.call_as(USER, "token.revoke", id=1)
        self.call_as(USER, "token.revoke", id=2)
        self.call("token.revoke", id=1)
        self.assertEqual(self.world.tokens.kept, [])

    def test_no_offspring(self) -> None:
        """A token makes no further ones: it would outlive its own end."""
        with self.assertRaises(NotAllowed):
            self.add(Actor(Role.OPERATOR, "root", "api"))
