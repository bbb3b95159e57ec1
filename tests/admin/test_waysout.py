"""The ways out of domains and accounts, as a shell asks for them, over a real directory (C9)."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.logger import globalLogPublisher

from hostmail.config.schema import Settings
from hostmail.directory.smarthosts import WaysOut
from hostmail.interfaces.waysout import Smarthost, WayOut
from hostmail.relay.routes import explained_way
from tests.admin.fakes import World
from tests.admin.test_addresses import ANN, AddressesCase

SMART = {"host": "smart.example", "port": 587, "tls": "verified", "login": "us", "password_set": True}


class WaysOutCase(AddressesCase):
    def setUp(self) -> None:
        super().setUp()
        self.ways = WaysOut(database=self.database, in_thread=self.threads, events=self.events)
        settings = Settings(hostname="mail.test")
        self.call = World(
            directory=self.directory,
            changes=self.changes,
            ways_out=self.ways,
            explain=self.explain,
            explain_way=partial(explained_way, settings, self.directory, self.ways),
        ).call
        self.password = self.folder / "password"
        self.password.write_text("pa\u00df word\nmore\n")
        self.login = ("--smarthost-login", "us", "--smarthost-password-file", str(self.password))

    async def explain(self, address: Any) -> dict[str, Any]:
        return {"address": str(address), "steps": [], "ends": [{"kind": "relay", "address": str(address)}]}

    def of_domain(self) -> WayOut:
        return self.get(self.ways.of_domain("example.com"))


class DomainTests(WaysOutCase):
    def test_set_show_none(self) -> None:
        """All that is set is shown but the password, and goes again."""
        told = self.json("domain", "set", "example.com", "--smarthost", "Smart.example:587", *self.login)
        self.assertEqual((told["smarthost"], told["source_addresses"]), (SMART, []))
        expected = WayOut(Smarthost("smart.example", 587, "verified", "us", "pa\u00df word"))
        self.assertEqual(self.of_domain(), expected)
        addresses = ("--source-address", "192.0.2.1", "--source-address", "2001:db8::1")
        shown = self.run_command("domain", "set", "example.com", "--smarthost-tls", "required", *addresses)
        self.assertEqual(shown, self.run_command("domain", "show", "example.com"))
        self.assertIn("smart.example:587, TLS required, login us, password set", shown)
        self.assertIn("192.0.2.1, 2001:db8::1", shown)
        self.run_command("domain", "set", "example.com", "--smarthost", "none", "--source-address", "none")
        self.assertEqual(self.of_domain(), WayOut())
        shown = self.run_command("domain", "show", "example.com")
        self.assertIn("none of its own", shown)
        self.assertIn("the server's addresses", shown)

    def test_stdin(self) -> None:
        """The password may come from stdin; the login goes by none."""
        login = ("--smarthost-login", "us", "--smarthost-password-file", "-")
        self.run_command("domain", "set", "example.com", "--smarthost", "[2001:db8::1]", *login, stdin="secret\n")
        self.assertEqual(self.of_domain().smarthost, Smarthost("2001:db8::1", 25, "verified", "us", "secret"))
        shown = self.run_command("domain", "set", "example.com", "--smarthost-login", "none")
        self.assertIn("[2001:db8::1]:25, TLS verified\n", shown)

    def test_refused(self) -> None:
        """What cannot be meant changes nothing, and says what would be right."""
        for words, options in (
            ("host:port", ("--smarthost", "a b")),
            ("name one", ("--smarthost-tls", "required")),
            ("go together", ("--smarthost", "smart.example", "--smarthost-login", "us")),
            ("no IP address", ("--source-address", "mail.example")),
            ("one IPv4", ("--source-address", "192.0.2.1", "--source-address", "192.0.2.2")),
        ):
            self.run_command("domain", "set", "example.com", *options, code=1)
            self.assertIn(words, self.talk)
        self.run_command("domain", "set", "example.com", "--smarthost-password-file", "/nowhere/at-all", code=1)
        self.assertEqual(self.of_domain(), WayOut())

    def test_never_told(self) -> None:
        """The password is in no answer and no log."""
        heard: list[Any] = []
        globalLogPublisher.addObserver(heard.append)
        self.addCleanup(globalLogPublisher.removeObserver, heard.append)
        self.run_command("domain", "set", "example.com", "--smarthost", "smart.example", *self.login)
        self.run_command("account", "set", ANN, "--smarthost", "smart.example", *self.login)
        shown = [
            self.run_command(noun, "show", name, *more)
            for noun, name in (("domain", "example.com"), ("account", ANN))
            for more in ((), ("--json",))
        ]
        shown += [self.run_command("domain", "list", "--json"), self.run_command("account", "list", "--json")]
        self.assertTrue(heard)
        for text in (*shown, repr(heard), repr(self.events.published)):
            self.assertNotIn("word", text.replace("password", ""))


class AccountTests(WaysOutCase):
    def test_set_show_none(self) -> None:
        """An account's smarthost is shown as a domain's is."""
        told = self.json("account", "set", ANN, "--smarthost", "smart.example:587", *self.login)
        self.assertEqual(told["smarthost"], SMART)
        self.assertIn("smart.example:587, TLS verified, login us", self.run_command("account", "show", ANN))
        self.run_command("account", "set", ANN, "--smarthost", "none")
        self.assertIn("none of its own", self.run_command("account", "show", ANN))
        self.assertIsNone(self.json("account", "show", ANN)["smarthost"])

    def test_direct(self) -> None:
        """Mail of one goes directly though there is a smarthost for the others; that has no login, and is taken back as a smarthost is."""
        self.run_command("domain", "set", "example.com", "--smarthost", "smart.example", *self.login)
        shown = self.run_command("account", "set", ANN, "--smarthost", "direct")
        self.assertIn("none: directly to the hosts that the DNS names", shown)
        told = self.json("account", "show", ANN)
        self.assertEqual((told["smarthost"], told["direct"]), (None, True))
        self.run_command("account", "set", ANN, *self.login, code=1)
        self.assertIn("name one", self.talk)
        self.run_command("account", "set", ANN, "--smarthost", "direct", "--smarthost-tls", "required", code=1)
        self.assertIn("names for its destination", self.run_command("route", "bob@far.test", "--from", ANN))
        self.run_command("account", "set", ANN, "--smarthost", "none")
        self.assertIn("smarthost of example.com", self.run_command("route", "bob@far.test", "--from", ANN))
        self.run_command("domain", "set", "example.com", "--smarthost", "Direct")
        self.assertEqual(self.of_domain(), WayOut(direct=True))
        self.assertFalse(self.json("domain", "set", "example.com", "--smarthost", "none")["direct"])

    def test_no_address(self) -> None:
        """Source addresses are a domain's."""
        self.run_command("account", "set", ANN, "--source-address", "192.0.2.1", code=2)


