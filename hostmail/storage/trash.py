"""Accounts that were deleted: their trees, kept aside until the grace period is over (D13)."""

from __future__ import annotations

import os
import shutil

from hostmail.errors import AlreadyExists
from hostmail.interfaces.directory import Account
from hostmail.storage.disk import Disk, storage_refusal

REMOVED = "removed"
GRACE_SECONDS = 14 * 24 * 3600.0


def put_aside(disk: Disk, data_dir: str, root: str, account: Account, now: float) -> str | None:
    """Rename the account's directory to DATA/removed/<domain>/<directory>.<seconds>; the new path, None if there was none."""
    parent = os.path.join(data_dir, REMOVED, account.domain)
    try:
        os.makedirs(parent, 0o700, exist_ok=True)
        target = _free_name(os.path.join(parent, f"{account.directory}.{int(now)}"))
        try:
            disk.rename(root, target)
        except FileNotFoundError:
            return None
        disk.sync_directory(parent)
        disk.sync_directory(os.path.dirname(root))
    except OSError as error:
        raise storage_refusal(error) from error
    return target


def _free_name(path: str) -> str:
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = f"{path}-{number}"
    return found


def list_removed(data_dir: str, domain: str, directory: str) -> list[tuple[int, str]]:
    """(when removed, path) of the trees that this account directory left, oldest first."""
    return sorted((when, path) for when, path in _all(data_dir) if _is_of(path, domain, directory))


def _is_of(path: str, domain: str, directory: str) -> bool:
    parent, name = os.path.split(path)
    return os.path.basename(parent) == domain and name.rpartition(".")[0] == directory


def _all(data_dir: str) -> list[tuple[int, str]]:
    found = []
    top = os.path.join(data_dir, REMOVED)
    for domain in os.listdir(top) if os.path.isdir(top) else []:
        for name in os.listdir(os.path.join(top, domain)):
            seconds = name.rpartition(".")[2].partition("-")[0]
            if seconds.isdigit():
                found.append((int(seconds), os.path.join(top, domain, name)))
    return found


def put_back(disk: Disk, path: str, root: str) -> None:
    """The tree is the account's again; raises AlreadyExists if there is one."""
    try:
        os.makedirs(os.path.dirname(root), 0o700, exist_ok=True)
        if os.path.lexists(root):
            raise AlreadyExists("the mailbox is in use: restore into another account")
        disk.rename(path, root)
        disk.sync_directory(os.path.dirname(root))
    except OSError as error:
        raise storage_refusal(error) from error


def purge(data_dir: str, before: float) -> int:
    """Erase what was removed before then; how many accounts."""
    expired = [path for when, path in _all(data_dir) if when < before]
    for path in expired:
        shutil.rmtree(path, ignore_errors=True)
    return len(expired)
