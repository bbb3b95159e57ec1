"""Fakes around the people who sign in: a directory in memory, passwords that cost nothing, threads that run at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.address import Address
from hostmail.envelope import Peer
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import Account, Domain, IDirectory, Name, RemovedAccount, Usage
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.logins import ILoginAttempts, IPasswords, LoginAttempt
from tests.support.aloud import Aloud

T = TypeVar("T")


@implementer(IDirectory)
class People:
    """Accounts by login, with their passwords."""

    def __init__(self) -> None:
        self.hosted: dict[str, Domain] = {"example.com": Domain("example.com", "example")}
        self.logins: dict[str, tuple[Account, str]] = {}

    def add(self, account_id: int, address: str, stored: str, **more: Any) -> Account:
        account = Account(account_id, address, address.partition("@")[2], f"d{account_id}", **more)
        self.logins[address] = (account, stored)
        return account

    async def domain(self, name: str) -> Domain | None:
        return self.hosted.get(name)

    async def account_for(self, address: Address) -> Account | None:
        found = self.logins.get(str(address))
        return found[0] if found else None

    async def account(self, account_id: int) -> Account | None:
        return next((account for account, _ in self.logins.values() if account.id == account_id), None)

    async def login(self, name: str) -> tuple[Account, str] | None:
        return self.logins.get(name)

    async def login_meant(self, name: str) -> tuple[str, int]:
        if "@" not in name:
            return "bare name", 0
        alike = (account.id for login, (account, _) in self.logins.items() if login.lower() == name.lower())
        meant = next(alike, 0)
        return "wrong case" if meant else "unknown", meant

    async def domains(self) -> list[Domain]:
        return list(self.hosted.values())

    async def accounts(self, domain: str | None = None) -> list[Account]:
        return [account for account, _ in self.logins.values()]

    async def removed_accounts(self, since: float, domain: str | None = None) -> list[RemovedAccount]:
        return []

    async def usage(self, accounts: Sequence[Account]) -> dict[int, Usage]:
        return {account.id: Usage() for account in accounts}

    async def name(self, address: Address) -> Name | None:
        return None

    async def domain_alias(self, name: str) -> str:
        return ""

    async def mailing_list(self, address: Address) -> MailingList | None:
        raise NotImplementedError

    async def mailing_lists(self, domain: str | None = None) -> list[MailingList]:
        raise NotImplementedError

    async def autoresponder(self, account_id: int) -> Autoresponder | None:
        return None

    async def names(self, domain: str | None = None) -> list[Name]:
        return []

    async def domain_aliases(self, domain: str | None = None) -> list[tuple[str, str]]:
        return []

    async def domain_usage(self, name: str) -> Usage:
        return Usage()


@implementer(IPasswords)
class PlainPasswords:
    """`{OWN}secret` is ours, anything else foreign; each comparison is counted."""

    def __init__(self) -> None:
        self.verified: list[str] = []
        self.waiting: list[Deferred[None]] | None = None
        self.failing: Exception | None = None

    async def hash(self, password: str) -> str:
        if self.failing:
            raise self.failing
        return f"{{OWN}}{password}"

    async def verify(self, stored: str, password: str) -> bool:
        self.verified.append(stored)
        if self.waiting is not None:
            hashed: Deferred[None] = Deferred()
            self.waiting.append(hashed)
            await hashed
        return bool(stored) and stored.partition("}")[2] == password

    def needs_upgrade(self, stored: str) -> bool:
        return not stored.startswith("{OWN}")

    def check_strength(self, password: str, login: str) -> None: ...

    def check_scheme(self, stored: str) -> None: ...


async def at_once(function: Callable[..., T], *args: Any) -> T:
    """A thread that has finished before anybody looks."""
    return function(*args)


@implementer(ILoginAttempts)
class Attempts:
    """What was told of logins."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str, str]] = []

    def tell(self, account_id: int, login: str, refused: str, peer: Peer) -> None:
        self.told.append((account_id, login, refused))

    async def of_account(self, account_id: int, most: int = 100) -> list[LoginAttempt]:
        return []

    async def last_checks(self, account_ids: Sequence[int]) -> dict[int, LoginAttempt]:
        return {}


class AuthTestCase(SynchronousTestCase):
    """Has a clock that starts at a plausible Unix time, and events."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.events = Aloud()

    def get(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What it returns, which must be there at once."""
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, coroutine: Coroutine[Any, Any, Any], kind: type[BaseException]) -> Any:
        """The exception it raises."""
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), kind).value

    def file(self) -> Path:
        """The path of a file that is not there yet."""
        return Path(self.mktemp())
