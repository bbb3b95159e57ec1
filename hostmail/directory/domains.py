"""Domains as rows: how one comes, changes and goes. Each function is a step inside a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, insert, select, update

from hostmail.address import Address
from hostmail.directory import (
    autoresponders,
    factors,
    facts,
    lists,
    naming,
    removed,
    smarthosts,
    standing,
    tables,
    tokens,
    values,
)
from hostmail.directory.accounts import ENDS_LOGINS, SUSPENSIONS
from hostmail.directory.tables import account_usage, accounts, domain_usage, domains, person_domains
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists, BadValue, Refusal, concerning
from hostmail.interfaces.directory import Domain

CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "quota_bytes": values.check_quota,
    "main_login": lambda what, value: values.check_main_login(str(value)),
    "default_mailbox": lambda what, value: values.check_address(value) if value else None,
    "catch_all": naming.check_catch_all,
    **smarthosts.DOMAIN_CHECKS,
    **dict.fromkeys((*SUSPENSIONS, "pop_before_smtp", "must_match_sender", "active"), values.check_switch),
}


def add(t: Transaction, name: str, quota_bytes: int | None, main_login: str, catch_all: str) -> Domain:
    """Host one; raises AlreadyExists."""
    if t.domain_id(name) is not None:
        raise AlreadyExists(f"{name} is hosted here already").about("name")
    if hosted := facts.domain_behind(t.connection, name):
        raise AlreadyExists(f"{name} stands for {hosted}: remove that domain alias first").about("name")
    main_login = t.free_main_login(main_login) if main_login else values.make_main_login(name, t.main_login_taken)
    row = {"name": name, "quota_bytes": quota_bytes, "created": t.now, "catch_all": catch_all}
    t.run(insert(domains).values(row | {"main_login": main_login, "main_login_key": main_login.casefold()}))
    t.announce(name)
    return _now_domain(t, name)


def put(t: Transaction, name: str, changes: dict[str, Any]) -> Domain:
    """Change it, and its way out; raises NotFound, BadValue, AlreadyExists."""
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
        if any(changes.get(switch) for switch in ENDS_LOGINS) or changes.get("pop_before_smtp") is False:
            t.announce_accounts(domain_id, name)
    return _now_domain(t, name)


def _default_mailbox(t: Transaction, domain: str, address: Address | None) -> int | None:
    if address is None:
        return None
    with concerning("default_mailbox"):
        account = t.find_account(str(address))
        if account.domain != domain:
            raise BadValue(f"the default mailbox of {domain} must be one of its own accounts")
    return account.id


def remove(t: Transaction, name: str) -> None:
    """Forget it, with all that is in it; raises NotFound."""
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


def _now_domain(t: Transaction, name: str) -> Domain:
    domain = facts.domain_named(t.connection, name)
    if domain is None:
        raise Refusal(private=f"{name} was written and is not there")
    return domain
