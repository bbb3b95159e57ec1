"""The file that holds the subscribed names, as Dovecot keeps it: it is the truth, and read again when it changed."""

from __future__ import annotations

import os
from collections.abc import Iterable

from hostmail.storage.adoption_formats import format_subscriptions, parse_courier_subscriptions, parse_subscriptions
from hostmail.storage.disk import Disk

FILE, COURIER_FILE = "subscriptions", "courierimapsubscribed"


def read_subscriptions(disk: Disk, maildir: str) -> list[str]:
    """The subscribed names, each once, in the order of the file."""
    content = disk.read_small(os.path.join(maildir, FILE))
    if content is not None:
        return list(dict.fromkeys(parse_subscriptions(content)))
    content = disk.read_small(os.path.join(maildir, COURIER_FILE))
    return list(dict.fromkeys(parse_courier_subscriptions(content))) if content else []


def write_subscriptions(disk: Disk, maildir: str, names: Iterable[str]) -> None:
    """Durable when it returns."""
    disk.replace_file(maildir, FILE, format_subscriptions(names))
