"""client.show, and what the settings mean for people's mail programs."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.setups import make_setup, offers, web_address, web_port
from hostmail.clientsetup.setup import Offer, Setup
from hostmail.config.schema import Listener, Settings
from hostmail.errors import NotFound
from hostmail.interfaces.directory import Domain
from tests.admin.facts import Facts
from tests.admin.fakes import World

ONE = Domain("one.test", "one")


def settings(listen: dict[str, str | list[str]] | None = None, **given: Any) -> Settings:
    """With these endpoints, by service."""
    if listen is not None:
        texts = {name: [one] if isinstance(one, str) else one for name, one in listen.items()}
        given["listen"] = {name: tuple(Listener(endpoint=one) for one in many) for name, many in texts.items()}
    return Settings(hostname="mx.host.test", **given)


def no(name: str) -> bool:
    """No certificate is good for anything."""
    return False


class Aliased(Facts):
    """two.test stands for one.test."""

    async def domain_alias(self, name: str) -> str:
        return "one.test" if name == "two.test" else ""


class ShowTests(SynchronousTestCase):
    def setUp(self) -> None:
        facts = Aliased()
        listen = settings({"imaps": "tcp:993", "submissions": "tcp:465", "pop3": "tcp:110"}).listen
        convinces = {"mail.one.test"}.__contains__
        self.world = World(directory=facts, changes=facts, convinces=convinces, listen=listen)
        self.world.call("domain.add", name="one.test")
        self.world.call("account.add", address="Ann@one.test", password="long enough")

    def test_the_exact_login(self) -> None:
        """However the address is spelled here: the login as it was created (A2), names of the domain's own (A5), ports, steps, the text."""
        told = self.world.call("client.show", address="ann@ONE.test")
        self.assertEqual((told["address"], told["login"]), ("Ann@one.test", "Ann@one.test"))
        self.assertIn(
            {"protocol": "imap", "host": "mail.one.test", "port": 993, "security": "SSL/TLS", "in_clear": False},
            told["servers"],
        )
        self.assertIn({"name": "User name (login)", "value": "Ann@one.test"}, told["settings"])
        self.assertEqual(told["guides"][0]["key"], "thunderbird")
        self.assertIn({"name": "Email address", "value": "Ann@one.test"}, told["guides"][0]["steps"][1]["facts"])
        self.assertIn("Setting up a mail program for Ann@one.test", told["text"])
        self.assertEqual((told["apple_profile"], told["apple_code"], told["panel"]), ("", "", ""))

    def test_with_a_panel(self) -> None:
        """There is a profile for Apple's programs then, and its code for telephones."""
        world = World(listen=settings({"panel": "tcp:8443", "imaps": "tcp:993", "submissions": "tcp:465"}).listen)
        world.call("domain.add", name="one.test")
        world.call("account.add", address="ann@one.test", password="long enough")
        told = world.call("client.show", address="ann@one.test")
        self.assertEqual(told["panel"], "https://mail.test:8443")
        link = "https://mail.test:8443/setup/apple.mobileconfig?address=ann@one.test"
        self.assertEqual(told["apple_profile"], link)
        self.assertTrue(told["apple_code"].startswith("<svg "))

    def test_an_address_of_an_alias_domain(self) -> None:
        """It is shown as asked for, with the login of the mailbox behind it (E6)."""
        told = self.world.call("client.show", address="ann@two.test")
        self.assertEqual((told["address"], told["login"]), ("Ann@two.test", "Ann@one.test"))

    def test_nobody(self) -> None:
        """No such account, no such domain."""
        self.assertRaises(NotFound, self.world.call, "client.show", address="bob@one.test")
        self.assertRaises(NotFound, self.world.call, "client.show", address="bob@three.test")

    def test_a_user_s_own(self) -> None:
        """Users may see theirs, and nobody else's."""
        ann = Actor(Role.USER, "Ann@one.test", "panel", address="Ann@one.test")
        told: list[Any] = []
        Deferred.fromCoroutine(self.world.admin.call("client.show", {"address": "Ann@one.test"}, ann)).addBoth(
            told.append
        )
        self.assertEqual(told[0]["login"], "Ann@one.test")
        wanted = Deferred.fromCoroutine(self.world.admin.call("client.show", {"address": "bob@one.test"}, ann))
        self.failureResultOf(wanted, NotFound)

    def test_by_domain_alone(self) -> None:
        """Set-up answers never look at accounts."""

        def found(domain: str) -> Setup | None:
            return self.successResultOf(Deferred.fromCoroutine(self.world.admin.setup_of(domain)))

        one, two = found("one.test"), found("two.test")
        assert one is not None
        assert two is not None
        self.assertEqual((one.login_domain, two.domain, two.login_domain), ("one.test", "two.test", "one.test"))
        self.assertIsNone(found("three.test"))
        self.assertIsNone(found("no domain"))


