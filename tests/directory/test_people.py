"""Operators and owners with logins of their own, and how everybody stands who may sign in to the panel."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from hostmail.actor import Role
from hostmail.directory.factors import FORGIVEN_SECONDS, MOST_TRIES, TRIES_SECONDS, SecondFactors
from hostmail.directory.people import People
from hostmail.errors import AlreadyExists, BadValue, NotFound, TemporaryFailure
from hostmail.interfaces.people import IPeople, ISecondFactors
from tests.directory.support import HASH, DirectoryTestCase

NEW = "{PLAIN}another"


class PeopleTestCase(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        common = {"database": self.database, "in_thread": self.threads, "now": self.clock.seconds}
        self.people = People(**common)
        self.factors = SecondFactors(**common)
        self.get(self.changes.add_account("ann@example.com", password_hash=HASH))

    def stamp(self, login: str) -> str:
        standing = self.get(self.people.signing_in(login))
        assert standing is not None
        return standing.stamp


class PeopleTests(PeopleTestCase):
    def test_interfaces(self) -> None:
        """They are what they say."""
        verifyObject(IPeople, self.people)
        verifyObject(ISecondFactors, self.factors)

    def test_add_and_list(self) -> None:
        """Operators and owners are listed apart, by login; limits are an owner's only."""
        self.get(self.people.add("zoe", Role.OPERATOR, password_hash=HASH))
        owner = self.get(self.people.add("Max", Role.OWNER, password_hash=HASH, max_accounts=5, max_lists=0))
        self.assertEqual((owner.max_accounts, owner.max_lists, owner.max_forwards), (5, 0, None))
        self.assertEqual([one.login for one in self.get(self.people.people(Role.OWNER))], ["Max"])
        self.assertEqual([one.login for one in self.get(self.people.people(Role.OPERATOR))], ["zoe"])
        self.refused(self.people.add("amy", Role.OPERATOR, password_hash=HASH, max_accounts=5), BadValue)
        self.refused(self.people.add("amy", Role.OWNER, password_hash=HASH, max_accounts=-1), BadValue)
        self.refused(self.people.add("amy", Role.OWNER, password_hash=HASH, max_tigers=1), BadValue)

    def test_each_has_his_own(self) -> None:
        """Domains and second factors are told of whom they are."""
        for login in ("max", "moritz", "tom"):
            self.get(self.people.add(login, Role.OWNER, password_hash=HASH))
        self.get(self.changes.add_domain("more.example"))
        for login, domain in (("max", "more.example"), ("max", "example.com"), ("tom", "example.com")):
            self.get(self.people.grant(login, domain))
        for number in (1, 2):
            self.get(self.factors.begin(f"person:{number}", b"s"))
        self.get(self.factors.confirm("person:2", 1, ["aa"]))
        told = {one.login: (one.domains, one.second_factor) for one in self.get(self.people.people(Role.OWNER))}
        self.assertEqual(
            told,
            {
                "max": (("example.com", "more.example"), False),
                "moritz": ((), True),
                "tom": (("example.com",), False),
            },
        )

    def test_logins_are_one_space(self) -> None:
        """No person's login is a domain's main login in any case, whichever comes first (A3)."""
        self.refused(self.people.add("EXAMPLE", Role.OWNER, password_hash=HASH), AlreadyExists)
        self.get(self.people.add("Elsewher", Role.OWNER, password_hash=HASH))
        self.refused(self.people.add("elsewher", Role.OPERATOR, password_hash=HASH), AlreadyExists)
        self.refused(self.changes.set_domain("example.com", main_login="elsewher"), AlreadyExists)
        self.refused(self.changes.add_domain("x.example", main_login="elsewher"), AlreadyExists)
        self.assertEqual(self.get(self.changes.add_domain("elsewhere.example")).main_login, "elsewhe2")
        for bad in ("ann@example.com", "", "a b", "-"):
            self.refused(self.people.add(bad, Role.OWNER, password_hash=HASH), BadValue)

    def test_find(self) -> None:
        """Any case finds somebody; a near miss is told."""
        self.get(self.people.add("Max", Role.OWNER, password_hash=HASH))
        self.assertEqual(self.get(self.people.person("mAX")).login, "Max")
        self.assertEqual(self.refused(self.people.person("Maxx"), NotFound).suggestion, "Max")

    def test_grant_and_revoke(self) -> None:
        """An owner gets domains and loses them; twice is fine, and a domain that goes takes nobody with it."""
        self.get(self.people.add("max", Role.OWNER, password_hash=HASH))
        self.get(self.people.add("zoe", Role.OPERATOR, password_hash=HASH))
        self.get(self.changes.add_domain("more.example"))
        self.get(self.people.grant("max", "Example.com"))
        self.get(self.people.grant("max", "example.com"))
        self.assertEqual(self.get(self.people.grant("max", "more.example")).domains, ("example.com", "more.example"))
        self.refused(self.people.grant("zoe", "example.com"), BadValue)
        self.refused(self.people.grant("max", "nowhere.example"), NotFound)
        self.assertEqual(self.get(self.people.revoke("max", "example.com")).domains, ("more.example",))
        self.refused(self.people.revoke("max", "example.com"), NotFound)
        self.get(self.changes.remove_domain("more.example"))
        self.assertEqual(self.get(self.people.person("max")).domains, ())

    def test_remove(self) -> None:
        """Who is gone has no login, no domains and no second factor; nobody inherits his number."""
        gone = self.get(self.people.add("max", Role.OWNER, password_hash=HASH))
        self.get(self.people.grant("max", "example.com"))
        self.get(self.factors.begin(f"person:{gone.id}", b"s"))
        self.get(self.people.remove("max"))
        self.assertIsNone(self.get(self.people.standing(f"person:{gone.id}")))
        self.assertIsNone(self.get(self.factors.factor(f"person:{gone.id}")))
        self.assertGreater(self.get(self.people.add("max", Role.OWNER, password_hash=HASH)).id, gone.id)
        self.refused(self.people.remove("nobody"), NotFound)

    def test_database_gone(self) -> None:
        """A database that does not answer is a failure for now."""
        with self.database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE person_domains")
            connection.exec_driver_sql("DROP TABLE people")
        self.refused(self.people.people(Role.OWNER), TemporaryFailure)
        self.refused(self.people.remove("max"), TemporaryFailure)


