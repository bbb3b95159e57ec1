"""Facts: what accounts answer by themselves, and whom they have answered (E4)."""

from __future__ import annotations

from dataclasses import dataclass

from zope.interface import Interface

from hostmail.address import Address


@dataclass(frozen=True, slots=True)
class Autoresponder:
    """What an account answers with (E4), from `starts` until `until` (Unix time, None for no limit), each sender once in `every` seconds.

    Without a `subject` the answer has the one of the message.
    """

    account_id: int
    subject: str
    text: str
    starts: float | None = None
    until: float | None = None
    every: float = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody who was answered: when last, and how often."""

    sender: str
    at: float
    count: int


class IAnswered(Interface):
    """Whom autoresponders have answered, over all processes."""

    async def claim(account_id: int, sender: Address, every: float) -> bool:
        """True for one caller: this sender is answered now, and not again for `every` seconds. Raises TemporaryFailure."""

    async def give_back(account_id: int, sender: Address) -> None:
        """The answer could not be sent."""

    async def answers(account_id: int) -> list[Answer]:
        """Who was answered, the last one first."""
