"""welcome.*, and the letter in new mailboxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.cli import CommandLine
from hostmail.admin.main import hostmail
from hostmail.clientsetup.welcome import DEFAULT, MAX_PLACEHOLDERS
from hostmail.config.checking import findings
from hostmail.errors import BadValue, NotFound, OverQuota, TemporaryFailure
from hostmail.interfaces.directory import Account, OwnWelcome
from tests.admin.facts import Facts
from tests.admin.fakes import World

OWN = "Subject: Hi {login}\n\nAsk {server} for {domain}.\n"


class WelcomeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.call("domain.add", name="one.test")

    def add(self, address: str = "Ann@one.test") -> None:
        self.world.call("account.add", address=address, password="long enough")

    def test_a_new_account(self) -> None:
        """Its mailbox begins with a letter that says how to set up mail programs (F3)."""
        self.add()
        [(address, subject, text)] = self.world.letters
        self.assertEqual((address, subject), ("Ann@one.test", "Your mailbox Ann@one.test"))
        self.assertIn("mail.test, port 993", text)

    def test_an_imported_account(self) -> None:
        """It has its letter as well; one that is there already gets none."""
        for _ in range(2):
            rows = [{"line": 1, "address": "bob@one.test", "password": "long enough"}]
            self.world.call("account.import", rows=rows)
        self.assertEqual([address for address, _, _ in self.world.letters], ["bob@one.test"])

    def test_an_import_that_breaks_off(self) -> None:
        """Those who are there by then have their letters: said again, the import leaves them alone."""

        class Failing(Facts):
            async def add_account(self, address: str, **columns: Any) -> Account:
                if address.startswith("carl"):
                    raise TemporaryFailure
                return await super().add_account(address, **columns)

        facts = Failing()
        world = World(directory=facts, changes=facts)
        world.call("domain.add", name="one.test")
        rows = [
            {"line": n, "address": f"{name}@one.test", "password": "long enough"}
            for n, name in enumerate(("bob", "carl"))
        ]
        self.assertRaises(TemporaryFailure, world.call, "account.import", rows=rows)
        self.assertEqual([address for address, _, _ in world.letters], ["bob@one.test"])

    def test_a_dry_run(self) -> None:
        """It writes nothing, no letters either."""
        rows = [{"line": 1, "address": "bob@one.test", "password": "long enough"}]
        self.world.call("account.import", rows=rows, dry_run=True)
        self.assertEqual(self.world.letters, [])

    def test_trouble_with_the_letter(self) -> None:
        """The account is there, and the log says what its mailbox lacks."""
        for trouble, logged in ((OverQuota(), OverQuota), (ZeroDivisionError(), ZeroDivisionError)):
            self.world.letters_refused = trouble
            self.add(f"x{len(str(trouble))}@one.test")
            self.assertEqual(len(self.flushLoggedErrors(logged)), 1)
        self.assertEqual(len(self.world.call("account.list")), 2)

    def test_off(self) -> None:
        """For the server, or a domain; a domain may have it where the server has not."""
        world = World(welcome_mail=False)
        world.call("domain.add", name="one.test")
        world.call("account.add", address="ann@one.test", password="long enough")
        self.assertEqual(world.letters, [])
        world.call("welcome.set", name="one.test", template=OWN)
        world.call("account.add", address="bob@one.test", password="long enough")
        self.assertEqual(world.letters[0][:2], ("bob@one.test", "Hi bob@one.test"))
        self.assertFalse(self.world.call("welcome.off", name="one.test")["on"])
        self.add()
        self.assertEqual(self.world.letters, [])

    def test_own_letter(self) -> None:
        """A domain's own, with its placeholders filled; off and on again it is still there."""
        told = self.world.call("welcome.set", name="One.test", template=OWN)
        self.assertEqual((told["on"], told["own"], told["template"]), (True, True, OWN))
        self.add()
        self.assertEqual(self.world.letters[0][1:], ("Hi Ann@one.test", "Ask mail.test for one.test.\n"))
        self.assertEqual(self.world.call("welcome.off", name="one.test")["template"], OWN)
        told = self.world.call("welcome.reset", name="one.test")
        self.assertEqual((told["on"], told["own"], told["template"]), (True, False, DEFAULT.written()))

    def test_what_may_stand_in_it(self) -> None:
        """It is shown with the letter, and anything else is refused at once."""
        names = [one["name"] for one in self.world.call("welcome.show", name="one.test")["placeholders"]]
        self.assertIn("settings", names)
        with self.assertRaisesRegex(BadValue, "did you mean {login}"):
            self.world.call("welcome.set", name="one.test", template="Subject: x\n\n{logn}")

    def test_preview(self) -> None:
        """Of the letter there is, or of one that is being written; nothing is sent."""
        told = self.world.call("welcome.preview", address="new@one.test")
        self.assertEqual(told["subject"], "Your mailbox new@one.test")
        told = self.world.call("welcome.preview", address="new@one.test", template=OWN)
        self.assertEqual(told["subject"], "Hi new@one.test")
        self.assertEqual(self.world.letters, [])
        self.assertRaises(NotFound, self.world.call, "welcome.preview", address="new@else.test")

    def test_a_letter_from_before_a_limit(self) -> None:
        """It is shown, to be mended; until then new mailboxes begin with the server's, and the log says why."""
        before = "Subject: Hi\n\n" + "{login} " * (MAX_PLACEHOLDERS + 1) + "\n"
        self.world.welcomes.own["one.test"] = OwnWelcome(True, before)
        with capturedLogs() as logged:
            self.add()
        self.assertEqual([subject for _, subject, _ in self.world.letters], ["Your mailbox Ann@one.test"])
        words = "\n".join(map(formatEvent, logged))
        self.assertIn("the letter of one.test cannot be used: the letter has more than 50 placeholders", words)
        told = self.world.call("welcome.show", name="one.test")
        self.assertEqual((told["own"], told["template"]), (True, before))
        for verb in ("welcome.preview", "welcome.send"):
            with self.assertRaisesRegex(BadValue, "more than 50 placeholders"):
                self.world.call(verb, address="ann@one.test")
        with self.assertRaisesRegex(BadValue, "more than 50 placeholders"):
            self.world.call("welcome.set", name="one.test", template=before)
        self.assertEqual(self.world.call("welcome.set", name="one.test", template=OWN)["template"], OWN)

    def test_send(self) -> None:
        """Once more, or to somebody whose mailbox began empty."""
        self.world.call("welcome.off", name="one.test")
        self.add()
        self.world.call("welcome.send", address="ann@one.test")
        self.assertEqual([address for address, _, _ in self.world.letters], ["Ann@one.test"])
        self.assertRaises(NotFound, self.world.call, "welcome.send", address="bob@one.test")


class ServerTemplateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def shown(self) -> str:
        world = World(welcome_template=self.file)
        world.call("domain.add", name="one.test")
        return str(world.call("welcome.show", name="one.test")["template"])

    def test_the_operator_s(self) -> None:
        """It counts for all domains without one of their own."""
        self.file.write_text(OWN)
        self.assertEqual(self.shown(), OWN)
        self.assertEqual(findings(World(welcome_template=self.file).settings), [])

    def test_one_that_cannot_be_used(self) -> None:
        """hostmail's own stands in for it; `config check` says what is wrong."""
        for octets, words in (
            (None, "No such file"),
            (b"\xff", "not UTF-8"),
            (b"Subject: x\n\n{y}", "{y} is no placeholder"),
        ):
            if octets is not None:
                self.file.write_bytes(octets)
            self.assertEqual(self.shown(), DEFAULT.written())
            [found] = findings(World(welcome_template=self.file).settings)
            self.assertEqual((found.key, found.fatal), ("welcome_template", False))
            self.assertIn(words, found.words)


class CommandTests(SynchronousTestCase):
    """hostmail welcome and hostmail client, as they are typed."""

    def setUp(self) -> None:
        self.world = World()
        self.world.call("domain.add", name="one.test")
        self.world.call("account.add", address="ann@one.test", password="long enough")
        self.world.letters.clear()

    def type(self, *words: str, stdin: bytes = b"", code: int = 0) -> str:
        line = CommandLine()
        line.call = lambda verb, **arguments: self.world.call(verb, **arguments)  # type: ignore[method-assign]
        done = CliRunner().invoke(hostmail, words, input=stdin, obj=line)
        self.assertEqual(done.exit_code, code, done.output)
        return done.output

    def test_a_letter_of_its_own(self) -> None:
        """Looked at before it is set, shown, switched off, and given up."""
        shown = self.type("welcome", "preview", "new@one.test", "--file", "-", stdin=OWN.encode())
        self.assertEqual(shown, "Subject: Hi new@one.test\n\nAsk mail.test for one.test.\n")
        self.assertIn(
            "begin with this letter", self.type("welcome", "set", "one.test", "--file", "-", stdin=OWN.encode())
        )
        shown = self.type("welcome", "show", "one.test")
        for words in ("with its own letter", "    Subject: Hi {login}", "{settings}"):
            self.assertIn(words, shown)
        self.assertIn("begin empty", self.type("welcome", "off", "one.test"))
        self.assertIn("new mailboxes begin  empty", self.type("welcome", "show", "one.test"))
        self.assertIn("the server's letter", self.type("welcome", "reset", "one.test"))

    def test_octets(self) -> None:
        """What is no UTF-8 is wrong usage."""
        self.assertIn("not UTF-8", self.type("welcome", "set", "one.test", "--file", "-", stdin=b"\xff", code=2))

    def test_send(self) -> None:
        """To somebody who is there."""
        self.assertIn("ann@one.test has it", self.type("welcome", "send", "ann@one.test"))
        self.assertEqual(len(self.world.letters), 1)

    def test_client(self) -> None:
        """All of it, as text."""
        self.assertIn("Setting up a mail program for ann@one.test", self.type("client", "ann@one.test"))
