"""What the queue's runner asks of others: routing, delivery, sending, reporting. Given as constructor arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostmail.address import Address
from hostmail.decisions import Decision, ForList, Forward, IntoMailbox
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import Refusal
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued


@dataclass(slots=True)
class QueuedRow(Queued):
    """A row with what only the queue itself needs.

    Which message and file it belongs to, whether a delay was told, whether an operator ordered it back to its sender, and what
    `envelope.Recipient` says of one that is `routed`. `way` is the `Sender.destination` that it was last found to have, its domain before.
    """

    message_id: int = 0
    file: str = ""
    prefix_length: int = 0
    warned: bool = False
    returned: bool = False
    routed: bool = False
    caught: str = ""
    way: str = ""


class Sent(Protocol):
    """One recipient's result: `refusal` None if the next host took it; `dsn` if it also took over what NOTIFY asks for.

    `unreachable`: nobody could be talked to there, so that other mail need not be tried just now. `crowded`: nobody was asked, for mail
    of other destinations has all the connections that its host gets.
    """

    @property
    def refusal(self) -> Refusal | None: ...

    @property
    def answer(self) -> str: ...

    @property
    def dsn(self) -> bool: ...

    @property
    def unreachable(self) -> bool: ...

    @property
    def crowded(self) -> bool: ...


class Sender(Protocol):
    """Sends mail on to other hosts."""

    async def destination(self, row: Queued) -> str | None:
        """Rows with equal answers may share a message's transmission; connections are limited for each.

        None: there is no way out at present. Where all mail for a domain goes there, and no other, its name is that domain. Raises
        SendingSuspended for mail of those who may send nothing at present.
        """

    async def send(self, rows: Sequence[Queued]) -> Sequence[Sent]:
        """Send one message to recipients of one destination; a result for each, in order. Trouble is a result, not raised."""

    def abort(self) -> None:
        """End what is under way soon: each `send` has its results then."""


class Taker(Protocol):
    """Works on new mail as soon as it is safe, without anybody looking for it in the tables first."""

    def lease_until(self, coming: int) -> float:
        """Until when (Unix time) it leases rows, so many of which are on their way; 0 if they have to wait for their turn."""

    def begin(self, rows: Sequence[QueuedRow]) -> None:
        """They are safe, and leased to it."""


class Decide(Protocol):
    """Routes a recipient, or where it is `routed` says whether that mailbox still takes mail."""

    def __call__(self, recipient: Address, *, routed: bool) -> Awaitable[Decision]: ...


class Leaving(Protocol):
    """A message as somebody here forwards it: `mark` goes before the trace fields, `content` is instead of it.

    One that is made `anew` is not as old as the message it comes from. `for_domain` is that of who sends it on.
    """

    @property
    def envelope(self) -> Envelope: ...

    @property
    def recipients(self) -> Sequence[Recipient]: ...

    @property
    def mark(self) -> bytes: ...

    @property
    def content(self) -> ISpoolFile | None: ...

    @property
    def anew(self) -> bool: ...

    @property
    def for_domain(self) -> str: ...


class Onward(Protocol):
    """Where a mailing list's mail goes: to further recipients as it is, and as new messages; with neither it is done with."""

    @property
    def recipients(self) -> Sequence[Recipient]: ...

    @property
    def leaving(self) -> Sequence[Leaving]: ...


SendOn = Callable[[ISpoolFile, Queued, Sequence[Forward]], Awaitable[Sequence[Leaving]]]
"""How a waiting message leaves by forwards that its recipient leads to by now; nothing for one that is not to be forwarded."""
TakeForList = Callable[[Queued, ISpoolFile, ForList], Awaitable[Onward]]
"""What a mailing list makes of mail to one of its addresses."""
Deliver = Callable[[ISpoolFile, Sequence[tuple[Queued, IntoMailbox]]], Awaitable[Sequence[Refusal | None]]]
Report = Callable[[Sequence[tuple[Queued, Refusal | None]], str, bytes, bool], Awaitable[None]]
"""Tells the sender of `action` (failed, delayed, delivered, relayed), with the message's header, or all of it if the last is true."""
