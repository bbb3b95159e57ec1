"""dns.records and dns.check, over a DNS in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from click.testing import CliRunner
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.cli import PROBLEMS, CommandLine
from hostmail.admin.main import hostmail
from hostmail.config.limits import Limits
from hostmail.config.schema import Listener
from hostmail.errors import NotFound, Overloaded, TemporaryFailure
from tests.admin.facts import NOW, Facts
from tests.admin.fakes import World

HERE = "192.0.2.1"
OWNER = Actor(Role.OWNER, "max", "panel", person_id=1, domains=frozenset({"one.test"}))
PORTS = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110, "submissions": 465, "submission": 587}
LISTEN = {service: (Listener(endpoint=f"tcp:{port}"),) for service, port in PORTS.items()}
GOOD = {
    ("mail.test", "A"): [HERE],
    ("one.test", "MX"): ["10 mail.test."],
    ("one.test", "TXT"): ["v=spf1 include:_spf.mail.test -all"],
    ("_spf.mail.test", "TXT"): [f"v=spf1 ip4:{HERE} -all"],
    ("mail.one.test", "A"): [HERE],
    **{(f"_{service}._tcp.one.test", "SRV"): [f"0 1 {port} mail.test."] for service, port in PORTS.items()},
}


class DnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.known: dict[tuple[str, str], list[str]] = dict(GOOD)
        self.broken: set[tuple[str, str]] = set()
        self.world = self.make()

    def make(self, **given: Any) -> World:
        facts = Facts()
        given.setdefault("listen", LISTEN)
        world = World(directory=facts, changes=facts, live_dns=lambda: self.ask, **given)
        world.call("domain.add", name="one.test")
        return world

    async def ask(self, name: str, kind: str) -> Sequence[str]:
        if (name, kind) in self.broken:
            raise TemporaryFailure("the DNS has no answer at present")
        return self.known.get((name, kind), [])

    def check(self) -> dict[str, Any]:
        return self.world.call("dns.check", name="one.test")  # type: ignore[no-any-return]

    def test_last(self) -> None:
        """What the last check came to is told without waiting: the DNS is asked meanwhile, and not again before ten minutes are over."""
        asked: list[str] = []
        answers: list[Deferred[None]] = []

        async def slow(name: str, kind: str) -> Sequence[str]:
            asked.append(name)
            waiting: Deferred[None] = Deferred()
            answers.append(waiting)
            await waiting
            return await self.ask(name, kind)

        time = [1.0]
        facts = Facts()
        world = World(directory=facts, changes=facts, live_dns=lambda: slow, now=lambda: time[0], listen=LISTEN)
        world.call("domain.add", name="one.test")
        self.assertEqual(world.call("dns.last", name="one.test")["at"], None)
        waiting = len(asked)
        world.call("dns.last", name="one.test")
        self.assertEqual(len(asked), waiting)
        while answers:
            answers.pop().callback(None)
        told = world.call("dns.last", name="one.test")
        self.assertEqual((told["at"], told["pointed"], told["problems"]), (1.0, True, 0))
        self.assertIn("comes to this server", told["words"])
        waiting = len(asked)
        time[0] = 602.0
        self.assertEqual(world.call("dns.last", name="one.test")["at"], 1.0)
        self.assertGreater(len(asked), waiting)
        self.known.clear()
        while answers:
            answers.pop().callback(None)
        self.assertIs(world.call("dns.last", name="one.test")["pointed"], False)

    def row(self, name: str, kind: str) -> dict[str, Any]:
        return next(row for row in self.check()["records"] if (row["name"], row["kind"]) == (name, kind))

    def test_records(self) -> None:
        """As values and as text for the zone."""
        told = self.world.call("dns.records", name="One.test")
        self.assertEqual(told["domain"], "one.test")
        self.assertIn("one.test. 3600 IN MX 10 mail.test.", told["zone"])
        self.assertIn('one.test. 3600 IN TXT "v=spf1 mx ~all"', told["zone"])
        first = told["records"][0]
        self.assertEqual((first["what"], first["need"], first["values"]), ("mail", "required", ["10 mail.test."]))

    def test_own_zone(self) -> None:
        """The server's own name is in this zone: its addresses are asked for, and are among the records."""
        self.world = self.make()
        self.world.call("domain.add", name="mail.test")
        told = self.world.call("dns.records", name="mail.test")
        self.assertIn(f"mail.test. 3600 IN A {HERE}", told["zone"])

    def test_all_is_well(self) -> None:
        """No problem, even if the suggestions are not followed."""
        told = self.check()
        self.assertEqual((told["pointed"], told["problems"]), (True, 0))
        self.assertEqual(told["words"], "mail for one.test comes to this server")
        self.assertEqual(self.row("_dmarc.one.test", "TXT")["state"], "missing")

    def test_not_pointed_here_yet(self) -> None:
        """It says so, and where mail goes (F6)."""
        self.known["one.test", "MX"] = ["10 mx.old.test."]
        told = self.check()
        self.assertEqual(told["words"], "one.test is not pointed here yet: its mail goes to mx.old.test")
        self.assertEqual((told["pointed"], told["problems"]), (False, 1))
        del self.known["one.test", "MX"]
        self.assertEqual(self.check()["words"], "one.test is not pointed here yet: it has no MX record")

    def test_another_name_of_ours(self) -> None:
        """Exchangers are looked up: one with our address is us."""
        self.known |= {("one.test", "MX"): ["10 other.test."], ("other.test", "A"): [HERE]}
        self.assertIs(self.check()["pointed"], True)

    def test_spf(self) -> None:
        """What counts is whether receivers let our addresses pass, by whatever way the record says it."""
        self.known["_spf.mail.test", "TXT"] = ["v=spf1 -all"]
        row = self.row("one.test", "TXT")
        self.assertEqual(row["state"], "wrong")
        self.assertEqual(row["fix"], ['one.test. 3600 IN TXT "v=spf1 mx include:_spf.mail.test -all"'])
        del self.known["_spf.mail.test", "TXT"]
        self.assertIn("includes _spf.mail.test, which has no SPF record", self.row("one.test", "TXT")["words"])

    def test_other_sources(self) -> None:
        """Where mail leaves from other addresses, those have to pass."""
        self.world = self.make(source_addresses=("192.0.2.7",))
        row = self.row("one.test", "TXT")
        self.assertIn("192.0.2.7 (fail)", row["words"])
        self.assertIn("ip4:192.0.2.7", row["fix"][0])

    def test_dns_in_trouble(self) -> None:
        """What could not be asked is unknown, not missing."""
        self.broken = {("one.test", "MX"), ("_spf.mail.test", "TXT")}
        told = self.check()
        self.assertIsNone(told["pointed"])
        self.assertIn("nobody can say at present", told["words"])
        self.assertEqual(self.row("one.test", "TXT")["state"], "unknown")
        self.assertEqual(self.row("one.test", "MX")["words"], "the DNS has no answer at present")

    def test_set_up_names(self) -> None:
        """They are asked for where something answers there."""
        self.world = self.make(listen={"panel": (Listener(endpoint="tcp:443"),)})
        row = self.row("autoconfig.one.test", "CNAME")
        self.assertEqual((row["state"], row["fix"]), ("missing", ["autoconfig.one.test. 3600 IN CNAME mail.test."]))
        self.assertEqual(self.row("_autodiscover._tcp.one.test", "SRV")["values"], ["0 1 443 mail.test."])
        self.world = self.make(
            listen={"panel": (Listener(endpoint="tcp:443"),), "setup": (Listener(endpoint="tcp:80"),)}
        )
        self.assertNotIn("_autodiscover._tcp.one.test", [row["name"] for row in self.check()["records"]])

    def test_not_hosted(self) -> None:
        """Other domains are nothing of ours; a near miss is named."""
        with self.assertRaisesRegex(NotFound, "did you mean one.test"):
            self.world.call("dns.check", name="onne.test")

    def test_owners_look_again(self) -> None:
        """An owner's checks within ten seconds are one; then the DNS is asked anew. Operators always see it as it is now."""
        time = [NOW]
        self.world = self.make(now=lambda: time[0])
        as_owner = partial(self.world.call_as, OWNER, "dns.check", name="one.test")
        self.assertIs(as_owner()["pointed"], True)
        self.known["one.test", "MX"] = ["10 mx.old.test."]
        self.assertIs(self.check()["pointed"], False)
        self.assertIs(as_owner()["pointed"], True)
        time[0] += 10
        self.assertIs(as_owner()["pointed"], False)

    def test_so_many_checks(self) -> None:
        """Whoever has many domains asks the DNS no more often for that, nor by many tokens; operators do as they like.

        Tokens that one provider made for several customers are counted for each of them.
        """
        time = [NOW]
        self.world = self.make(now=lambda: time[0], limits=Limits(dns_checks=2))
        token = replace(OWNER, login="max (backup)", way="api")
        for actor in (OWNER, token):
            self.world.call_as(actor, "dns.check", name="one.test")
            time[0] += 10
        with self.assertRaisesRegex(Overloaded, "wait 10 seconds"):
            self.world.call_as(OWNER, "dns.check", name="one.test")
        self.check()
        for other in (replace(OWNER, login="zoe"), replace(token, domains=frozenset({"one.test", "two.test"}))):
            self.world.call_as(other, "dns.check", name="one.test")
            time[0] += 10

    def test_smarthost(self) -> None:
        """What a smarthost may is not ours to judge."""
        self.known["_spf.mail.test", "TXT"] = ["v=spf1 -all"]
        self.world = self.make(smarthost="smtp.provider.test:587")
        self.assertEqual(self.row("one.test", "TXT")["state"], "ok")


class CommandTests(DnsTests):
    def run_command(self, *words: str) -> tuple[int, str]:
        line = CommandLine()
        line.call = lambda verb, **arguments: self.world.call(verb, **arguments)  # type: ignore[method-assign]
        done = CliRunner().invoke(hostmail, words, obj=line)
        return done.exit_code, done.output

    def test_check_command(self) -> None:
        """Exit code 4 where something is to be done, and what; 0 where nothing is."""
        code, output = self.run_command("dns", "check", "one.test")
        self.assertEqual(code, 0, output)
        self.assertIn("mail for one.test comes to this server", output)
        self.assertIn("(missing)", output)
        self.known["one.test", "MX"] = ["10 mx.old.test."]
        code, output = self.run_command("dns", "check", "one.test")
        self.assertEqual(code, PROBLEMS)
        self.assertIn("one.test MX: mail goes to mx.old.test\n", output)
        self.assertIn("    one.test. 3600 IN MX 10 mail.test.\n", output)

    def test_records_command(self) -> None:
        """Nothing but the zone text on stdout."""
        code, output = self.run_command("dns", "records", "one.test")
        self.assertEqual(code, 0)
        self.assertTrue(output.startswith("; What the DNS of one.test needs for its mail\n"))
