"""The rules with the facts gathered for them."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.checks.gate import Gate
from hostmail.checks.holding import HeldRoom
from hostmail.checks.sending import PATIENCE, SendingRates
from hostmail.decisions import Decision, Discard, Forward, IntoMailbox, Refuse, Relay, Several
from hostmail.envelope import Envelope, Peer
from hostmail.errors import (
    MessageTooBig,
    NoSuchRecipient,
    OverQuota,
    RecipientSuspended,
    Refusal,
    RelayingProhibited,
    SendingSuspended,
    TemporaryFailure,
    TooMany,
)
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.logins import Grant
from hostmail.interfaces.mailstore import Room
from tests.delivery.fakes import FakeDirectory, FakeGrants, FakeStore

ELSEWHERE = Relay(Address("bob", "other.example"))
IP = "192.0.2.7"


class GateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = FakeDirectory("ann@example.com", "eve@closed.example")
        self.grants = FakeGrants()
        self.store = FakeStore()
        self.stranger = Peer(IP, "smtp")
        self.ann = Peer(IP, "smtp", account_id=1, login="ann@example.com")
        self.mail = Envelope(Address.parse("ann@example.com"), size=1000)
        self.already_held = (0, 0)
        self.gate = self.make()

    def make(self, pop_before_smtp: bool = True) -> Gate:
        return Gate(
            directory=self.directory,
            store=self.store,
            grants=self.grants,
            message_size_limit=5000,
            pop_before_smtp=pop_before_smtp,
            sending=SendingRates(path=Path(self.mktemp()), now=lambda: 1e9, per_hour=3, per_day=100),
            held_room=HeldRoom(held=self.held, recipients=2, octets=2500),
            decide=self.decide,
        )

    async def held(self, account_id: int) -> tuple[int, int]:
        return self.already_held

    async def decide(self, address: Address) -> Decision:
        """Where senders' addresses lead: sales@ is an alias of ann@, typo@ is caught by her."""
        if address.local == "sales":
            return Several((Forward(address, address), IntoMailbox(1, "ann@example.com")))
        if address.local == "typo":
            return IntoMailbox(1, "ann@example.com", caught=str(address))
        return Relay(address)

    def ok(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.successResultOf(ensureDeferred(coroutine))

    def refused(self, coroutine: Coroutine[Any, Any, Any], kind: type[Refusal]) -> Refusal:
        refusal = self.failureResultOf(ensureDeferred(coroutine), kind).value
        assert isinstance(refusal, Refusal)
        return refusal

    def change_account(self, **changes: Any) -> None:
        self.directory.all_accounts[1] = replace(self.directory.all_accounts[1], **changes)

    def change_domain(self, name: str = "example.com", **changes: Any) -> None:
        self.directory.all_domains[name] = replace(self.directory.all_domains[name], **changes)

    def test_too_much(self) -> None:
        """LIMITS: recipients elsewhere are counted by account, those here are not."""
        for _ in range(3):
            self.ok(self.gate.recipient(self.ann, self.mail, ELSEWHERE))
        self.refused(self.gate.recipient(self.ann, self.mail, ELSEWHERE), TooMany)
        self.ok(self.gate.recipient(self.ann, self.mail, IntoMailbox(1, "ann@example.com")))

    def test_held(self) -> None:
        """Beyond the limit and its burst mail is held, as long as there is room: in recipients, and in octets as the client tells them."""
        for _ in range(3):
            self.ok(self.gate.recipient(self.ann, self.mail, ELSEWHERE))
        for _ in range(PATIENCE):
            self.refused(self.gate.recipient(self.ann, self.mail, ELSEWHERE), TooMany)
        for already, fits in (((0, 0), True), ((1, 1500), True), ((2, 0), False), ((0, 1501), False)):
            self.already_held = already
            asked = self.gate.recipient(self.ann, self.mail, ELSEWHERE)
            if fits:
                self.assertTrue(self.ok(asked).held)
            else:
                refusal = self.refused(asked, TooMany)
                self.assertEqual((refusal.code, refusal.enhanced), (452, "4.7.1"))

    def test_vouched(self) -> None:
        """Somebody answers for who has logged in or checked mail, where that counts (C2, C5); nobody for a stranger."""
        self.assertFalse(self.ok(self.gate.vouched(self.stranger)))
        self.assertTrue(self.ok(self.gate.vouched(self.ann)))
        self.grants.grants.append(Grant(IP, 1, "ann@example.com", 2e9))
        self.assertTrue(self.ok(self.gate.vouched(self.stranger)))
        self.gate = self.make(pop_before_smtp=False)
        self.assertFalse(self.ok(self.gate.vouched(self.stranger)))

    def test_sender(self) -> None:
        """Anybody may name any sender (C7)."""
        self.ok(self.gate.sender(self.stranger, Envelope(Address.parse("ann@example.com"))))
        self.ok(self.gate.sender(self.ann, Envelope(Address.parse("bob@other.example"))))

    def test_sender_size(self) -> None:
        """MAIL SIZE= over the limit is refused at once (D3)."""
        self.refused(self.gate.sender(self.stranger, Envelope(None, size=5001)), MessageTooBig)

    def test_suspended_sender(self) -> None:
        """A suspended account hears so at MAIL (A9)."""
        self.change_account(outgoing_suspended=True)
        self.refused(self.gate.sender(self.ann, self.mail), SendingSuspended)

    def test_sender_must_match(self) -> None:
        """A strict domain's users must use their own address, by login and by grant (C7)."""
        self.change_domain(must_match_sender=True)
        forged = Envelope(Address.parse("boss@example.com"))
        self.refused(self.gate.sender(self.ann, forged), Refusal)
        self.ok(self.grants.grant(IP, 1, "ann@example.com"))
        self.refused(self.gate.recipient(self.stranger, forged, ELSEWHERE), Refusal)

    def test_aliases_are_ones_own(self) -> None:
        """An alias of the mailbox is an own address of its user; a name that only the catch-all gives him is not (C7, E1)."""
        self.change_domain(must_match_sender=True)
        self.ok(self.gate.sender(self.ann, Envelope(Address.parse("sales@example.com"))))
        self.refused(self.gate.sender(self.ann, Envelope(Address.parse("typo@example.com"))), Refusal)
        self.ok(self.gate.sender(self.ann, Envelope(None)))

    def test_several_ends(self) -> None:
        """One end that takes the message is enough; if none does, what may pass is said before what will not (D4)."""
        full = IntoMailbox(99, "gone@example.com")
        here, away = (
            IntoMailbox(1, "ann@example.com"),
            Forward(Address("x", "far.example"), Address("a", "example.com")),
        )
        for end in (here, away):
            self.assertIsNone(self.ok(self.gate.recipient(self.stranger, self.mail, Several((full, end)))).responsible)
        self.ok(self.gate.recipient(self.stranger, self.mail, Discard("typo@example.com")))
        for_now = Refuse(TemporaryFailure())
        self.refused(self.gate.recipient(self.stranger, self.mail, Several((full, for_now))), TemporaryFailure)
        self.refused(self.gate.recipient(self.stranger, self.mail, Several((full, full))), NoSuchRecipient)

    def test_refuse(self) -> None:
        """What routing refuses is refused in its words."""
        self.refused(self.gate.recipient(self.ann, self.mail, Refuse(RecipientSuspended())), RecipientSuspended)

    def test_stranger_may_not_relay(self) -> None:
        """The server never relays for strangers, nor for what has no IP address (C1)."""
        self.refused(self.gate.recipient(self.stranger, self.mail, ELSEWHERE), RelayingProhibited)
        self.refused(self.gate.recipient(Peer("", "smtp"), self.mail, ELSEWHERE), RelayingProhibited)

    def test_login_may_relay(self) -> None:
        """AUTH always works (C5)."""
        self.gate = self.make(pop_before_smtp=False)
        self.assertEqual(self.ok(self.gate.recipient(self.ann, self.mail, ELSEWHERE)).responsible.how, "auth")

    def test_grant_may_relay(self) -> None:
        """A client that has checked its mail may relay, in the account's name (C2, C4)."""
        self.ok(self.grants.grant(IP, 1, "ann@example.com"))
        who = self.ok(self.gate.recipient(self.stranger, self.mail, ELSEWHERE)).responsible
        self.assertEqual((who.account_id, who.login, who.how), (1, "ann@example.com", "grant"))
        self.gate = self.make(pop_before_smtp=False)
        self.refused(self.gate.recipient(self.stranger, self.mail, ELSEWHERE), RelayingProhibited)

    def test_second_grant(self) -> None:
        """A grant of a domain that has POP before SMTP off does not spoil another account's (C5, C6)."""
        self.change_domain("closed.example", pop_before_smtp=False)
        self.grants.grants = [Grant(IP, 2, "eve@closed.example", 9000.0)]
        self.refused(self.gate.recipient(self.stranger, self.mail, ELSEWHERE), RelayingProhibited)
        self.grants.grants.append(Grant(IP, 1, "ann@example.com", 8000.0))
        self.assertEqual(self.ok(self.gate.recipient(self.stranger, self.mail, ELSEWHERE)).responsible.account_id, 1)

    def test_room(self) -> None:
        """The room of the mailbox a recipient leads to is what counts (D4)."""
        into = IntoMailbox(1, "ann@example.com")
        self.assertIsNone(self.ok(self.gate.recipient(self.stranger, self.mail, into)).responsible)
        self.store.rooms[1] = Room(Usage(1, 1), 1000, None, 999)
        self.refused(self.gate.recipient(self.stranger, self.mail, into), OverQuota)

    def test_account_removed_meanwhile(self) -> None:
        """An account that has just been removed is unknown."""
        self.refused(self.gate.recipient(self.stranger, self.mail, IntoMailbox(99, "x@example.com")), NoSuchRecipient)
