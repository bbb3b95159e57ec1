"""Facts: which way mail of a domain or an account leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from zope.interface import Interface


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A host that takes mail and sends it on. `tls` is opportunistic, required, or verified (with a certificate for `host`).

    The password is kept as it is, for it has to be said there; nobody is shown it.
    """

    host: str
    port: int
    tls: str
    login: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WayOut:
    """How mail of an account or a domain leaves (C9), where that was laid down.

    `sources` are the addresses, at most one IPv4 and one IPv6, that mail comes from which goes to its destination's own hosts. `direct`
    mail goes to those whatever smarthost there is for others.
    """

    smarthost: Smarthost | None = None
    sources: tuple[str, ...] = ()
    direct: bool = False


class IWaysOut(Interface):
    """The ways that mail of some accounts and domains takes, through caches that change events drop."""

    async def of_account(account_id: int) -> WayOut:
        """What was laid down for an account."""

    async def of_domain(name: str) -> WayOut:
        """What was laid down for a hosted domain, its name as stored."""

    async def any() -> bool:
        """Whether anything was laid down at all."""
