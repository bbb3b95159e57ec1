"""Reading facts: domains and accounts through small caches, dropped when a change is announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.address import Address, caseless, parse_domain
from hostmail.directory import autoresponders, facts, lists, removed, replaced
from hostmail.directory.lru import MISSING, Answers
from hostmail.directory.tables import account_usage, accounts, domain_usage, domains
from hostmail.errors import BadAddress, TemporaryFailure
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import Account, Domain, IDirectory, Name, RemovedAccount, Usage
from hostmail.interfaces.events import DirectoryChanged, IEvents
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

T = TypeVar("T")
CACHED_ANSWERS = 10_000
_CHUNK = 500
_MAX_LOGIN = 512


@implementer(IDirectory)
class Directory:
    """The directory of one process.

    A cached answer costs a dictionary look-up and never suspends the caller; others are read in a thread. Usage and
    listings are always read.
    """

    def __init__(
        self, *, database: Database, in_thread: InThread, events: IEvents, cached_answers: int = CACHED_ANSWERS
    ) -> None:
        self._database = database
        self._in_thread = in_thread
        self._domains: Answers[Domain | None] = Answers(cached_answers)
        self._by_key: Answers[Account | None] = Answers(cached_answers)
        self._by_id: Answers[Account | None] = Answers(cached_answers)
        self._names: Answers[Name | None] = Answers(cached_answers)
        self._lists: Answers[MailingList | None] = Answers(cached_answers)
        self._domain_aliases: Answers[dict[str, str]] = Answers(1)
        self._logins: Answers[tuple[Account, str] | None] = Answers(cached_answers)
        self._answering: frozenset[int] | None = None
        self._changes = 0
        events.subscribe(DirectoryChanged, self._directory_changed)

    async def domain(self, name: str) -> Domain | None:
        """The hosted domain `name`, in any case or script."""
        try:
            name = parse_domain(name)
        except BadAddress:
            return None
        return await self._cached(self._domains, name, facts.domain_named, lambda found: name)

    async def account_for(self, address: Address) -> Account | None:
        """The account that owns exactly this address, any case."""
        return await self._cached(self._by_key, address.key, facts.account_by_key, lambda found: address.domain)

    async def account(self, account_id: int) -> Account | None:
        """The account with this id."""
        return await self._cached(self._by_id, account_id, facts.account_by_id, lambda found: _domain_of(found))

    async def name(self, address: Address) -> Name | None:
        """What was laid down about exactly this address, any case."""
        return await self._cached(self._names, address.key, facts.name_by_key, lambda found: address.domain)

    async def mailing_list(self, address: Address) -> MailingList | None:
        """The mailing list with exactly this address, any case."""
        return await self._cached(self._lists, address.key, lists.by_key, lambda found: address.domain)

    async def mailing_lists(self, domain: str | None = None) -> list[MailingList]:
        """All mailing lists, or those of a domain, by address."""
        return list(await self._run(lists.all_of, domain.lower() if domain is not None else None))

    async def domain_alias(self, name: str) -> str:
        """The hosted domain that the domain `name` (lower case A-labels) stands for, or "".

        All are kept as one answer: they are few, and each domain elsewhere that mail goes to would cost a question.
        """
        known = await self._cached(self._domain_aliases, None, _all_domain_aliases, lambda found: "")
        return known.get(name, "")

    async def autoresponder(self, account_id: int) -> Autoresponder | None:
        """What the account answers with. Who has one at all is remembered, so that nearly all mail asks no database."""
        answering = self._answering
        if answering is None:
            changes = self._changes
            answering = await self._run(autoresponders.all_ids)
            if changes == self._changes:
                self._answering = answering
        if account_id not in answering:
            return None
        found: Autoresponder | None = await self._run(autoresponders.of_account, account_id)
        return found

    async def login(self, name: str) -> tuple[Account, str] | None:
        """Account and hash for a login spelled exactly so (A1-A3)."""
        if not _is_text(name):
            return None
        if "@" not in name:
            return await self._cached(self._logins, name, facts.login_by_main_login, lambda found: _login_domain(found))
        address = _login_address(name)
        if address is None:
            return None
        found = await self._cached(self._logins, address.key, facts.login_by_key, lambda found: address.domain)
        return found if found is not None and found[0].address == _with_ascii_domain(name) else None

    async def was_hash(self, account_id: int, old_hash: str) -> bool:
        """True if the account's own hash is the upgrade of `old_hash`, which somebody once imported (A7)."""
        return bool(await self._run(_was_hash, account_id, old_hash))

    async def login_meant(self, name: str) -> tuple[str, int]:
        """Why `name` is no login: "bare name", "wrong case", "unknown"...; and the account that is meant, where that is plain."""
        if not _is_text(name):
            return "no address", 0
        if "@" not in name:
            meant: tuple[str, int] = await self._run(_bare_name_meant, name)
            return meant
        address = _login_address(name)
        if address is None:
            return "no address", 0
        account = await self.account_for(address)
        if account is not None:
            return "wrong case", account.id
        return "unknown" if await self.domain(address.domain) is not None else "unknown domain", 0

    async def domains(self) -> list[Domain]:
        """All domains by name."""
        return list(await self._run(_all_domains))

    async def accounts(self, domain: str | None = None) -> list[Account]:
        """All accounts, or those of a domain, by address."""
        return list(await self._run(_all_accounts, domain.lower() if domain is not None else None))

    async def names(self, domain: str | None = None) -> list[Name]:
        """All names, or those of a domain, by address."""
        return list(await self._run(facts.names_of, domain.lower() if domain is not None else None))

    async def domain_aliases(self, domain: str | None = None) -> list[tuple[str, str]]:
        """All domain aliases, or those of a domain, by name."""
        return list(await self._run(facts.domain_aliases_of, domain.lower() if domain is not None else None))

    async def counts(self) -> tuple[int, int]:
        """How many domains and accounts there are."""
        found: tuple[int, int] = await self._run(_counts)
        return found

    async def removed_accounts(self, since: float, domain: str | None = None) -> list[RemovedAccount]:
        """Accounts that can be restored, the last one removed first."""
        return list(await self._run(removed.since, since, domain.lower() if domain is not None else None))

    async def usage(self, accounts: Sequence[Account]) -> dict[int, Usage]:
        """Stored octets and messages per account id; 0 for what was never counted."""
        return dict(await self._run(_usage_of, [account.id for account in accounts]))

    async def domain_usage(self, name: str) -> Usage:
        """The sum over the domain's accounts."""
        found: Usage = await self._run(_domain_usage_of, name.lower())
        return found

    async def _cached(
        self, cache: Answers[T], key: Any, read: Callable[[Connection, Any], T], domain_of: Callable[[T], str]
    ) -> T:
        answer = cache.get(key)
        if answer is not MISSING:
            return answer  # type: ignore[return-value]
        generation = cache.generation
        found: T = await self._run(read, key)
        cache.keep(key, domain_of(found), found, generation)
        return found

    async def _run(self, read: Callable[..., T], *arguments: Any) -> T:
        found: T = await self._in_thread(self._read, read, *arguments)
        return found

    def _read(self, read: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.reading() as connection:
                return read(connection, *arguments)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"directory: {error!r}") from error

    def _directory_changed(self, event: DirectoryChanged) -> None:
        caches = (
            self._domains,
            self._by_key,
            self._by_id,
            self._names,
            self._lists,
            self._domain_aliases,
            self._logins,
        )
        for cache in caches:
            cache.forget(event.domain)
        self._answering = None
        self._changes += 1


