"""What operators look at and ask for: verbs, sessions, the audit log, certificates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zope.interface import Interface

from hostmail.actor import Actor
from hostmail.envelope import Peer
from hostmail.interfaces.threads import InThread


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """A certificate in its file. `server_name` is the name that clients ask for to get it, "" for the one that all others get.

    Times are Unix time. `problem` says why it cannot be used; then the rest may be empty.
    """

    server_name: str
    file: str
    names: tuple[str, ...] = ()
    issuer: str = ""
    valid_from: float = 0.0
    valid_until: float = 0.0
    self_signed: bool = False
    problem: str = ""


ListCertificates = Callable[[InThread], Awaitable[Sequence[CertificateInfo]]]
"""All certificates there are, read anew in a thread: the one for everybody first, then by server name. Raises TemporaryFailure."""


@dataclass(slots=True)
class SessionInfo:
    """One open session, for `session list` (D10, F4)."""

    id: int
    peer: Peer
    since: float
    kick: Callable[[str], None]
    state: dict[str, Any] = field(default_factory=dict)


class ISessions(Interface):
    """All open sessions of this process, with the limits on their number (LIMITS.md, Connections)."""

    def admit(peer: Peer, kick: Callable[[str], None]) -> SessionInfo:
        """Count a new session in; raises TooMany (50 unauthenticated per address, 10,000 in all)."""

    def logged_in(session: SessionInfo) -> None:
        """`session.peer` has an account now; raises TooMany over 50 per account and address."""

    def leave(session: SessionInfo) -> None:
        """It is over; twice is fine."""

    def all() -> Iterable[SessionInfo]:
        """Every open session."""

    def kick(words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        """Disconnect by account, by id, or all; how many."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody wanted to change. `at` is Unix time; `login`, `role`, `way` and `ip` are those of an `Actor`.

    `arguments` are JSON without what is secret in them. `outcome` is "done", why it was refused, or "begun" where nothing is known of it.
    """

    at: float
    login: str
    role: str
    way: str
    ip: str
    verb: str
    subject: str
    arguments: str
    outcome: str = "begun"
    number: int = 0


class IAudit(Interface):
    """Who changed what."""

    async def begin(entry: AuditEntry) -> int:
        """Its number, once it is on the disk; raises TemporaryFailure: what cannot be written down is not to be done."""

    async def end(number: int, outcome: str) -> None:
        """What became of it; never raises."""

    async def find(since: float, by: str, about: str, most: int, before: int | None = None) -> list[AuditEntry]:
        """Entries of a login, whose subject holds a text, each of them "" for any; the newest first, of those with numbers `before` one.

        Raises TemporaryFailure.
        """


class IAdmin(Interface):
    """What the `hostmail` command, the control socket, the panel and the API ask for. Arguments and answers are JSON values."""

    async def call(verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """Carry out `verb` (e.g. "account.add") for `actor`, if he may; raises Refusal."""
