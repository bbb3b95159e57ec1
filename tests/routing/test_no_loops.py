"""The directory refuses loops by following addresses itself; routing must never meet one that it let pass (E1)."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hostmail.address import Address
from hostmail.decisions import Decision, Discard, Refuse, Relay, targets_of
from hostmail.errors import NoSuchRecipient, Refusal
from hostmail.routing.router import Router
from tests.directory.support import HASH, DirectoryTestCase

LOCALS = ("ann", "bea", "x", "y", "z", "ann+t", "x+t")
ADDRESSES = [f"{local}@{domain}" for local in LOCALS for domain in ("example.com", "two.example", "alias.example")]
addresses = st.sampled_from(ADDRESSES)
changes = st.one_of(
    st.tuples(st.just("alias"), addresses, st.lists(addresses, min_size=1, max_size=3)),
    st.tuples(st.just("forward"), addresses, st.lists(addresses, min_size=1, max_size=2)),
    st.tuples(st.just("catch"), st.sampled_from(("example.com", "two.example")), addresses),
)


class NoLoopTests(DirectoryTestCase):
    """Two domains with two accounts each, and one that stands for the first."""

    def world(self) -> Router:
        super().setUp()
        self.get(self.changes.add_domain("two.example"))
        for local in ("ann", "bea"):
            for domain in ("example.com", "two.example"):
                self.get(self.changes.add_account(f"{local}@{domain}", password_hash=HASH))
        self.get(self.changes.add_domain_alias("alias.example", "example.com"))
        return Router(self.directory, hostname="mail.example.net")

    async def try_to(self, kind: str, subject: str, further: Any) -> None:
        """Change it, unless that is refused."""
        with contextlib.suppress(Refusal):
            if kind == "catch":
                await self.changes.set_domain(subject, catch_all=further)
            else:
                await self.changes.add_targets(subject, further, forward=kind == "forward")

    def decide(self, router: Router, text: str) -> Decision:
        return self.get(router.decide(Address.parse(text)))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(changes, max_size=12))
    def test_whatever_is_accepted_leads_somewhere(self, wanted: list[tuple[str, str, Any]]) -> None:
        """After any changes, of which some are refused, each address ends in mailboxes or is unknown: none goes round or too far."""
        router = self.world()
        for change in wanted:
            self.get(self.try_to(*change))
        for text in ADDRESSES:
            for end in targets_of(self.decide(router, text)):
                self.assertNotIsInstance(end, Relay | Discard)
                if isinstance(end, Refuse):
                    self.assertIsInstance(end.refusal, NoSuchRecipient)
