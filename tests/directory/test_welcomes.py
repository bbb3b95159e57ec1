"""How domains' new mailboxes begin."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from hostmail.directory.welcomes import Welcomes
from hostmail.errors import NotFound, TemporaryFailure
from hostmail.interfaces.directory import IWelcomes, OwnWelcome
from tests.directory.support import DirectoryTestCase

OWN = OwnWelcome(True, "Subject: x\n\ny\n")


class WelcomesTests(DirectoryTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.welcomes = Welcomes(database=self.database, in_thread=self.threads)

    def test_interface(self) -> None:
        """It keeps the contract."""
        verifyObject(IWelcomes, self.welcomes)

    def test_laid_down(self) -> None:
        """Kept, replaced, and given up; other domains have nothing of it."""
        self.get(self.changes.add_domain("example.net"))
        self.assertIsNone(self.get(self.welcomes.of_domain("example.com")))
        for wanted in (OWN, OwnWelcome(False, OWN.template), OwnWelcome(False), None):
            self.get(self.welcomes.lay_down("example.com", wanted))
            self.assertEqual(self.get(self.welcomes.of_domain("example.com")), wanted)
            self.assertIsNone(self.get(self.welcomes.of_domain("example.net")))

    def test_no_such_domain(self) -> None:
        """Nothing can be laid down for it."""
        self.refused(self.welcomes.lay_down("example.org", OWN), NotFound)

    def test_a_domain_that_goes(self) -> None:
        """Its letter goes with it; one of the same name begins anew."""
        self.get(self.welcomes.lay_down("example.com", OWN))
        self.get(self.changes.remove_domain("example.com"))
        self.get(self.changes.add_domain("example.com"))
        self.assertIsNone(self.get(self.welcomes.of_domain("example.com")))

    def test_database_in_trouble(self) -> None:
        """It is a failure for now."""
        with self.database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE welcomes")
        self.refused(self.welcomes.of_domain("example.com"), TemporaryFailure)
        self.refused(self.welcomes.lay_down("example.com", OWN), TemporaryFailure)
