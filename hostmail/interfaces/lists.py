"""Facts: mailing lists and who is on them (E3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zope.interface import Interface

from hostmail.address import Address
from hostmail.errors import Refusal
from hostmail.interfaces.queue import Queued


class MayPost(StrEnum):
    """Whose posts a mailing list takes without asking its owners, who may post themselves in any case."""

    MEMBERS = "members"
    ANYONE = "anyone"
    OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class MailingList:
    """A mailing list (E3). `owners` get what concerns it, and decide about posts that are held. Posts over `size_bytes` are refused.

    With `tell_held` people hear that their post is held, where that is safe.
    """

    id: int
    address: str
    domain: str
    owners: tuple[Address, ...]
    description: str = ""
    post: MayPost = MayPost.MEMBERS
    size_bytes: int = 1024 * 1024
    tell_held: bool = True

    @property
    def parsed(self) -> Address:
        """Its address."""
        return Address.parse(self.address)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on a mailing list; not `active` is who was dropped since mail to him came back on too many days (`bounces`).

    Times are Unix time.
    """

    number: int
    address: str
    active: bool
    bounces: int
    last_bounce: float | None
    joined: float


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post that waits for its list's owners: who wrote it (`author`) and who sent it, as they say; "" where they do not.

    Times are Unix time: it is given up at `until`.
    """

    queue_id: str
    sender: str
    author: str
    subject: str
    size: int
    since: float
    until: float
    why_held: str


class IHeldPosts(Interface):
    """Posts that wait for the owners of their lists, and what becomes of those. Each is decided once, whoever decides at the same time.

    `who` decides is told to the history. What does not wait, or not any more, or for another list, raises NotFound.
    """

    async def waiting(address: Address | None = None) -> Sequence[Queued]:
        """Those of one list or of all, oldest first; not what the operator holds."""

    async def posts(address: Address) -> list[HeldPost]:
        """Those of one list, oldest first, as owners see them."""

    async def approve(found: MailingList, queue_id: str, who: str) -> None:
        """Let one go to the members."""

    async def reject(found: MailingList, queue_id: str, who: str) -> Address | None:
        """End one without that; to whom it goes back, None where nobody is told. Raises a Refusal when he cannot be told now."""


class IListMembers(Interface):
    """Who is on mailing lists, over all processes. Nothing is cached; each change is durable when it returns."""

    async def members(list_id: int) -> list[Member]:
        """All, by address."""

    async def counts(list_id: int) -> tuple[int, int]:
        """How many get mail, and how many were dropped."""

    async def member(list_id: int, address: Address) -> Member | None:
        """The one with this address, any case."""

    async def add(list_id: int, address: Address) -> bool:
        """Put somebody on it, or back; False if he is on it already. Raises BadValue, TooMany, NotFound."""

    async def add_all(list_id: int, addresses: Sequence[Address]) -> list[bool | Refusal]:
        """`add` for each of them, with its answer, in one step."""

    async def remove(list_id: int, address: Address) -> bool:
        """Take somebody off; False if he was not on it."""

    async def leave(list_id: int, number: int) -> Member | None:
        """Take off the member of this number; who it was, None if he is gone already."""

    async def bounced(list_id: int, number: int) -> tuple[Member, bool] | None:
        """Count a day on which mail could not be delivered to a member, and whether that dropped him; None if nothing was to count."""

    async def ask(list_id: int, address: Address, action: str) -> bool:
        """True for one caller a day: this address may be asked whether it means that."""

    async def not_asked(list_id: int, address: Address, action: str) -> None:
        """The question could not be sent."""

    async def secret() -> bytes:
        """What signs the addresses that lists give away."""


class IOneClick(Interface):
    """Leaving mailing lists with one click (RFC 8058): links that only we can make, each for one member. All raise TemporaryFailure."""

    async def fields(sender: str) -> bytes:
        """How to leave, as header fields above a member's copy, which is known by its reverse-path; none above other mail."""

    async def list_of(address: str, token: str) -> MailingList | None:
        """The list that a link is about, whether or not the member is on it any more; None for a link that is none of ours."""

    async def leave(address: str, token: str, ip: str) -> MailingList | None:
        """Follow a link: the member is off his list, now or already. None for a link that is none of ours."""
