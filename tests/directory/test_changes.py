"""hostmail.directory.changes: domains and accounts are made, changed and removed, and everybody hears (E7)."""

from __future__ import annotations

from typing import Any

from zope.interface.verify import verifyObject

from hostmail.directory.usage import StoredUsage
from hostmail.errors import AlreadyExists, BadValue, NotFound, TemporaryFailure
from hostmail.interfaces.directory import Account, IDirectoryChanges, Usage
from hostmail.interfaces.events import DirectoryChanged
from tests.directory.support import HASH, DirectoryTestCase


class DomainTests(DirectoryTestCase):
    def test_is_the_contract(self) -> None:
        """It implements IDirectoryChanges."""
        verifyObject(IDirectoryChanges, self.changes)

    def test_add(self) -> None:
        """A new domain has a main login of its first label, POP before SMTP on and nothing suspended (A3, A9, C5)."""
        domain = self.get(self.changes.add_domain("HomePage-Hosting.net", quota_bytes=1000))
        self.assertEqual(
            (domain.name, domain.main_login, domain.quota_bytes), ("homepage-hosting.net", "homepage", 1000)
        )
        self.assertTrue(domain.pop_before_smtp)
        self.assertFalse(domain.login_suspended or domain.incoming_suspended or domain.outgoing_suspended)
        self.assertEqual(self.changed(), [DirectoryChanged("homepage-hosting.net")])

    def test_main_logins_are_unique(self) -> None:
        """The second domain of a name gets another main login of at most 8 letters."""
        logins = [self.get(self.changes.add_domain(f"homepages.{top}")).main_login for top in ("net", "org", "com")]
        self.assertEqual(logins, ["homepage", "homepag2", "homepag3"])

    def test_own_main_login(self) -> None:
        """A main login can be chosen; another domain cannot have it, in whatever case."""
        self.assertEqual(self.get(self.changes.add_domain("a.net", main_login="Ann")).main_login, "Ann")
        self.refused(self.changes.add_domain("b.net", main_login="ann"), AlreadyExists)
        self.refused(self.changes.add_domain("b.net", main_login="ann@a.net"), BadValue)

    def test_add_twice(self) -> None:
        """A domain exists once, whatever its spelling."""
        self.refused(self.changes.add_domain("Example.COM"), AlreadyExists)
        self.assertEqual(self.changed(), [])

    def test_names_that_are_none(self) -> None:
        """What is no domain name is refused with its reason."""
        for name in ("", "localhost", "exa mple.com", "[192.0.2.1]", "a..b"):
            self.refused(self.changes.add_domain(name), BadValue)

    def test_international(self) -> None:
        """A domain in another script is kept in A-labels, and its main login is readable."""
        domain = self.get(self.changes.add_domain("Bücher.example"))
        self.assertEqual((domain.name, domain.main_login), ("xn--bcher-kva.example", "bucher"))

    def test_set(self) -> None:
        """Any field can be changed, in any spelling of the name; the change is announced."""
        domain = self.get(
            self.changes.set_domain("Example.com", quota_bytes=5, must_match_sender=True, main_login="ex")
        )
        self.assertEqual((domain.quota_bytes, domain.must_match_sender, domain.main_login), (5, True, "ex"))
        self.assertEqual(self.changed(), [DirectoryChanged("example.com")])
        self.assertIsNone(self.get(self.changes.set_domain("example.com", quota_bytes=None)).quota_bytes)

    def test_set_keeps_its_own_main_login(self) -> None:
        """A domain's own main login may change its case."""
        self.assertEqual(self.get(self.changes.set_domain("example.com", main_login="EXAMPLE")).main_login, "EXAMPLE")

    def test_set_nothing(self) -> None:
        """No change, no announcement."""
        self.get(self.changes.set_domain("example.com"))
        self.assertEqual(self.changed(), [])

    def test_set_nonsense(self) -> None:
        """Unknown fields and senseless values are refused."""
        for changes in ({"colour": "red"}, {"quota_bytes": 0}, {"quota_bytes": True}, {"login_suspended": "yes"}):
            self.refused(self.changes.set_domain("example.com", **changes), BadValue)

    def test_near_miss(self) -> None:
        """An unknown domain is answered with the one that was probably meant."""
        self.assertEqual(self.refused(self.changes.set_domain("exampel.com"), NotFound).suggestion, "example.com")
        self.assertEqual(self.refused(self.changes.remove_domain("..."), NotFound).suggestion, "")

    def test_default_mailbox(self) -> None:
        """The default mailbox is one of the domain's own accounts, or none (A3)."""
        self.get(self.changes.add_domain("other.net"))
        self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        bob = self.get(self.changes.add_account("bob@example.com", password_hash=HASH))
        self.get(self.changes.add_account("eve@other.net", password_hash=HASH))
        domain = self.get(self.changes.set_domain("example.com", default_mailbox="bob@example.com"))
        self.assertEqual(domain.default_account_id, bob.id)
        self.refused(self.changes.set_domain("example.com", default_mailbox="eve@other.net"), BadValue)
        self.refused(self.changes.set_domain("example.com", default_mailbox="zoe@example.com"), NotFound)
        self.assertIsNone(self.get(self.changes.set_domain("example.com", default_mailbox="")).default_account_id)

    def test_suspension_ends_the_logins_of_all_accounts(self) -> None:
        """A domain's suspension is announced for each of its accounts, so that grants and remembered logins go (C4)."""
        ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        for switch in ({"login_suspended": True}, {"outgoing_suspended": True}, {"pop_before_smtp": False}):
            self.changed()
            self.get(self.changes.set_domain("example.com", **switch))
            self.assertIn(DirectoryChanged("example.com", ann.id, credentials=True), self.changed())
        self.get(self.changes.set_domain("example.com", login_suspended=False))
        self.assertEqual(self.changed(), [DirectoryChanged("example.com")])

    def test_remove(self) -> None:
        """A removed domain takes its accounts along; each is announced."""
        ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.changed()
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual(
            self.changed(),
            [
                DirectoryChanged("example.com", ann.id, credentials=True, removed=True),
                DirectoryChanged("example.com", 0, credentials=True, removed=True),
            ],
        )
        self.assertIsNone(self.get(self.directory.domain("example.com")))
        self.assertIsNone(self.get(self.directory.account(ann.id)))
        self.get(self.changes.add_domain("example.com"))

    def test_no_room_in_the_database(self) -> None:
        """A database that cannot be written is a failure for now that tells the peer nothing."""
        with self.database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE changes")
        refusal = self.refused(self.changes.add_domain("example.net"), TemporaryFailure)
        self.assertNotIn("changes", refusal.public)
        self.assertIsNone(self.get(self.directory.domain("example.net")))


