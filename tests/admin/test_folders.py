"""What is in a mailbox, by folder."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.cli import CommandLine
from hostmail.admin.main import hostmail
from hostmail.errors import NoSuchFolder, NotFound
from hostmail.storage.memory import MemoryStore
from hostmail.storage.memory_account import MemoryAccount
from tests.admin.facts import Facts
from tests.admin.fakes import World

ANN = "ann@one.test"


class FolderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store, facts = MemoryStore(), Facts()
        self.world = World(directory=facts, changes=facts, store=self.store)
        self.world.call("domain.add", name="one.test")
        self.world.call("account.add", address=ANN, password="long enough")
        self.account = facts.by_key[ANN]

    def test_folders(self) -> None:
        """Each folder with its messages, octets and unread ones, INBOX first."""
        self.store.put(self.account, b"Subject: one\r\n\r\n")
        self.store.put(self.account, b"Subject: two\r\n\r\n", flags=0)
        first, *others = self.world.call("mailbox.folders", address=ANN)
        self.assertEqual(first, {"name": "INBOX", "messages": 2, "octets": 32, "unread": 2})
        self.assertEqual({row["messages"] for row in others}, {0})

    def test_gone_meanwhile(self) -> None:
        """A folder that somebody deletes while they are counted is left out."""

        async def gone(account: MemoryAccount, name: str) -> None:
            raise NoSuchFolder(name)

        self.patch(MemoryAccount, "status", gone)
        self.assertEqual(self.world.call("mailbox.folders", address=ANN), [])

    def test_whose(self) -> None:
        """One's own, or one in a domain that one manages."""
        user = Actor(Role.USER, ANN, "panel", address=ANN)
        self.assertEqual(self.world.call_as(user, "mailbox.folders", address=ANN)[0]["name"], "INBOX")
        other = Actor(Role.USER, "bob@one.test", "panel", address="bob@one.test")
        with self.assertRaises(NotFound):
            self.world.call_as(other, "mailbox.folders", address=ANN)

    def test_command(self) -> None:
        """The command shows them as a table."""
        line = CommandLine()
        line.call = self.world.call  # type: ignore[method-assign]
        done = CliRunner().invoke(hostmail, ["mailbox", "folders", ANN], obj=line)
        self.assertEqual(done.exit_code, 0, done.output)
        self.assertIn("INBOX", done.stdout)
