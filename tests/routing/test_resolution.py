"""A recipient on its way through aliases, forwards, domain aliases and catch-alls to its ends (E1, E2, E6)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.decisions import Decision, Discard, Forward, IntoMailbox, Refuse, Relay, Several
from hostmail.errors import MailLoop, NoSuchRecipient, RecipientSuspended, TemporaryFailure
from hostmail.interfaces.directory import MAX_CHAIN
from hostmail.routing import route
from hostmail.routing.explain import explained
from hostmail.routing.router import Router
from tests.delivery.fakes import FakeDirectory


def address(text: str) -> Address:
    return Address.parse(text)


class ResolutionCase(SynchronousTestCase):
    """Two domains: ann (the default mailbox) and bea at example.com, cleo at two.example."""

    def setUp(self) -> None:
        self.directory = FakeDirectory("ann@example.com", "bea@example.com", "cleo@two.example")
        self.router = Router(self.directory, hostname="mail.example.net")

    def decide(self, text: str, **more: Any) -> Decision:
        return self.successResultOf(ensureDeferred(self.router.decide(address(text), **more)))

    def refusal(self, text: str) -> BaseException:
        decision = self.decide(text)
        assert isinstance(decision, Refuse), decision
        return decision.refusal

    def into(self, account_id: int, delivered_to: str, addressed: str = "", caught: str = "") -> IntoMailbox:
        return IntoMailbox(account_id, delivered_to, addressed=addressed, caught=caught)

    def suspend(self, account_id: int) -> None:
        account = self.directory.all_accounts[account_id]
        self.directory.all_accounts[account_id] = type(account)(
            account.id, account.address, account.domain, account.directory, incoming_suspended=True
        )


class AliasTests(ResolutionCase):
    def test_one(self) -> None:
        """An alias of one mailbox is that mailbox, which learns how it was addressed."""
        self.directory.lead("sales@example.com", "bea@example.com")
        self.assertEqual(self.decide("Sales@example.com"), self.into(2, "bea@example.com", "Sales@example.com"))

    def test_chain(self) -> None:
        """A chain leads to each mailbox once, in the order of the targets, over domains."""
        self.directory.lead("all@example.com", "sales@example.com", "cleo@two.example", "ann@example.com")
        self.directory.lead("sales@example.com", "bea@example.com", "cleo@two.example")
        named = "all@example.com"
        ends = (
            self.into(2, "bea@example.com", named),
            self.into(3, "cleo@two.example", named),
            self.into(1, "ann@example.com", named),
        )
        self.assertEqual(self.decide(named), Several(ends))

    def test_tag(self) -> None:
        """An alias with a tag is the alias, unless that name has its own (E6)."""
        self.directory.lead("sales@example.com", "bea@example.com")
        self.assertIsInstance(self.decide("sales+x@example.com"), IntoMailbox)
        self.directory.lead("sales+x@example.com", "ann@example.com")
        self.assertEqual(self.decide("sales+x@example.com"), self.into(1, "ann@example.com", "sales+x@example.com"))

    def test_domain_that_is_gone(self) -> None:
        """An alias leads to addresses here: when the domain behind it is hosted no more, its mail does not leave; a forward's does."""
        self.directory.lead("sales@example.com", "cleo@two.example", "bea@example.com")
        self.directory.lead("cleo@example.com", "cleo@two.example")
        self.directory.lead("away@example.com", "cleo@far.example")
        del self.directory.all_domains["two.example"]
        refusal = self.refusal("cleo@example.com")
        self.assertIsInstance(refusal, NoSuchRecipient)
        decision = self.decide("sales@example.com")
        assert isinstance(decision, Several)
        self.assertEqual([type(end) for end in decision.targets], [IntoMailbox, Refuse])
        self.assertIsInstance(self.decide("away@example.com"), Forward)

    def test_called_by_its_name(self) -> None:
        """A name that leads elsewhere is explained as the forward that it is."""
        self.directory.lead("away@example.com", "cleo@far.example")
        told = self.successResultOf(ensureDeferred(self.router.explain(address("away+x@example.com"))))
        self.assertEqual(told["steps"][0]["rule"], "forward, without its tag")

    def test_domain_that_is_leaving(self) -> None:
        """One that is hosted and not active gets its mail where the DNS says, by an alias too."""
        self.directory.lead("cleo@example.com", "cleo@two.example")
        self.directory.set("two.example", active=False)
        self.assertIsInstance(self.decide("cleo@example.com"), Forward)

    def test_role(self) -> None:
        """postmaster@ goes where it was set to go (E5)."""
        self.directory.lead("postmaster@example.com", "bea@example.com")
        self.assertEqual(
            self.decide("postmaster@example.com"), self.into(2, "bea@example.com", "postmaster@example.com")
        )

    def test_some_take_none(self) -> None:
        """An end that is gone or suspended stays in the decision, to be reported; with no other end it is the answer."""
        self.directory.lead("all@example.com", "bea@example.com", "gone@example.com", "ann@example.com")
        self.suspend(1)
        decision = self.decide("all@example.com")
        assert isinstance(decision, Several)
        into, gone, suspended = decision.targets
        assert isinstance(gone, Refuse)
        assert isinstance(suspended, Refuse)
        self.assertEqual(into, self.into(2, "bea@example.com", "all@example.com"))
        self.assertEqual((gone.address, suspended.address), (address("gone@example.com"), address("ann@example.com")))
        self.assertIsInstance(gone.refusal, NoSuchRecipient)
        self.assertIsInstance(suspended.refusal, RecipientSuspended)
        self.directory.lead("none@example.com", "ann@example.com")
        self.assertIsInstance(self.refusal("none@example.com"), RecipientSuspended)

    def test_suspended_domain(self) -> None:
        """A domain whose incoming mail is suspended refuses for aliases, too (A9)."""
        self.directory.lead("sales@example.com", "cleo@two.example")
        self.directory.set("example.com", incoming_suspended=True)
        self.assertIsInstance(self.refusal("sales@example.com"), RecipientSuspended)


