"""hostmail.directory.senders: reverse-paths of mail that is sent on."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.directory.senders import KEEP_SECONDS, SenderRewriting
from hostmail.errors import NoSuchRecipient
from hostmail.interfaces.delivery import ISenderRewriting
from tests.directory.support import DirectoryTestCase

FORWARDER = Address("info", "example.com")
LONG = Address("bounces+" + "x" * 50, "mail.far.example")


class SendersTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.senders = self.open()

    def open(self) -> SenderRewriting:
        return SenderRewriting(database=self.database, in_thread=self.threads, now=self.clock.seconds)

    def test_contract(self) -> None:
        """It is what the contract says."""
        verifyObject(ISenderRewriting, self.senders)

    def test_short_and_long(self) -> None:
        """Every sender gets an address that fits, and comes back from it, in this process and in another one."""
        for sender in (Address("ann", "x.example"), LONG, Address("jürgen" * 5, "y.example")):
            address = self.get(self.senders.rewrite(sender, FORWARDER))
            self.assertEqual(address.domain, "example.com")
            self.assertLessEqual(len(address.local.encode()), 64)
            self.assertEqual(self.get(self.open().original(address)), sender)

    def test_the_secret_is_read_once(self) -> None:
        """A short sender costs no question to the database after the first."""
        self.get(self.senders.rewrite(Address("ann", "x.example"), FORWARDER))
        runs = self.threads.runs
        self.get(self.senders.rewrite(Address("bob", "x.example"), FORWARDER))
        self.assertEqual(self.threads.runs, runs)

    def test_same_number(self) -> None:
        """A long sender that comes again keeps its number."""
        first = self.get(self.senders.rewrite(LONG, FORWARDER))
        self.assertEqual(self.get(self.senders.rewrite(LONG, FORWARDER)), first)

    def test_forgotten(self) -> None:
        """Long senders are kept as long as their addresses are valid, twice over; numbers are never used again."""
        first = self.get(self.senders.rewrite(LONG, FORWARDER))
        self.clock.advance(KEEP_SECONDS + 1)
        other = self.get(self.senders.rewrite(Address(LONG.local, "other.example"), FORWARDER))
        self.assertNotEqual(other.local.rpartition("=")[2], first.local.rpartition("=")[2])
        again = self.get(self.senders.rewrite(LONG, FORWARDER))
        self.assertNotEqual(again.local.rpartition("=")[2], first.local.rpartition("=")[2])

    def test_not_kept(self) -> None:
        """A number that nobody is kept under is nobody."""
        address = self.get(self.senders.rewrite(LONG, FORWARDER))
        with self.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM kept_senders")
        self.refused(self.senders.original(address), NoSuchRecipient)

    def test_others(self) -> None:
        """An address like any other is none of these, and a forged one is refused."""
        self.assertIsNone(self.get(self.senders.original(Address("ann", "example.com"))))
        self.refused(self.senders.original(Address("SRS0=aaaaaa=aa=x.example=ann", "example.com")), NoSuchRecipient)
