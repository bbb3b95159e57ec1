"""Who signs in to mail: passwords, attempts, guessing, relay grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twisted.cred.credentials import IUsernamePassword
from zope.interface import Interface, implementer

from hostmail.envelope import Peer
from hostmail.errors import Refusal


@implementer(IUsernamePassword)
class PasswordLogin:
    """Login and password as the peer gave them, with the session that asks. `authzid` (RFC 4616) must be empty or the login.

    One that the session has to refuse, whoever it is, brings the `refusal`: it is what the portal answers, once it is written down.
    """

    def __init__(
        self, username: str, password: str, peer: Peer, authzid: str = "", refusal: Refusal | None = None
    ) -> None:
        self.username = username
        self.password = password
        self.peer = peer
        self.authzid = authzid
        self.refusal = refusal

    def checkPassword(self, password: bytes) -> bool:
        """For stock checkers; ours compares hashes instead."""
        return bool(self.password.encode() == password)


@dataclass(frozen=True, slots=True)
class Throttled:
    """A client (an IPv4 address or an IPv6 /64) with failed logins, as a number that fades by the hour; `until` 0: it is not refused.

    Times are Unix time.
    """

    client: str
    failures: float
    last: float
    until: float


class IThrottle(Interface):
    """Guessing is slowed (A8): what of it people may see and change."""

    def throttled(most: int) -> list[Throttled]:
        """Clients that have failed lately, those that are refused first, then by their failures. Raises TemporaryFailure."""

    def forgive(ip: str) -> bool:
        """Begin anew with the client that has this address; False if nothing was known of it. Raises TemporaryFailure."""


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """Attempts to sign in that were alike. Times are Unix time, of the first and the latest of `count`.

    `refused` is why in a few words, "" for a good one. `account_id` is whose login it is, or is meant to be; 0 if there is none such, and
    for operators and owners with a login of their own minus their number.
    """

    account_id: int
    login: str
    refused: str
    protocol: str
    ip: str
    tls: bool
    first: float
    last: float
    count: int = 1


class ILoginAttempts(Interface):
    """The last attempts to sign in, with plain reasons, for those who may see them (F4)."""

    def tell(account_id: int, login: str, refused: str, peer: Peer) -> None:
        """One attempt more; never raises, never waits."""

    async def of_account(account_id: int, most: int = 100) -> list[LoginAttempt]:
        """The newest first; account 0 has what was no account's login. Raises TemporaryFailure."""

    async def last_checks(account_ids: Sequence[int]) -> dict[int, LoginAttempt]:
        """When each account's mail was checked last, by POP3, IMAP or webmail, if it was; raises TemporaryFailure."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An address that may relay until `until` (seconds, Unix time), and the account that opened it (C2-C4). Operator's: account_id 0."""

    ip: str
    account_id: int
    login: str
    until: float


class IRelayGrants(Interface):
    """POP before SMTP. Seen by all processes before `grant` returns (C3); survives a restart; per entry expiry."""

    async def grant(ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        """Open or renew; None is the configured window."""

    async def find(ip: str) -> Grant | None:
        """The live grant for exactly this address that ends last."""

    async def list() -> list[Grant]:
        """All live grants."""

    async def revoke(ip: str | None = None, account_id: int | None = None) -> int:
        """Close by address, by account, or all; how many."""


class IPasswords(Interface):
    """Hashing in threads."""

    async def hash(password: str) -> str:
        """`{ARGON2ID}...` for storing; raises Overloaded when the queue is full."""

    async def verify(stored: str, password: str) -> bool:
        """True if it matches; any supported `{SCHEME}`. An empty `stored` costs the same time and is False."""

    def needs_upgrade(stored: str) -> bool:
        """True for every hash but our own at present strength (A7)."""

    def check_strength(password: str, login: str) -> None:
        """Raises BadValue with what is wrong (A6)."""

    def check_scheme(stored: str) -> None:
        """Raises BadValue unless `{SCHEME}hash` is one that `verify` understands."""
