"""Who signs in to the panel and the API: operators, owners, second factors, tokens (F1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zope.interface import Interface

from hostmail.actor import Actor, Role
from hostmail.envelope import Peer


@dataclass(frozen=True, slots=True)
class Person:
    """An operator, or an owner of domains, with a login of his own, which has no @ (F1).

    Limits are an owner's, None for none: they count over all his domains. `quota_bytes` is what he may give to accounts.
    """

    id: int
    login: str
    role: Role
    suspended: bool = False
    max_accounts: int | None = None
    max_forwards: int | None = None
    max_lists: int | None = None
    quota_bytes: int | None = None
    created: float = 0.0
    domains: tuple[str, ...] = ()
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody who may sign in to the panel, as he stands now.

    `subject` and `stamp` are those of `Signed`. `password_hash` is a person's, or that of his account, with which he signs in for mail,
    too. `suspended` says why he may not sign in now.
    """

    subject: str
    login: str
    role: Role
    stamp: str
    person_id: int | None = None
    account_id: int | None = None
    address: str = ""
    domains: frozenset[str] = frozenset()
    suspended: str = ""
    second_factor: bool = False
    password_hash: str = field(default="", repr=False)


class IPeople(Interface):
    """Operators and owners, and everybody else who may sign in to the panel. Nothing is cached: each change counts at once.

    Unknown names raise NotFound, taken ones AlreadyExists, senseless values BadValue; all raise TemporaryFailure.
    """

    async def signing_in(login: str) -> Standing | None:
        """Who has this login: a person's, a domain's main login (A3), or the address of an account, all spelled exactly so (A2)."""

    async def standing(subject: str) -> Standing | None:
        """Who that is now, None if he is gone."""

    async def people(role: Role) -> list[Person]:
        """All operators, or all owners, by login."""

    async def person(login: str) -> Person:
        """The one with this login, in any case."""

    async def add(login: str, role: Role, *, password_hash: str, **limits: int | None) -> Person:
        """Somebody new."""

    async def set(login: str, **changes: Any) -> Person:
        """Change his limits, `suspended`, or `password_hash`, which ends what was opened with the one before."""

    async def remove(login: str) -> Person:
        """He has no login any more."""

    async def grant(login: str, domain: str) -> Person:
        """Let an owner manage a domain, too."""

    async def revoke(login: str, domain: str) -> Person:
        """Take it from him."""


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What makes somebody's codes (RFC 6238). `last_step` is the newest that a code was taken of; `codes` are recovery codes left."""

    number: int
    secret: bytes = field(repr=False)
    active: bool = False
    last_step: int = 0
    codes: int = 0


class ISecondFactors(Interface):
    """Second factors, by `Standing.subject`. Each claim is won by one caller only, over all processes."""

    async def factor(subject: str) -> SecondFactor | None:
        """His, in force or not yet."""

    async def begin(subject: str, secret: bytes) -> None:
        """A new one, not in force before it is confirmed; raises AlreadyExists if there is one in force."""

    async def confirm(subject: str, step: int, digests: Sequence[str]) -> bool:
        """Put it in force, with recovery codes; False if there is none to confirm."""

    async def new_codes(subject: str, digests: Sequence[str]) -> bool:
        """These recovery codes instead of those he had; False if none is in force."""

    async def remove(subject: str) -> bool:
        """He needs no code any more; False if he needed none."""

    async def may_try(subject: str) -> bool:
        """Count one attempt more to guess a code; False where there were too many lately."""

    async def claim_step(subject: str, step: int) -> bool:
        """A code of this step was right: True if none of it, and of no later one, was taken before. Attempts are forgotten."""

    async def claim_code(subject: str, digest: str) -> bool:
        """True if that is a recovery code of his, which is gone now. Attempts are forgotten."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody whose login and password were right.

    `subject` is a key for who he is, such as "person:3", "domain:4" or "account:17". `credential` is a stamp that any change of his
    password or second factor makes another one. With `needs_code` he is nobody before `ISignIn.check_code` has taken a code of his.
    """

    subject: str
    credential: str
    needs_code: bool = False


class ISignIn(Interface):
    """Who signs in to the panel: operators, owners, and by mail address and password mailbox users (A1, A3, F1)."""

    async def sign_in(login: str, password: str, peer: Peer) -> Signed:
        """Raises LoginFailed (`private` says why), Overloaded, TemporaryFailure, after the same delays as mail logins have (A8)."""

    async def check_code(subject: str, code: str, peer: Peer) -> None:
        """Take a code of the second factor, or a recovery code, each of them once; raises as `sign_in` does."""

    async def check_password(subject: str, password: str, peer: Peer) -> None:
        """That he knows his own password, before he may set another; raises as `sign_in` does."""

    async def begin_factor(subject: str) -> tuple[str, str]:
        """A new second factor, in force once it is confirmed: what makes its codes, as text and as an `otpauth:` URI.

        Raises AlreadyExists if there is one in force, NotFound for who can have none.
        """

    async def confirm_factor(subject: str, code: str) -> list[str]:
        """His recovery codes, now that he has shown a right code; raises BadValue, NotFound."""

    async def new_codes(subject: str) -> list[str]:
        """Recovery codes instead of those he had, which are worth nothing from now on; raises NotFound."""

    async def actor(subject: str, credential: str, way: str, ip: str) -> Actor | None:
        """Who that is now: to be asked at every request.

        None if he is gone or suspended, or his password or second factor has changed since he signed in.
        """

    async def credential(subject: str) -> str:
        """The stamp as it is now, "" for nobody: who has just changed his own password or second factor stays with it."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a program may do: what an operator may, an owner with `domains`, or a user with the mailbox `address`.

    `subject` is who made it, "" for the command, and `made_by` his login: it never opens more than he may himself. Times are Unix time.
    """

    id: int
    name: str
    role: Role
    subject: str
    made_by: str
    domains: tuple[str, ...] = ()
    address: str = ""
    read_only: bool = False
    created: float = 0.0
    expires: float | None = None
    last_used: float | None = None


class ITokens(Interface):
    """What programs show to the API instead of a login."""

    async def actor(token: str, ip: str) -> Actor | None:
        """Who that is now: to be asked at every request. None for a token that is unknown, revoked, or past its time."""

    async def add(
        name: str,
        role: Role,
        *,
        subject: str,
        made_by: str,
        domains: Sequence[str] = (),
        address: str = "",
        read_only: bool = False,
        expires: float | None = None,
    ) -> tuple[Token, str]:
        """A new one, and what the program has to show, which is kept nowhere. Raises BadValue, NotFound, TooMany."""

    async def tokens() -> list[Token]:
        """All, the newest first."""

    async def revoke(number: int) -> None:
        """It opens nothing any more; raises NotFound."""