class RouteTests(WaysOutCase):
    def way(self, sender: str) -> str:
        return self.run_command("route", "bob@far.test", "--from", sender).splitlines()[-1]

    def test_way_out(self) -> None:
        """The way of a sender's mail: his account's, his domain's, or the server's."""
        self.assertEqual(
            self.way(ANN),
            f"mail of {ANN} that leaves this server goes to the hosts that the DNS names for its destination",
        )
        self.run_command("domain", "set", "example.com", "--source-address", "192.0.2.1")
        self.assertIn("its destination, from 192.0.2.1", self.way("list@example.com"))
        self.run_command("domain", "set", "example.com", "--smarthost", "smart.example")
        self.assertIn("the smarthost of example.com: smart.example:25, TLS opportunistic", self.way(ANN))
        self.run_command("account", "set", ANN, "--smarthost", "ann.example:465", *self.login)
        self.assertIn(f"the smarthost of {ANN}: ann.example:465, TLS verified, login us", self.way(ANN.upper()))
        self.assertIn("the smarthost of example.com", self.way("bea@example.com"))
        told = self.json("route", "bob@far.test", "--from", "eve@far.test")
        self.assertEqual((told["sender"], told["way_out"]), ("eve@far.test", {"kind": "mx", "sources": []}))

    def test_without_sender(self) -> None:
        """Without a sender nothing is said of a way out; with one that is no address, that."""
        self.assertNotIn("way_out", self.json("route", "bob@far.test"))
        self.run_command("route", "bob@far.test", "--from", "a b@c d", code=1)
