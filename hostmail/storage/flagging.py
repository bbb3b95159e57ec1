"""Flags and keywords of messages: file names first, then rows, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hostmail.interfaces.mailstore import Changes
from hostmail.storage import keywords, unlettered
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.names import MessageName, fitting, flags_of, letters_of
from hostmail.storage.scan import prepare, scan
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

SYSTEM_FLAGS = 31
HOW: dict[str, Callable[[int, int], int]] = {
    "add": lambda old, mask: old | mask,
    "remove": lambda old, mask: old & ~mask,
    "replace": lambda old, mask: mask,
}
_SYSTEM = [MessageName("x", flags=flags).filename.partition(":2,")[2] for flags in range(32)]


class NewInfos(dict[tuple[str, int], tuple[int, str]]):
    """(flags, what follows ":" in the name) after a change, by what they were before: 1,000 messages have few different ones."""

    def __init__(self, change: Callable[[int], int]) -> None:
        self._change = change

    def __missing__(self, before: tuple[str, int]) -> tuple[int, str]:
        info, flags = before
        flags = self._change(flags)
        found = self[before] = flags, info_with_flags(info, flags)
        return found


def info_with_flags(info: str, flags: int) -> str:
    """The part of a file name that says these flags; letters of other programs are kept."""
    system = _SYSTEM[flags & SYSTEM_FLAGS]
    others = flags_of(info[2:])[2] if len(info) > 2 else ""
    if others:
        system = "".join(sorted(system + others))
    return f"2,{system}{letters_of(flags)}"


def set_flags(
    mailbox: Mailbox,
    ref: BoxRef,
    uids: Sequence[int],
    how: str,
    flags: int,
    words: Sequence[str],
    unchanged_since: int | None,
) -> Changes:
    """See `IFolder.set_flags`."""
    change = HOW[how]
    with mailbox.writing() as transaction:
        box = mailbox.box(ref)
        before = box.modseq
        prepare(transaction, box)
        mask = flags & SYSTEM_FLAGS | keywords.mask(transaction, box, words, make=how != "remove")
        modified = _modified(transaction, box, uids, unchanged_since)
        if modified:
            uids = [uid for uid in uids if uid not in modified]
        changed = _change(transaction, box, uids, lambda old: change(old, mask))
        if changed:
            transaction.touch(box)
        rows = [row[:5] for row in changed]
        since = before if box.modseq == before + bool(changed) else None
        return Changes(box.uidnext, box.modseq, list(box.keywords), rows, [], sorted(modified), since=since)


def _modified(transaction: Transaction, box: Box, uids: Sequence[int], unchanged_since: int | None) -> set[int]:
    """The conditional change: only of what this is the last word on, so foreign changes are looked for first."""
    if unchanged_since is None:
        return set()
    if not transaction.mailbox.is_fresh(box):
        scan(transaction, box)
    return {row.uid for row in transaction.index.rows(box, uids) if row.modseq > unchanged_since}


def _change(transaction: Transaction, box: Box, uids: Sequence[int], change: Callable[[int], int]) -> list[Row]:
    """Rows with new flags, their files renamed and synced; who is not found under its name is looked for once."""
    rows = _others(transaction.index.rows(box, uids), change)
    if not rows:
        return []
    modseq = box.next_modseq()
    changed, lost = _rename(transaction, box, rows, change, modseq)
    if lost:
        transaction.index.update_flags(box, changed)
        scan(transaction, box)
        box.modseq = max(box.modseq, modseq)
        found, _ = _rename(transaction, box, _others(transaction.index.rows(box, lost), change), change, modseq)
        changed = sorted(changed + found)
    transaction.index.update_flags(box, changed)
    unlettered.note(transaction, box, changed, rows)
    for place in {CUR, *(row.place for row in rows)}:
        transaction.tree(box).sync(place)
    return changed


def _others(rows: Iterable[Row], change: Callable[[int], int]) -> list[Row]:
    return [row for row in rows if change(row.flags) != row.flags]


def _rename(
    transaction: Transaction, box: Box, rows: Sequence[Row], change: Callable[[int], int], modseq: int
) -> tuple[list[Row], list[int]]:
    """New rows, and UIDs whose files are not there. Everything ends in cur/: names in new/ have no flags."""
    places = {CUR, *(row.place for row in rows)}
    fds = {place: transaction.changing(box, place).fd(place) for place in sorted(places)}
    rename, unique, cur, infos = transaction.disk.rename, transaction.tools.unique, fds[CUR], NewInfos(change)
    changed: list[Row] = []
    lost: list[int] = []
    for uid, flags, size, date, _, place, converted, old in rows:
        stem, _, info = old.partition(":")
        flags, info = infos[info, flags]
        name = fitting(f"{stem}:{info}", unique)
        try:
            if name != old or place == NEW:
                rename(old, name, src_dir_fd=fds[place], dst_dir_fd=cur)
        except FileNotFoundError:
            lost.append(uid)
            continue
        changed.append(Row(uid, flags, size, date, modseq, CUR, converted, name))
    return changed, lost
