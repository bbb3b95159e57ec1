"""Aliases, forwards, blocked names, domain aliases and catch-alls: what may be laid down, and who hears of it."""

from __future__ import annotations

from typing import Any

from hostmail.address import Address
from hostmail.directory import caught as caught_module
from hostmail.directory.caught import CaughtNames
from hostmail.directory.transaction import NameLimits
from hostmail.errors import AlreadyExists, BadValue, NotFound, TooMany
from hostmail.interfaces.directory import MAX_CHAIN, Name
from hostmail.interfaces.events import DirectoryChanged
from tests.directory.support import HASH, DirectoryTestCase, Threads
from tests.support.aloud import Aloud

ANN, BEA = "ann@example.com", "bea@example.com"


class NamingCase(DirectoryTestCase):
    """With two accounts."""

    def setUp(self) -> None:
        super().setUp()
        for address in (ANN, BEA):
            self.get(self.changes.add_account(address, password_hash=HASH))
        self.changed()

    def alias(self, address: str, *targets: str) -> Name:
        return self.get(self.changes.add_targets(address, targets, forward=False))

    def forward(self, address: str, *targets: str, keep_copy: bool | None = None) -> Name:
        return self.get(self.changes.add_targets(address, targets, forward=True, keep_copy=keep_copy))

    def words(self, coroutine: Any, kind: type[Exception] = BadValue) -> str:
        return str(self.refused(coroutine, kind).public)

    def name(self, address: str) -> Name | None:
        return self.get(self.directory.name(Address.parse(address)))

    def leads(self, address: str) -> list[str]:
        name = self.name(address)
        return [] if name is None else [str(target) for target in name.targets]