class StandingTests(PeopleTestCase):
    def test_person(self) -> None:
        """A person signs in by his login, spelled exactly so, with his own password."""
        added = self.get(self.people.add("Max", Role.OWNER, password_hash=HASH))
        self.get(self.people.grant("Max", "example.com"))
        standing = self.get(self.people.signing_in("Max"))
        assert standing is not None
        self.assertEqual((standing.subject, standing.person_id), (f"person:{added.id}", added.id))
        self.assertEqual((standing.domains, standing.password_hash), (frozenset({"example.com"}), HASH))
        self.assertEqual(standing, self.get(self.people.standing(standing.subject)))
        self.assertIsNone(self.get(self.people.signing_in("max")))
        self.get(self.people.set("max", suspended=True))
        self.assertTrue(self.get(self.people.standing(standing.subject)).suspended)  # type: ignore[union-attr]

    def test_main_login(self) -> None:
        """A domain's main login is an owner of that domain, with its default mailbox (A3); without one it is nobody."""
        standing = self.get(self.people.signing_in("example"))
        assert standing is not None
        self.assertEqual((standing.role, standing.login), (Role.OWNER, "example"))
        self.assertEqual((standing.domains, standing.address), (frozenset({"example.com"}), "ann@example.com"))
        self.assertEqual(standing, self.get(self.people.standing(standing.subject)))
        self.get(self.changes.set_domain("example.com", default_mailbox=""))
        self.assertIsNone(self.get(self.people.standing(standing.subject)))

    def test_user(self) -> None:
        """A mailbox user, with both suspensions of signing in."""
        standing = self.get(self.people.signing_in("ANN@example.com"))
        assert standing is not None
        self.assertEqual((standing.role, standing.address), (Role.USER, "ann@example.com"))
        self.get(self.changes.set_account("ann@example.com", login_suspended=True))
        self.assertEqual(self.get(self.people.standing(standing.subject)).suspended, "login suspended")  # type: ignore[union-attr]
        self.get(self.changes.set_domain("example.com", login_suspended=True))
        self.assertIn("domain", self.get(self.people.standing(standing.subject)).suspended)  # type: ignore[union-attr]
        self.get(self.changes.remove_account("ann@example.com"))
        self.assertIsNone(self.get(self.people.standing(standing.subject)))

    def test_nobody(self) -> None:
        """Odd logins and subjects are nobody's."""
        for login in ("", "@", "a@", "nobody", "x@example.com", "\udcff", "\udcff@example.com"):
            self.assertIsNone(self.get(self.people.signing_in(login)), login)
        for subject in (
            "",
            "person",
            "person:",
            "person:x",
            "person:-1",
            "person:²",
            "account:99",
            "list:1",
            "domain:9",
        ):
            self.assertIsNone(self.get(self.people.standing(subject)), subject)

    def test_stamp(self) -> None:
        """A new password makes another stamp at once, even the same password within the same second; nothing else does."""
        self.get(self.people.add("max", Role.OWNER, password_hash=HASH))
        for login, change in (
            ("max", lambda: self.people.set("max", password_hash=HASH)),
            ("example", lambda: self.changes.set_password("ann@example.com", HASH)),
            ("ann@example.com", lambda: self.changes.set_password("ann@example.com", HASH)),
        ):
            seen = [self.stamp(login)]
            self.assertEqual(self.stamp(login), seen[0])
            for _ in range(3):
                self.get(change())
                seen.append(self.stamp(login))
            self.assertEqual(len(set(seen)), 4, login)

    def test_stamp_stays(self) -> None:
        """Better hashing of the same password ends no session (A7)."""
        before = self.stamp("ann@example.com")
        self.assertTrue(self.get(self.changes.upgrade_hash(1, HASH, NEW)))
        self.assertEqual(self.stamp("ann@example.com"), before)

    def test_another_default_mailbox(self) -> None:
        """Whose password the main login has is part of the stamp."""
        before = self.stamp("example")
        self.get(self.changes.add_account("bob@example.com", password_hash=HASH))
        self.get(self.changes.set_domain("example.com", default_mailbox="bob@example.com"))
        self.assertNotEqual(self.stamp("example"), before)