class ForwardTests(ResolutionCase):
    def test_elsewhere(self) -> None:
        """A forward leaves on behalf of the address that has it, without anybody's permission to relay."""
        self.directory.lead("team@example.com", "bob@far.example")
        self.assertEqual(
            self.decide("team@example.com"), Forward(address("bob@far.example"), address("team@example.com"))
        )

    def test_kept_copy(self) -> None:
        """A mailbox forwards instead, or as well."""
        self.directory.lead("ann@example.com", "bob@far.example")
        away = Forward(address("bob@far.example"), address("ann@example.com"))
        self.assertEqual(self.decide("ann@example.com"), away)
        self.directory.lead("ann@example.com", "bob@far.example", keep_copy=True)
        self.assertEqual(self.decide("ann@example.com"), Several((self.into(1, "ann@example.com"), away)))
        self.suspend(1)
        self.assertIsInstance(self.refusal("ann@example.com"), RecipientSuspended)

    def test_routed(self) -> None:
        """A mailbox that mail was routed to before is just that mailbox; it may be suspended or gone by now."""
        self.directory.lead("ann@example.com", "bob@far.example", keep_copy=True)
        self.directory.set("example.com", active=False)
        self.assertEqual(self.decide("ann@example.com", routed=True), self.into(1, "ann@example.com"))
        self.suspend(1)
        for text in ("ann@example.com", "gone@example.com", "x@far.example"):
            self.assertIsInstance(self.decide(text, routed=True), Refuse)


