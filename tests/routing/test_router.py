"""Facts and decision in one step."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.decisions import Forward, IntoMailbox, Refuse, Relay, ToList
from hostmail.errors import NoSuchRecipient
from hostmail.routing.router import Router, literal
from tests.delivery.fakes import FakeDirectory, FakeSenders


class RouterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = FakeDirectory("owner@example.com", "Ann@example.com", "chief@first.example")
        self.router = Router(
            self.directory, primary_domain="first.example", hostname="Mail.example.net", own_ips=["192.0.2.1", "::1"]
        )

    def decide(self, text: str, **more: Any) -> Any:
        return self.successResultOf(ensureDeferred(self.router.decide(Address.parse(text), **more)))

    def into(self, text: str, **more: Any) -> str:
        decision = self.decide(text, **more)
        assert isinstance(decision, IntoMailbox)
        return decision.delivered_to

    def test_hosted(self) -> None:
        """Names are found in any case, with tags, and change with the directory at once (A2, E6, E7)."""
        self.assertEqual(self.into("ANN@Example.COM"), "Ann@example.com")
        self.assertEqual(self.into("ann+shop@example.com"), "Ann@example.com")
        self.assertIsInstance(self.decide("new@example.com"), Refuse)
        self.directory.add("new@example.com")
        self.assertEqual(self.into("new@example.com"), "new@example.com")

    def test_roles(self) -> None:
        """postmaster@ of every domain is somebody's (E5)."""
        self.assertEqual(self.into("postmaster@example.com"), "owner@example.com")
        self.assertEqual(self.into("abuse@first.example"), "chief@first.example")
        self.assertEqual(self.into("postmaster"), "chief@first.example")

    def test_first_domain_by_name(self) -> None:
        """Without a primary domain in the settings the first by name takes <postmaster>."""
        self.router = Router(self.directory)
        self.assertEqual(self.into("postmaster"), "owner@example.com")

    def test_no_domain_at_all(self) -> None:
        """A server that hosts nothing has no postmaster."""
        self.router = Router(FakeDirectory())
        decision = self.decide("postmaster")
        assert isinstance(decision, Refuse)
        self.assertIsInstance(decision.refusal, NoSuchRecipient)

    def test_our_names(self) -> None:
        """Our host name, configured addresses, loopback and the address the peer has reached are ourselves (LIMITS, tricks)."""
        for domain in ("mail.example.net", "[192.0.2.1]", "[127.0.0.1]", "[IPv6:::1]"):
            self.assertEqual(self.into(f"postmaster@{domain}"), "chief@first.example")
            self.assertIsInstance(self.decide(f"ann@{domain}"), Refuse)
        self.assertEqual(self.into("postmaster@[192.0.2.9]", local_ip="::ffff:192.0.2.9"), "chief@first.example")
        self.assertIsInstance(self.decide("ann@[192.0.2.9]", local_ip="192.0.2.8"), Relay)

    def test_elsewhere(self) -> None:
        """Everything else is another host's."""
        self.assertEqual(self.decide("bob@other.example"), Relay(Address("bob", "other.example")))
        self.assertIsInstance(self.decide("postmaster@other.example"), Relay)

    def test_literal(self) -> None:
        """Literals are spelled as addresses are parsed."""
        self.assertEqual(literal("::ffff:192.0.2.1"), "[192.0.2.1]")
        self.assertEqual(literal("2001:DB8::1"), "[IPv6:2001:db8::1]")
        self.assertEqual(literal(""), "")
        self.assertEqual(Address.parse("a@[IPv6:2001:DB8:0::1]").domain, literal("2001:db8::1"))

    def test_forwarded_mail_comes_back(self) -> None:
        """A bounce to a rewritten sender goes to the sender, here or elsewhere; a forged one, or to another's domain, is nobody's."""
        self.router = Router(self.directory, hostname="mail.example.net", senders=FakeSenders())
        back = Address.parse("srs0=x=y=far.example=bob@example.com")
        self.assertEqual(self.decide(str(back)), Forward(Address("bob", "far.example"), back))
        self.assertEqual(self.into("SRS0=x=y=first.example=chief@mail.example.net"), "chief@first.example")
        decision = self.decide("srs0=x=y=z@example.com")
        assert isinstance(decision, Refuse)
        self.assertIsInstance(decision.refusal, NoSuchRecipient)
        self.assertIsInstance(self.decide("srs0=x=y=far.example=bob@other.example"), Relay)

    def test_an_account_with_such_a_name(self) -> None:
        """Whoever has such an address gets his mail."""
        self.router = Router(self.directory, senders=FakeSenders())
        self.directory.add("srs0=x=y=z@example.com")
        self.assertEqual(self.into("srs0=x=y=z@example.com"), "srs0=x=y=z@example.com")

    def test_lists(self) -> None:
        """A list's address and those around it are found in any case; its owners are people; what is judged goes to the members (E3)."""
        self.assertIsInstance(self.decide("team@example.com"), Refuse)
        self.directory.add_list("team@example.com", "ann@example.com", "bob@far.example")
        team = Address("team", "example.com")
        self.assertEqual(self.decide("TEAM@example.com"), ToList(1, team, 1024 * 1024))
        self.assertEqual(self.decide("team@example.com", routed=True), ToList(1, team, 1024 * 1024, approved=True))
        found = self.decide("team-Bounces+7=x@example.com")
        self.assertEqual((found.list_address, found.word, found.tag), (team, "bounces", "7=x"))
        owners = self.decide("team-owner@example.com")
        self.assertEqual([getattr(one, "delivered_to", "") for one in owners.targets], ["Ann@example.com", ""])
        self.assertIsInstance(self.decide("team-news@example.com"), Refuse)
        self.assertIsInstance(self.decide("other-owner@example.com"), Refuse)

    def test_lists_with_a_tag(self) -> None:
        """A post to the list's address with a tag is a post (E6), and no name for the catch-all; whoever has that name gets his mail."""
        self.directory.add_list("team@example.com", "ann@example.com")
        self.directory.set("example.com", catch_all="default")
        self.assertEqual(self.decide("Team+x@example.com"), ToList(1, Address("team", "example.com"), 1024 * 1024))
        self.assertIsInstance(self.decide("team-news+x@example.com"), IntoMailbox)
        self.directory.add("team+x@example.com")
        self.assertEqual(self.into("team+x@example.com"), "team+x@example.com")

    def test_letters_with_marks(self) -> None:
        """An address is found however its letters are put together, as one sign each or with marks behind them (RFC 6532 3.1)."""
        self.directory.add("j\u00fcrgen@example.com")
        self.assertEqual(self.into("JU\u0308RGEN+x@example.com"), "j\u00fcrgen@example.com")

    def test_explained(self) -> None:
        """`hostmail route` says what a list's addresses are for."""
        self.directory.add_list("team@example.com", "ann@example.com")
        for local, words in (("team", "a post for the mailing list"), ("team-subscribe", "subscribe at the mailing")):
            told = self.successResultOf(ensureDeferred(self.router.explain(Address(local, "example.com"))))
            self.assertIn(words, told["steps"][0]["words"])
            self.assertEqual(told["ends"], [{"kind": "list", "address": f"{local}@example.com"}])
