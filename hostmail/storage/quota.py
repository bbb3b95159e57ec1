"""Quota arithmetic (D2, D4, D6). Pure: octets as on the wire, messages, all folders."""

from __future__ import annotations

from hostmail.errors import OverQuota
from hostmail.interfaces.directory import Account, Usage
from hostmail.interfaces.mailstore import Room


def add(used: Usage, more: Usage) -> Usage:
    """The sum."""
    return Usage(used.bytes + more.bytes, used.messages + more.messages)


def check(account: Account, used: Usage, more: Usage) -> Usage:
    """Usage with `more`; raises OverQuota naming the space left if the mailbox's own limits do not allow it."""
    after = add(used, more)
    if more.bytes and account.quota_bytes is not None and after.bytes > account.quota_bytes:
        left = max(0, account.quota_bytes - used.bytes)
        raise OverQuota(f"mailbox full: the message needs {more.bytes} octets, {left} are left")
    if more.messages and account.quota_messages is not None and after.messages > account.quota_messages:
        raise OverQuota(f"mailbox full: it holds {used.messages} messages and may not hold more")
    return after


def room(account: Account, used: Usage, domain_free: int | None = None) -> Room:
    """Quota as it stands; `domain_free` is what the domain's quota leaves, None for no limit."""
    limits = [] if account.quota_bytes is None else [account.quota_bytes - used.bytes]
    if domain_free is not None:
        limits.append(domain_free)
    free = max(0, min(limits)) if limits else None
    return Room(used, account.quota_bytes, account.quota_messages, free)


def has_room(room: Room, octets: int) -> bool:
    """True if one more message of so many octets is no more than what is free."""
    if room.limit_messages is not None and room.used.messages >= room.limit_messages:
        return False
    return room.free_bytes is None or room.free_bytes > octets
