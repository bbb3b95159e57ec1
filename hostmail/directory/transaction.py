"""One change under way: looking things up by name, and what is to be announced when it is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, delete, insert, select
from sqlalchemy.sql.expression import Executable

from hostmail.address import Address, parse_domain
from hostmail.config.nearest import DOMAIN_CUTOFF, MOST_COMPARED, nearest
from hostmail.directory import facts
from hostmail.directory.tables import accounts, changes, domains, people
from hostmail.directory.values import check_main_login
from hostmail.errors import AlreadyExists, BadAddress, NotFound, concerning
from hostmail.interfaces.directory import Account
from hostmail.interfaces.events import DirectoryChanged

# How many announcements stay readable for other processes, who look every second.
KEPT_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class NameLimits:
    """How many addresses one name may lead to, and how many names a domain may have. What there is already stays."""

    targets: int = 100
    names: int = 10_000


NAME_LIMITS = NameLimits()


class Transaction:
    """What the functions in `changes` work with. It blocks; the write lock is held.

    A `bounded` one is an owner's or a user's, who are told nothing about addresses of other domains.
    """

    def __init__(
        self,
        connection: Connection,
        now: float,
        origin: str,
        name_limits: NameLimits = NAME_LIMITS,
        bounded: bool = False,
    ) -> None:
        self.connection = connection
        self.now = now
        self.name_limits = name_limits
        self.bounded = bounded
        self.events: list[DirectoryChanged] = []
        self._whispers: list[DirectoryChanged] = []
        self._origin = origin

    def run(self, statement: Executable) -> CursorResult[Any]:
        """Execute one statement."""
        return self.connection.execute(statement)  # type: ignore[return-value]

    def announce(self, domain: str, account_id: int = 0, *, credentials: bool = False, removed: bool = False) -> None:
        """Publish a change after commit, here and (through `record`) in other processes."""
        self.events.append(DirectoryChanged(domain, account_id, credentials, removed))

    def whisper(self, domain: str, account_id: int) -> None:
        """A change that caches notice within a second, and that ends no login."""
        self._whispers.append(DirectoryChanged(domain, account_id))

    def announce_accounts(self, domain_id: int, domain: str, removed: bool = False) -> None:
        """Announce for each account of a domain that its logins end: listeners know accounts, not who belongs where."""
        for account_id in self.run(select(accounts.c.id).where(accounts.c.domain_id == domain_id)).scalars():
            self.announce(domain, account_id, credentials=True, removed=removed)

    def record(self) -> None:
        """Write down the announcements for other processes, and forget old ones. Whispers carry nobody's name."""
        rows = [self._row(event, self._origin) for event in self.events]
        rows += [self._row(event, "") for event in self._whispers]
        if not rows:
            return
        newest = self.run(select(changes.c.id).order_by(changes.c.id.desc()).limit(1)).scalar() or 0
        self.run(delete(changes).where(changes.c.id <= newest - KEPT_CHANGES))
        self.connection.execute(insert(changes), rows)

    def _row(self, event: DirectoryChanged, origin: str) -> dict[str, Any]:
        return {
            "origin": origin,
            "domain": event.domain,
            "account_id": event.account_id,
            "credentials": event.credentials,
            "removed": event.removed,
            "at": self.now,
        }

    def domain_id(self, name: str) -> int | None:
        """The id of the domain of exactly this stored name."""
        return self.run(select(domains.c.id).where(domains.c.name == name)).scalar()

    def find_domain(self, text: str) -> tuple[int, str]:
        """Id and stored name of a domain in any spelling; raises NotFound with a near miss."""
        try:
            name = parse_domain(text.strip())
        except BadAddress:
            name = text
        found = self.domain_id(name)
        if found is None:
            names = self.run(select(domains.c.name).limit(MOST_COMPARED)).scalars()
            raise NotFound(f"no domain {text} here", nearest(name, names, DOMAIN_CUTOFF))
        return found, name

    def find_account(self, text: str) -> Account:
        """The account of an address in any spelling; raises NotFound with a near miss."""
        try:
            address = Address.parse(text.strip())
        except BadAddress:
            raise NotFound(f"no account {text} here") from None
        found = facts.account_by_key(self.connection, address.key)
        if found is None:
            domain_id, _ = self.find_domain(address.domain)
            query = select(accounts.c.address).where(accounts.c.domain_id == domain_id).limit(MOST_COMPARED)
            # The domain is the same in all of them: only the local parts can be near or far.
            known = {one.rpartition("@")[0]: one for one in self.run(query).scalars()}
            raise NotFound(f"no account {address} here", known.get(nearest(address.local, known), ""))
        return found

    def main_login_taken(self, main_login: str, but: int | None = None) -> bool:
        """True if another domain than `but` has it, or a person, in any case."""
        key = main_login.casefold()
        owner = self.run(select(domains.c.id).where(domains.c.main_login_key == key)).scalar()
        if owner is not None and owner != but:
            return True
        return self.run(select(people.c.id).where(people.c.login_key == key)).scalar() is not None

    def free_main_login(self, main_login: str, but: int | None = None) -> str:
        """The login, if no other domain has it; raises BadValue, AlreadyExists."""
        with concerning("main_login"):
            check_main_login(main_login)
            if self.main_login_taken(main_login, but):
                raise AlreadyExists(f"the login {main_login} is somebody else's already")
        return main_login
