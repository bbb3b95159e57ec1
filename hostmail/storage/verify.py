"""Comparing a mailbox's tree with its index (D11): finding damage, and repairing the index. Nothing in the tree is erased."""

from __future__ import annotations

import os
from typing import Any

from hostmail.interfaces.directory import Usage
from hostmail.storage.boxes import Box, Row
from hostmail.storage.freshness import NEVER
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.measure import measure
from hostmail.storage.names import parse
from hostmail.storage.opening import sync_folders
from hostmail.storage.scan import prepare, scan
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

MAX_PROBLEMS = 1_000
_HEADER = 64 * 1024


def verify(mailbox: Mailbox, repair: bool) -> dict[str, Any]:
    """A report {messages, problems, repaired}; `repair` brings the index in line with the tree."""
    report = _Report()
    with mailbox.writing() as transaction:
        sync_folders(transaction, force=True)
        for box in list(transaction.index.boxes.values()):
            _verify_box(transaction, box, report, repair)
        transaction.tell_used(transaction.index.used)
    return {"messages": report.messages, "problems": report.problems[:MAX_PROBLEMS], "repaired": report.repaired}


class _Report:
    """What was found."""

    def __init__(self) -> None:
        self.messages = 0
        self.problems: list[str] = []
        self.repaired = 0

    def found(self, problem: str, repaired: bool = False) -> None:
        """One more problem."""
        self.problems.append(problem)
        self.repaired += repaired


def _verify_box(transaction: Transaction, box: Box, report: _Report, repair: bool) -> None:
    prepare(transaction, box)
    before = transaction.index.names(box)
    box.seen = [NEVER, NEVER]
    scan(transaction, box)
    after = transaction.index.names(box)
    if len(before) != len(after):
        report.found(f"{box.name}: {abs(len(after) - len(before))} messages came or went unnoticed", True)
    rows = transaction.index.all_rows(box)
    report.messages += len(rows)
    wrong = [fixed for row in rows if (fixed := _verify_message(transaction, box, row, report, repair)) is not None]
    if wrong and repair:
        _set_sizes(transaction, box, wrong)
    _verify_usage(transaction, box, report, repair)
    known = {row.name for row in rows}
    tree = transaction.tree(box)
    for place in (NEW, CUR):
        for name in tree.names(place):
            if name not in known:
                report.found(f"{box.name}: {name!r} is no message")


def _verify_message(transaction: Transaction, box: Box, row: Row, report: _Report, repair: bool) -> Row | None:
    """The row as it should be, if it is wrong."""
    tree, where = transaction.tree(box), f"{box.name}: message {row.uid}"
    try:
        fd = tree.open(row.place, row.name)
    except OSError as error:
        report.found(f"{where} cannot be opened: {os.strerror(error.errno or 0)}")
        return None
    try:
        start = transaction.disk.pread(fd, _HEADER, 0)
    except OSError as error:
        report.found(f"{where} cannot be read: {os.strerror(error.errno or 0)}")
        return None
    finally:
        os.close(fd)
    parsed = parse(row.name)
    measured = measure(tree, row.place, row.name, parsed, None)
    if measured is None:
        return None
    if not start.strip(b"\0"):
        report.found(f"{where} is empty")
    elif parsed.size is not None and parsed.size != measured.file_size:
        report.found(f"{where} has {measured.file_size} octets instead of {parsed.size}")
    if (measured.size, measured.converted) == (row.size, row.converted):
        return None
    report.found(f"{where} has another size than the index says", repair)
    return row._replace(size=measured.size, converted=measured.converted)


def _set_sizes(transaction: Transaction, box: Box, rows: list[Row]) -> None:
    modseq = box.next_modseq()
    box.count(transaction.index.rows(box, [row.uid for row in rows]), -1)
    box.count(rows)
    for row in rows:
        transaction.index.execute(
            "UPDATE msg SET size = ?, converted = ?, modseq = ? WHERE id = ?",
            (row.size, row.converted, modseq, box.id << 32 | row.uid),
        )
        transaction.index.execute("DELETE FROM cache WHERE id = ?", (box.id << 32 | row.uid,))
    transaction.touch(box)


def _verify_usage(transaction: Transaction, box: Box, report: _Report, repair: bool) -> None:
    counted = transaction.index.usage_of(box)
    if counted != Usage(box.bytes, box.messages):
        report.found(f"{box.name}: usage is {counted}, not {box.bytes} octets and {box.messages} messages", repair)
        if repair:
            box.bytes, box.messages = counted.bytes, counted.messages
            transaction.touch(box, announced=False)