class LoopTests(ResolutionCase):
    def test_stopped(self) -> None:
        """A loop that is there nevertheless ends its branch; the others get the mail (E1)."""
        self.directory.lead("a@example.com", "b@example.com", "bea@example.com")
        self.directory.lead("b@example.com", "a@example.com")
        decision = self.decide("a@example.com")
        assert isinstance(decision, Several)
        self.assertEqual(decision.targets[0], self.into(2, "bea@example.com", "a@example.com"))
        self.assertIsInstance(decision.targets[1].refusal, MailLoop)  # type: ignore[union-attr]
        self.directory.lead("a@example.com", "b@example.com")
        refusal = self.refusal("a@example.com")
        assert isinstance(refusal, MailLoop)
        self.assertEqual(refusal.private, "a@example.com -> b@example.com -> a@example.com")

    def test_too_long(self) -> None:
        """MAX_CHAIN addresses may lie between; more are refused for now, for somebody here has to mend that."""
        self.directory.lead("n0@example.com", "bea@example.com")
        for number in range(1, MAX_CHAIN + 1):
            self.directory.lead(f"n{number}@example.com", f"n{number - 1}@example.com")
        self.assertIsInstance(self.decide(f"n{MAX_CHAIN - 1}@example.com"), IntoMailbox)
        refusal = self.refusal(f"n{MAX_CHAIN}@example.com")
        assert isinstance(refusal, TemporaryFailure)
        self.assertEqual((refusal.code, refusal.enhanced), (451, "4.3.5"))

    def test_too_wide(self) -> None:
        """The number of addresses that one recipient leads through is bounded."""
        self.patch(route, "MAX_ADDRESSES", 3)
        self.directory.lead("all@example.com", *(f"p{number}@far.example" for number in range(5)))
        decision = self.decide("all@example.com")
        assert isinstance(decision, Several)
        self.assertEqual([type(end) for end in decision.targets].count(Forward), 2)


class DomainTests(ResolutionCase):
    def test_domain_alias(self) -> None:
        """Each address of a domain alias is that address in the domain: accounts, aliases, roles and unknown ones (E6)."""
        self.directory.aliases["example.org"] = "example.com"
        self.directory.lead("sales@example.com", "bea@example.com")
        self.assertEqual(self.decide("ann@example.org"), self.into(1, "ann@example.com", "ann@example.org"))
        self.assertEqual(self.decide("sales+x@example.org"), self.into(2, "bea@example.com", "sales+x@example.org"))
        self.assertIsInstance(self.decide("postmaster@example.org"), IntoMailbox)
        self.assertIsInstance(self.refusal("nobody@example.org"), NoSuchRecipient)

    def test_not_active(self) -> None:
        """A domain that is not active is another server's: for whoever may relay, and for forwards into it."""
        self.directory.set("two.example", active=False)
        self.assertEqual(self.decide("cleo@two.example"), Relay(address("cleo@two.example")))
        self.directory.lead("c@example.com", "cleo@two.example")
        self.assertEqual(self.decide("c@example.com"), Forward(address("cleo@two.example"), address("c@example.com")))


