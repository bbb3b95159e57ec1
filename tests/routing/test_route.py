"""Where recipients lead: the pure decision."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.decisions import Decision, IntoMailbox, ListCommand, Refuse, Relay, ToList
from hostmail.errors import NoSuchRecipient, RecipientSuspended
from hostmail.interfaces.directory import Account, Domain
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import ListWord
from hostmail.routing.facts import Facts, base_name, role
from hostmail.routing.route import Resolution

ANN = Account(1, "Ann@example.com", "example.com", "ann")
OWNER = Account(2, "owner@example.com", "example.com", "owner")
CHIEF = Account(3, "chief@first.example", "first.example", "chief")
DOMAIN = Domain("example.com", "example", default_account_id=2)
FIRST = Domain("first.example", "first", default_account_id=3)


def route(address: Address, facts: Facts) -> Decision:
    """The decision about an address that leads nowhere else."""
    resolution = Resolution(address)
    resolution.learn(facts)
    assert resolution.wanted is None
    return resolution.decision()


def refusal(decision: object) -> type:
    assert isinstance(decision, Refuse)
    return type(decision.refusal)


class HostedTests(SynchronousTestCase):
    def test_account(self) -> None:
        """The account's own address leads into its mailbox, under the address as it was created (A2)."""
        decision = route(Address("ann", "example.com"), Facts(domain=DOMAIN, exact=ANN))
        self.assertEqual(decision, IntoMailbox(1, "Ann@example.com"))

    def test_tag(self) -> None:
        """user+tag leads to user (E6)."""
        decision = route(Address("ann+shop", "example.com"), Facts(domain=DOMAIN, base=ANN))
        self.assertEqual(decision, IntoMailbox(1, "Ann@example.com", addressed="ann+shop@example.com"))

    def test_account_with_a_plus_in_its_name(self) -> None:
        """An account that is called user+tag itself gets its own mail (E6)."""
        plus = replace(ANN, id=9, address="ann+shop@example.com")
        decision = route(Address("ann+shop", "example.com"), Facts(domain=DOMAIN, exact=plus, base=ANN))
        self.assertEqual(decision, IntoMailbox(9, "ann+shop@example.com"))

    def test_unknown(self) -> None:
        """A name that nobody has is refused for good with 550 5.1.1."""
        decision = route(Address("bob", "example.com"), Facts(domain=DOMAIN))
        assert isinstance(decision, Refuse)
        self.assertIsInstance(decision.refusal, NoSuchRecipient)
        self.assertEqual((decision.refusal.code, decision.refusal.enhanced), (550, "5.1.1"))

    def test_tricks_name_nobody(self) -> None:
        """Percent hack, bang path and a quoted @ in a hosted domain are unknown names, never other hosts' addresses (LIMITS)."""
        for local in ("victim%other.example", "other.example!victim", "victim@other.example"):
            self.assertIs(refusal(route(Address(local, "example.com"), Facts(domain=DOMAIN))), NoSuchRecipient)

    def test_suspended_account(self) -> None:
        """An account whose incoming mail is suspended refuses (A9)."""
        facts = Facts(domain=DOMAIN, exact=replace(ANN, incoming_suspended=True))
        self.assertIs(refusal(route(Address("ann", "example.com"), facts)), RecipientSuspended)

    def test_suspended_domain(self) -> None:
        """A domain whose incoming mail is suspended refuses for known and unknown names alike (A9)."""
        domain = replace(DOMAIN, incoming_suspended=True)
        self.assertIs(refusal(route(Address("ann", "example.com"), Facts(domain, exact=ANN))), RecipientSuspended)
        self.assertIs(refusal(route(Address("bob", "example.com"), Facts(domain))), RecipientSuspended)


