"""What the intake needs of others, and decisions as it hands them to the session: with who answers for the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hostmail.address import Address
from hostmail.decisions import Decision
from hostmail.envelope import Envelope, Peer


class Responsible(Protocol):
    """Who answers for a message (C4): `how` is "auth" or "grant"."""

    @property
    def account_id(self) -> int: ...

    @property
    def login(self) -> str: ...

    @property
    def how(self) -> str: ...

    @property
    def domain(self) -> str: ...


class Permit(Protocol):
    """A yes: who answers for the message, and whether it is to be held."""

    @property
    def responsible(self) -> Responsible | None: ...

    @property
    def held(self) -> bool: ...


class Router(Protocol):
    """Where an address leads at present."""

    async def decide(self, recipient: Address, local_ip: str = "") -> Decision: ...


class Gate(Protocol):
    """The rules; every no is a Refusal."""

    async def sender(self, peer: Peer, envelope: Envelope) -> None: ...

    async def recipient(self, peer: Peer, envelope: Envelope, decision: Decision) -> Permit: ...

    async def vouched(self, peer: Peer) -> bool: ...

    async def may_hold(self, account_id: int, recipients: int, octets: int) -> None: ...

    def too_many_hops(self, received: int) -> None: ...

    def been_here(self, delivered_to: frozenset[str], mailbox: str) -> None: ...


@dataclass(slots=True)
class Accepted:
    """A decision that passed the rules, and who answers for the message: nobody for strangers' mail to us. `held` keeps it in the queue."""

    decision: Decision
    responsible: Responsible | None = None
    held: bool = False
