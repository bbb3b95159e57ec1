"""Many accounts at once: rows of address, password and quota, each with its own outcome; saying it twice changes nothing."""

from __future__ import annotations

import re
from typing import NotRequired, TypedDict

import msgspec

from hostmail.actor import Actor
from hostmail.address import Address
from hostmail.admin.accounts import Accounts
from hostmail.admin.parts import Greet, Parts, Verb
from hostmail.admin.permissions import ADDRESS, OWNERS, May
from hostmail.config.units import parse_size
from hostmail.errors import BadAddress, BadValue, NotAllowed, Overloaded, Refusal, TemporaryFailure
from hostmail.interfaces.directory import Account

MOST_ROWS = 200

# As in /etc/shadow: taken for a password in clear, nobody could log in.
_BARE_CRYPT = re.compile(r"\$(?:1|2[abxy]|5|6|7|y|argon2[a-z]*)\$.*[$./A-Za-z0-9]{20}\Z")
_HASH = re.compile(r"\{[A-Za-z0-9][A-Za-z0-9.-]*\}.")


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """One account as written in the file: `password` in clear or {SCHEME}hash, `quota` like 20M, "none" or ""."""

    line: int
    address: str
    password: str = ""
    quota: str = ""


class Import(msgspec.Struct, forbid_unknown_fields=True):
    """account.import: a batch of rows; with `dry_run` nothing is written."""

    rows: list[Row]
    dry_run: bool = False


class RowTold(TypedDict):
    """The outcome of a row: created, updated, unchanged, or problem with its words."""

    line: int
    address: str
    outcome: str
    problem: NotRequired[str]


class Importing:
    """Accounts from lists. An empty password or quota leaves an existing account's as it is."""

    def __init__(self, parts: Parts, accounts: Accounts, greet: Greet) -> None:
        self._parts = parts
        self._accounts = accounts
        self._greet = greet
        may = May(OWNERS, about={"rows.address": ADDRESS}, acting=True)
        self.verbs = {"account.import": Verb(Import, self.rows, may)}

    async def rows(self, asked: Import, actor: Actor) -> list[RowTold]:
        """Create or update many accounts; the outcome of each row is created, updated, unchanged, or problem with its words."""
        if len(asked.rows) > MOST_ROWS:
            raise BadValue(f"at most {MOST_ROWS} rows at a time")
        created: list[Account] = []
        try:
            return await self._outcomes(asked, actor, created)
        finally:
            await self._greet(*created)

    async def _outcomes(self, asked: Import, actor: Actor, created: list[Account]) -> list[RowTold]:
        outcomes: list[RowTold] = []
        for row in asked.rows:
            told: RowTold = {"line": row.line, "address": row.address, "outcome": "problem"}
            try:
                told["outcome"] = await self._row(row, asked.dry_run, actor, created)
            except (TemporaryFailure, Overloaded):
                raise
            except Refusal as refusal:
                told["problem"] = refusal.public
            outcomes.append(told)
        return outcomes

    async def _row(self, row: Row, dry_run: bool, actor: Actor, created: list[Account]) -> str:
        try:
            address = Address.parse(row.address.strip())
        except BadAddress as refusal:
            raise BadValue(refusal.public) from None
        await self._parts.find_domain(address.domain)
        account = await self._parts.directory.account_for(address)
        quota = _quota(row.quota)
        self._check(address, row.password)
        if account is None:
            return await self._create(row, address, quota, None if dry_run else created)
        return await self._update(row, account, quota, dry_run, actor)

    def _check(self, address: Address, password: str) -> None:
        """Raises BadValue for what could not be stored; a dry run finds it too."""
        if _HASH.match(password):
            self._parts.passwords.check_scheme(password)
        elif _BARE_CRYPT.match(password):
            raise BadValue(f"the password looks like a hash of crypt(3): write it as {{CRYPT}}{password[:3]}...")
        elif password:
            self._parts.passwords.check_strength(password, str(address))

    async def _create(self, row: Row, address: Address, quota: int | str | None, created: list[Account] | None) -> str:
        if not row.password:
            raise BadValue("a new account needs a password")
        if created is not None:
            limit = quota if not isinstance(quota, str) else self._parts.settings.default_quota
            created.append(await self._accounts.create(str(address), await self._stored(row.password), limit))
        return "created"

    async def _update(self, row: Row, account: Account, quota: int | str | None, dry_run: bool, actor: Actor) -> str:
        new_password = bool(row.password) and not await self._has_password(account, row.password)
        if new_password and account.address == actor.address:
            raise NotAllowed("that is your own password: to set another, say the one you have")
        new_quota = not isinstance(quota, str) and quota != account.quota_bytes
        if new_password and not dry_run:
            await self._parts.changes.set_password(account.address, await self._stored(row.password))
            await self._parts.end_grants(account)
        if new_quota and not dry_run:
            await self._parts.changes.set_account(account.address, quota_bytes=quota)
        return "updated" if new_password or new_quota else "unchanged"

    async def _has_password(self, account: Account, password: str) -> bool:
        """True if the account has that password already."""
        found = await self._parts.directory.login(account.address)
        stored = found[1] if found is not None else ""
        if not _HASH.match(password):
            return await self._parts.passwords.verify(stored, password)
        return password == stored or await self._parts.was_hash(account.id, password)

    async def _stored(self, password: str) -> str:
        return password if _HASH.match(password) else await self._parts.passwords.hash(password)


def _quota(text: str) -> int | str | None:
    """Octets, None for no limit, "" when the row does not say; raises BadValue."""
    words = text.strip().lower()
    if not words:
        return ""
    if words in ("none", "unlimited"):
        return None
    try:
        return parse_size(words)
    except ValueError as error:
        raise BadValue(str(error)) from None