class CatchAllTests(ResolutionCase):
    def catch(self, catch_all: str) -> None:
        self.directory.set("example.com", catch_all=catch_all)

    def test_choices(self) -> None:
        """Unknown names are refused, thrown away, or go to the default mailbox, a mailbox or elsewhere (E2)."""
        self.assertIsInstance(self.refusal("typo@example.com"), NoSuchRecipient)
        self.catch("discard")
        self.assertEqual(self.decide("typo@example.com"), Discard("typo@example.com"))
        self.catch("default")
        named = "Typo+tag@example.com"
        self.assertEqual(self.decide(named), self.into(1, "ann@example.com", named, "Typo@example.com"))
        self.catch("bea@example.com")
        self.assertEqual(self.decide(named), self.into(2, "bea@example.com", named, "Typo@example.com"))
        self.catch("bob@far.example")
        there, here = address("bob@far.example"), address("typo@example.com")
        self.assertEqual(self.decide("typo@example.com"), Forward(there, here, "typo@example.com"))

    def test_known_names(self) -> None:
        """What somebody has is not caught."""
        self.catch("discard")
        self.directory.lead("sales@example.com", "bea@example.com")
        for name in ("ann", "ann+x", "sales", "postmaster"):
            self.assertEqual(getattr(self.decide(f"{name}@example.com"), "caught", None), "", name)

    def test_blocked(self) -> None:
        """A blocked name is refused, with any tag."""
        self.catch("bea@example.com")
        self.directory.lead("typo@example.com", blocked=True)
        for name in ("typo", "Typo+x"):
            self.assertIsInstance(self.refusal(f"{name}@example.com"), NoSuchRecipient)

    def test_mark_stays(self) -> None:
        """Whatever lies between, a mailbox knows that a catch-all brought the mail, and autoresponders stay silent (E4)."""
        self.catch("sales@example.com")
        self.directory.lead("sales@example.com", "bea@example.com", "ann@example.com")
        decision = self.decide("typo@example.com")
        assert isinstance(decision, Several)
        self.assertEqual({end.caught for end in decision.targets}, {"typo@example.com"})  # type: ignore[union-attr]

    def test_nobody_behind_it(self) -> None:
        """A catch-all without its mailbox refuses as if there were none."""
        self.catch("gone@example.com")
        self.assertIsInstance(self.refusal("typo@example.com"), NoSuchRecipient)
        self.catch("default")
        self.directory.set("example.com", default_account_id=None)
        self.assertIsInstance(self.refusal("typo@example.com"), NoSuchRecipient)
        self.directory.set("example.com", incoming_suspended=True)
        self.assertIsInstance(self.refusal("typo@example.com"), RecipientSuspended)

    def test_discard_among_others(self) -> None:
        """Where somebody gets the mail, nobody misses what another domain's catch-all throws away."""
        self.directory.set("two.example", catch_all="discard")
        self.directory.lead("all@example.com", "bea@example.com", "x@two.example")
        self.assertEqual(self.decide("all@example.com"), self.into(2, "bea@example.com", "all@example.com"))


class ExplainTests(ResolutionCase):
    def explain(self, text: str) -> dict[str, Any]:
        return explained(self.successResultOf(ensureDeferred(self.router.resolve(address(text)))))

    def test_steps(self) -> None:
        """Each step tells its rule and what it does, as deep as it lies; then come the ends."""
        self.directory.aliases["example.org"] = "example.com"
        self.directory.lead("all@example.com", "ann@example.com", "gone@example.com")
        self.directory.lead("ann@example.com", "bob@far.example", keep_copy=True)
        told = self.explain("all@example.org")
        self.assertEqual(told["address"], "all@example.org")
        self.assertEqual(
            [(step["depth"], step["address"], step["rule"], step["words"]) for step in told["steps"]],
            [
                (0, "all@example.org", "domain alias", "on to all@example.com"),
                (1, "all@example.com", "alias", "on to ann@example.com, gone@example.com"),
                (
                    2,
                    "ann@example.com",
                    "mailbox, forwards and keeps a copy",
                    "into the mailbox ann@example.com, and on to bob@far.example",
                ),
                (3, "bob@far.example", "elsewhere", "sent to another server"),
                (2, "gone@example.com", "unknown name", "refused: 550 5.1.1 no such user here"),
            ],
        )
        self.assertEqual(
            told["ends"],
            [
                {"kind": "mailbox", "address": "ann@example.com", "account_id": 1, "caught": ""},
                {"kind": "forward", "address": "bob@far.example", "forwarder": "ann@example.com", "caught": ""},
                {"kind": "refuse", "address": "gone@example.com", "answer": "550 5.1.1 no such user here"},
            ],
        )

    def test_single_ends(self) -> None:
        """Discarded, relayed and refused mail is told as such, with what only we know."""
        self.directory.set("example.com", catch_all="discard")
        self.assertEqual(self.explain("typo@example.com")["ends"][0]["kind"], "discard")
        self.assertEqual(self.explain("typo@example.com")["steps"][0]["words"], "taken, and thrown away")
        self.assertEqual(self.explain("x@far.example")["ends"], [{"kind": "relay", "address": "x@far.example"}])
        self.suspend(1)
        told = self.explain("ann@example.com")
        self.assertEqual((told["ends"][0]["kind"], told["ends"][0]["address"]), ("refuse", ""))
        self.assertIn("(incoming mail is suspended for ann@example.com)", told["steps"][0]["words"])
