"""Changing facts: the one way for panel, command and API (E7). Checks, writes, announces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.decisions import CATCH_REFUSE
from hostmail.directory import (
    accounts,
    autoresponders,
    domains,
    limits,
    lists,
    naming,
    removed,
    values,
)
from hostmail.directory.replaced import remembered
from hostmail.directory.transaction import NAME_LIMITS, NameLimits, Transaction
from hostmail.errors import BadValue, TemporaryFailure, concerning
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import Account, Domain, IDirectoryChanges, Name
from hostmail.interfaces.events import IEvents
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

P = ParamSpec("P")
T = TypeVar("T")


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
        with concerning("name"):
            name = values.check_domain_name(name)
        quota = values.check_quota("quota_bytes", quota_bytes)
        if main_login:
            values.check_main_login(main_login)
        return await self._change(domains.add, name, quota, main_login, naming.check_catch_all("catch_all", catch_all))

    async def set_domain(self, name: str, **changes: Any) -> Domain:
        """Change fields of a domain, and its way out (C9); `default_mailbox` is an address of it, "" for none.

        Raises NotFound, BadValue, AlreadyExists.
        """
        return await self._change(domains.put, name, _checked(changes, domains.CHECKS, "domain"))

    async def remove_domain(self, name: str) -> None:
        """Stop hosting a domain and all its accounts; each is announced. Raises NotFound."""
        await self._change(domains.remove, name)

    async def add_account(
        self,
        address: str,
        *,
        password_hash: str,
        quota_bytes: int | None = None,
        quota_messages: int | None = None,
    ) -> Account:
        """Create an account; the first of a domain becomes its default mailbox (A3). Raises NotFound, AlreadyExists, BadValue."""
        with concerning("address"):
            checked = values.check_address(address)
        return await self._change(
            accounts.add,
            checked,
            {
                "password_hash": values.check_password_hash(password_hash),
                "quota_bytes": values.check_quota("quota_bytes", quota_bytes),
                "quota_messages": values.check_quota("quota_messages", quota_messages),
            },
        )

    async def set_account(self, address: str, **changes: Any) -> Account:
        """Change quotas or suspensions (A9), and the way out (C9). Raises NotFound, BadValue."""
        return await self._change(accounts.put, address, _checked(changes, accounts.CHECKS, "account"))

    async def set_password(self, address: str, password_hash: str) -> Account:
        """Store a new hash; logins remembered under the old one are forgotten (A6). Raises NotFound, BadValue."""
        return await self._change(accounts.set_password, address, values.check_password_hash(password_hash))

    async def upgrade_hash(self, account_id: int, old_hash: str, new_hash: str) -> bool:
        """Replace a foreign hash if it is still `old_hash` (A7). Unannounced, so that the login under way and its grant stay."""
        new_hash = values.check_password_hash(new_hash)
        kept: str = await self._in_thread(remembered, old_hash)
        return await self._change(accounts.upgrade_hash, account_id, old_hash, new_hash, kept)

    async def remove_account(self, address: str) -> Account:
        """Delete an account; its name and its space are free at once (D13). Raises NotFound."""
        return await self._change(accounts.remove, address)

    async def restore_account(self, number: int, address: str = "") -> Account:
        """Host a removed account again (D13). Raises NotFound, AlreadyExists, BadValue."""
        return await self._change(accounts.restore, number, values.check_address(address) if address else None)

    async def forget_removed(self, before: float) -> int:
        """Accounts that were removed before then are gone for good; how many."""
        return await self._change(removed.forget, before)

    async def add_targets(
        self, address: str, targets: Sequence[str], *, forward: bool, keep_copy: bool | None = None
    ) -> Name:
        """Aliases or forwards of an address (E1). Raises NotFound, AlreadyExists, TooMany, and BadValue that names a loop."""
        with concerning("targets"):
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
        with concerning("address"):
            name = values.check_address(address)
        return await self._change(naming.add_list, name, checked)

    async def set_list(self, address: str, **changes: Any) -> MailingList:
        """Change fields of a list. Raises NotFound, BadValue."""
        return await self._change(naming.set_list, address, lists.check_changes(changes))

    async def remove_list(self, address: str) -> MailingList:
        """Give a list up, with its members. Raises NotFound."""
        return await self._change(lists.remove, address)

    async def block_name(self, address: str, blocked: bool = True) -> None:
        """A name that the catch-all shall not catch, or may again (E2). Raises NotFound, BadValue."""
        await self._change(naming.block_name, values.check_address(address), blocked)

    async def add_domain_alias(self, name: str, domain: str) -> str:
        """Let a whole domain stand for a hosted one (E6); its name as it is kept. Raises AlreadyExists, NotFound, BadValue."""
        checked = values.check_domain_name(name)
        await self._change(naming.add_domain_alias, checked, domain)
        return checked

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
    checked = {}
    for field, value in changes.items():
        with concerning(field):
            checked[field] = checks[field](field, value)
    return checked
