"""Accounts as rows: how one comes, changes, goes, and comes back. Each function is a step inside a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from hostmail.address import Address
from hostmail.directory import autoresponders, facts, naming, removed, smarthosts, tables, tokens, values
from hostmail.directory.tables import account_usage, accounts, domain_usage, domains
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists, NotAllowed, Refusal
from hostmail.interfaces.directory import Account, Usage

SWITCHES = ("login", "incoming", "outgoing")
SUSPENSIONS = tuple(f"{what}_suspended" for what in SWITCHES)
ENDS_LOGINS = frozenset(("login_suspended", "outgoing_suspended"))
"""Turning these on ends what a login has opened: relay grants, remembered credentials (C4)."""
CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "quota_bytes": values.check_quota,
    "quota_messages": values.check_quota,
    **smarthosts.CHECKS,
    **dict.fromkeys(SUSPENSIONS, values.check_switch),
}


def add(t: Transaction, address: Address, columns: dict[str, Any]) -> Account:
    """Make one; the first of a domain becomes its default mailbox (A3). Raises NotFound, AlreadyExists."""
    domain_id, name = t.find_domain(address.domain)
    taken = facts.account_by_key(t.connection, address.key)
    if taken is not None:
        raise AlreadyExists(f"{taken.address} exists already").about("address")
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


def put(t: Transaction, address: str, changes: dict[str, Any]) -> Account:
    """Change it, and its way out; raises NotFound, NotAllowed."""
    account = t.find_account(address)
    if not changes:
        return account
    columns = changes | _by_operator(t, account, changes)
    smarthosts.put(t, tables.smarthosts.c.account_id, account.id, columns)
    if columns:
        t.run(update(accounts).where(accounts.c.id == account.id).values(columns))
    ends_logins = any(changes.get(switch) for switch in ENDS_LOGINS)
    t.announce(account.domain, account.id, credentials=ends_logins)
    return t.find_account(address)


def _by_operator(t: Transaction, account: Account, changes: dict[str, Any]) -> dict[str, str]:
    """What an operator has suspended of it after these changes; raises NotAllowed for an owner who would allow some of that again."""
    asked = {what: changes[f"{what}_suspended"] for what in SWITCHES if f"{what}_suspended" in changes}
    allowed = {what for what, is_suspended in asked.items() if not is_suspended}
    before = set(account.operator_suspended.split())
    if t.bounded:
        _check_free(account, before & allowed)
        return {}
    after = (before | asked.keys()) - allowed
    return {"operator_suspended": " ".join(what for what in SWITCHES if what in after)} if asked else {}


def _check_free(account: Account, suspended: set[str]) -> None:
    """Raises NotAllowed if any of this is an operator's to allow."""
    if suspended:
        raise NotAllowed(f"an operator has suspended {account.address}: please ask your provider")


def set_password(t: Transaction, address: str, password_hash: str) -> Account:
    """Another one: what was opened with the one before ends (A6)."""
    account = t.find_account(address)
    new = {"password_hash": password_hash, "replaced_hash": None, "credential": accounts.c.credential + 1}
    t.run(update(accounts).where(accounts.c.id == account.id).values(new))
    t.announce(account.domain, account.id, credentials=True)
    return account


def upgrade_hash(t: Transaction, account_id: int, old_hash: str, new_hash: str, kept: str) -> bool:
    """The same password, hashed by us; False if it has been changed meanwhile (A7)."""
    query = update(accounts).where(accounts.c.id == account_id, accounts.c.password_hash == old_hash)
    if t.run(query.values(password_hash=new_hash, replaced_hash=kept)).rowcount != 1:
        return False
    account = facts.account_by_id(t.connection, account_id)
    if account is not None:
        t.whisper(account.domain, account_id)
    return True


def remove(t: Transaction, address: str) -> Account:
    """Forget it; its name and its space are free at once (D13). Raises NotFound, and NotAllowed for an owner whom that would set free."""
    account = t.find_account(address)
    if t.bounded:
        _check_free(account, set(account.operator_suspended.split()))
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


def restore(t: Transaction, number: int, address: Address | None) -> Account:
    """One that was removed, under its own address or another (D13)."""
    columns = removed.take(t, number)
    return add(t, address or Address.parse(columns["address"]), columns)


def _now_account(t: Transaction, key: str) -> Account:
    account = facts.account_by_key(t.connection, key)
    if account is None:
        raise Refusal(private=f"{key} was written and is not there")
    return account