class OfferTests(SynchronousTestCase):
    def found(self, given: Settings) -> list[tuple[str, int]]:
        return [(offer.service, offer.port) for offer in offers(given)]

    def test_standard(self) -> None:
        """All seven ports, unless somebody says otherwise; nothing in clear in the modern profile."""
        self.assertEqual(len(self.found(settings())), 7)
        self.assertIn(Offer("pop3", 110, True), list(offers(settings())))
        self.assertNotIn(True, [offer.in_clear for offer in offers(settings(plaintext_login="refuse"))])

    def test_one_port_may_differ(self) -> None:
        """A listener's own word about passwords in clear counts."""
        given = settings(plaintext_login="refuse", listen={})
        listen = {
            "pop3": (Listener(endpoint="tcp:110", plaintext_login="allow"),),
            "imap": (Listener(endpoint="tcp:143"),),
        }
        given = Settings(hostname="mx.host.test", plaintext_login="refuse", listen=listen)
        self.assertEqual(set(offers(given)), {Offer("pop3", 110, True), Offer("imap", 143, False)})

    def test_loopback_is_for_this_machine(self) -> None:
        """Ports that nobody else reaches are not told to people, unless there are only such."""
        inner = {"imap": "tcp:2143:interface=127.0.0.1", "imaps": "tcp6:2993:interface=\\:\\:1"}
        self.assertEqual(self.found(settings(inner)), [("imaps", 2993), ("imap", 2143)])
        self.assertEqual(self.found(settings(inner | {"pop3s": "tcp:995"})), [("pop3s", 995)])

    def test_several_ports(self) -> None:
        """The standard one, if it is among them."""
        self.assertEqual(self.found(settings({"submission": ["tcp:2525", "tcp:587"]})), [("submission", 587)])
        self.assertEqual(self.found(settings({"submission": ["tcp:2525", "tcp:2526"]})), [("submission", 2525)])

    def test_behind_something(self) -> None:
        """A proxy's and systemd's sockets are seen at the standard port."""
        self.assertEqual(self.found(settings({"imaps": "systemd:domain=INET:index=0"})), [("imaps", 993)])
        listen = {"imaps": (Listener(endpoint="tcp:10993", proxy_from=("10.0.0.0/8",)),)}
        self.assertEqual(self.found(Settings(hostname="mx.host.test", listen=listen)), [("imaps", 993)])


class SetupTests(SynchronousTestCase):
    def test_the_operator_names_the_server(self) -> None:
        """client_server counts, and is believed."""
        found = make_setup(settings(client_server="in.{domain}"), ONE, "one.test", no)
        self.assertEqual({server.host for server in found.servers}, {"in.one.test"})
        self.assertTrue(found.trusted)

    def test_no_certificate(self) -> None:
        """The server's own name, and a word about the certificate."""
        found = make_setup(settings(), ONE, "one.test", no)
        self.assertEqual({server.host for server in found.servers}, {"mx.host.test"})
        self.assertFalse(found.trusted)

    def test_relaying_by_checking(self) -> None:
        """It is told of where both the server and the domain have it (C5)."""
        self.assertEqual(make_setup(settings(), ONE, "one.test", no).relay_window, 1800)
        self.assertEqual(make_setup(settings(pop_before_smtp=False), ONE, "one.test", no).relay_window, 0)
        off = Domain("one.test", "one", pop_before_smtp=False)
        self.assertEqual(make_setup(settings(), off, "one.test", no).relay_window, 0)


class WebTests(SynchronousTestCase):
    def where(self, *endpoints: str, own: bool = False) -> str:
        return web_address(settings({"panel": list(endpoints)}), "one.test", lambda name: own)

    def test_where_the_panel_is(self) -> None:
        """Under the domain's own name where there is a certificate for it; port 443 needs no word."""
        self.assertEqual(self.where("tcp:8443"), "https://mx.host.test:8443")
        self.assertEqual(self.where("tcp:8443", "tcp:443", own=True), "https://mail.one.test")
        self.assertEqual(web_address(settings({}), "one.test", no), "")

    def test_behind_a_proxy(self) -> None:
        """What only this machine reaches is shown by a proxy, at the standard port."""
        self.assertEqual(self.where("unix:/run/panel"), "https://mx.host.test")
        plain = Listener(endpoint="tcp:8080:interface=127.0.0.1", tls=False)
        given = Settings(hostname="mx.host.test", listen={"panel": (plain,)})
        self.assertEqual(web_address(given, "one.test", no), "https://mx.host.test")

    def test_tried_out(self) -> None:
        """One that only this machine reaches, with TLS, is shown where it is."""
        self.assertEqual(self.where("tcp:8443:interface=127.0.0.1"), "https://mx.host.test:8443")

    def test_the_operator_s_word(self) -> None:
        """panel_url counts, for the port in the DNS, too."""
        for url, port in (("https://panel.host.test", 443), ("https://panel.host.test:4443", 4443)):
            given = settings({"panel": "tcp:8443"}, panel_url=url)
            self.assertEqual((web_address(given, "one.test", no), web_port(given)), (url, port))
