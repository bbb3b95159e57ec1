"""Which of several hosts gets a domain's mail, and what its sender hears if none does (RFC 5321 5.1, RFC 7504)."""

from __future__ import annotations

from dataclasses import replace
from errno import EADDRNOTAVAIL, EAFNOSUPPORT

from twisted.internet.error import ConnectBindError, ConnectError, ConnectionRefusedError, NoRouteError

from hostmail.relay.client import Way
from tests.relay.talk import FULL, FakeEndpoint, TalkCase

GONE = "451 4.4.1 {} refuses connections"
NO_WAY = "451 4.4.1 {} cannot be reached"


class SearchTests(TalkCase):
    """Hosts a and b, in this order, which the DNS has named."""

    def setUp(self) -> None:
        super().setUp()
        self.manners = replace(self.manners, ourselves="mail.example.com")
        self.hosts = {name: FakeEndpoint() for name in ("a", "b")}

    async def ways(self) -> list[Way]:
        return [Way(endpoint, replace(self.manners, host=name)) for name, endpoint in self.hosts.items()]

    def end(self) -> None:
        for endpoint in self.hosts.values():
            self.endpoint = endpoint
            super().end()

    def ends(self, a: Exception | str, b: Exception | str) -> str:
        """The result where the hosts cannot be connected to, or greet with these words."""
        for name, what in (("a", a), ("b", b)):
            self.hosts[name] = FakeEndpoint()
            self.hosts[name].error = what if isinstance(what, Exception) else None
        sending = self.send()
        for name, what in (("a", a), ("b", b)):
            if isinstance(what, str):
                for words in what.split("|"):
                    self.hosts[name].servers[0].says(words)
                self.hosts[name].servers[0].hangs_up()
        [result] = self.results(sending)
        return result

    def test_takes_no_mail(self) -> None:
        """A host that greets with 521 or 556 takes no mail at all: the next one may."""
        for words in ("521 no mail here", "556 5.1.10 none"):
            self.hosts["a"], self.hosts["b"] = FakeEndpoint(), FakeEndpoint()
            sending = self.send()
            self.hosts["a"].servers[0].says(words)
            server = self.hosts["b"].servers[0]
            server.greets(*FULL)
            server.says("250 ok", "250 ok", "354 go")
            server.says("250 ok")
            self.assertEqual(self.results(sending), ["+"])
            self.hosts["a"].servers[0].hangs_up()
            server.hangs_up()

    def test_nobody_takes_mail(self) -> None:
        """If all hosts say so, at the greeting or at EHLO, the mail comes back at once."""
        words = "521 5.3.2 a said: 521 no mail here"
        self.assertEqual(self.ends("521 no mail here", "556 5.1.10 none"), words)
        self.assertEqual(self.ends("220 hi|521 no mail here", "521 none"), words)
        self.assertEqual(self.ends("556 5.1.10 none", "521 none"), "556 5.1.10 a said: 556 5.1.10 none")

    def test_perhaps_somebody(self) -> None:
        """If another host may take it when it is there again, the mail waits, whatever their order; other failing greetings are for now."""
        refused = ConnectionRefusedError()
        self.assertEqual(self.ends("521 no mail here", refused), GONE.format("b"))
        self.assertEqual(self.ends(refused, "521 no mail here"), GONE.format("a"))
        self.assertEqual(self.ends("554 no", "521 no"), "451 4.3.2 a said: 554 no")

    def test_smarthost_takes_no_mail(self) -> None:
        """What the smarthost says is our operator's trouble: all mail would come back for it."""
        self.manners = replace(self.manners, ourselves="")
        self.assertEqual(self.ends("521 no", "521 no"), "451 4.3.2 a said: 521 no")

    def test_no_route(self) -> None:
        """An address of a kind that does not work here, IPv6 say, tells nothing of the host: the other one's trouble does."""
        for error in (NoRouteError(), ConnectError(EADDRNOTAVAIL), ConnectBindError(EAFNOSUPPORT)):
            self.assertEqual(self.ends(error, ConnectionRefusedError()), GONE.format("b"))
            self.assertEqual(self.ends(error, "521 no mail here"), "521 5.3.2 b said: 521 no mail here")
            self.assertEqual(self.ends("521 no mail here", error), "521 5.3.2 a said: 521 no mail here")
            self.assertEqual(self.ends(error, error), NO_WAY.format("a"))

    def test_best_host_first(self) -> None:
        """Else the best host's trouble is what the sender hears of."""
        self.assertEqual(self.ends(ConnectionRefusedError(), "421 busy"), GONE.format("a"))
        self.assertEqual(self.ends("421 busy", ConnectionRefusedError()), "451 4.3.2 a said: 421 busy")

    def test_ourselves_behind_another(self) -> None:
        """A host behind ours in the list is ourselves: the mail waits for the better one."""
        ourselves = "220 hi|250 Mail.example.com"
        self.assertEqual(self.ends(ConnectionRefusedError(), ourselves), GONE.format("a"))
        self.assertEqual(self.ends(NoRouteError(), ourselves), NO_WAY.format("a"))
