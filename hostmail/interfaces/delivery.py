"""What an SMTP session asks for: may he, where to, and take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import Attribute, Interface

from hostmail.address import Address
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import Refusal


class ITransaction(Interface):
    """One message after DATA or BDAT: begin / write / commit | abort."""

    queue_id: str = Attribute("its id in logs, trace fields and replies")  # type: ignore[assignment]

    congested: bool = Attribute("the disk cannot keep up: await `drained()` before the next `write`")  # type: ignore[assignment]

    def write(chunk: bytes) -> None:
        """More octets, dots removed, CRLF line ends."""

    async def drained() -> None:
        """What was written is on its way to the disk."""

    async def commit() -> None:
        """On disk and synced for every recipient, or a Refusal; only now 250."""

    def abort(why: Refusal | None = None) -> None:
        """Forget it; `why` is what the client is told, BrokenOff if he does not hear it, None if the history knows it already."""


class IIntake(Interface):
    """What the SMTP session asks: may he, where to, and take it."""

    async def sender(peer: Peer, envelope: Envelope) -> None:
        """Judge MAIL FROM; raises a Refusal (SendingSuspended, MessageTooBig...)."""

    async def vouched(peer: Peer) -> bool:
        """Whether somebody we know answers for this client: by a login, or by a relay grant that counts (C2, C5)."""

    async def recipient(peer: Peer, envelope: Envelope, recipient: Recipient) -> Any:
        """Decide about one RCPT TO: a `decisions.Decision` that is not Refuse; raises its Refusal otherwise."""

    def turned_away(peer: Peer, sender: str, recipient: str, refusal: Refusal) -> None:
        """What the session refuses by itself, for the history: a recipient, or a sender where that is "".

        Both are as the client wrote them, and need not be addresses.
        """

    def begin(peer: Peer, envelope: Envelope, decisions: Sequence[tuple[Recipient, Any]]) -> Any:
        """An ITransaction for the recipients accepted."""


class ISenderRewriting(Interface):
    """Reverse-paths of our own for mail that is sent on, and back (SRS)."""

    async def rewrite(sender: Address, forwarder: Address) -> Address:
        """Under which reverse-path `forwarder`, an address here, sends on mail of `sender`; raises TemporaryFailure."""

    async def original(address: Address) -> Address | None:
        """The sender behind such a reverse-path, None if it is none; raises NoSuchRecipient if it is forged or expired."""
