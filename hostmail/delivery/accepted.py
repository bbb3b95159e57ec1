"""Decisions as the intake hands them to the session: with who answers for the message, for trace fields and the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hostmail.address import Address
from hostmail.decisions import Decision, IntoMailbox, Relay
from hostmail.envelope import Envelope, Peer


class Responsible(Protocol):
    """Who answers for a message (C4): `how` is "auth" or "grant"."""

    @property
    def account_id(self) -> int: ...

    @property
    def login(self) -> str: ...

    @property
    def how(self) -> str: ...


class Router(Protocol):
    """Where an address leads at present."""

    async def decide(self, recipient: Address, local_ip: str = "") -> Decision: ...


class Gate(Protocol):
    """The rules; every no is a Refusal."""

    async def sender(self, peer: Peer, envelope: Envelope) -> None: ...

    async def recipient(self, peer: Peer, envelope: Envelope, decision: Decision) -> Responsible | None: ...

    async def vouched(self, peer: Peer) -> bool: ...

    def too_many_hops(self, received: int) -> None: ...

    def been_here(self, delivered_to: frozenset[str], mailbox: str) -> None: ...


@dataclass(frozen=True, slots=True)
class AcceptedMailbox(IntoMailbox):
    """`IntoMailbox` that passed the rules; strangers' mail has nobody responsible."""

    responsible: Responsible | None = None


@dataclass(frozen=True, slots=True)
class AcceptedRelay(Relay):
    """`Relay` that somebody may have: `responsible` answers for it."""

    responsible: Responsible | None = None


def accept(decision: Decision, responsible: Responsible | None) -> AcceptedMailbox | AcceptedRelay:
    """Mark a decision as judged."""
    if isinstance(decision, IntoMailbox):
        return AcceptedMailbox(decision.account_id, decision.delivered_to, decision.folder, responsible)
    if isinstance(decision, Relay):
        return AcceptedRelay(decision.address, responsible)
    raise TypeError(f"cannot be carried out: {decision!r}")
