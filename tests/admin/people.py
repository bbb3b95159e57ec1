"""Who may sign in to the panel, in memory: just enough of each contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from hostmail.actor import Actor, Role
from hostmail.envelope import Peer
from hostmail.errors import AlreadyExists, LoginFailed, NotFound
from hostmail.interfaces.admin import AuditEntry, IAudit
from hostmail.interfaces.people import (
    IPeople,
    ISecondFactors,
    ISignIn,
    ITokens,
    Person,
    SecondFactor,
    Signed,
    Standing,
    Token,
)

RIGHT = "right"


@implementer(IPeople)
class FakePeople:
    """Persons by login; `others` are the standings of those who sign in without being one."""

    def __init__(self) -> None:
        self.known: dict[str, Person] = {}
        self.hashes: dict[str, str] = {}
        self.others: dict[str, Standing] = {}

    async def signing_in(self, login: str) -> Standing | None:
        person = self.known.get(login)
        if person is None:
            return self.others.get(login)
        return Standing(f"person:{person.id}", login, person.role, "0", person.id, domains=frozenset(person.domains))

    async def standing(self, subject: str) -> Standing | None:
        for login in [*self.known, *self.others]:
            found = await self.signing_in(login)
            if found is not None and found.subject == subject:
                return found
        return None

    async def people(self, role: Role) -> list[Person]:
        return [one for one in self.known.values() if one.role is role]

    async def person(self, login: str) -> Person:
        if login not in self.known:
            raise NotFound(f"there is no operator or owner {login}")
        return self.known[login]

    async def add(self, login: str, role: Role, *, password_hash: str, **limits: int | None) -> Person:
        if login in self.known:
            raise AlreadyExists(f"the login {login} is somebody else's already")
        more: dict[str, Any] = dict(limits)
        self.known[login] = Person(len(self.known) + 1, login, role, **more)
        self.hashes[login] = password_hash
        return self.known[login]

    async def set(self, login: str, **changes: Any) -> Person:
        if "password_hash" in changes:
            self.hashes[login] = changes.pop("password_hash")
        self.known[login] = dataclasses.replace(await self.person(login), **changes)
        return self.known[login]

    async def remove(self, login: str) -> Person:
        return self.known.pop(login)

    async def grant(self, login: str, domain: str) -> Person:
        return await self.set(login, domains=(*self.known[login].domains, domain))

    async def revoke(self, login: str, domain: str) -> Person:
        return await self.set(login, domains=tuple(one for one in self.known[login].domains if one != domain))


@implementer(ISecondFactors)
class FakeFactors:
    """Second factors by subject."""

    def __init__(self) -> None:
        self.of: dict[str, SecondFactor] = {}

    async def factor(self, subject: str) -> SecondFactor | None:
        return self.of.get(subject)

    async def begin(self, subject: str, secret: bytes) -> None:
        raise NotImplementedError

    async def confirm(self, subject: str, step: int, digests: Sequence[str]) -> bool:
        raise NotImplementedError

    async def new_codes(self, subject: str, digests: Sequence[str]) -> bool:
        raise NotImplementedError

    async def remove(self, subject: str) -> bool:
        return self.of.pop(subject, None) is not None

    async def may_try(self, subject: str) -> bool:
        raise NotImplementedError

    async def claim_step(self, subject: str, step: int) -> bool:
        raise NotImplementedError

    async def claim_code(self, subject: str, digest: str) -> bool:
        raise NotImplementedError


@implementer(ISignIn)
class FakeSignIn:
    """Every password and every code is the word right."""

    def __init__(self, factors: FakeFactors) -> None:
        self.factors = factors
        self.checked: list[tuple[str, Peer]] = []

    async def sign_in(self, login: str, password: str, peer: Peer) -> Signed:
        raise NotImplementedError

    async def check_password(self, subject: str, password: str, peer: Peer) -> None:
        self.checked.append((subject, peer))
        if password != RIGHT:
            raise LoginFailed("not accepted")

    async def check_code(self, subject: str, code: str, peer: Peer) -> None:
        await self.check_password(subject, code, peer)

    async def begin_factor(self, subject: str) -> tuple[str, str]:
        self.factors.of[subject] = SecondFactor(1, b"secret")
        return "SECRET", "otpauth://totp/x"

    async def confirm_factor(self, subject: str, code: str) -> list[str]:
        self.factors.of[subject] = SecondFactor(1, b"secret", active=True, codes=2)
        return ["one", "two"]

    async def new_codes(self, subject: str) -> list[str]:
        if subject not in self.factors.of:
            raise NotFound("there is no second factor in force")
        return ["three", "four"]

    async def actor(self, subject: str, credential: str, way: str, ip: str) -> Actor | None:
        raise NotImplementedError

    async def credential(self, subject: str) -> str:
        raise NotImplementedError


@implementer(ITokens)
class FakeTokens:
    """Tokens in a list."""

    def __init__(self) -> None:
        self.kept: list[Token] = []

    async def actor(self, token: str, ip: str) -> Actor | None:
        raise NotImplementedError

    async def add(
        self,
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
        number = len(self.kept) + 1
        token = Token(
            number, name, role, subject, made_by, tuple(domains), address, read_only, expires=expires, created=0.0
        )
        self.kept.append(token)
        return token, f"shown {number}"

    async def tokens(self) -> list[Token]:
        return self.kept

    async def revoke(self, number: int) -> None:
        self.kept = [token for token in self.kept if token.id != number]


@implementer(IAudit)
class FakeAudit:
    """Entries in a list; `full` when nothing more can be written down."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.full: Exception | None = None

    async def begin(self, entry: AuditEntry) -> int:
        if self.full is not None:
            raise self.full
        self.entries.append(dataclasses.replace(entry, number=len(self.entries)))
        return len(self.entries) - 1

    async def end(self, number: int, outcome: str) -> None:
        self.entries[number] = dataclasses.replace(self.entries[number], outcome=outcome)

    async def find(self, since: float, by: str, about: str, most: int, before: int | None = None) -> list[AuditEntry]:
        entries = self.entries[:before]
        found = [one for one in entries if one.at >= since and by in ("", one.login) and about in one.subject]
        return found[::-1][:most]
