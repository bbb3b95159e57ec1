"""alias, forward, catchall, domain alias and route, as a shell and the control socket ask for them, over a real directory."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from zope.interface.verify import verifyObject

from hostmail.admin.cli import CommandLine
from hostmail.admin.main import run
from hostmail.config.schema import Settings
from hostmail.directory.caught import CaughtNames
from hostmail.directory.members import ListMembers
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.directory import ICaughtNames, Usage
from hostmail.interfaces.mailstore import Room
from hostmail.routing.router import Router
from tests.admin.fakes import World
from tests.admin.stages import Caught, Store
from tests.directory.support import HASH, DirectoryTestCase

ANN, BEA = "ann@example.com", "bea@example.com"


class Roomy(Store):
    """Mailboxes with what room the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.free: int | None = None

    async def room(self, account: Any) -> Room:
        return Room(Usage(), None, None, self.free)


class AddressesCase(DirectoryTestCase):
    """ann (the default mailbox) and bea at example.com."""

    def setUp(self) -> None:
        super().setUp()
        for address in (ANN, BEA):
            self.get(self.changes.add_account(address, password_hash=HASH))
        self.caught = CaughtNames(
            database=self.database, in_thread=self.threads, clock=self.clock, now=self.clock.seconds
        )
        self.store = Roomy()
        router = Router(self.directory, hostname="mail.test")
        self.world = World(
            directory=self.directory,
            changes=self.changes,
            caught=self.caught,
            explain=router.explain,
            store=self.store,
            members=ListMembers(database=self.database, in_thread=self.threads, now=self.clock.seconds),
        )
        self.call = self.world.call
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.config = self.folder / "hostmail.yaml"
        self.config.write_text(f"hostname: mail.test\ndata_dir: {self.folder}/data\n")

    @contextlib.contextmanager
    def offline(self, settings: Settings) -> Iterator[Any]:
        def call(verb: str, arguments: Mapping[str, Any]) -> Any:
            return self.call(verb, **arguments)

        yield call

    def run_command(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """Its stdout; stderr is kept in `self.talk`."""
        with CliRunner().isolation(input=stdin) as (out, err, _), CommandLine(self.offline) as line:
            found = run(line, ["--config", str(self.config), *words])
        text, self.talk = out.getvalue().decode(), err.getvalue().decode()
        self.assertEqual(found, code, text + self.talk)
        return text

    def json(self, *words: str) -> Any:
        return json.loads(self.run_command(*words, "--json"))


class AliasTests(AddressesCase):
    def test_contract(self) -> None:
        """Both memories of a catch-all are what they say."""
        verifyObject(ICaughtNames, self.caught)
        verifyObject(ICaughtNames, Caught())

    def test_alias(self) -> None:
        """An alias is added, listed and taken away, whole or in part."""
        table = self.run_command("alias", "add", "team@example.com", ANN, BEA).splitlines()
        self.assertEqual(table, ["ADDRESS           LEADS TO", f"team@example.com  {ANN}, {BEA}"])
        for name in ((), ("example.com",), ("Team@example.com",)):
            [row] = self.json("alias", "list", *name)
            self.assertEqual(row["aliases"], [ANN, BEA])
        self.assertEqual(self.json("alias", "list", "nobody@example.com"), [])
        self.run_command("alias", "list", "nobody@example.com")
        self.assertIn("nobody@example.com has no aliases", self.talk)
        self.run_command("forward", "list")
        self.assertIn("this server has no forwards", self.talk)
        self.run_command("alias", "list", "no address@", code=1)
        self.run_command("alias", "list", "example.net", code=1)
        self.run_command("alias", "remove", "team@example.com", BEA)
        self.assertEqual(self.talk, f"team@example.com leads to {ANN}\n")
        self.run_command("alias", "remove", "team@example.com")
        self.assertEqual(self.talk, "team@example.com has no aliases any more\n")
        self.run_command("alias", "remove", "team@example.com", code=1)

    def test_target_that_has_gone(self) -> None:
        """An alias of an account that was removed is still there, and listed as what it is."""
        self.run_command("alias", "add", "team@example.com", ANN, BEA)
        self.get(self.changes.remove_account(BEA))
        self.assertIn(f"{ANN}, {BEA} (refused)", self.run_command("alias", "list"))
        self.assertEqual(self.json("alias", "list")[0]["refused"], [BEA])
        self.run_command("alias", "add", "team@example.com", "x@two.example", code=1)
        self.get(self.changes.add_domain("two.example"))
        self.get(self.changes.add_account("x@two.example", password_hash=HASH))
        self.run_command("alias", "add", "team@example.com", "x@two.example")
        self.get(self.changes.set_domain("two.example", active=False))
        self.assertEqual(self.json("alias", "list")[0]["refused"], [BEA])
        self.get(self.changes.remove_domain("two.example"))
        self.assertEqual(self.json("alias", "list")[0]["refused"], [BEA, "x@two.example"])

    def test_forward(self) -> None:
        """A forward is shown with whether a copy is kept; aliases and forwards are listed apart."""
        self.assertEqual(
            self.run_command("forward", "add", ANN, "ann@far.example", "--keep-copy").splitlines()[1].split(),
            [ANN, "ann@far.example", "yes"],
        )
        self.run_command("forward", "add", ANN, "--no-keep-copy")
        self.assertEqual([row["keep_copy"] for row in self.json("forward", "list")], [False])
        self.assertEqual(self.json("alias", "list"), [])
        self.run_command("forward", "add", ANN, BEA)
        self.run_command("forward", "remove", ANN, "ann@far.example")
        self.assertIn(f"is sent on to {BEA}", self.talk)

    def test_loop(self) -> None:
        """A loop is refused by name, with exit code 1."""
        self.run_command("alias", "add", "team@example.com", BEA)
        self.run_command("forward", "add", BEA, "team@example.com", code=1)
        self.assertEqual(self.talk, f"hostmail: that would make a loop: {BEA} -> team@example.com -> {BEA}\n")

    def test_usage(self) -> None:
        """A target has to be named."""
        self.run_command("alias", "add", "team@example.com", code=2)
        self.run_command("forward", "add", ANN, code=1)
        self.run_command("alias", "add", "@example.com", ANN, code=1)
        self.assertIn("catchall set", self.talk)


class CatchAllTests(AddressesCase):
    def shown(self, *words: str) -> str:
        return self.run_command("catchall", *words).splitlines()[-1].partition("  ")[2].strip()

    def test_set(self) -> None:
        """Every choice is one command, and is told in words."""
        for words, told in (
            (("--discard",), "taken and thrown away"),
            (("--default-mailbox",), f"to the default mailbox, {ANN}"),
            ((BEA,), f"to {BEA}"),
            (("x@far.example",), "to x@far.example"),
            (("--refuse",), "refused"),
        ):
            self.assertEqual(self.shown("set", "example.com", *words), told)
            self.assertEqual(self.shown("show", "example.com"), told)
        self.get(self.changes.set_domain("example.com", default_mailbox="", catch_all="default"))
        self.assertEqual(self.shown("show", "example.com"), "refused: there is no default mailbox")
        self.run_command("catchall", "set", "example.com", code=2)
        self.run_command("catchall", "set", "example.com", BEA, "--refuse", code=2)
        self.run_command("catchall", "set", "example.com", "nobody@example.com", code=1)
        self.assertEqual(self.shown("set", "example.com", "bea"), f"to {BEA}")

    def test_names(self) -> None:
        """Caught names are listed by frequency; one is blocked, freed, or made an alias, with or without its domain (E2)."""
        for name in ("typo", "typo", "other", "third"):
            self.caught.caught(f"{name}@example.com")
        rows = self.json("catchall", "names", "example.com")
        self.assertEqual((rows[0]["address"], rows[0]["count"]), ("typo@example.com", 2))
        words = ("--block", "typo", "--block", "never@example.com", "--alias", "other", "ann")
        rows = {row["address"]: row for row in self.json("catchall", "names", "example.com", *words)}
        self.assertEqual(sorted(rows), ["never@example.com", "third@example.com", "typo@example.com"])
        self.assertEqual((rows["typo@example.com"]["blocked"], rows["third@example.com"]["blocked"]), (True, False))
        self.assertEqual((rows["never@example.com"]["count"], rows["never@example.com"]["last_seen"]), (0, None))
        self.assertIn("never@example.com  0", self.run_command("catchall", "names", "example.com"))
        rows = self.json("catchall", "names", "example.com", "--unblock", "typo")
        self.assertEqual([row["blocked"] for row in rows if row["address"] == "typo@example.com"], [False])
        self.assertEqual(self.json("alias", "list")[0]["address"], "other@example.com")


class DomainTests(AddressesCase):
    def test_alias(self) -> None:
        """A domain alias is added, listed and removed."""
        self.assertIn("example.org", self.run_command("domain", "alias", "add", "Example.org", "example.com"))
        self.assertEqual(self.json("domain", "alias", "list"), [{"name": "example.org", "domain": "example.com"}])
        self.assertIn("STANDS FOR", self.run_command("domain", "alias", "list", "example.com"))
        self.run_command("domain", "alias", "remove", "example.org")
        self.assertEqual(self.talk, "example.org stands for example.com no more\n")
        self.assertEqual(self.json("domain", "alias", "list"), [])

    def test_alias_with_umlauts(self) -> None:
        """What is answered is the name as it is kept: it finds the alias in the list."""
        told = self.call("domain.alias.add", name="Bücher.Example", domain="Example.com")
        kept = "xn--bcher-kva.example"
        self.assertEqual(told, {"name": kept, "domain": "example.com", "aliases": [kept]})
        self.assertEqual(self.json("domain", "alias", "list"), [{"name": kept, "domain": "example.com"}])

    def test_active(self) -> None:
        """Whether mail is taken here is switched and shown, next to the catch-all."""
        shown = self.run_command("domain", "set", "example.com", "--not-active")
        self.assertRegex(shown, r"active +no")
        self.assertRegex(shown, r"unknown names +refused")
        self.assertTrue(self.json("domain", "set", "example.com", "--active")["active"])

    def test_profile(self) -> None:
        """What new domains do with unknown names is a setting (E2, G)."""
        self.assertEqual(self.call("domain.add", name="classic.example")["catch_all"], "default")
        self.world.settings = dataclasses.replace(self.world.settings, catch_all="refuse")
        strict = World(directory=self.directory, changes=self.changes, catch_all="refuse")
        self.assertEqual(strict.call("domain.add", name="modern.example")["catch_all"], "refuse")


class RouteTests(AddressesCase):
    def test_explained(self) -> None:
        """Step by step, each below the one that led to it, and what comes of it."""
        self.run_command("alias", "add", "team@example.com", ANN, BEA)
        self.run_command("forward", "add", BEA, "bea@far.example")
        self.assertEqual(
            self.run_command("route", "Team+x@example.com").splitlines(),
            [
                f"Team+x@example.com: alias, without its tag: on to {ANN}, {BEA}",
                f"  {ANN}: mailbox: into the mailbox {ANN}",
                f"  {BEA}: mailbox, forwards: on to bea@far.example",
                "    bea@far.example: elsewhere: sent to another server",
                "",
                f"delivered into {ANN}",
                f"sent on to bea@far.example for {BEA}",
            ],
        )

    def test_other_ends(self) -> None:
        """Refused, relayed, discarded, caught and reported mail is told as such."""
        self.assertIn("refused: 550 5.1.1", self.run_command("route", "typo@example.com"))
        self.assertIn("relaying prohibited", self.run_command("route", "x@far.example"))
        self.run_command("catchall", "set", "example.com", "--discard")
        self.assertIn("thrown away", self.run_command("route", "typo@example.com"))
        self.run_command("catchall", "set", "example.com", BEA)
        self.assertIn("where the catch-all puts typo@example.com", self.run_command("route", "typo@example.com"))
        self.run_command("catchall", "set", "example.com", "--refuse")
        self.get(self.changes.add_account("cleo@example.com", password_hash=HASH))
        self.run_command("alias", "add", "team@example.com", ANN, "cleo@example.com")
        self.get(self.changes.remove_account("cleo@example.com"))
        self.assertIn("reported to the sender for cleo@example.com: 550", self.run_command("route", "team@example.com"))

    def test_full(self) -> None:
        """A full mailbox is named, with what RCPT says of it (D4)."""
        self.store.free = 0
        self.assertIn("552 5.2.2", self.run_command("route", ANN))
        self.assertTrue(self.json("route", ANN)["ends"][0]["full"])
        self.store.free = 1
        self.assertEqual(self.json("route", ANN)["ends"][0]["free"], 1)

    def test_no_address(self) -> None:
        """What is no address is refused as such."""
        with self.assertRaises(BadValue):
            self.call("route", address="no address")
        with self.assertRaises(NotFound):
            self.call("catchall.show", name="unknown.example")
