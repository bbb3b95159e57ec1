"""Bounces as other servers write them (RFC 3464): whether one says that an address will never take mail. Pure."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message

_KINDS = ("message/delivery-status", "message/global-delivery-status")
_FAILED = re.compile(r"^action[ \t]*:[ \t]*failed\b", re.IGNORECASE | re.MULTILINE)
_FOR_GOOD = re.compile(r"^status[ \t]*:[ \t]*5\.[0124]\.\d", re.IGNORECASE | re.MULTILINE)
_GROUPS = re.compile(r"(?:\r?\n){2,}")


def is_hard_failure(report: bytes) -> bool:
    """True if a recipient's delivery has failed for good for what he is: no such address, mailbox or host (5.0, 5.1, 5.2, 5.4; RFC 3463).

    What is no such report counts as nothing. Nor does a refusal for what the message is, or for whom it comes from (5.3, 5.5, 5.6,
    5.7): one post with a virus in it, or our address on a blocklist, would empty the list.
    The address it came to tells which recipient that is. `report` may be cut off behind the part that matters.
    """
    try:
        return any(_FAILED.search(group) and _FOR_GOOD.search(group) for group in _groups(message_from_bytes(report)))
    except Exception:  # noqa: BLE001 - a stranger wrote it, and the library has its own ways to fail
        return False


def _groups(message: Message) -> list[str]:
    found: list[str] = []
    for part in message.walk():
        if part.get_content_type() in _KINDS:
            content = part.get_payload()
            if isinstance(content, list):
                found += [str(group) for group in content]
            else:
                found += _GROUPS.split(str(content))
    return found
