"""The rules themselves: pure functions."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.checks.loops import been_here, too_many_hops
from hostmail.checks.responsible import Responsible, Sponsor, by_grant, by_login, may_relay, must_match_sender
from hostmail.checks.sizes import fits_limit, fits_room, octets
from hostmail.envelope import Peer
from hostmail.errors import MailLoop, MessageTooBig, OverQuota, Refusal, RelayingProhibited, SendingSuspended
from hostmail.interfaces.directory import Account, Domain, Usage
from hostmail.interfaces.logins import Grant
from hostmail.interfaces.mailstore import Room

ACCOUNT = Account(1, "ann@example.com", "example.com", "ann")
DOMAIN = Domain("example.com", "example")
ANN = Sponsor(ACCOUNT, DOMAIN)
GRANT = Grant("192.0.2.7", 1, "ann@example.com", 2000.0)


class ResponsibleTests(SynchronousTestCase):
    def test_stranger(self) -> None:
        """A stranger hears the words of the contract, for good (C1)."""
        refusal = self.assertRaises(RelayingProhibited, may_relay, None, Sponsor())
        self.assertEqual((refusal.code, refusal.enhanced), (550, "5.7.1"))
        self.assertIn("relaying prohibited", refusal.public)

    def test_login(self) -> None:
        """Whoever has logged in answers for his mail."""
        who = by_login(Peer("192.0.2.7", "smtp", account_id=1, login="ann@example.com"), ANN)
        self.assertEqual(may_relay(who, ANN), Responsible(1, "ann@example.com", "auth", "example.com"))

    def test_login_of_a_removed_account(self) -> None:
        """A session whose account is gone is a stranger's."""
        self.assertIsNone(by_login(Peer("192.0.2.7", "smtp", account_id=1), Sponsor()))

    def test_grant(self) -> None:
        """The account that checked its mail from there answers (C4)."""
        self.assertEqual(by_grant(GRANT, ANN, True), Responsible(1, "ann@example.com", "grant", "example.com"))

    def test_switched_off(self) -> None:
        """POP before SMTP can be off for the server, or for a domain (C5)."""
        self.assertIsNone(by_grant(GRANT, ANN, False))
        self.assertIsNone(by_grant(GRANT, Sponsor(ACCOUNT, replace(DOMAIN, pop_before_smtp=False)), True))
        self.assertIsNone(by_grant(GRANT, Sponsor(), True))

    def test_operators_grant(self) -> None:
        """What the operator opened by hand holds whatever the switch says."""
        self.assertEqual(by_grant(replace(GRANT, account_id=0), Sponsor(), False), Responsible(0, GRANT.login, "grant"))

    def test_suspended(self) -> None:
        """Outgoing mail of an account or a domain can be suspended (A9)."""
        who = Responsible(1, "ann@example.com", "auth")
        for sponsor in (
            Sponsor(replace(ACCOUNT, outgoing_suspended=True), DOMAIN),
            Sponsor(ACCOUNT, replace(DOMAIN, outgoing_suspended=True)),
        ):
            self.assertRaises(SendingSuspended, may_relay, who, sponsor)

    def test_any_sender(self) -> None:
        """By default one may send as anybody (C7)."""
        must_match_sender(Address.parse("boss@other.example"), ANN)

    def test_matching_sender(self) -> None:
        """Where the owner wants it, only the account's own address will do, in any case and with a tag, or none (C7)."""
        strict = Sponsor(ACCOUNT, replace(DOMAIN, must_match_sender=True))
        for good in ("ANN@example.com", "ann+news@example.com"):
            must_match_sender(Address.parse(good), strict)
        must_match_sender(None, strict)
        refusal = self.assertRaises(Refusal, must_match_sender, Address.parse("bob@example.com"), strict)
        self.assertIn("ann@example.com", refusal.public)
        self.assertEqual(refusal.code, 550)


class SizeTests(SynchronousTestCase):
    def test_limit(self) -> None:
        """MAIL SIZE= over the limit is refused with 552 5.3.4 and the limit's number (D3)."""
        fits_limit(None, 100)
        fits_limit(100, 100)
        refusal = self.assertRaises(MessageTooBig, fits_limit, 16 * 2**20, 15 * 2**20)
        self.assertEqual((refusal.code, refusal.enhanced), (552, "5.3.4"))
        self.assertIn("15 MB (15728640 octets)", refusal.public)

    def test_room(self) -> None:
        """A promised size over the space left is refused with 552 5.2.2 naming that space (D4)."""
        room = Room(Usage(900, 3), 1000, None, 100)
        fits_room(100, room)
        fits_room(None, room)
        refusal = self.assertRaises(OverQuota, fits_room, 101, room)
        self.assertEqual((refusal.code, refusal.enhanced), (552, "5.2.2"))
        self.assertIn("100 octets", refusal.public)

    def test_full(self) -> None:
        """A full mailbox takes nothing, promised or not, and an overfull one neither (D4)."""
        for free in (0, -5):
            for size in (None, 0, 1):
                self.assertRaises(OverQuota, fits_room, size, Room(Usage(1000, 3), 1000, None, free))

    def test_message_count(self) -> None:
        """A mailbox that holds as many messages as it may is full (D2)."""
        self.assertRaises(OverQuota, fits_room, 1, Room(Usage(10, 3), None, 3, None))
        fits_room(1, Room(Usage(10, 2), None, 3, None))

    def test_words(self) -> None:
        """Sizes are said for people, exactly."""
        self.assertEqual(octets(1536), "1.5 KB (1536 octets)")


class LoopTests(SynchronousTestCase):
    def test_hops(self) -> None:
        """51 Received fields are a loop: 554 5.4.6 (LIMITS)."""
        too_many_hops(50)
        refusal = self.assertRaises(MailLoop, too_many_hops, 51)
        self.assertEqual((refusal.code, refusal.enhanced), (554, "5.4.6"))

    def test_own_mark(self) -> None:
        """Our own Delivered-To means that the message was here before; another mailbox's does not."""
        been_here({"bob@example.com"}, "ann@example.com")
        self.assertRaises(MailLoop, been_here, {"ann@example.com"}, "Ann@example.com")
