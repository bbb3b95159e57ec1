"""What sending asks of others: the DNS, who we are ourselves, and which way a message goes. Given as constructor arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostmail.interfaces.queue import Queued
from hostmail.relay.smarthost import SmarthostSettings


@dataclass(frozen=True, slots=True)
class Exchange:
    """One MX record: the lower its preference, the better. `host` is lower case and without the final dot; empty for the root."""

    preference: int
    host: str


class Dns(Protocol):
    """Answers from the DNS. A name that does not exist raises NoSuchDomain, a DNS in trouble DnsFailure; no data is an empty answer."""

    async def exchanges(self, domain: str) -> Sequence[Exchange]:
        """The MX records of `domain`, in the order they came."""

    async def addresses(self, host: str) -> Sequence[str]:
        """The IPv6 and IPv4 addresses of `host`, in canonical spelling."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way out: through `smarthost`, or where the recipient's domain says (its MX records).

    `sources` are our own addresses to connect from, at most one IPv4 and one IPv6; with one alone only that family is used, and with
    none the system chooses. `owner` is the account or domain whose smarthost it is, "" for that of all others. `everybodys` is True where
    nobody has another way.
    """

    smarthost: SmarthostSettings | None = None
    sources: tuple[str, ...] = ()
    owner: str = ""
    everybodys: bool = True

    def destination(self, domain: str) -> str:
        """What mail for `domain` has in common with other mail that succeeds and fails together with it.

        The domain alone is the name of all mail that goes there. A wrong password of one owner is nothing to others.
        """
        if self.smarthost is not None:
            return " of ".join(filter(None, [self.smarthost.name, self.owner]))
        return domain if self.everybodys else " from ".join([domain, *(self.sources or ["here"])])


Routes = Callable[[Queued], Awaitable[Route | None]]
"""The way of a queued message, by its account and sender; None if there is none at present."""

Above = Callable[[str], Awaitable[bytes]]
"""Header fields for the copies of a message that leave under a reverse-path, which goes to nobody else; mostly none."""

Silenced = Callable[[Queued], Awaitable[str]]
"""The account or domain of a queued message that may send nothing at present, "" for none."""
