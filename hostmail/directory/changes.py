"""Changing facts: the one way for panel, command and API (E7). Checks, writes, announces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import CATCH_REFUSE
from hostmail.directory import (
    autoresponders,
    factors,
    facts,
    limits,
    lists,
    naming,
    removed,
    smarthosts,
    standing,
    tables,
    tokens,
    values,
)
from hostmail.directory.replaced import remembered
from hostmail.directory.tables import account_usage, accounts, domain_usage, domains, person_domains
from hostmail.directory.transaction import NAME_LIMITS, NameLimits, Transaction
from hostmail.errors import AlreadyExists, BadValue, Refusal, TemporaryFailure
from hostmail.interfaces import (
    Account,
    Autoresponder,
    Domain,
    IDirectoryChanges,
    IEvents,
    InThread,
    MailingList,
    Name,
    Usage,
)
from hostmail.sql.database import Database

P = ParamSpec("P")
T = TypeVar("T")

_SUSPENSIONS = ("login_suspended", "incoming_suspended", "outgoing_suspended")
_DOMAIN_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "quota_bytes": values.check_quota,
    "main_login": lambda what, value: values.check_main_login(str(value)),
    "default_mailbox": lambda what, value: values.check_address(value) if value else None,
    "catch_all": naming.check_catch_all,
    **smarthosts.DOMAIN_CHECKS,
    **dict.fromkeys((*_SUSPENSIONS, "pop_before_smtp", "must_match_sender", "active"), values.check_switch),
}
_ACCOUNT_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "quota_bytes": values.check_quota,
    "quota_messages": values.check_quota,
    **smarthosts.CHECKS,
    **dict.fromkeys(_SUSPENSIONS, values.check_switch),
}
# Turning these on ends what a login has opened: relay grants, remembered credentials (C4).
_ENDS_LOGINS = {"login_suspended", "outgoing_suspended"}


@implementer(IDirectoryChanges)
class DirectoryChanges:
    """Each change is one short transaction in a thread; its events are published before the caller goes on.

    `now` is Unix time, for the record of when a fact was made.
    """

    def __init__(
        self,
        *,
        database: Database,
        in_thread: InThread,
        events: IEvents,
        now: Callable[[], float],
        name_limits: NameLimits = NAME_LIMITS,
    ) -> None:
        self.name_limits = name_limits
        self._database = database
        self._in_thread = in_thread
        self._events = events
        self._now = now
        self._bounded = False

    def within_limits(self) -> DirectoryChanges:
        """The same, for whoever is held to the limits of a domain's owners."""
        bounded = copy(self)
        bounded._bounded = True
        return bounded

    async def add_domain(
        self, name: str, *, quota_bytes: int | None = None, main_login: str = "", catch_all: str = CATCH_REFUSE
    ) -> Domain:
        """Host a domain (A3: with a main login). Raises BadValue, AlreadyExists."""
        name = values.check_domain_name(name)
        quota = values.check_quota("quota_bytes", quota_bytes)
        if main_login:
            values.check_main_login(main_login)
        return await self._change(_add_domain, name, quota, main_login, naming.check_catch_all("catch_all", catch_all))

    async def set_domain(self, name: str, **changes: Any) -> Domain:
        """Change fields of a domain, and its way out (C9); `default_mailbox` is an address of it, "" for none.

        Raises NotFound, BadValue, AlreadyExists.
        """
        return await self._change(_set_domain, name, _checked(changes, _DOMAIN_CHECKS, "domain"))

    async def remove_domain(self, name: str) -> None:
        """Stop hosting a domain and all its accounts; each is announced. Raises NotFound."""
        await self._change(_remove_domain, name)

    async def add_account(
        self,
        address: str,
        *,
        password_hash: str,
        quota_bytes: int | None = None,
        quota_messages: int | None = None,
    ) -> Account:
        """Create an account; the first of a domain becomes its default mailbox (A3). Raises NotFound, AlreadyExists, BadValue."""
        return await self._change(
            _add_account,
            values.check_address(address),
            {
                "password_hash": values.check_password_hash(password_hash),
                "quota_bytes": values.check_quota("quota_bytes", quota_bytes),
                "quota_messages": values.check_quota("quota_messages", quota_messages),
            },
        )

    async def set_account(self, address: str, **changes: Any) -> Account:
        """Change quotas or suspensions (A9), and the way out (C9). Raises NotFound, BadValue."""
        return await self._change(_set_account, address, _checked(changes, _ACCOUNT_CHECKS, "account"))

    async def set_password(self, address: str, password_hash: str) -> Account:
        """Store a new hash; logins remembered under the old one are forgotten (A6). Raises NotFound, BadValue."""
        return await self._change(_set_password, address, values.check_password_hash(password_hash))

    async def upgrade_hash(self, account_id: int, old_hash: str, new_hash: str) -> bool:
        """Replace a foreign hash if it is still `old_hash` (A7). Unannounced, so that the login under way and its grant stay."""
        new_hash = values.check_password_hash(new_hash)
        kept: str = await self._in_thread(remembered, old_hash)
        return await self._change(_upgrade_hash, account_id, old_hash, new_hash, kept)

    async def remove_account(self, address: str) -> Account:
        """Delete an account; its name and its space are free at once (D13). Raises NotFound."""
        return await self._change(_remove_account, address)

    async def restore_account(self, number: int, address: str = "") -> Account:
        """Host a removed account again (D13). Raises NotFound, AlreadyExists, BadValue."""
        return await self._change(_restore_account, number, values.check_address(address) if address else None)

    async def forget_removed(self, before: float) -> int:
        """Accounts that were removed before then are gone for good; how many."""
        return await self._change(removed.forget, before)

    async def add_targets(
        self, address: str, targets: Sequence[str], *, forward: bool, keep_copy: bool | None = None
    ) -> Name:
        """Aliases or forwards of an address (E1). Raises NotFound, AlreadyExists, TooMany, and BadValue that names a loop."""
        further = [values.check_address(target) for target in targets]
        if not further and keep_copy is None:
            raise BadValue(f"where shall mail to {address} go?")
        return await self._change(naming.add_targets, values.check_address(address), further, forward, keep_copy)

    async def remove_targets(self, address: str, targets: Sequence[str], *, forward: bool) -> Name | None:
        """Take aliases or forwards away, all of them without `targets`; what is left. Raises NotFound."""
        gone = [values.check_address(target) for target in targets]
        return await self._change(naming.remove_targets, values.check_address(address), gone, forward)

    async def set_autoresponder(
        self, address: str, *, subject: str, text: str, starts: float | None, until: float | None, every: float
    ) -> Autoresponder:
        """Let an account answer its mail (E4), instead of as it did. Raises NotFound, BadValue."""
        return await self._change(
            autoresponders.put, address, autoresponders.checked(subject, text, starts, until, every)
        )

    async def remove_autoresponder(self, address: str) -> None:
        """Let it answer no more. Raises NotFound."""
        await self._change(autoresponders.remove, address)

    async def add_list(self, address: str, *, owners: Sequence[str], **columns: Any) -> MailingList:
        """Make a mailing list (E3). Raises NotFound, AlreadyExists, BadValue, TooMany."""
        checked = lists.check_changes({"owners": owners, **columns})
        return await self._change(naming.add_list, values.check_address(address), checked)

    async def set_list(self, address: str, **changes: Any) -> MailingList:
        """Change fields of a list. Raises NotFound, BadValue."""
        return await self._change(naming.set_list, address, lists.check_changes(changes))

    async def remove_list(self, address: str) -> MailingList:
        """Give a list up, with its members. Raises NotFound."""
        return await self._change(lists.remove, address)

    async def block_name(self, address: str, blocked: bool = True) -> None:
        """A name that the catch-all shall not catch, or may again (E2). Raises NotFound, BadValue."""
        await self._change(naming.block_name, values.check_address(address), blocked)

    async def add_domain_alias(self, name: str, domain: str) -> None:
        """Let a whole domain stand for a hosted one (E6). Raises AlreadyExists, NotFound, BadValue."""
        await self._change(naming.add_domain_alias, values.check_domain_name(name), domain)

    async def remove_domain_alias(self, name: str) -> str:
        """Stop that; the domain it stood for. Raises NotFound."""
        return await self._change(naming.remove_domain_alias, values.check_domain_name(name))

    async def _change(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        changed: T = await self._in_thread(self._work, work, *args)
        return changed

    def _work(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.writing() as connection:
                asked = (self._now(), self._database.origin, self.name_limits, self._bounded)
                transaction = Transaction(connection, *asked)
                changed = work(transaction, *arguments)
                if self._bounded:
                    limits.check(transaction, self._database)
                transaction.record()
        except DBAPIError as error:
            raise TemporaryFailure(private=f"directory: {error!r}") from error
        for event in transaction.events:
            self._events.publish(event)
        return changed


def _checked(changes: dict[str, Any], checks: dict[str, Callable[[str, Any], Any]], what: str) -> dict[str, Any]:
    """The changes with every value checked; an unknown field names those there are."""
    unknown = changes.keys() - checks.keys()
    if unknown:
        raise BadValue(f"a {what} has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(checks))}")
    return {field: checks[field](field, value) for field, value in changes.items()}


def _add_domain(t: Transaction, name: str, quota_bytes: int | None, main_login: str, catch_all: str) -> Domain:
    if t.domain_id(name) is not None:
        raise AlreadyExists(f"{name} is hosted here already")
    if hosted := facts.domain_behind(t.connection, name):
        raise AlreadyExists(f"{name} stands for {hosted}: remove that domain alias first")
    main_login = t.free_main_login(main_login) if main_login else values.make_main_login(name, t.main_login_taken)
    row = {"name": name, "quota_bytes": quota_bytes, "created": t.now, "catch_all": catch_all}
    t.run(insert(domains).values(row | {"main_login": main_login, "main_login_key": main_login.casefold()}))
    t.announce(name)
    return _now_domain(t, name)


def _set_domain(t: Transaction, name: str, changes: dict[str, Any]) -> Domain:
    domain_id, name = t.find_domain(name)
    columns = dict(changes)
    if "main_login" in columns:
        columns["main_login"] = t.free_main_login(columns["main_login"], but=domain_id)
        columns["main_login_key"] = columns["main_login"].casefold()
    if "default_mailbox" in columns:
        columns["default_account_id"] = _default_mailbox(t, name, columns.pop("default_mailbox"))
    led_out = smarthosts.put(t, tables.smarthosts.c.domain_id, domain_id, columns)
    if columns:
        t.run(update(domains).where(domains.c.id == domain_id).values(columns))
        naming.check_catcher(t, columns.get("catch_all", ""), name)
    if columns or led_out:
        t.announce(name)
        if any(changes.get(switch) for switch in _ENDS_LOGINS) or changes.get("pop_before_smtp") is False:
            t.announce_accounts(domain_id, name)
    return _now_domain(t, name)


def _default_mailbox(t: Transaction, domain: str, address: Address | None) -> int | None:
    if address is None:
        return None
    account = t.find_account(str(address))
    if account.domain != domain:
        raise BadValue(f"the default mailbox of {domain} must be one of its own accounts")
    return account.id


def _remove_domain(t: Transaction, name: str) -> None:
    domain_id, name = t.find_domain(name)
    t.announce_accounts(domain_id, name, removed=True)
    t.announce(name, credentials=True, removed=True)
    naming.forget_domain(t, domain_id)
    lists.forget_domain(t, domain_id)
    removed.remember(t, accounts.c.domain_id == domain_id)
    of_domain = select(accounts.c.id).where(accounts.c.domain_id == domain_id)
    autoresponders.forget_accounts(t, of_domain)
    tokens.forget_accounts(t, of_domain)
    tokens.forget_domain(t, domain_id)
    factors.forget_factor(t, standing.domain(domain_id))
    t.run(delete(person_domains).where(person_domains.c.domain_id == domain_id))
    smarthosts.forget_accounts(t, of_domain)
    smarthosts.forget_domain(t, domain_id)
    t.run(delete(account_usage).where(account_usage.c.account_id.in_(of_domain)))
    t.run(delete(domain_usage).where(domain_usage.c.domain_id == domain_id))
    t.run(delete(accounts).where(accounts.c.domain_id == domain_id))
    t.run(delete(domains).where(domains.c.id == domain_id))


def _add_account(t: Transaction, address: Address, columns: dict[str, Any]) -> Account:
    domain_id, name = t.find_domain(address.domain)
    taken = facts.account_by_key(t.connection, address.key)
    if taken is not None:
        raise AlreadyExists(f"{taken.address} exists already")
    naming.make_way(t, address)
    count = t.run(select(func.count()).select_from(accounts).where(accounts.c.domain_id == domain_id)).scalar_one()
    row = {
        "domain_id": domain_id,
        "address": str(address),
        "address_key": address.key,
        "created": t.now,
    }
    t.run(insert(accounts).values({"directory": values.directory_name(address.local)} | columns | row))
    account = _now_account(t, address.key)
    if not count:
        t.run(update(domains).where(domains.c.id == domain_id).values(default_account_id=account.id))
    t.announce(name, account.id)
    return account


def _set_account(t: Transaction, address: str, changes: dict[str, Any]) -> Account:
    account = t.find_account(address)
    if not changes:
        return account
    columns = dict(changes)
    smarthosts.put(t, tables.smarthosts.c.account_id, account.id, columns)
    if columns:
        t.run(update(accounts).where(accounts.c.id == account.id).values(columns))
    ends_logins = any(changes.get(switch) for switch in _ENDS_LOGINS)
    t.announce(account.domain, account.id, credentials=ends_logins)
    return t.find_account(address)


def _set_password(t: Transaction, address: str, password_hash: str) -> Account:
    account = t.find_account(address)
    new = {"password_hash": password_hash, "replaced_hash": None, "credential": accounts.c.credential + 1}
    t.run(update(accounts).where(accounts.c.id == account.id).values(new))
    t.announce(account.domain, account.id, credentials=True)
    return account


def _upgrade_hash(t: Transaction, account_id: int, old_hash: str, new_hash: str, kept: str) -> bool:
    query = update(accounts).where(accounts.c.id == account_id, accounts.c.password_hash == old_hash)
    if t.run(query.values(password_hash=new_hash, replaced_hash=kept)).rowcount != 1:
        return False
    account = facts.account_by_id(t.connection, account_id)
    if account is not None:
        t.whisper(account.domain, account_id)
    return True


def _remove_account(t: Transaction, address: str) -> Account:
    account = t.find_account(address)
    removed.remember(t, accounts.c.id == account.id)
    domain_id = t.domain_id(account.domain)
    used = t.run(select(account_usage).where(account_usage.c.account_id == account.id)).first()
    if used is not None:
        freed = Usage(used.bytes, used.messages)
        t.run(
            update(domain_usage)
            .where(domain_usage.c.domain_id == domain_id)
            .values(bytes=domain_usage.c.bytes - freed.bytes, messages=domain_usage.c.messages - freed.messages)
        )
        t.run(delete(account_usage).where(account_usage.c.account_id == account.id))
    t.run(
        update(domains)
        .where(domains.c.id == domain_id, domains.c.default_account_id == account.id)
        .values(default_account_id=None)
    )
    naming.forget_account(t, Address.parse(account.address).key)
    autoresponders.forget_accounts(t, [account.id])
    tokens.forget_accounts(t, [account.id])
    smarthosts.forget_accounts(t, [account.id])
    t.run(delete(accounts).where(accounts.c.id == account.id))
    t.announce(account.domain, account.id, credentials=True, removed=True)
    return account


def _restore_account(t: Transaction, number: int, address: Address | None) -> Account:
    columns = removed.take(t, number)
    return _add_account(t, address or Address.parse(columns["address"]), columns)


def _now_domain(t: Transaction, name: str) -> Domain:
    domain = facts.domain_named(t.connection, name)
    if domain is None:
        raise Refusal(private=f"{name} was written and is not there")
    return domain


def _now_account(t: Transaction, key: str) -> Account:
    account = facts.account_by_key(t.connection, key)
    if account is None:
        raise Refusal(private=f"{key} was written and is not there")
    return account
