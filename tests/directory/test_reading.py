"""hostmail.directory.reading: who is hosted here, who may sign in, and how quickly that is known."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.directory.reading import Directory
from hostmail.directory.usage import StoredUsage
from hostmail.errors import TemporaryFailure
from hostmail.interfaces.directory import IDirectory, Usage
from hostmail.interfaces.events import DirectoryChanged
from tests.directory.support import HASH, DirectoryTestCase, Threads


class ReadingTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.get(self.changes.add_account("Ann@example.com", password_hash=HASH))

    def test_is_the_contract(self) -> None:
        """It implements IDirectory."""
        verifyObject(IDirectory, self.directory)

    def test_domain_in_any_spelling(self) -> None:
        """A domain is found in any case; what is no domain name is not hosted."""
        for name in ("example.com", "EXAMPLE.com"):
            self.assertIsNotNone(self.get(self.directory.domain(name)))
        for name in ("example.net", "", "a b"):
            self.assertIsNone(self.get(self.directory.domain(name)))

    def test_account_for_ignores_case(self) -> None:
        """Delivery finds the account in any case (A2)."""
        self.assertEqual(self.get(self.directory.account_for(Address.parse("aNN@Example.COM"))), self.ann)
        self.assertIsNone(self.get(self.directory.account_for(Address.parse("bob@example.com"))))
        self.assertEqual(self.get(self.directory.account(self.ann.id)), self.ann)
        self.assertIsNone(self.get(self.directory.account(self.ann.id + 1)))

    def test_login_is_case_sensitive(self) -> None:
        """A login is spelled as the account was created (A2)."""
        self.assertEqual(self.get(self.directory.login("Ann@example.com")), (self.ann, HASH))
        for name in ("ann@example.com", "Ann@Example.com", "Ann", "", "bob@example.com", "@", "a b@example.com"):
            self.assertIsNone(self.get(self.directory.login(name)), name)

    def test_main_login(self) -> None:
        """A domain's main login, spelled exactly so, opens its default mailbox (A3)."""
        self.assertEqual(self.get(self.directory.login("example")), (self.ann, HASH))
        self.assertIsNone(self.get(self.directory.login("Example")))
        self.get(self.changes.set_domain("example.com", main_login="boss"))
        self.assertIsNone(self.get(self.directory.login("example")))
        self.assertEqual(self.get(self.directory.login("boss")), (self.ann, HASH))

    def test_login_in_another_script(self) -> None:
        """The domain may be typed as people write it, or in A-labels."""
        self.get(self.changes.add_domain("bücher.example"))
        account = self.get(self.changes.add_account("ann@bücher.example", password_hash=HASH))
        self.assertEqual(self.get(self.directory.login("ann@bücher.example")), (account, HASH))
        self.assertEqual(self.get(self.directory.login("ann@xn--bcher-kva.example")), (account, HASH))

    def test_hints(self) -> None:
        """The log learns why something is no login (F4)."""
        ann = self.ann.id
        meant = {
            "ann@example.com": ("wrong case", ann),
            "bob@example.com": ("unknown", 0),
            "bob@example.net": ("unknown domain", 0),
            "a b@example.com": ("no address", 0),
            "Ann": ("bare name", ann),
            "an": ("bare name", 0),
            "EXAMPLE": ("wrong case", ann),
        }
        for name, expected in meant.items():
            self.assertEqual(self.get(self.directory.login_meant(name)), expected)
        self.get(self.changes.add_domain("a.net"))
        self.get(self.changes.add_account("ann@a.net", password_hash=HASH))
        self.assertEqual(self.get(self.directory.login_meant("ann")), ("bare name", 0))
        self.get(self.changes.remove_account("Ann@example.com"))
        self.assertEqual(self.get(self.directory.login_meant("example")), ("no default mailbox", 0))

    def test_lists(self) -> None:
        """Domains by name, accounts by address, of all domains or of one."""
        self.get(self.changes.add_domain("a.net"))
        bob = self.get(self.changes.add_account("bob@example.com", password_hash=HASH))
        eve = self.get(self.changes.add_account("eve@a.net", password_hash=HASH))
        self.assertEqual([domain.name for domain in self.get(self.directory.domains())], ["a.net", "example.com"])
        self.assertEqual(self.get(self.directory.accounts()), [eve, self.ann, bob])
        self.assertEqual(self.get(self.directory.accounts("Example.com")), [self.ann, bob])

    def test_usage(self) -> None:
        """Usage is what was charged last, never an older answer."""
        usage = StoredUsage(database=self.database)
        self.addCleanup(usage.close)
        self.assertEqual(self.get(self.directory.usage([self.ann])), {self.ann.id: Usage()})
        self.assertEqual(self.get(self.directory.domain_usage("example.com")), Usage())
        usage.charge(self.ann.id, Usage(10, 1), growing=True)
        self.assertEqual(self.get(self.directory.usage([self.ann])), {self.ann.id: Usage(10, 1)})
        self.assertEqual(self.get(self.directory.domain_usage("Example.COM")), Usage(10, 1))

    def test_counts(self) -> None:
        """How many there are is known without reading them all."""
        domains, accounts = self.get(self.directory.counts())
        self.assertEqual(domains, len(self.get(self.directory.domains())))
        self.assertEqual(accounts, len(self.get(self.directory.accounts())))
        self.get(self.changes.add_domain("example.info"))
        self.get(self.changes.add_account("ann@example.info", password_hash=HASH))
        self.assertEqual(self.get(self.directory.counts()), (domains + 1, accounts + 1))

    def test_a_broken_database_is_a_failure_for_now(self) -> None:
        """The peer learns nothing of SQL (LIMITS Never)."""
        with self.database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE domain_usage")
        refusal = self.refused(self.directory.domain_usage("example.com"), TemporaryFailure)
        self.assertEqual(refusal.public, TemporaryFailure.words)


class CachingTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.reads = Threads()
        self.small = Directory(database=self.database, in_thread=self.reads, events=self.events, cached_answers=2)

    def ask(self) -> int:
        """Ask four kinds of questions; how many went to the database."""
        before = self.reads.runs
        self.get(self.small.domain("example.com"))
        self.get(self.small.account(self.ann.id))
        self.get(self.small.account_for(Address.parse("ann@example.com")))
        self.get(self.small.login("ann@example.com"))
        return self.reads.runs - before

    def test_asked_twice_read_once(self) -> None:
        """The second answer comes from memory."""
        self.assertEqual([self.ask(), self.ask()], [4, 0])

    def test_no_is_remembered(self) -> None:
        """That there is no such account is remembered too, until one is made."""
        for _ in range(2):
            self.assertIsNone(self.get(self.small.account_for(Address.parse("bob@example.com"))))
            self.assertIsNone(self.get(self.small.login("nobody")))
        self.assertEqual(self.reads.runs, 2)
        self.get(self.changes.add_account("bob@example.com", password_hash=HASH))
        self.assertIsNotNone(self.get(self.small.account_for(Address.parse("bob@example.com"))))

    def test_a_new_main_login_counts_at_once(self) -> None:
        """A bare name that was unknown works as soon as it is some domain's main login (E7)."""
        self.assertIsNone(self.get(self.small.login("boss")))
        self.get(self.changes.set_domain("example.com", main_login="boss"))
        self.assertIsNotNone(self.get(self.small.login("boss")))

    def test_changes_drop_only_their_domain(self) -> None:
        """A change in one domain makes nobody else's logins dearer."""
        self.ask()
        self.events.publish(DirectoryChanged("other.net"))
        self.assertEqual(self.ask(), 0)
        self.events.publish(DirectoryChanged("example.com"))
        self.assertEqual(self.ask(), 4)

    def test_bounded(self) -> None:
        """Asking for many names does not fill the memory; the least recently asked is forgotten."""
        for name in ("a", "b", "c"):
            self.get(self.small.account_for(Address(name, "example.com")))
        self.get(self.small.account_for(Address("c", "example.com")))
        self.assertEqual(self.reads.runs, 3)
        self.get(self.small.account_for(Address("a", "example.com")))
        self.assertEqual(self.reads.runs, 4)

    def test_an_answer_overtaken_by_a_change_is_not_kept(self) -> None:
        """What was read before a change and arrives after it is given once and not remembered."""

        async def slow(function, *args):  # type: ignore[no-untyped-def]
            answer = function(*args)
            self.events.publish(DirectoryChanged("example.com"))
            self.slow_reads += 1
            return answer

        self.slow_reads = 0
        directory = Directory(database=self.database, in_thread=slow, events=self.events)
        self.get(directory.account(self.ann.id))
        self.get(directory.account(self.ann.id))
        self.assertEqual(self.slow_reads, 2)
