"""An account's smarthost, a domain's, and a domain's address, over real sockets (C9)."""

from __future__ import annotations

import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

from hostmail.interfaces.waysout import Smarthost, WayOut
from hostmail.relay.dispatch import Dispatch
from tests.relay.certificate import write_certificate
from tests.relay.facts import FakeWays
from tests.relay.test_direct import DirectCase
from tests.support.remote import FEATURES, Remote

AUTH = (*FEATURES, "AUTH PLAIN")
WELCOME = "235 2.7.0 welcome"


def plain(login: str, password: str) -> str:
    return f"AUTH PLAIN {b64encode(f'{chr(0)}{login}{chr(0)}{password}'.encode()).decode()}"


class OwnWayTests(DirectCase):
    """ann@example.com (account 1) and example.com have a smarthost each, example.org an address; all others go by MX."""

    def setUp(self) -> None:
        self.anns, self.domains = self.smarthost(), self.smarthost()
        self.anns_way = Smarthost("127.0.0.1", self.anns.port, "opportunistic", "ann", "anns secret")
        self.domains_way = Smarthost("127.0.0.1", self.domains.port, "opportunistic", "us", "our secret")
        self.ways = FakeWays(
            {
                1: WayOut(self.anns_way),
                "example.com": WayOut(self.domains_way),
                "example.org": WayOut(sources=("127.0.0.88",)),
            }
        )
        super().setUp()

    def smarthost(self) -> Remote:
        remote = self.remote("127.0.0.1")
        remote.features = AUTH
        remote.answers["AUTH"] = WELCOME
        return remote

    def make(self, **changes: Any) -> Dispatch:
        return super().make(ways_out=self.ways, **changes)

    async def destination(self, account_id: int | None, sender: str) -> str | None:
        domain = sender.partition("@")[2]
        return await self.sender.destination(
            self.row("bob@x.test", sender=sender, account_id=account_id, for_domain=domain)
        )

    async def go(self, account_id: int | None, sender: str) -> list[str]:
        return await self.send(sender=sender, account_id=account_id, for_domain=sender.partition("@")[2])

    async def test_whose(self) -> None:
        """Each smarthost gets the mail of those it belongs to, and their login; who has none goes to the MX hosts."""
        for account_id, sender in (
            (1, "ann@example.com"),
            (2, "bea@example.com"),
            (None, "list@example.net"),
            (None, "eve@far.test"),
        ):
            self.assertEqual(await self.go(account_id, sender), ["+"])
        takers = [[one.sender for one in each.taken] for each in self.all_hosts]
        self.assertEqual(takers, [["ann@example.com"], ["bea@example.com", "list@example.net"], ["eve@far.test"]])
        self.assertIn(plain("ann", "anns secret"), self.anns.heard)
        self.assertIn(plain("us", "our secret"), self.domains.heard)
        self.assertEqual([each.connections for each in self.all_hosts], [1, 1, 1])

    async def test_reports(self) -> None:
        """A report has no reverse-path: it leaves by the way of who has caused it. A sender's name opens none."""
        for account_id, domain in ((1, "example.com"), (None, "example.com"), (None, "")):
            self.assertEqual(await self.send(sender="", account_id=account_id, for_domain=domain), ["+"])
        self.assertEqual(await self.send(sender="eve@example.com", account_id=None), ["+"])
        self.assertEqual([len(each.taken) for each in self.all_hosts], [1, 1, 2])

    @property
    def all_hosts(self) -> tuple[Remote, Remote, Remote]:
        return self.anns, self.domains, self.first

    async def test_no_sharing(self) -> None:
        """Two who have the same smarthost share no connection: each signs in as himself."""
        self.ways.ways[1] = WayOut(Smarthost("127.0.0.1", self.domains.port, "opportunistic", "ann", "anns secret"))
        for account_id in (1, None, 1, None):
            self.assertEqual(await self.go(account_id, "ann@example.com"), ["+"])
        self.assertEqual((self.domains.connections, len(self.domains.taken)), (2, 4))
        logins = [each for each in self.domains.heard if each.startswith("AUTH")]
        self.assertEqual(sorted(logins), sorted([plain("ann", "anns secret"), plain("us", "our secret")]))

    async def test_wrong_password(self) -> None:
        """Whose password is wrong at a smarthost, his mail waits; another's there has a lane of its own, and goes."""
        self.ways.ways[1] = WayOut(Smarthost("127.0.0.1", self.domains.port, "opportunistic", "ann", "anns secret"))
        self.domains.answers["AUTH"] = "535 5.7.8 wrong"
        [refusal] = await self.go(1, "ann@example.com")
        self.assertTrue(refusal.startswith("4"), refusal)
        self.assertNotIn("secret", refusal)
        self.domains.answers["AUTH"] = WELCOME
        self.assertEqual(await self.go(None, "bea@example.com"), ["+"])
        names = [await self.destination(each, "x@example.com") for each in (1, None)]
        self.assertEqual(len(set(names)), 2, names)

    async def test_next_attempt(self) -> None:
        """A new password, another smarthost or none count with the next attempt, though a connection is open (E7)."""
        await self.go(1, "ann@example.com")
        self.ways.ways[1] = WayOut(Smarthost("127.0.0.1", self.anns.port, "opportunistic", "ann", "new secret"))
        await self.go(1, "ann@example.com")
        self.assertIn(plain("ann", "new secret"), self.anns.heard)
        self.ways.ways[1] = WayOut()
        await self.go(1, "ann@example.com")
        self.ways.ways.clear()
        await self.go(1, "ann@example.com")
        self.assertEqual([len(each.taken) for each in self.all_hosts], [2, 1, 1])

    async def test_source(self) -> None:
        """A domain's mail comes from its address; that of others, and what goes by smarthosts, from the server's."""
        self.sender = self.make(source_addresses=("127.0.0.77",))
        for account_id, sender in ((None, "list@example.org"), (None, "eve@far.test"), (1, "ann@example.com")):
            self.assertEqual(await self.go(account_id, sender), ["+"])
        self.assertEqual((self.first.clients, self.anns.clients), (["127.0.0.88", "127.0.0.77"], ["127.0.0.77"]))

    async def test_source_names(self) -> None:
        """From an address that has a name of its own this server introduces itself by that name (EHLO), at smarthosts, too."""
        names = ("127.0.0.77 seventy.example.com", "127.0.0.88 example.org")
        self.sender = self.make(source_addresses=("127.0.0.77",), source_names=names)
        for account_id, sender in ((None, "list@example.org"), (None, "eve@far.test"), (1, "ann@example.com")):
            self.assertEqual(await self.go(account_id, sender), ["+"])
        self.assertEqual(
            [each for each in self.first.heard if "EHLO" in each], ["EHLO example.org", "EHLO seventy.example.com"]
        )
        self.assertEqual(self.anns.heard[0], "EHLO seventy.example.com")

    async def test_own_names(self) -> None:
        """A mail exchanger with such a name is this server; so is one that calls itself by its first name."""
        self.sender = self.make(source_names=("127.0.0.88 example.org",))
        self.zone.mx("x.test", "10 example.org", "20 second.x.test")
        self.zone.add("example.org", "A", "127.0.0.9")
        self.assertIn("would come back", (await self.go(None, "eve@far.test"))[0])
        self.zone.mx("y.test", "10 second.x.test")
        self.second.answers["EHLO"] = "250 mail.example.com"
        [refusal] = await self.send("bob@y.test", sender="list@example.org", account_id=None)
        self.assertEqual(refusal, "554 5.4.6 second.x.test is this server, which does not know that domain")

    async def test_direct(self) -> None:
        """Whose mail is to go directly, his goes to the MX hosts although the server has a smarthost, and everybody else's there."""
        self.ways.ways = {"example.com": WayOut(direct=True)}
        self.sender = self.make(smarthost=f"127.0.0.1:{self.domains.port}")
        for account_id, sender in ((1, "ann@example.com"), (None, "eve@example.net"), (None, "list@example.org")):
            self.assertEqual(await self.go(account_id, sender), ["+"])
        self.assertEqual((len(self.first.taken), len(self.domains.taken)), (2, 1))

    async def test_only_those(self) -> None:
        """Without a smarthost and direct delivery for all, those who have one of their own send all the same."""
        self.sender = self.make(direct_delivery=False)
        self.assertEqual(await self.go(1, "ann@example.com"), ["+"])
        self.assertIsNone(await self.destination(None, "eve@far.test"))
        self.assertIsNotNone(await self.destination(None, "bea@example.com"))

    async def test_tls(self) -> None:
        """Each has its own demands of TLS: a certificate that nobody knows is enough for one, and not for the other."""
        folder = Path(self.mktemp())
        folder.mkdir()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        key, certificate = write_certificate(folder, "localhost")
        context.load_cert_chain(certificate, key)
        for smarthost, account_id, tls in ((self.anns, 1, "verified"), (self.domains, 2, "required")):
            smarthost.tls = context
            way = WayOut(Smarthost("127.0.0.1", smarthost.port, tls, "us", "our secret"))
            self.ways.ways[1 if account_id == 1 else "example.com"] = way
        [refusal] = await self.go(1, "ann@example.com")
        self.assertTrue(refusal.startswith("451 4.7.5"), refusal)
        self.assertEqual(await self.go(None, "bea@example.com"), ["+"])
        self.assertTrue(self.domains.taken[0].secure)
        self.assertFalse([each for each in self.anns.heard if each.startswith(("AUTH", "MAIL"))])