class AliasTests(NamingCase):
    def test_one_and_several(self) -> None:
        """An alias leads to one or several mailboxes here, in the order they were added, each once (E1)."""
        self.assertEqual(self.leads("team@example.com"), [])
        self.alias("Team@example.com", ANN)
        self.alias("team@Example.COM", "Ann@example.com", BEA)
        self.assertEqual(self.leads("TEAM@example.com"), [ANN, BEA])
        self.assertEqual([name.address for name in self.get(self.directory.names("example.com"))], ["Team@example.com"])
        self.assertEqual(self.get(self.directory.names("other.example")), [])

    def test_other_letters(self) -> None:
        """Neither case nor how a letter is put together matters in any script, for aliases and for accounts (A2)."""
        self.alias("J\u00dcRGEN@example.com", ANN)
        self.get(self.changes.add_account("\u00d6zg\u00fcr@example.com", password_hash=HASH))
        for local in ("j\u00fcrgen", "JU\u0308RGEN"):
            self.assertEqual(self.leads(f"{local}@example.com"), [ANN])
        found = self.get(self.directory.account_for(Address.parse("\u00f6ZGU\u0308R@example.com")))
        self.assertEqual(found and found.address, "\u00d6zg\u00fcr@example.com")
        self.refused(self.changes.add_account("j\u00fcrgen@example.com", password_hash=HASH), AlreadyExists)

    def test_announced(self) -> None:
        """A change is heard of at once, by those who keep the domain's answers (E7)."""
        self.assertFalse(self.domain().has_names)
        self.alias("team@example.com", ANN)
        self.assertEqual(self.changed(), [DirectoryChanged("example.com")])
        self.assertTrue(self.domain().has_names)
        self.get(self.changes.remove_targets("team@example.com", [], forward=False))
        self.assertEqual(self.changed(), [DirectoryChanged("example.com")])
        self.assertEqual((self.leads("team@example.com"), self.domain().has_names), ([], False))

    def domain(self) -> Any:
        return self.get(self.directory.domain("example.com"))

    def test_cached(self) -> None:
        """An answer that was given once costs no question to the database."""
        self.name("team@example.com")
        runs = self.threads.runs
        self.name("Team@example.com")
        self.assertEqual(self.threads.runs, runs)

    def test_remove_one(self) -> None:
        """One target goes, the others stay; what was not there is told with what is."""
        self.alias("team@example.com", ANN, BEA)
        self.get(self.changes.remove_targets("team@example.com", [BEA], forward=False))
        self.assertEqual(self.leads("team@example.com"), [ANN])
        words = self.words(self.changes.remove_targets("team@example.com", [BEA], forward=False), NotFound)
        self.assertIn("its aliases: ann@example.com", words)
        self.refused(self.changes.remove_targets("team@example.com", [], forward=True), NotFound)
        self.refused(self.changes.remove_targets("nobody@example.com", [], forward=False), NotFound)

    def test_not_over_a_mailbox(self) -> None:
        """An alias does not hide a mailbox, and a mailbox is not made where an alias is."""
        self.assertIn("is a mailbox", self.words(self.changes.add_targets(ANN, [BEA], forward=False), AlreadyExists))
        self.alias("team@example.com", ANN)
        words = self.words(self.changes.add_account("Team@example.com", password_hash=HASH), AlreadyExists)
        self.assertIn("leads to ann@example.com", words)

    def test_targets_exist(self) -> None:
        """A target here that nobody has is a mistake; one elsewhere needs a forward."""
        self.assertIn(
            "did you mean ann@",
            self.words(self.changes.add_targets("x@example.com", ["anm@example.com"], forward=False), NotFound),
        )
        self.assertIn(
            "a forward anywhere",
            self.words(self.changes.add_targets("x@example.com", ["a@far.example"], forward=False)),
        )
        self.alias("tagged@example.com", "ann+shop@example.com")
        self.refused(self.changes.add_targets("x@example.com", ["anm@example.com"], forward=True), NotFound)
        self.refused(self.changes.add_targets("x@unknown.example", [ANN], forward=False), NotFound)
        self.refused(self.changes.add_targets("x@example.com", [], forward=False), BadValue)

    def test_bounded(self) -> None:
        """A name leads to so many addresses, a domain has so many names, as the settings say; what there is stays."""
        many = [f"p{number}@far.example" for number in range(NameLimits().targets + 1)]
        self.assertIn(
            "limits.alias_targets", self.words(self.changes.add_targets("x@example.com", many, forward=True), TooMany)
        )
        self.assertEqual(self.leads("x@example.com"), [])
        self.changes.name_limits = NameLimits(targets=len(many), names=1)
        self.get(self.changes.add_targets("x@example.com", many, forward=True))
        self.assertIn(
            "limits.domain_names", self.words(self.changes.add_targets("y@example.com", [ANN], forward=False), TooMany)
        )
        self.changes.name_limits = NameLimits(targets=1)
        self.get(self.changes.add_targets("x@example.com", many[:1], forward=True))
        self.assertEqual(len(self.leads("x@example.com")), len(many))

    def test_removed_with_its_domain(self) -> None:
        """A domain takes its names with it."""
        self.alias("team@example.com", ANN)
        self.get(self.changes.add_domain_alias("example.org", "example.com"))
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual((self.leads("team@example.com"), self.get(self.directory.names())), ([], []))
        self.assertEqual(self.get(self.directory.domain_alias("example.org")), "")
        self.get(self.changes.add_domain("example.org"))


class ForwardTests(NamingCase):
    def test_kept_copy(self) -> None:
        """A mailbox forwards with or without keeping a copy; what is not said stays as it was (E1)."""
        self.assertFalse(self.forward(ANN, "ann@far.example").keep_copy)
        self.assertTrue(self.forward(ANN, keep_copy=True).keep_copy)
        name = self.forward(ANN, "anna@far.example")
        self.assertEqual((name.keep_copy, len(name.forwards)), (True, 2))

    def test_senseless(self) -> None:
        """Without a mailbox there is no copy to keep, and a kept copy alone is no forward."""
        self.assertIn(
            "no mailbox",
            self.words(self.changes.add_targets("x@example.com", ["a@far.example"], forward=True, keep_copy=True)),
        )
        self.assertIn("leads nowhere", self.words(self.changes.add_targets(ANN, [], forward=True, keep_copy=True)))
        self.assertIn("to itself", self.words(self.changes.add_targets(ANN, ["Ann@example.com"], forward=True)))
        self.assertEqual(self.leads(ANN), [])

    def test_beside_aliases(self) -> None:
        """One name may have aliases and forwards; each kind is removed for itself."""
        self.alias("team@example.com", ANN)
        self.forward("team@example.com", "t@far.example")
        self.assertEqual(self.leads("team@example.com"), [ANN, "t@far.example"])
        left = self.get(self.changes.remove_targets("team@example.com", [], forward=False))
        assert left is not None
        self.assertEqual([str(one) for one in left.targets], ["t@far.example"])

    def test_gone_with_the_account(self) -> None:
        """An account that is created again has nothing of the old one's forwards (D13)."""
        self.forward(ANN, "ann@far.example")
        self.get(self.changes.remove_account(ANN))
        self.get(self.changes.add_account(ANN, password_hash=HASH))
        self.assertEqual(self.leads(ANN), [])


