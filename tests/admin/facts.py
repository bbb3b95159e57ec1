"""A directory and its changes, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from hostmail.address import Address
from hostmail.decisions import CATCH_REFUSE
from hostmail.errors import AlreadyExists, NotFound
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import (
    Account,
    Domain,
    IDirectory,
    IDirectoryChanges,
    Name,
    RemovedAccount,
    Usage,
)
from hostmail.interfaces.lists import MailingList

NOW = 1_800_000_000.0


@implementer(IDirectory, IDirectoryChanges)
class Facts:
    """The directory and its changes."""

    def __init__(self) -> None:
        self.by_name: dict[str, Domain] = {}
        self.by_key: dict[str, Account] = {}
        self.gone: list[tuple[RemovedAccount, Account]] = []
        self.hashes: dict[int, str] = {}
        self.used: dict[int, Usage] = {}
        self.replaced: dict[int, str] = {}
        self.standing: dict[str, str] = {}
        self.autoresponders: dict[int, Autoresponder] = {}

    async def domain(self, name: str) -> Domain | None:
        return self.by_name.get(name.lower())

    async def account_for(self, address: Address) -> Account | None:
        return self.by_key.get(address.key)

    async def account(self, account_id: int) -> Account | None:
        return next((one for one in self.by_key.values() if one.id == account_id), None)

    async def login(self, name: str) -> tuple[Account, str] | None:
        account = self.by_key.get(name.casefold())
        return (account, self.hashes[account.id]) if account is not None else None

    async def counts(self) -> tuple[int, int]:
        return len(self.by_name), len(self.by_key)

    async def was_hash(self, account_id: int, old_hash: str) -> bool:
        return self.replaced.get(account_id) == old_hash

    async def login_meant(self, name: str) -> tuple[str, int]:
        raise NotImplementedError

    async def domains(self) -> list[Domain]:
        return sorted(self.by_name.values(), key=lambda one: one.name)

    async def accounts(self, domain: str | None = None) -> list[Account]:
        found = sorted(self.by_key.values(), key=lambda one: one.address)
        return [one for one in found if domain in (None, one.domain)]

    async def usage(self, accounts: Sequence[Account]) -> dict[int, Usage]:
        return {one.id: self.used[one.id] for one in accounts if one.id in self.used}

    async def name(self, address: Address) -> Name | None:
        return None

    async def domain_alias(self, name: str) -> str:
        return self.standing.get(name, "")

    async def mailing_list(self, address: Address) -> MailingList | None:
        return None

    async def mailing_lists(self, domain: str | None = None) -> list[MailingList]:
        return []

    async def add_list(self, address: str, *, owners: Sequence[str], **columns: Any) -> MailingList:
        raise NotImplementedError

    async def set_list(self, address: str, **changes: Any) -> MailingList:
        raise NotImplementedError

    async def remove_list(self, address: str) -> MailingList:
        raise NotImplementedError

    async def autoresponder(self, account_id: int) -> Autoresponder | None:
        return self.autoresponders.get(account_id)

    async def set_autoresponder(
        self, address: str, *, subject: str, text: str, starts: float | None, until: float | None, every: float
    ) -> Autoresponder:
        account = await self.account_for(Address.parse(address))
        if account is None:
            raise NotFound(f"there is no account {address}")
        found = Autoresponder(account.id, subject, text, starts, until, every)
        self.autoresponders[account.id] = found
        return found

    async def remove_autoresponder(self, address: str) -> None:
        account = await self.account_for(Address.parse(address))
        if account is None or self.autoresponders.pop(account.id, None) is None:
            raise NotFound(f"{address} has no autoresponder")

    async def names(self, domain: str | None = None) -> list[Name]:
        return []

    async def domain_aliases(self, domain: str | None = None) -> list[tuple[str, str]]:
        return sorted(self.standing.items())

    async def domain_usage(self, name: str) -> Usage:
        return Usage(sum(self.used.get(one.id, Usage()).bytes for one in await self.accounts(name)))

    def within_limits(self) -> Facts:
        return self

    async def add_domain(
        self, name: str, *, quota_bytes: int | None = None, main_login: str = "", catch_all: str = CATCH_REFUSE
    ) -> Domain:
        if name in self.by_name:
            raise AlreadyExists(f"{name} is hosted here already")
        self.by_name[name] = Domain(name, main_login or name[:8], quota_bytes, catch_all=catch_all)
        return self.by_name[name]

    async def set_domain(self, name: str, **changes: Any) -> Domain:
        if name not in self.by_name:
            raise NotFound(f"{name} is not hosted here")
        if "default_mailbox" in changes:
            address = changes.pop("default_mailbox")
            changes["default_account_id"] = self.by_key[address].id if address else None
        self.by_name[name] = dataclasses.replace(self.by_name[name], **changes)
        return self.by_name[name]

    async def remove_domain(self, name: str) -> None:
        del self.by_name[name]
        self.by_key = {key: one for key, one in self.by_key.items() if one.domain != name}

    async def add_account(
        self, address: str, *, password_hash: str, quota_bytes: int | None = None, quota_messages: int | None = None
    ) -> Account:
        parsed = Address.parse(address)
        if parsed.key in self.by_key:
            raise AlreadyExists(f"{address} exists already")
        if parsed.domain not in self.by_name:
            raise NotFound(f"{parsed.domain} is not hosted here")
        number = len(self.hashes) + 1
        account = Account(number, str(parsed), parsed.domain, f"d{number}", quota_bytes, quota_messages)
        if not await self.accounts(parsed.domain):
            await self.set_domain(parsed.domain, default_account_id=number)
        self.by_key[parsed.key] = account
        self.hashes[number] = password_hash
        return account

    async def set_account(self, address: str, **changes: Any) -> Account:
        key = address.casefold()
        self.by_key[key] = dataclasses.replace(self.by_key[key], **changes)
        return self.by_key[key]

    async def set_password(self, address: str, password_hash: str) -> Account:
        account = self.by_key[address.casefold()]
        self.hashes[account.id] = password_hash
        return account

    async def upgrade_hash(self, account_id: int, old_hash: str, new_hash: str) -> bool:
        raise NotImplementedError

    async def add_targets(
        self, address: str, targets: Sequence[str], *, forward: bool, keep_copy: bool | None = None
    ) -> Name:
        raise NotImplementedError

    async def remove_targets(self, address: str, targets: Sequence[str], *, forward: bool) -> Name | None:
        raise NotImplementedError

    async def block_name(self, address: str, blocked: bool = True) -> None:
        raise NotImplementedError

    async def add_domain_alias(self, name: str, domain: str) -> str:
        raise NotImplementedError

    async def remove_domain_alias(self, name: str) -> str:
        raise NotImplementedError

    async def remove_account(self, address: str) -> Account:
        account = self.by_key.pop(address.casefold())
        gone = RemovedAccount(account.id, address, account.domain, account.directory, NOW, True)
        self.gone.append((gone, account))
        return account

    async def removed_accounts(self, since: float, domain: str | None = None) -> list[RemovedAccount]:
        return [one for one, _ in self.gone if one.removed >= since and domain in (None, one.domain)][::-1]

    async def restore_account(self, number: int, address: str = "") -> Account:
        account = next(account for one, account in self.gone if one.id == number)
        address = address or account.address
        if address.casefold() in self.by_key:
            raise AlreadyExists(f"{address} exists already")
        self.gone = [(one, was) for one, was in self.gone if one.id != number]
        self.by_key[address.casefold()] = account = dataclasses.replace(account, address=address)
        return account

    async def forget_removed(self, before: float) -> int:
        return 0
