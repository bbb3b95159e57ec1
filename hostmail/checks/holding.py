"""How much mail of one account may be held: what nobody has looked at yet must not fill the disk (LIMITS, Relaying and sending)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hostmail.errors import TooMany


class HeldRoom:
    """Room for mail beyond an account's sending limits: so many recipients and octets at once, until somebody has decided about them.

    `held(account_id)` tells how many recipients and octets there are at present.
    """

    def __init__(self, *, held: Callable[[int], Awaitable[tuple[int, int]]], recipients: int, octets: int) -> None:
        self._held = held
        self._recipients = recipients
        self._octets = octets

    async def check(self, account_id: int, recipients: int, octets: int) -> None:
        """Raises TooMany if so much more is too much."""
        held_recipients, held_octets = await self._held(account_id)
        if held_recipients + recipients > self._recipients or held_octets + octets > self._octets:
            words = "so much of your mail is held here that no more is taken: please ask your provider"
            raise TooMany(words, "held mail", code=452, enhanced="4.7.1")