class LoopTests(NamingCase):
    def test_named(self) -> None:
        """A loop is refused when it would be made, and named; nothing has changed then (E1)."""
        self.alias("a@example.com", BEA)
        self.alias("b@example.com", "a@example.com")
        words = self.words(self.changes.add_targets(BEA, ["b@example.com"], forward=True))
        self.assertEqual(
            words,
            "that would make a loop: bea@example.com -> b@example.com -> a@example.com -> bea@example.com",
        )
        self.assertEqual(self.leads(BEA), [])
        self.alias("a@example.com", ANN)

    def test_through_tags(self) -> None:
        """A tag hides no loop (E6)."""
        self.alias("a@example.com", ANN)
        self.refused(self.changes.add_targets(ANN, ["a+x@example.com"], forward=True), BadValue)

    def test_through_a_domain_alias(self) -> None:
        """Nor does a domain alias, whichever comes first."""
        self.forward(ANN, "ann@example.org")
        words = self.words(self.changes.add_domain_alias("example.org", "example.com"))
        self.assertIn("ann@example.com -> ann@example.org -> ann@example.com", words)
        self.get(self.changes.remove_targets(ANN, [], forward=True))
        self.get(self.changes.add_domain_alias("example.org", "example.com"))
        self.refused(self.changes.add_targets(ANN, ["ann@example.org"], forward=True), BadValue)

    def test_through_a_catch_all(self) -> None:
        """A catch-all whose mail comes back as mail for an unknown name is a loop."""
        self.get(self.changes.set_domain("example.com", catch_all=ANN))
        self.get(self.changes.add_domain("two.example"))
        self.get(self.changes.add_account("cleo@two.example", password_hash=HASH))
        self.forward("cleo@two.example", ANN)
        self.forward(ANN, "ann@far.example")
        words = self.words(self.changes.add_targets(ANN, ["cleo@two.example"], forward=True))
        self.assertIn("ann@example.com -> cleo@two.example -> ann@example.com", words)

    def test_chain_too_long(self) -> None:
        """A chain of MAX_CHAIN addresses is fine, one more is not, at whichever end it is added."""
        self.alias("n0@example.com", ANN)
        for number in range(1, MAX_CHAIN):
            self.alias(f"n{number}@example.com", f"n{number - 1}@example.com")
        words = self.words(
            self.changes.add_targets("top@example.com", [f"n{MAX_CHAIN - 1}@example.com"], forward=False)
        )
        self.assertIn(f"more than {MAX_CHAIN}", words)
        self.refused(self.changes.add_targets(ANN, [BEA], forward=True), BadValue)

    def test_wide_and_deep(self) -> None:
        """Many ways to the same addresses are looked at once each."""
        self.alias("a0@example.com", ANN)
        self.alias("b0@example.com", ANN)
        for number in range(1, MAX_CHAIN):
            for letter in "ab":
                self.alias(f"{letter}{number}@example.com", f"a{number - 1}@example.com", f"b{number - 1}@example.com")
        self.assertEqual(len(self.leads("a9@example.com")), 2)