class FactorTests(PeopleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.subject = "domain:1"
        self.get(self.factors.begin(self.subject, b"secret"))

    def confirm(self) -> None:
        self.assertTrue(self.get(self.factors.confirm(self.subject, 100, ["aa", "bb"])))

    def test_in_force_when_confirmed(self) -> None:
        """Until its owner has shown a code it changes nothing; then the stamp is another, and so it is once it is gone."""
        stamps = [self.stamp("example")]
        self.get(self.factors.begin(self.subject, b"another"))
        self.assertEqual(self.stamp("example"), stamps[0])
        self.confirm()
        stamps.append(self.stamp("example"))
        self.assertTrue(self.get(self.people.signing_in("example")).second_factor)  # type: ignore[union-attr]
        self.refused(self.factors.begin(self.subject, b"third"), AlreadyExists)
        self.assertTrue(self.get(self.factors.remove(self.subject)))
        self.assertFalse(self.get(self.factors.remove(self.subject)))
        self.get(self.factors.begin(self.subject, b"third"))
        self.confirm()
        stamps.append(self.stamp("example"))
        self.assertEqual(len(set(stamps)), 3)

    def test_confirmed_once(self) -> None:
        """What is in force already, or was never begun, is not confirmed."""
        self.confirm()
        self.assertFalse(self.get(self.factors.confirm(self.subject, 101, ["cc"])))
        self.assertFalse(self.get(self.factors.confirm("domain:2", 101, ["cc"])))

    def test_steps_once(self) -> None:
        """Of each step one code is taken, and none of a step before that."""
        self.assertFalse(self.get(self.factors.claim_step(self.subject, 101)))
        self.confirm()
        taken = [self.get(self.factors.claim_step(self.subject, step)) for step in (100, 101, 101, 100, 102)]
        self.assertEqual(taken, [False, True, False, False, True])

    def test_codes_once(self) -> None:
        """A recovery code is used up, and is its owner's only."""
        self.confirm()
        self.assertFalse(self.get(self.factors.claim_code("domain:2", "aa")))
        taken = [self.get(self.factors.claim_code(self.subject, digest)) for digest in ("aa", "aa", "cc", "bb")]
        self.assertEqual(taken, [True, False, False, True])
        self.assertEqual(self.get(self.factors.factor(self.subject)).codes, 0)  # type: ignore[union-attr]

    def test_tries(self) -> None:
        """Ten wrong codes close it for a quarter of an hour, ten more for twice that, and so on; a right one forgives all."""
        self.confirm()
        for _ in range(MOST_TRIES):
            self.assertTrue(self.get(self.factors.may_try(self.subject)))
        self.assertFalse(self.get(self.factors.may_try(self.subject)))
        self.clock.advance(TRIES_SECONDS)
        for waits in (2, 4, 8, 16, 16):
            while self.get(self.factors.may_try(self.subject)):
                pass
            self.clock.advance(waits * TRIES_SECONDS - 1)
            self.assertFalse(self.get(self.factors.may_try(self.subject)))
            self.clock.advance(1)
        self.assertTrue(self.get(self.factors.may_try(self.subject)))
        for step in range(101, 101 + 2 * MOST_TRIES):
            self.assertTrue(self.get(self.factors.claim_step(self.subject, step)))
            self.assertTrue(self.get(self.factors.may_try(self.subject)))
        self.assertFalse(self.get(self.factors.may_try("domain:9")))

    def test_tries_of_yesterday(self) -> None:
        """A slip of the finger now and then adds up to nothing."""
        self.confirm()
        for _ in range(2 * MOST_TRIES):
            self.assertTrue(self.get(self.factors.may_try(self.subject)))
            self.clock.advance(FORGIVEN_SECONDS)

    def test_domain_gone(self) -> None:
        """A removed domain's main login leaves no second factor."""
        self.confirm()
        self.get(self.changes.remove_domain("example.com"))
        self.assertIsNone(self.get(self.factors.factor(self.subject)))
