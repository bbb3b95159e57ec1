"""Mail that waits to be sent on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zope.interface import Interface

from hostmail.address import Address
from hostmail.envelope import Envelope, Recipient


@dataclass(slots=True)
class Queued:
    """One recipient of one queued message. Times are Unix time. `state`: waiting, held, sending.

    `addressed` is the address that the sender named, where routing has led that to `recipient`, a mailbox here. `for_domain` is the
    hosted domain whose affair the message is: its accounts', forwards', lists', or a report about mail of those; "" for a stranger's.
    `octets` are those of the file at `path`, where they are at hand.
    """

    id: int
    queue_id: str
    sender: str
    recipient: str
    path: str
    size: int
    account_id: int | None
    created: float
    next_attempt: float
    attempts: int = 0
    last_answer: str = ""
    state: str = "waiting"
    notify: str = ""
    orcpt: str = ""
    ret: str = ""
    envid: str = ""
    body: str = "7BIT"
    smtputf8: bool = False
    addressed: str = ""
    for_domain: str = ""
    octets: bytes | None = None

    @property
    def reverse_path(self) -> Address | None:
        """The sender; None is the null sender."""
        return Address.parse(self.sender) if self.sender else None

    @property
    def wishes(self) -> tuple[str, ...]:
        """The words of NOTIFY."""
        return tuple(self.notify.split(",")) if self.notify else ()


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What waits for one destination domain: recipients, Unix time of the oldest, how many are being sent, and one of the last answers."""

    domain: str
    recipients: int
    oldest: float
    sending: int
    answer: str


@dataclass(frozen=True, slots=True)
class QueueStats:
    """The queue in numbers. `octets` counts each message once, `states` recipients by state; the fullest destinations come first."""

    messages: int
    octets: int
    oldest: float | None
    states: Mapping[str, int]
    destinations: Sequence[WaitingFor]


Changed = Callable[[Sequence[tuple[str, str]]], None]
"""Hears queue id and recipient of some that were changed, after each step of many."""


Owner = tuple[int, str]
"""Whose mail it is: the account's number, 0 for none, and the hosted domain, "" for none."""


class IQueue(Interface):
    """Mail that waits: a spool file and one row per recipient.

    What changes many does so in steps, between which others write; one that is interrupted has done the steps so far.
    """

    async def prepare(
        queue_id: str,
        spooled: Any,
        envelope: Envelope,
        recipients: Sequence[Recipient],
        account_id: int | None,
        mark: bytes = b"",
        for_domain: str = "",
    ) -> Any:
        """File linked and synced; an object with `async stand_by(*others)`, `async commit(*others, also=())` and `async abort()`.

        Those that are committed together are live in one step, or none is; `also` are further recipients. What stands by has its rows
        written and synced already, so that nothing is likely to be in the way of its commit; nobody sees them before.
        """

    async def list(pattern: str = "", most: int | None = None) -> list[Queued]:
        """Rows that fit `pattern`: words that must all fit, such as `to:@example.com` or part of a queue id; raises BadValue."""

    async def stats(pattern: str = "") -> QueueStats:
        """The same in numbers."""

    async def content(queue_id: str) -> bytes:
        """A whole message; raises NotFound."""

    async def retry(pattern: str) -> int:
        """Make waiting ones due now; how many."""

    async def hold(pattern: str, changed: Changed = ...) -> int:
        """Keep waiting ones until they are released; how many."""

    async def held(account_id: int) -> tuple[int, int]:
        """How many recipients of an account's mail are held, and how many octets; each message counts once."""

    async def owners(pattern: str) -> Sequence[Owner]:
        """Whose those are that are held and fit."""

    async def release(pattern: str, changed: Changed = ..., kept: Sequence[Owner] = ()) -> int:
        """Make held ones due now, but for those of `kept`; how many."""

    async def bounce(pattern: str, changed: Changed = ...) -> int:
        """Return waiting and held ones to their senders; how many."""

    async def delete(pattern: str, changed: Changed = ...) -> int:
        """Drop them without a bounce; how many."""

    async def count() -> int:
        """Recipients waiting."""