class RoleTests(SynchronousTestCase):
    def test_default_mailbox(self) -> None:
        """postmaster@ and abuse@ lead to the domain's default mailbox, in any case and with any tag (E5)."""
        for local in ("postmaster", "Abuse", "POSTMASTER+x"):
            decision = route(Address(local, "example.com"), Facts(domain=DOMAIN, default=OWNER))
            self.assertEqual(decision, IntoMailbox(2, "owner@example.com", addressed=f"{local}@example.com"))

    def test_account_of_that_name(self) -> None:
        """An account called postmaster gets its own mail (E5)."""
        postmaster = replace(ANN, id=8, address="postmaster@example.com")
        facts = Facts(domain=DOMAIN, exact=postmaster, default=OWNER)
        self.assertEqual(route(Address("postmaster", "example.com"), facts), IntoMailbox(8, "postmaster@example.com"))

    def test_domain_without_mailboxes(self) -> None:
        """Where the domain has no default mailbox, that of the server's first domain takes postmaster's mail (E5)."""
        facts = Facts(domain=replace(DOMAIN, default_account_id=None), primary=FIRST, primary_default=CHIEF)
        decision = route(Address("abuse", "example.com"), facts)
        self.assertEqual(decision, IntoMailbox(3, "chief@first.example", addressed="abuse@example.com"))

    def test_suspended_default_mailbox(self) -> None:
        """postmaster@ goes on working when the default mailbox is suspended (E5)."""
        suspended = replace(OWNER, incoming_suspended=True)
        facts = Facts(domain=DOMAIN, default=suspended, primary=FIRST, primary_default=CHIEF)
        decision = route(Address("postmaster", "example.com"), facts)
        self.assertEqual(decision, IntoMailbox(3, "chief@first.example", addressed="postmaster@example.com"))

    def test_all_suspended(self) -> None:
        """Where nobody may take it, the reason is the recipient domain's own."""
        suspended = replace(OWNER, incoming_suspended=True)
        facts = Facts(domain=DOMAIN, default=suspended, primary=DOMAIN, primary_default=suspended)
        self.assertIs(refusal(route(Address("postmaster", "example.com"), facts)), RecipientSuspended)

    def test_nobody(self) -> None:
        """Without any mailbox even postmaster is unknown."""
        self.assertIs(refusal(route(Address("postmaster", "example.com"), Facts(domain=DOMAIN))), NoSuchRecipient)

    def test_without_a_domain(self) -> None:
        """<postmaster> leads to the first domain's default mailbox (RFC 5321 4.5.1)."""
        facts = Facts(ourselves=True, primary=FIRST, primary_default=CHIEF)
        decision = route(Address("Postmaster", ""), facts)
        self.assertEqual(decision, IntoMailbox(3, "chief@first.example", addressed="Postmaster"))


class ElsewhereTests(SynchronousTestCase):
    def test_relay(self) -> None:
        """A domain nobody hosts here is for the queue, whatever its local part looks like."""
        for local in ("bob", "bob%example.com", "example.com!ann", "ann@example.com"):
            self.assertEqual(route(Address(local, "other.example"), Facts()), Relay(Address(local, "other.example")))

    def test_ourselves(self) -> None:
        """Our own address literal or host name is never relayed: only its postmaster exists."""
        facts = Facts(ourselves=True, primary=FIRST, primary_default=CHIEF)
        self.assertIs(refusal(route(Address("ann", "[192.0.2.1]"), facts)), NoSuchRecipient)
        self.assertIs(refusal(route(Address("postmaster", "[192.0.2.1]"), Facts(ourselves=True))), NoSuchRecipient)


class NameTests(SynchronousTestCase):
    def test_base_name(self) -> None:
        """Only a plus behind something begins a tag."""
        self.assertEqual(
            [base_name(name) for name in ("ann+x", "ann+x+y", "+x", "ann+", "ann")], ["ann", "ann", "+x", "ann", "ann"]
        )

    def test_role(self) -> None:
        """Nothing but postmaster and abuse is a role."""
        self.assertEqual([role(name) for name in ("Abuse", "postmaster+a", "root")], ["abuse", "postmaster", ""])


class ListTests(SynchronousTestCase):
    TEAM = MailingList(4, "team@example.com", "example.com", (Address("ann", "example.com"),), size_bytes=5000)

    def test_post(self) -> None:
        """A list's address takes posts (E3)."""
        decision = route(Address("Team", "example.com"), Facts(DOMAIN, mailing_list=self.TEAM))
        self.assertEqual(decision, ToList(4, Address("team", "example.com"), 5000))

    def test_command(self) -> None:
        """An address around it is a command, with its tag."""
        address = Address("team-confirm+abc", "example.com")
        facts = Facts(DOMAIN, mailing_list=self.TEAM, list_word=ListWord.CONFIRM, list_tag="abc")
        self.assertEqual(route(address, facts), ListCommand(self.TEAM.parsed, ListWord.CONFIRM, "abc", address))

    def test_owners(self) -> None:
        """NAME-owner leads on to them."""
        resolution = Resolution(Address("team-owner", "example.com"))
        resolution.learn(Facts(DOMAIN, mailing_list=self.TEAM, list_word=ListWord.OWNER))
        self.assertEqual(resolution.wanted, Address("ann", "example.com"))

    def test_suspended(self) -> None:
        """With the domain's incoming mail its lists are suspended, and with its outgoing mail posts to them (A9)."""
        for switch in ("incoming_suspended", "outgoing_suspended"):
            domain = replace(DOMAIN, **{switch: True})
            decision = route(Address("team", "example.com"), Facts(domain, mailing_list=self.TEAM))
            self.assertEqual(refusal(decision), RecipientSuspended)