def _domain_of(account: Account | None) -> str:
    return account.domain if account is not None else ""


def _login_domain(login: tuple[Account, str] | None) -> str:
    return login[0].domain if login is not None else ""


def _login_address(name: str) -> Address | None:
    try:
        return Address.parse(name)
    except BadAddress:
        return None


def _is_text(name: str) -> bool:
    """False for what no login can be: endless, or octets that were no UTF-8."""
    try:
        return len(name.encode()) <= _MAX_LOGIN
    except UnicodeEncodeError:
        return False


def _with_ascii_domain(name: str) -> str:
    """The login as accounts spell it: a domain in another script is what people type, its A-labels are what is stored."""
    local, _, domain = name.rpartition("@")
    return name if domain.isascii() else f"{local}@{parse_domain(domain)}"


def _bare_name_meant(connection: Connection, name: str) -> tuple[str, int]:
    """A main login may exist in another spelling, or have no mailbox behind it; else one account may have this local part."""
    query = select(domains.c.main_login, domains.c.default_account_id)
    main_login = connection.execute(query.where(domains.c.main_login_key == name.casefold())).one_or_none()
    if main_login is not None:
        return "wrong case" if main_login[0] != name else "no default mailbox", main_login[1] or 0
    start = f"{caseless(name)}@"
    fitting = accounts.c.address_key.between(start, start + "\U0010ffff")
    found = connection.execute(select(accounts.c.id).where(fitting).limit(2)).scalars().all()
    return "bare name", found[0] if len(found) == 1 else 0


def _was_hash(connection: Connection, account_id: int, old_hash: str) -> bool:
    kept = connection.execute(select(accounts.c.replaced_hash).where(accounts.c.id == account_id)).scalar()
    return replaced.was(kept, old_hash)


def _all_domain_aliases(connection: Connection, _: object) -> dict[str, str]:
    return dict(facts.domain_aliases_of(connection, None))


def _all_domains(connection: Connection) -> list[Domain]:
    return [Domain(*row) for row in connection.execute(select(*facts.DOMAIN_COLUMNS).order_by(domains.c.name))]


def _all_accounts(connection: Connection, domain: str | None) -> list[Account]:
    query = facts.select_accounts().order_by(domains.c.name, accounts.c.address_key)
    if domain is not None:
        query = query.where(domains.c.name == domain)
    return [facts.account_of(row) for row in connection.execute(query)]


def _counts(connection: Connection) -> tuple[int, int]:
    both = (select(func.count()).select_from(table).scalar_subquery() for table in (domains, accounts))
    found = connection.execute(select(*both)).one()
    return found[0], found[1]


def _usage_of(connection: Connection, ids: list[int]) -> dict[int, Usage]:
    found = dict.fromkeys(ids, Usage())
    columns = account_usage.c
    for start in range(0, len(ids), _CHUNK):
        chosen = columns.account_id.in_(ids[start : start + _CHUNK])
        for row in connection.execute(select(columns.account_id, columns.bytes, columns.messages).where(chosen)):
            found[row.account_id] = Usage(row.bytes, row.messages)
    return found


def _domain_usage_of(connection: Connection, name: str) -> Usage:
    query = (
        select(domain_usage.c.bytes, domain_usage.c.messages)
        .join(domains, domains.c.id == domain_usage.c.domain_id)
        .where(domains.c.name == name)
    )
    row = connection.execute(query).first()
    return Usage(*row) if row else Usage()
