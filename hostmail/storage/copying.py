"""Copies and moves between the folders of an account: links and renames, in one transaction over both folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from functools import partial

from hostmail.errors import NoSuchFolder
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Placed
from hostmail.storage import keywords, unlettered
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.content import copy_range
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.names import copied_name
from hostmail.storage.scan import prepare, scan
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

SYSTEM_FLAGS = 31
Carry = Callable[[Transaction, int, str, int, str], None]


def copy(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], target: str) -> Placed:
    """See `IFolder.copy`."""

    def work(transaction: Transaction, box: Box, other: Box, rows: list[Row]) -> Placed:
        flags = _target_flags(transaction, box, other, rows)
        transaction.take(Usage(sum(row.size for row in rows), len(rows)))
        return _place(transaction, box, other, rows, flags, _link)

    return _between(mailbox, ref, uids, target, work)


def move(mailbox: Mailbox, ref: BoxRef, uids: Sequence[int], target: str) -> Placed:
    """See `IFolder.move`: renames, so that a message is never there twice or not at all."""
    return _between(mailbox, ref, uids, target, move_rows)


def _between(
    mailbox: Mailbox,
    ref: BoxRef,
    uids: Sequence[int],
    target: str,
    work: Callable[[Transaction, Box, Box, list[Row]], Placed],
) -> Placed:
    """Once more after a scan if a file was not under the name that the index knows."""
    for is_last in (False, True):
        try:
            with mailbox.writing() as transaction:
                box, other = mailbox.box(ref), mailbox.find_box(target)
                if other is None:
                    raise NoSuchFolder
                if is_last:
                    scan(transaction, box)
                prepare(transaction, box)
                prepare(transaction, other)
                rows = transaction.index.rows(box, uids)
                return work(transaction, box, other, rows) if rows else Placed(other.uidvalidity, [], [])
        except FileNotFoundError:
            if is_last:
                raise
    raise AssertionError


def move_rows(transaction: Transaction, box: Box, other: Box, rows: list[Row]) -> Placed:
    """Messages of one folder into another; usage stays as it is."""
    flags = _target_flags(transaction, box, other, rows)
    transaction.mark(box)
    for place in {row.place for row in rows}:
        transaction.changing(box, place)
    placed = _place(transaction, box, other, rows, flags, _rename)
    for place in {row.place for row in rows}:
        transaction.tree(box).sync(place)
    transaction.index.remove_messages(box, rows, box.next_modseq())
    transaction.touch(box)
    return placed


def _target_flags(transaction: Transaction, box: Box, other: Box, rows: list[Row]) -> list[int]:
    """Flags as the target's keywords have them: all of them made before anything is placed. Raises TooMany."""
    combined = 0
    for row in rows:
        combined |= row.flags
    names = keywords.names_of(box, combined)
    if not names:
        return [row.flags & SYSTEM_FLAGS for row in rows]
    keywords.mask(transaction, other, names)
    bits = [(1 << 5 + box.keywords.index(name), keywords.mask(transaction, other, [name])) for name in names]
    translated: dict[int, int] = {}
    for row in rows:
        if row.flags not in translated:
            flags = row.flags & SYSTEM_FLAGS
            for here, there in bits:
                flags |= there if row.flags & here else 0
            translated[row.flags] = flags
    return [translated[row.flags] for row in rows]


def _place(transaction: Transaction, box: Box, other: Box, rows: list[Row], flags: list[int], carry: Carry) -> Placed:
    unique, modseq = transaction.tools.unique, other.next_modseq()
    placed: list[Row] = []
    for uid, (row, new) in enumerate(zip(rows, flags, strict=True), other.uidnext):
        name = copied_name(row.name, unique(), uid, new)
        placed.append(Row(uid, new, row.size, row.date, modseq, CUR if new else NEW, row.converted, name))
    other.uidnext += len(rows)
    sources = {place: transaction.tree(box).fd(place) for place in {row.place for row in rows}}
    targets = {place: transaction.changing(other, place).fd(place) for place in {row.place for row in placed}}
    for row, new_row in zip(rows, placed, strict=True):
        carry(transaction, sources[row.place], row.name, targets[new_row.place], new_row.name)
    for place in targets:
        transaction.tree(other).sync(place)
    transaction.index.add_messages(other, placed)
    unlettered.note(transaction, other, placed)
    source_uids, target_uids = [row.uid for row in rows], [row.uid for row in placed]
    transaction.index.copy_cached(box, source_uids, other, target_uids)
    transaction.touch(other)
    return Placed(other.uidvalidity, source_uids, target_uids)


def _link(transaction: Transaction, source_dir: int, source: str, target_dir: int, target: str) -> None:
    try:
        transaction.disk.link(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM):
            raise
        _copy_file(transaction, source_dir, source, target_dir, target)
    transaction.on_undo.append(partial(transaction.disk.unlink, target, dir_fd=target_dir))


def _copy_file(transaction: Transaction, source_dir: int, source: str, target_dir: int, target: str) -> None:
    disk = transaction.disk
    reading = disk.open_read(source, source_dir)
    try:
        status = os.fstat(reading)
        writing = disk.open_new(target, target_dir)
        try:
            copy_range(reading, writing, 0, status.st_size)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
            disk.fdatasync(writing)
        except BaseException:
            disk.unlink_if_there(target, target_dir)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _rename(transaction: Transaction, source_dir: int, source: str, target_dir: int, target: str) -> None:
    rename = transaction.disk.rename
    rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)
    transaction.on_undo.append(partial(rename, target, source, src_dir_fd=target_dir, dst_dir_fd=source_dir))
