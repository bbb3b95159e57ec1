"""Who and what is there for the panel's tests: two domains with their accounts, and three people."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor, Role

HOST = "panel.example.net"
MINE, THEIRS = "example.com", "other.example"
GIB = 1 << 30
PASSWORD, CODE = "Correct-Horse-7", "123456"


def account(address: str, used: int = 0, quota: int | None = 20 << 20) -> dict[str, Any]:
    """An account as account.show tells it."""
    return {
        "login": address,
        "address": address,
        "domain": address.rpartition("@")[2],
        "quota": quota,
        "quota_messages": None,
        "used": used,
        "messages": used // 10_000,
        "login_suspended": False,
        "incoming_suspended": False,
        "outgoing_suspended": False,
        "operator_suspended": [],
        "last_check": None,
        "smarthost": None,
        "direct": False,
    }


def domain(name: str) -> dict[str, Any]:
    """A domain as domain.show tells it."""
    return {
        "name": name,
        "main_login": name.replace(".", "")[:8],
        "default_mailbox": f"info@{name}",
        "quota": GIB,
        "login_suspended": False,
        "incoming_suspended": False,
        "outgoing_suspended": False,
        "active": True,
        "pop_before_smtp": True,
        "must_match_sender": False,
        "smarthost": None,
        "direct": False,
        "source_addresses": [],
    }


PEOPLE = {
    "root": Actor(Role.OPERATOR, "root", "panel", person_id=1),
    "owen": Actor(Role.OWNER, "owen", "panel", person_id=2, domains=frozenset({MINE})),
    "main": Actor(Role.OWNER, "main", "panel", domains=frozenset({MINE}), address=f"info@{MINE}"),
    f"Ann@{MINE}": Actor(Role.USER, f"Ann@{MINE}", "panel", address=f"Ann@{MINE}"),
}
