"""Verbs about accounts."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from hostmail.actor import Actor, Role
from hostmail.admin.domains import chosen
from hostmail.admin.parts import Addressed, Greet, Parts, Verb
from hostmail.admin.permissions import ADDRESS, DOMAIN, EVERYBODY, OWNERS, May
from hostmail.admin.told import AccountRemoved, AccountShown, AccountTold, AccountWithWayTold, PasswordTold
from hostmail.admin.waysout import Smarthosted
from hostmail.admin.waysout import told as told_way
from hostmail.errors import BadValue, NotAllowed
from hostmail.interfaces.directory import Account, Usage
from hostmail.interfaces.logins import LoginAttempt

ONE = {"address": ADDRESS}
OWNERS_SAY = frozenset(
    ("address", "quota", "quota_messages", "login_suspended", "incoming_suspended", "outgoing_suspended")
)
# Of a hash nobody knows how strong the password is (A6); who moves here with many accounts imports them.
OWNERS_PASSWD = frozenset(("address", "password"))
OWNERS_ADD = OWNERS_PASSWD | {"quota", "quota_messages"}
NOT_THEIRS = frozenset(("folder", "smarthost"))


class AddAccount(msgspec.Struct, forbid_unknown_fields=True):
    """account.add: `password` in clear, or `password_hash` as {SCHEME}hash. Without `quota` the configured default."""

    address: str
    password: str = ""
    password_hash: str = ""
    quota: int | UnsetType | None = UNSET
    quota_messages: int | None = None


class ListAccounts(msgspec.Struct, forbid_unknown_fields=True):
    """account.list: of one domain, or all."""

    domain: str | None = None


class SetAccount(Smarthosted, forbid_unknown_fields=True):
    """account.set: what is not given stays."""

    address: str
    quota: int | UnsetType | None = UNSET
    quota_messages: int | UnsetType | None = UNSET
    login_suspended: bool | UnsetType = UNSET
    incoming_suspended: bool | UnsetType = UNSET
    outgoing_suspended: bool | UnsetType = UNSET


class SetPassword(msgspec.Struct, forbid_unknown_fields=True):
    """account.passwd"""

    address: str
    password: str = ""
    password_hash: str = ""


class Accounts:
    """What an operator does with accounts; effective at once on live sessions (E7)."""

    def __init__(self, parts: Parts, greet: Greet) -> None:
        self._parts = parts
        self._greet = greet
        self.verbs = {
            "account.add": Verb(AddAccount, self.add, May(OWNERS, about=ONE, only={Role.OWNER: OWNERS_ADD})),
            "account.list": Verb(
                ListAccounts, self.all, May(OWNERS, looks=True, about={"domain": DOMAIN}, rows="address")
            ),
            "account.show": Verb(Addressed, self.show, May(EVERYBODY, looks=True, about=ONE, hidden=NOT_THEIRS)),
            "account.set": Verb(
                SetAccount, self.set, May(OWNERS, about=ONE, only={Role.OWNER: OWNERS_SAY}, hidden=NOT_THEIRS)
            ),
            "account.passwd": Verb(
                SetPassword,
                self.passwd,
                May(OWNERS, about=ONE, only={Role.OWNER: OWNERS_PASSWD}, acting=True),
            ),
            "account.remove": Verb(Addressed, self.remove, May(OWNERS, about=ONE)),
        }

    async def add(self, asked: AddAccount) -> AccountTold:
        """Create an account."""
        stored = await self.stored_password(asked.address, asked.password, asked.password_hash)
        quota = self._parts.settings.default_quota if asked.quota is UNSET else asked.quota
        account = await self.create(asked.address, stored, quota, asked.quota_messages)
        await self._greet(account)
        return self.told(account, Usage())

    async def create(self, address: str, stored: str, quota: int | None, quota_messages: int | None = None) -> Account:
        """Write a new account."""
        return await self._parts.changes.add_account(
            address, password_hash=stored, quota_bytes=quota, quota_messages=quota_messages
        )

    async def all(self, asked: ListAccounts) -> list[AccountTold]:
        """Accounts with their use."""
        name = (await self._parts.find_domain(asked.domain)).name if asked.domain else None
        accounts = await self._parts.directory.accounts(name)
        usage = await self._parts.directory.usage(accounts)
        checks = await self._parts.attempts.last_checks([account.id for account in accounts])
        return [self.told(account, usage.get(account.id, Usage()), checks.get(account.id)) for account in accounts]

    async def show(self, asked: Addressed) -> AccountShown:
        """One account, and the other login that opens it if it is its domain's default mailbox (A3)."""
        account = await self._parts.find_account(asked.address)
        domain = await self._parts.find_domain(account.domain)
        mine = domain.default_account_id == account.id
        folder = self._parts.settings.data_dir / "domains" / account.domain / account.directory
        told = await self._told_with_usage(account)
        return {**told, "main_login": domain.main_login if mine else None, "folder": str(folder)}

    async def set(self, asked: SetAccount) -> AccountWithWayTold:
        """Change an account; a login suspension disconnects it, and it closes its grants as one of sending does (A9, C4)."""
        account = await self._parts.find_account(asked.address)
        account = await self._parts.changes.set_account(account.address, **chosen(asked, "address"))
        if asked.login_suspended is True or asked.outgoing_suspended is True:
            await self._parts.end_grants(account)
        if asked.login_suspended is True:
            self._parts.disconnect(account, "this account is suspended")
        return await self._told_with_usage(account)

    async def passwd(self, asked: SetPassword, actor: Actor) -> PasswordTold:
        """Set a password: at once for new logins, and grants made with the old one are closed (A6, C4)."""
        account = await self._parts.find_account(asked.address)
        if actor.address == account.address:
            raise NotAllowed("that is your own password: to set another, say the one you have")
        stored = await self.stored_password(account.address, asked.password, asked.password_hash)
        account = await self._parts.changes.set_password(account.address, stored)
        return {"address": account.address, "revoked_grants": await self._parts.end_grants(account)}

    async def remove(self, asked: Addressed) -> AccountRemoved:
        """Delete an account at once; its mail is put aside for the grace period (D13)."""
        account = await self._parts.find_account(asked.address)
        await self._parts.changes.remove_account(account.address)
        grants = await self._parts.end_grants(account)
        sessions = self._parts.disconnect(account, "this account has been removed")
        await self._parts.store.remove(account)
        return {"address": account.address, "revoked_grants": grants, "ended_sessions": sessions}

    async def stored_password(self, login: str, password: str, password_hash: str) -> str:
        """What to store for a password in clear or a ready-made hash; raises BadValue."""
        if bool(password) == bool(password_hash):
            raise BadValue("give a password, or a {SCHEME}hash of one")
        if password_hash:
            self._parts.passwords.check_scheme(password_hash)
            return password_hash
        return await self._parts.hashed(password, login)

    async def _told_with_usage(self, account: Account) -> AccountWithWayTold:
        usage = await self._parts.directory.usage([account])
        way_out = await self._parts.ways_out.of_account(account.id)
        checks = await self._parts.attempts.last_checks([account.id])
        told = self.told(account, usage.get(account.id, Usage()), checks.get(account.id))
        return {**told, **told_way(way_out)}

    def told(self, account: Account, used: Usage, checked: LoginAttempt | None = None) -> AccountTold:
        """An account as JSON, with the last time that its mail was checked."""
        return {
            "login": account.address,
            "address": account.address,
            "domain": account.domain,
            "quota": account.quota_bytes,
            "quota_messages": account.quota_messages,
            "used": used.bytes,
            "messages": used.messages,
            "login_suspended": account.login_suspended,
            "incoming_suspended": account.incoming_suspended,
            "outgoing_suspended": account.outgoing_suspended,
            "operator_suspended": account.operator_suspended.split(),
            "last_check": {"at": checked.last, "protocol": checked.protocol, "ip": checked.ip} if checked else None,
        }