class CatchAllTests(NamingCase):
    def test_choices(self) -> None:
        """Refuse, discard, the default mailbox, or an address that exists (E2)."""
        self.assertEqual(self.catch_all(), "refuse")
        for choice in ("discard", "default", BEA, "x@far.example", "refuse"):
            self.assertEqual(self.get(self.changes.set_domain("example.com", catch_all=choice)).catch_all, choice)
            self.assertEqual(self.catch_all(), choice)
        self.refused(self.changes.set_domain("example.com", catch_all="beb@example.com"), NotFound)
        self.refused(self.changes.set_domain("example.com", catch_all="deliver"), BadValue)
        self.assertEqual(self.get(self.changes.add_domain("b.example", catch_all="default")).catch_all, "default")

    def catch_all(self) -> str:
        domain = self.get(self.directory.domain("example.com"))
        assert domain is not None
        return domain.catch_all

    def test_block(self) -> None:
        """A name is blocked and freed again; a mailbox or an alias cannot be."""
        self.get(self.changes.block_name("typo@example.com"))
        name = self.name("Typo@example.com")
        assert name is not None
        self.assertEqual((name.blocked, name.targets), (True, ()))
        self.get(self.changes.block_name("typo@example.com", blocked=False))
        self.assertIsNone(self.name("typo@example.com"))
        self.refused(self.changes.block_name("typo@example.com", blocked=False), NotFound)
        self.refused(self.changes.block_name(ANN), BadValue)
        self.alias("team@example.com", ANN)
        self.refused(self.changes.block_name("team@example.com"), BadValue)

    def test_blocked_name_becomes_somebodys(self) -> None:
        """An alias or an account of that name ends the block."""
        for name in ("a@example.com", "b@example.com"):
            self.get(self.changes.block_name(name))
        self.assertFalse(self.alias("a@example.com", ANN).blocked)
        self.get(self.changes.add_account("b@example.com", password_hash=HASH))
        self.assertIsNone(self.name("b@example.com"))


class DomainAliasTests(NamingCase):
    def test_stands_for(self) -> None:
        """A domain alias is known at once, in any case, and listed with its domain (E6)."""
        self.assertEqual(self.get(self.directory.domain_alias("example.org")), "")
        self.get(self.changes.add_domain_alias("Example.ORG", "example.com"))
        self.assertEqual(self.changed(), [DirectoryChanged("example.org"), DirectoryChanged("example.com")])
        self.assertEqual(self.get(self.directory.domain_alias("example.org")), "example.com")
        self.assertEqual(self.get(self.directory.domain_aliases()), [("example.org", "example.com")])
        self.assertEqual(self.get(self.directory.domain_aliases("example.com")), [("example.org", "example.com")])
        self.assertEqual(self.get(self.changes.remove_domain_alias("example.org")), "example.com")
        self.assertEqual(self.get(self.directory.domain_alias("example.org")), "")
        self.refused(self.changes.remove_domain_alias("example.org"), NotFound)

    def test_one_question(self) -> None:
        """Other hosts' domains cost no question each; any change may be one of these."""
        self.get(self.directory.domain_alias("one.example"))
        runs = self.threads.runs
        self.get(self.directory.domain_alias("two.example"))
        self.assertEqual(self.threads.runs, runs)
        self.get(self.changes.add_domain_alias("two.example", "example.com"))
        self.assertEqual(self.get(self.directory.domain_alias("two.example")), "example.com")

    def test_one_or_the_other(self) -> None:
        """A domain is hosted or stands for one; no domain stands for two, nor for one that is not hosted."""
        self.get(self.changes.add_domain_alias("example.org", "example.com"))
        self.refused(self.changes.add_domain("example.org"), AlreadyExists)
        self.refused(self.changes.add_domain_alias("example.org", "example.com"), AlreadyExists)
        self.refused(self.changes.add_domain_alias("example.com", "example.com"), AlreadyExists)
        self.refused(self.changes.add_domain_alias("x.example", "example.org"), NotFound)

    def test_loop_through_a_catch_all(self) -> None:
        """A domain cannot come to stand for one whose catch-all leads to it: mail for unknown names would go round."""
        self.get(self.changes.set_domain("example.com", catch_all="nobody@example.org"))
        self.assertIn("would make a loop", self.words(self.changes.add_domain_alias("example.org", "example.com")))
        self.get(self.changes.set_domain("example.com", catch_all=ANN.replace("example.com", "example.org")))
        self.get(self.changes.add_domain_alias("example.org", "example.com"))

    def test_names_belong_to_the_domain(self) -> None:
        """What is laid down goes to the domain itself; the other name says so."""
        self.get(self.changes.add_domain_alias("example.org", "example.com"))
        words = self.words(self.changes.add_targets("x@example.org", [ANN], forward=False))
        self.assertIn("use x@example.com", words)
        self.alias("y@example.com", "ann@example.org")