class AccountTests(DirectoryTestCase):
    def add(self, address: str, **more: Any) -> Account:
        account = self.get(self.changes.add_account(address, password_hash=HASH, **more))
        self.changed()
        return account

    def test_add(self) -> None:
        """An account keeps its spelling; its domain is lower case (A2)."""
        account = self.get(
            self.changes.add_account("Ann.Lee@Example.com", password_hash=HASH, quota_bytes=7, quota_messages=8)
        )
        self.assertEqual((account.address, account.domain), ("Ann.Lee@example.com", "example.com"))
        self.assertEqual((account.quota_bytes, account.quota_messages), (7, 8))
        self.assertEqual(self.changed(), [DirectoryChanged("example.com", account.id)])

    def test_differing_by_case(self) -> None:
        """Two accounts that differ only by case cannot exist (A2)."""
        self.add("ann@example.com")
        self.refused(self.changes.add_account("ANN@example.com", password_hash=HASH), AlreadyExists)

    def test_unknown_domain(self) -> None:
        """An account needs a hosted domain; a near miss is suggested."""
        refusal = self.refused(self.changes.add_account("ann@exmple.com", password_hash=HASH), NotFound)
        self.assertIn("did you mean example.com?", refusal.public)

    def test_nonsense(self) -> None:
        """Bad addresses, quotas and hashes are refused."""
        for address in ("ann", "postmaster", "@example.com", "ann@[192.0.2.1]", "a" * 65 + "@example.com"):
            self.refused(self.changes.add_account(address, password_hash=HASH), BadValue)
        for stored in ("", "secret", "{PLAIN}", "{plain}x", "{PLAIN}x\n", "{PLAIN}" + "x" * 1100):
            self.refused(self.changes.add_account("ann@example.com", password_hash=stored), BadValue)
        for quota in (0, -1, 1.5, 2**63):
            bad = self.changes.add_account("ann@example.com", password_hash=HASH, quota_messages=quota)  # type: ignore
            self.refused(bad, BadValue)

    def test_first_becomes_default(self) -> None:
        """The first account of a domain is its default mailbox, the second is not (A3)."""
        ann = self.add("ann@example.com")
        self.add("bob@example.com")
        domain = self.get(self.directory.domain("example.com"))
        assert domain is not None
        self.assertEqual(domain.default_account_id, ann.id)

    def test_set(self) -> None:
        """Quotas and suspensions change; only what ends logins is announced as such (A9, C4)."""
        ann = self.add("ann@example.com")
        self.assertEqual(self.get(self.changes.set_account("ANN@example.com", quota_bytes=5)).quota_bytes, 5)
        self.assertTrue(
            self.get(self.changes.set_account("ann@example.com", incoming_suspended=True)).incoming_suspended
        )
        self.get(self.changes.set_account("ann@example.com", login_suspended=True))
        self.get(self.changes.set_account("ann@example.com", outgoing_suspended=True))
        self.get(self.changes.set_account("ann@example.com"))
        self.assertEqual([event.credentials for event in self.changed()], [False, False, True, True])
        self.refused(self.changes.set_account("ann@example.com", directory="b"), BadValue)
        self.assertEqual(ann.quota_bytes, None)

    def test_near_miss(self) -> None:
        """An unknown account is answered with the one that was probably meant, or with the domain."""
        self.add("info@example.com")
        self.assertEqual(
            self.refused(self.changes.set_account("ifno@example.com"), NotFound).suggestion, "info@example.com"
        )
        self.assertEqual(self.refused(self.changes.set_account("info@exampl.com"), NotFound).suggestion, "example.com")
        self.assertEqual(self.refused(self.changes.set_account("zzz@example.com"), NotFound).suggestion, "")
        self.refused(self.changes.set_account("nonsense"), NotFound)

    def test_password(self) -> None:
        """A new password counts at once and is announced (A6)."""
        ann = self.add("ann@example.com")
        self.get(self.directory.login("ann@example.com"))
        self.get(self.changes.set_password("ann@example.com", "{PLAIN}new"))
        self.assertEqual(self.changed(), [DirectoryChanged("example.com", ann.id, credentials=True)])
        self.assertEqual(self.get(self.directory.login("ann@example.com")), (ann, "{PLAIN}new"))

    def test_upgrade(self) -> None:
        """A foreign hash is replaced if it is still the one that was checked, and nobody's login ends (A7)."""
        ann = self.add("ann@example.com")
        self.assertFalse(self.get(self.changes.upgrade_hash(ann.id, "{PLAIN}other", "{ARGON2ID}x")))
        self.assertTrue(self.get(self.changes.upgrade_hash(ann.id, HASH, "{ARGON2ID}x")))
        self.assertEqual(self.changed(), [])
        self.assertEqual(self.get(self.directory.login("ann@example.com")), (ann, "{ARGON2ID}x"))

    def test_what_the_hash_was(self) -> None:
        """The replaced hash is known again, though not kept, until the password is set anew (A7)."""
        ann = self.add("ann@example.com")
        self.assertFalse(self.get(self.directory.was_hash(ann.id, HASH)))
        self.get(self.changes.upgrade_hash(ann.id, HASH, "{ARGON2ID}x"))
        self.assertTrue(self.get(self.directory.was_hash(ann.id, HASH)))
        self.assertFalse(self.get(self.directory.was_hash(ann.id, "{PLAIN}other")))
        self.assertFalse(self.get(self.directory.was_hash(ann.id + 1, HASH)))
        self.get(self.changes.set_password("ann@example.com", "{ARGON2ID}y"))
        self.assertFalse(self.get(self.directory.was_hash(ann.id, HASH)))

    def test_remove_and_create_again(self) -> None:
        """A removed account's name is free at once; the new one shares neither id nor folder nor usage with it (D13)."""
        usage = StoredUsage(database=self.database)
        self.addCleanup(usage.close)
        old, other = self.add("ann@example.com"), self.add("bob@example.com")
        usage.charge(old.id, Usage(100, 2), growing=True)
        usage.charge(other.id, Usage(10, 1), growing=True)
        self.assertEqual(self.get(self.changes.remove_account("ann@example.com")), old)
        self.assertEqual(self.changed(), [DirectoryChanged("example.com", old.id, credentials=True, removed=True)])
        self.assertEqual(self.get(self.directory.domain_usage("example.com")), Usage(10, 1))
        new = self.add("ann@example.com")
        self.assertNotEqual(new.id, old.id)
        self.assertNotEqual(new.directory, old.directory)
        self.assertEqual(self.get(self.directory.usage([new])), {new.id: Usage()})

    def test_ids_are_never_used_again(self) -> None:
        """Even the newest account's id is not given to the next one."""
        old = self.add("ann@example.com")
        self.get(self.changes.remove_account("ann@example.com"))
        self.assertGreater(self.add("ann@example.com").id, old.id)

    def test_removing_the_default_mailbox(self) -> None:
        """Its domain has none then: nobody else's mailbox starts to receive unknown names' mail."""
        self.add("ann@example.com")
        self.add("bob@example.com")
        self.get(self.changes.remove_account("ann@example.com"))
        domain = self.get(self.directory.domain("example.com"))
        assert domain is not None
        self.assertIsNone(domain.default_account_id)
        self.refused(self.changes.remove_account("ann@example.com"), NotFound)
