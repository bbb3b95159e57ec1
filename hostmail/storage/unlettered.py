"""Keywords that no letter is left for: the first 26 of a folder stand in file names, those of a message beyond them in `hostmail-keywords`.

That file is a log, one line `<uid> (<keyword> ...)` for each message that changed: its last line holds. It is synced before the change is
committed, so it can be ahead of the index and never behind. The index remembers how long the file was: where that differs a power cut took
commits, or the index is new, and the file is believed. It is written anew from the index when more than half of it is history.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from hostmail.interfaces.mailstore import FIRST_KEYWORD_BIT
from hostmail.storage.boxes import Box, Row
from hostmail.storage.keywords import MAX_KEYWORDS, load_keywords
from hostmail.storage.names import MAX_LETTERS
from hostmail.storage.transaction import Transaction

FILE = "hostmail-keywords"
SHIFT = FIRST_KEYWORD_BIT + MAX_LETTERS
HISTORY = 64 * 1024
_LARGEST = 1 << 27
_LINE = re.compile(r"([0-9]{1,10}) \(([^()\n]*)\)")


def format_lines(words: Mapping[int, Iterable[str]]) -> bytes:
    """One line for each UID; it begins with the line's end, so that what a crash has cut off spoils no other line."""
    return "".join(f"\n{uid} ({' '.join(names)})" for uid, names in words.items()).encode()


def parse_lines(content: bytes) -> dict[int, tuple[str, ...]]:
    """The keywords of each UID; what is no whole line is passed over."""
    found: dict[int, tuple[str, ...]] = {}
    for line in content.decode("utf-8", "replace").split("\n"):
        if match := _LINE.fullmatch(line):
            found[int(match[1])] = tuple(match[2].split())
    return found


def note(transaction: Transaction, box: Box, rows: Iterable[Row], before: Iterable[Row] = ()) -> None:
    """Write down what changed, after the files and before the commit; `before` are the rows as they were, none of new messages."""
    if len(box.keywords) <= MAX_LETTERS:
        return
    old = {row.uid: row.flags for row in before}
    after = {row.uid: row.flags for row in rows if (row.flags ^ old.get(row.uid, 0)) >> SHIFT}
    if not after:
        return
    path = _path(transaction, box)
    size, base = _remembered(transaction, box)
    if size and size == _size(path) and size <= 2 * base + HISTORY:
        size = transaction.disk.append_file(path, format_lines(_words(box, after)))
    else:
        live = _words(box, {**_in_index(transaction, box), **after})
        content = format_lines({uid: names for uid, names in live.items() if names})
        transaction.disk.replace_file(os.path.dirname(path), FILE, content)
        size = base = len(content)
    _remember(transaction, box, size, base)
    back = format_lines(_words(box, {uid: old.get(uid, 0) for uid in after}))
    transaction.on_undo.append(lambda: transaction.disk.append_file(path, back))


def is_news(transaction: Transaction, box: Box) -> bool:
    """Whether the file is another one than the index remembers."""
    return _remembered(transaction, box)[0] != _size(_path(transaction, box))


def recall(transaction: Transaction, box: Box) -> None:
    """Bring the index in line with the file. A file that is gone or cannot be read is written anew with the next change."""
    if not is_news(transaction, box):
        return
    content = transaction.disk.read_small(_path(transaction, box), _LARGEST)
    if content is None:
        return
    words = parse_lines(content)
    load_keywords(transaction, box)
    _make(transaction, box, words.values())
    bits = {keyword.lower(): 1 << bit for bit, keyword in enumerate(box.keywords, FIRST_KEYWORD_BIT)}
    low, changed = (1 << SHIFT) - 1, []
    modseq = box.next_modseq()
    for row in transaction.index.all_rows(box):
        flags = row.flags & low
        for name in words.get(row.uid, ()):
            flags |= bits.get(name.lower(), 0)
        if flags != row.flags:
            changed.append(row._replace(flags=flags, modseq=modseq))
    transaction.index.update_flags(box, changed)
    _remember(transaction, box, len(content), len(content))
    transaction.touch(box)


def forget(transaction: Transaction, box: Box) -> None:
    """The folder is another one now: its file is read again."""
    transaction.index.execute("DELETE FROM words WHERE box = ?", (box.id,))


def _make(transaction: Transaction, box: Box, words: Iterable[tuple[str, ...]]) -> None:
    """Keywords the index does not know; those that have letters come first, known or not."""
    known = {keyword.lower() for keyword in box.keywords}
    new = {name.lower(): name for names in words for name in names if name.lower() not in known}
    if new:
        for number in range(len(box.keywords), MAX_LETTERS):
            transaction.index.add_keyword(box, f"unknown-{number}")
    for name in list(new.values())[: MAX_KEYWORDS - len(box.keywords)]:
        transaction.index.add_keyword(box, name)


def _words(box: Box, flags: Mapping[int, int]) -> dict[int, list[str]]:
    names = box.keywords[MAX_LETTERS:]
    return {uid: [name for bit, name in enumerate(names, SHIFT) if mask >> bit & 1] for uid, mask in flags.items()}


def _in_index(transaction: Transaction, box: Box) -> dict[int, int]:
    return {row.uid: row.flags for row in transaction.index.all_rows(box) if row.flags >> SHIFT}


def _path(transaction: Transaction, box: Box) -> str:
    return os.path.join(transaction.mailbox.path_of(box.directory), FILE)


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _remembered(transaction: Transaction, box: Box) -> tuple[int, int]:
    found = transaction.index.execute("SELECT size, base FROM words WHERE box = ?", (box.id,)).fetchone()
    return found or (0, 0)


def _remember(transaction: Transaction, box: Box, size: int, base: int) -> None:
    sql = "INSERT OR REPLACE INTO words (box, size, base) VALUES (?, ?, ?)"
    transaction.index.execute(sql, (box.id, size, base))
