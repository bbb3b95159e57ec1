"""Whether a message has been going round (RFC 5321 6.3)."""

from __future__ import annotations

from collections.abc import Collection

from hostmail.errors import MailLoop

MAX_RECEIVED = 50


def too_many_hops(received: int, limit: int = MAX_RECEIVED) -> None:
    """Raises MailLoop for a message that has more than `limit` Received fields (LIMITS, Messages)."""
    if received > limit:
        raise MailLoop(private=f"{received} Received fields")


def been_here(delivered_to: Collection[str], mailbox: str) -> None:
    """Raises MailLoop if a message carries our own mark that it was delivered to `mailbox` before.

    `delivered_to` are the values of its Delivered-To fields, case-folded.
    """
    if mailbox.casefold() in delivered_to:
        raise MailLoop(private=f"was delivered to {mailbox} before")
