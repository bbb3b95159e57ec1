"""Many whole messages, or many ready-made facts, for one hop into a thread: what large FETCHes are made of."""

from __future__ import annotations

import os
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import Any, TypeVar

from hostmail.message.scan import MAX_HEADER, header_extent
from hostmail.storage import looking
from hostmail.storage.boxes import BoxRef, Row
from hostmail.storage.disk import Disk
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.message import message_of
from hostmail.storage.tree import CUR, NEW, FolderTree

T = TypeVar("T")
MOST = 2_000
FIRST_READ = 8 * 1024


def read_headers(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], limit: int) -> list[bytes | None]:
    """See `IFolder.read_headers`. The mailbox is free for others while files are read."""
    uids = uids[:MOST]
    found: list[bytes | None] = []
    with _files_of(mailbox, ref, uids) as (files, directories):
        for uid in uids:
            row = files.get(uid)
            header = None if row is None else _header(mailbox, ref, row, directories[row.place])
            limit -= 0 if header is None else len(header)
            if limit < 0 and found:
                break
            found.append(header)
    return found


def _header(mailbox: Mailbox, ref: BoxRef, row: Row, directory: int) -> bytes | None:
    """A message's header block, read in pieces that grow; None if the message is gone."""
    disk = mailbox.tools.disk
    try:
        message: Any = message_of(disk, disk.open_read(row.name, directory), row, _no_thread)
    except OSError:
        message = looking.open_message(mailbox, ref, row.uid, _no_thread)
    if message is None:
        return None
    try:
        head, length = b"", FIRST_READ
        while True:
            head += message.read_blocking(len(head), length - len(head))
            end = header_extent(head)[1]
            if end < len(head) or len(head) >= min(message.size, MAX_HEADER + 1):
                return head[:end]
            length *= 4
    finally:
        message.close()


def read_many(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], limit: int) -> list[bytes | None]:
    """See `IFolder.read_many`. The mailbox is free for others while files are read."""
    uids = uids[:MOST]
    read: Callable[..., bytes | None] = mailbox.tools.disk.read_whole
    found: list[bytes | None] = []
    with _files_of(mailbox, ref, uids) as (files, directories):
        for uid in uids:
            row, content = files.get(uid), None
            if row is not None:
                if row.size > limit:
                    break
                if not row.converted:
                    content = read(row.name, row.size, directories[row.place])
                if content is None:
                    content = _with_care(mailbox, ref, uid, limit)
                if content is not None:
                    limit -= len(content)
                    if limit < 0:
                        break
            found.append(content)
    return found


def read_sound(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], limit: int) -> list[tuple[int, bytes | None]]:
    """(UID, whole message) for the first of `uids`, at least one, up to `limit` octets; None for what is not as the index has it."""
    disk = mailbox.tools.disk
    found: list[tuple[int, bytes | None]] = []
    with _files_of(mailbox, ref, uids) as (files, directories):
        for uid in uids:
            row = files.get(uid)
            limit -= 0 if row is None else row.size
            if limit < 0 and found:
                break
            found.append((uid, None if row is None else _sound(disk, row, directories[row.place])))
    return found


def _sound(disk: Disk, row: Row, directory: int) -> bytes | None:
    if not row.converted:
        return disk.read_whole(row.name, row.size, directory)
    try:
        message: Any = message_of(disk, disk.open_read(row.name, directory), row, _no_thread)
    except OSError:
        return None
    try:
        content: bytes = message.read_blocking(0, row.size + 1)
    finally:
        message.close()
    return content if len(content) == row.size else None


@contextmanager
def _files_of(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int]) -> Iterator[tuple[dict[int, Row], list[int]]]:
    """The rows of messages by UID, and new/ and cur/ held open by themselves, so that the mailbox is free for others."""
    with ExitStack() as stack:
        with mailbox.reading() as index:
            box = mailbox.box(ref)
            files = {row.uid: row for row in index.rows(box, uids)}
            directories = _held(mailbox.tree(box), stack)
        yield files, directories


def _held(tree: FolderTree, stack: ExitStack) -> list[int]:
    """Descriptors of new/ and cur/ that stay open whatever becomes of the folder."""
    held = []
    for place in (NEW, CUR):
        fd = os.dup(tree.fd(place))
        stack.callback(os.close, fd)
        held.append(fd)
    return held


def _with_care(mailbox: Mailbox, ref: BoxRef, uid: int, limit: int) -> bytes | None:
    """A message whose file is not what the index says: converted, moved by others, damaged, or gone."""
    message = looking.open_message(mailbox, ref, uid, _no_thread)
    if message is None:
        return None
    try:
        content: bytes = message.read_blocking(0, min(message.size, limit + 1))
        return content
    finally:
        message.close()


def cached_columns(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """See `IFolder.cached_columns`: what the index lacks is built from the files."""
    facts = looking.cached(mailbox, ref, sorted(set(uids)))
    chosen = attrgetter("uid", *columns)
    return [chosen(each) for each in facts]


def sent_days(mailbox: Mailbox, ref: BoxRef, uids: array[int]) -> array[int]:
    """See `IFolder.sent_days`. The mailbox is free for others between portions; what has been learnt is kept with the view."""
    with looking.current(mailbox, ref) as box:
        view = mailbox.view(box)
        assert view is not None
        known = view.sent_days_known()
    missing = [uid for uid in uids if uid not in known]
    for first in range(0, len(missing), MOST):
        wanted = missing[first : first + MOST]
        with mailbox.reading() as index:
            rows = index.cached_columns(mailbox.box(ref), wanted, ["sent_day"])
        known.update((uid, day or 0) for uid, day in rows)
        absent = [uid for uid in wanted if uid not in known] if len(rows) < len(wanted) else []
        for each in looking.cached(mailbox, ref, absent) if absent else ():
            known[each.uid] = each.sent_day or 0
    days = array("i", [known.get(uid, -1) for uid in uids])
    view.keep_sent_days(uids, days)
    return days


def _no_thread(f: Callable[..., T], *args: Any) -> Awaitable[T]:
    raise AssertionError("a thread needs no other thread")
