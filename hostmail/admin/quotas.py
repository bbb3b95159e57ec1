"""Verbs about quotas, of accounts and of whole domains (D2)."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import msgspec

from hostmail.admin.parts import Named, Parts, Verb
from hostmail.admin.permissions import ADDRESS, EITHER, EVERYBODY, OWNERS, May
from hostmail.interfaces.directory import Usage


class SetQuota(msgspec.Struct, forbid_unknown_fields=True):
    """quota.set: octets for an address or a domain, null for no limit."""

    name: str
    quota: int | None


class QuotaTold(TypedDict):
    """Limit and use of an account or domain; only accounts have `quota_messages`."""

    name: str
    quota: int | None
    used: int
    messages: int
    free: int | None
    quota_messages: NotRequired[int | None]


class Quotas:
    """An address means its account, a name without @ a domain."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "quota.show": Verb(Named, self.show, May(EVERYBODY, looks=True, about={"name": EITHER})),
            # A domain's own quota is the operator's to give.
            "quota.set": Verb(SetQuota, self.set, May(OWNERS, about={"name": ADDRESS})),
        }

    async def show(self, asked: Named) -> QuotaTold:
        """Limit and use of an account or a domain."""
        if "@" in asked.name:
            account = await self._parts.find_account(asked.name)
            used = (await self._parts.directory.usage([account])).get(account.id, Usage())
            told = _told(account.address, account.quota_bytes, used)
            return {**told, "quota_messages": account.quota_messages}
        domain = await self._parts.find_domain(asked.name)
        return _told(domain.name, domain.quota_bytes, await self._parts.directory.domain_usage(domain.name))

    async def set(self, asked: SetQuota) -> QuotaTold:
        """Change the limit of an account or a domain; mail already there stays, however little it is."""
        if "@" in asked.name:
            account = await self._parts.find_account(asked.name)
            await self._parts.changes.set_account(account.address, quota_bytes=asked.quota)
        else:
            await self._parts.changes.set_domain(asked.name, quota_bytes=asked.quota)
        return await self.show(Named(asked.name))


def _told(name: str, quota: int | None, used: Usage) -> QuotaTold:
    free = None if quota is None else max(0, quota - used.bytes)
    return {"name": name, "quota": quota, "used": used.bytes, "messages": used.messages, "free": free}
