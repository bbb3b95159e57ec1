"""Verbs about domains."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from twisted.logger import Logger

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Named, NoArguments, Parts, Verb
from hostmail.admin.permissions import ADDRESS, DOMAIN, OWNERS, May
from hostmail.admin.told import DomainRemoved, DomainTold
from hostmail.admin.waysout import Smarthosted, told
from hostmail.decisions import CATCH_DEFAULT, CATCH_REFUSE
from hostmail.errors import Refusal
from hostmail.interfaces.directory import Account, Domain

log = Logger(namespace="admin")


ONE = {"name": DOMAIN}
NOT_THEIRS = frozenset(("smarthost", "source_addresses"))


class AddDomain(msgspec.Struct, forbid_unknown_fields=True):
    """domain.add"""

    name: str
    quota: int | None = None
    main_login: str = ""


class SetDomain(Smarthosted, forbid_unknown_fields=True):
    """domain.set: what is not given stays. `default_mailbox` is an address, "" for none."""

    name: str
    quota: int | UnsetType | None = UNSET
    main_login: str | UnsetType = UNSET
    default_mailbox: str | UnsetType = UNSET
    login_suspended: bool | UnsetType = UNSET
    incoming_suspended: bool | UnsetType = UNSET
    outgoing_suspended: bool | UnsetType = UNSET
    pop_before_smtp: bool | UnsetType = UNSET
    must_match_sender: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    source_addresses: list[str] | UnsetType = UNSET


def chosen(arguments: msgspec.Struct, but: str) -> dict[str, Any]:
    """The fields that were given, under the names of the directory's fields, without the one that names the subject."""
    given = {name: value for name in arguments.__struct_fields__ if (value := getattr(arguments, name)) is not UNSET}
    del given[but]
    return {"quota_bytes" if name == "quota" else name: value for name, value in given.items()}


class Domains:
    """What an operator does with domains; effective at once on live sessions (E7)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "domain.add": Verb(AddDomain, self.add),
            "domain.list": Verb(
                NoArguments, self.all, May(OWNERS, looks=True, rows="name", hidden=NOT_THEIRS, acting=True)
            ),
            "domain.show": Verb(Named, self.show, May(OWNERS, looks=True, about=ONE, hidden=NOT_THEIRS)),
            "domain.set": Verb(
                SetDomain,
                self.set,
                May(
                    OWNERS,
                    about={**ONE, "default_mailbox": ADDRESS},
                    only={Role.OWNER: frozenset(("name", "default_mailbox", "pop_before_smtp"))},
                    hidden=NOT_THEIRS,
                ),
            ),
            "domain.remove": Verb(Named, self.remove),
        }

    async def add(self, asked: AddDomain) -> DomainTold:
        """Host a domain."""
        catch_all = CATCH_DEFAULT if self._parts.settings.catch_all == "deliver" else CATCH_REFUSE
        domain = await self._parts.changes.add_domain(
            asked.name, quota_bytes=asked.quota, main_login=asked.main_login, catch_all=catch_all
        )
        return await self._told(domain, [])

    async def all(self, _: NoArguments, actor: Actor) -> list[DomainTold]:
        """All domains with their use."""
        if actor.role is not Role.OPERATOR:
            found = [await self._parts.directory.domain(name) for name in sorted(actor.domains)]
            return [await self._with_accounts(one) for one in found if one is not None]
        by_domain: dict[str, list[Account]] = {}
        for account in await self._parts.directory.accounts():
            by_domain.setdefault(account.domain, []).append(account)
        return [await self._told(one, by_domain.get(one.name, [])) for one in await self._parts.directory.domains()]

    async def show(self, asked: Named) -> DomainTold:
        """One domain."""
        return await self._with_accounts(await self._parts.find_domain(asked.name))

    async def _with_accounts(self, domain: Domain) -> DomainTold:
        return await self._told(domain, await self._parts.directory.accounts(domain.name))

    async def set(self, asked: SetDomain) -> DomainTold:
        """Change a domain; suspending its logins disconnects everybody, suspending sending closes their grants (A9, C4)."""
        domain = await self._parts.changes.set_domain(asked.name, **chosen(asked, "name"))
        accounts = await self._parts.directory.accounts(domain.name)
        for account in accounts:
            if asked.login_suspended is True or asked.outgoing_suspended is True or asked.pop_before_smtp is False:
                await self._parts.end_grants(account)
            if asked.login_suspended is True:
                self._parts.disconnect(account, "this account is suspended")
        return await self._told(domain, accounts)

    async def remove(self, asked: Named) -> DomainRemoved:
        """Stop hosting a domain; the mail of its accounts is put aside for the grace period (D13)."""
        domain = await self._parts.find_domain(asked.name)
        accounts = await self._parts.directory.accounts(domain.name)
        await self._parts.changes.remove_domain(domain.name)
        for account in accounts:
            await self._parts.end_grants(account)
            self._parts.disconnect(account, "this account has been removed")
        failed: Refusal | None = None
        for account in accounts:
            try:
                await self._parts.store.remove(account)
            except Refusal as refusal:
                log.error(
                    "mailbox_not_put_aside: {address}, in {folder}: {reason}",
                    address=account.address,
                    folder=account.directory,
                    reason=refusal.private or refusal.public,
                )
                failed = refusal
        if failed is not None:
            raise failed
        return {"name": domain.name, "removed_accounts": len(accounts)}

    async def _told(self, domain: Domain, accounts: list[Account]) -> DomainTold:
        used = await self._parts.directory.domain_usage(domain.name)
        default = next((one.address for one in accounts if one.id == domain.default_account_id), None)
        way_out = await self._parts.ways_out.of_domain(domain.name)
        return {
            "name": domain.name,
            "main_login": domain.main_login,
            "default_mailbox": default,
            "accounts": len(accounts),
            "quota": domain.quota_bytes,
            "used": used.bytes,
            "messages": used.messages,
            "login_suspended": domain.login_suspended,
            "incoming_suspended": domain.incoming_suspended,
            "outgoing_suspended": domain.outgoing_suspended,
            "pop_before_smtp": domain.pop_before_smtp,
            "must_match_sender": domain.must_match_sender,
            "catch_all": domain.catch_all,
            "active": domain.active,
            **told(way_out),
            "source_addresses": list(way_out.sources),
        }
