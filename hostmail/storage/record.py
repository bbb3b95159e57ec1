"""The small file that makes a directory a folder of ours: UIDVALIDITY, UIDNEXT's high-water mark, special use.

The UIDs of messages that are there stand in their names. The mark speaks for those that are gone: it is written, and synced,
before the highest UID that was ever given leaves the folder, so that no crash, lost index or power cut can give it twice
(RFC 3501 2.3.1.1). Between two removals it may lag behind, for then the tree itself says how far UIDs have come.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from hostmail.storage.disk import Disk

FILE = "hostmail-folder"
UIDLS = "hostmail-uidls"
_TITLE = "hostmail folder 1"
MAX_UID = 2**32 - 1


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """What the file says."""

    uidvalidity: int
    uidnext: int = 1
    special_use: str = ""


def format_record(record: FolderRecord) -> bytes:
    """The file's content."""
    lines = [_TITLE, f"uidvalidity {record.uidvalidity}", f"uidnext {record.uidnext}"]
    if record.special_use:
        lines.append(f"use {record.special_use}")
    return ("\n".join(lines) + "\n").encode()


def parse_record(content: bytes) -> FolderRecord | None:
    """The record, or None for what is none."""
    lines = content.decode("utf-8", "replace").split("\n")
    if lines[0] != _TITLE:
        return None
    fields = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
    try:
        uidvalidity, uidnext = int(fields["uidvalidity"]), int(fields["uidnext"])
    except (KeyError, ValueError):
        return None
    if not (1 <= uidvalidity <= MAX_UID and 1 <= uidnext <= MAX_UID):
        return None
    return FolderRecord(uidvalidity, uidnext, fields.get("use", ""))


def read_record(disk: Disk, directory: str) -> FolderRecord | None:
    """The record of the folder in `directory`, if it is one of ours."""
    content = disk.read_small(os.path.join(directory, FILE))
    return None if content is None else parse_record(content)


def write_record(disk: Disk, directory: str, record: FolderRecord) -> None:
    """Durable when it returns."""
    disk.replace_file(directory, FILE, format_record(record))


def write_uidls(disk: Disk, directory: str, uidls: dict[int, str]) -> None:
    """Imported unique-ids by UID, durable: they outlive the index (D9)."""
    lines = "".join(f"{uid} {uidl}\n" for uid, uidl in sorted(uidls.items()))
    disk.replace_file(directory, UIDLS, lines.encode())


def read_uidls(disk: Disk, directory: str) -> dict[int, str]:
    """Imported unique-ids by UID; lines that say nothing are passed over."""
    content = disk.read_small(os.path.join(directory, UIDLS), 1 << 27) or b""
    found: dict[int, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        uid, _, uidl = line.partition(" ")
        if uid.isdigit() and uidl:
            found[int(uid)] = uidl
    return found