class CaughtTests(NamingCase):
    """What a catch-all remembers."""

    def setUp(self) -> None:
        super().setUp()
        self.caught = CaughtNames(
            database=self.database, in_thread=self.threads, clock=self.clock, now=self.clock.seconds
        )

    def remembered(self) -> list[tuple[str, int, float, float]]:
        found = self.get(self.caught.names("Example.com"))
        return [(name.address, name.count, name.first_seen, name.last_seen) for name in found]

    def test_counts(self) -> None:
        """How often, when first and when last, the most frequent first (E2)."""
        self.caught.caught("one@example.com")
        self.clock.advance(2)
        self.caught.caught("Two@example.com")
        self.caught.caught("two@example.com")
        self.assertEqual(self.remembered(), [("two@example.com", 2, 2, 2), ("one@example.com", 1, 0, 0)])
        self.clock.advance(60)
        self.caught.caught("one@example.com")
        self.assertEqual(self.remembered()[0], ("one@example.com", 2, 0, 62))

    def test_two_processes(self) -> None:
        """What two processes have caught is added up; what one of them still counts is not shown when it is somebody's by then."""
        database, _, changes = self.process(Aloud(), Threads())
        other = CaughtNames(database=database, in_thread=self.threads, clock=self.clock, now=self.clock.seconds)
        for caught, at in ((self.caught, 1.0), (other, 2.0), (self.caught, 3.0)):
            self.clock.advance(at - self.clock.seconds())
            caught.caught("one@example.com")
        self.get(other.flush())
        self.assertEqual(self.remembered(), [("one@example.com", 3, 1, 3)])
        for name in ("one", "two", "three"):
            other.caught(f"{name}@example.com")
        self.alias("one@example.com", ANN)
        self.get(changes.add_account("two@example.com", password_hash=HASH))
        self.get(self.changes.block_name("three@example.com"))
        self.get(other.flush())
        self.assertEqual([name for name, *_ in self.remembered()], ["three@example.com"])

    def test_written_soon(self) -> None:
        """A flood costs one transaction every few seconds, and no event."""
        for _ in range(100):
            self.caught.caught("one@example.com")
        runs = self.threads.runs
        self.clock.advance(5)
        self.assertEqual((self.threads.runs, self.changed()), (runs + 1, []))
        self.clock.advance(50)
        self.assertEqual(self.threads.runs, runs + 1)
        self.assertEqual(self.remembered()[0][1], 100)

    def test_bounded(self) -> None:
        """A domain remembers so many names, those seen last; so many are waiting to be written."""
        self.patch(caught_module, "MOST_UNWRITTEN", 4)
        self.caught = CaughtNames(
            database=self.database,
            in_thread=self.threads,
            clock=self.clock,
            now=self.clock.seconds,
            names_a_domain=3,
        )
        for number in range(6):
            self.clock.advance(0.1)
            self.caught.caught(f"n{number}@example.com")
        self.assertEqual(sorted(row[0][:2] for row in self.remembered()), ["n1", "n2", "n3"])

    def test_forgotten(self) -> None:
        """A name that became somebody's is remembered no more; neither is one of a domain that has gone."""
        for name in ("one", "two", "three"):
            self.caught.caught(f"{name}@example.com")
        self.get(self.caught.forget("ONE@example.com"))
        self.get(self.caught.flush())
        self.alias("two@example.com", ANN)
        self.assertEqual([row[0] for row in self.remembered()], ["three@example.com"])
        self.get(self.caught.forget("three@example.com"))
        self.assertEqual(self.remembered(), [])
        self.caught.caught("x@gone.example")
        self.get(self.caught.flush())

    def test_trouble(self) -> None:
        """Counts that cannot be written are lost, and logged; delivery does not hear of it."""

        async def broken(*_: Any) -> None:
            raise ZeroDivisionError

        caught = CaughtNames(database=self.database, in_thread=broken, clock=self.clock, now=self.clock.seconds)
        caught.caught("one@example.com")
        self.clock.advance(5)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
