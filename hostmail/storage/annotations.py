"""Annotations: small values with a name that mail programs keep with a folder, or with the account (RFC 5464).

One file for each folder, in its directory, so that it goes wherever the folder goes and ends with it; and one in the account's directory.
The files are the truth: a lost index loses none of them. Quota counts messages and not these; they are bounded instead, in number and size
for each file, and in size for the account.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping

from twisted.logger import Logger

from hostmail.errors import BadValue, TooMany
from hostmail.interfaces.mailstore import MAX_ANNOTATION_OCTETS
from hostmail.storage.disk import Disk

FILE = "hostmail-annotations"
MAX_ENTRIES, MAX_NAME = 100, 255
MAX_FILE, MAX_ACCOUNT = 256 << 10, 8 << 20
_TITLE = b"hostmail annotations 1"
_LARGEST_FILE = 1 << 20
_log = Logger()

Values = dict[str, bytes]


# --------------------------------------------------------------------------------------------------------------- decisions


def changed(before: Mapping[str, bytes], changes: Mapping[str, bytes | None]) -> Values:
    """The values afterwards; raises BadValue or TooMany, and then nothing is to be changed."""
    after = dict(before)
    for name, value in changes.items():
        if value is None:
            after.pop(name, None)
            continue
        _check(name, value)
        after[name] = value
    grows = size_of(after) > size_of(before)
    if len(after) > max(MAX_ENTRIES, len(before)) or (grows and size_of(after) > MAX_FILE):
        raise TooMany("there is no room for more annotations here")
    return after


def _check(name: str, value: bytes) -> None:
    if not name or not name.isascii() or not name.isprintable() or len(name) > MAX_NAME:
        raise BadValue("annotations cannot have that name")
    if len(value) > MAX_ANNOTATION_OCTETS:
        raise BadValue(f"annotations can have {MAX_ANNOTATION_OCTETS} octets")


def size_of(values: Mapping[str, bytes]) -> int:
    """The octets of names and values."""
    return sum(len(name) + len(value) for name, value in values.items())


def check_account(others: int, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Raises TooMany if the account would hold more than it may; `others` is what its other files hold."""
    if size_of(after) > size_of(before) and others + size_of(after) > MAX_ACCOUNT:
        raise TooMany("there is no room for more annotations in this mailbox")


# ---------------------------------------------------------------------------------------------------------------- the file


def format_values(values: Mapping[str, bytes]) -> bytes:
    """The file's content: a title, and a line for each value."""
    lines = [_TITLE, *(b"%b %b" % (b64encode(value), name.encode()) for name, value in sorted(values.items()))]
    return b"\n".join(lines) + b"\n"


def parse_values(content: bytes) -> tuple[Values, bool]:
    """The values, and whether the file was sound; lines that say nothing are passed over."""
    title, *lines = content.split(b"\n")
    found: Values = {}
    sound = title == _TITLE and lines[-1:] == [b""]
    for line in lines[:-1] if sound else lines:
        encoded, _, name = line.partition(b" ")
        try:
            found[name.decode("ascii")] = b64decode(encoded, validate=True)
        except (Base64Error, ValueError):
            sound = False
    found.pop("", None)
    return found, sound


def read_values(disk: Disk, directory: str) -> Values:
    """What is kept there; OSError if it cannot be read for now."""
    return _read(disk, directory)[0]


def _read(disk: Disk, directory: str) -> tuple[Values, bool]:
    try:
        fd = disk.open_read(os.path.join(directory, FILE))
    except FileNotFoundError:
        return {}, True
    try:
        return parse_values(disk.pread(fd, _LARGEST_FILE, 0))
    finally:
        os.close(fd)


def write_values(disk: Disk, directory: str, values: Mapping[str, bytes]) -> None:
    """Durable when it returns. A file that could be read only in part is kept beside the new one."""
    path = os.path.join(directory, FILE)
    if not _read(disk, directory)[1]:
        _log.error("annotations_damaged: {path}", path=path)
        disk.rename(path, f"{path}.broken")
    if values:
        disk.replace_file(directory, FILE, format_values(values))
    elif disk.unlink_if_there(path):
        disk.sync_directory(directory)


def copy_values(disk: Disk, source: str, target: str) -> None:
    """What INBOX's messages take along when it is renamed; INBOX keeps its own (RFC 5464 section 4.1)."""
    values = read_values(disk, source)
    if values:
        write_values(disk, target, values)
