"""An account's index of texts: which messages may hold a string of two characters or more.

A pre-filter for SEARCH: it may name messages that do not hold the string, and never leaves one out that does. Its file is a cache of its
own beside the index, and may be deleted at any time. SQLite's FTS5 keeps for every three characters that follow each other the
messages where they do; neither texts nor positions are kept. A string of two (a word, in Chinese) is looked for as any three that
begin with it, wherefore texts are followed by some blanks. `known` says of which messages all is indexed: whatever is not in
there has to be read. Both change in the same transaction, so that no crash lets one speak for the other.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import apsw

from hostmail.message.searchable import TEXTS
from hostmail.storage.boxes import UID_MASK

FILE = "fulltext.sqlite"
PIECE = 3
SHORTEST = 2
MOST_PIECES = 24
MOST_BEGINNINGS = 200
MAX_TEXT = 512 * 1024
BUSY_TIMEOUT_MS = 2_000
_MADE = f"fulltext 2 {TEXTS}"
_OPTIONS = "content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'"
_SCHEMA = f"""
CREATE TABLE made (by TEXT NOT NULL);
CREATE TABLE box (id INTEGER PRIMARY KEY, uidvalidity INTEGER NOT NULL);
CREATE TABLE known (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE large (id INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE header USING fts5 (text, {_OPTIONS});
CREATE VIRTUAL TABLE body USING fts5 (text, {_OPTIONS});
CREATE VIRTUAL TABLE header_pieces USING fts5vocab (header, row);
CREATE VIRTUAL TABLE body_pieces USING fts5vocab (body, row);
"""
_PADDING = "\n\n"
_AS_FTS5_READS = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}


class WrongFolder(apsw.Error):
    """The id has become another folder's."""


PASSING = (
    *(apsw.BusyError, apsw.LockedError, apsw.InterruptError, apsw.NoMemError),
    *(apsw.CantOpenError, apsw.FullError, apsw.IOError, apsw.PermissionsError, apsw.ReadOnlyError),
)
"""Errors that say nothing against the file: everything else does."""


class Folder(NamedTuple):
    """A folder as the index of messages knows it: an id is never another folder's while UIDVALIDITY is the same."""

    id: int
    uidvalidity: int


class Texts(NamedTuple):
    """What is to be found of one message."""

    uid: int
    header: str
    body: str


class FullText:
    """See the module. Searching and filling have a connection and a lock each, so that neither waits for the other.

    Errors are apsw.Error: the caller discards the file (`discard`) and reads messages instead.
    """

    def __init__(self, root: str) -> None:
        self.path = os.path.join(root, FILE)
        self._reader = _Connection(self.path)
        self._writer = _Connection(self.path)

    @property
    def exists(self) -> bool:
        """Whether there is an index at all: it is made when it is worth while."""
        return os.path.exists(self.path)

    @property
    def is_open(self) -> bool:
        """Whether files are open, as far as can be said without waiting."""
        return self._reader.is_open or self._writer.is_open

    def size(self) -> int:
        """Octets of the file."""
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Close both connections; the next use opens them again."""
        self._reader.close()
        self._writer.close()

    def discard(self) -> None:
        """Away with it: broken, of another version, or of folders that are no more."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            try:
                os.unlink(self.path + suffix)
            except OSError:
                pass

    # ---------------------------------------------------------------------------------------------------------- asking

    def candidates(self, folder: Folder, needle: str, uids: Sequence[int], in_header: bool) -> tuple[list[int], int]:
        """Those of `uids` that may hold the string, and how many of these are just not indexed yet."""
        needle = _storable(needle)
        with self._reader.transaction("BEGIN") as execute:
            ranges = _ranges(execute, folder)
            unknown = _outside(ranges, uids)
            if len(unknown) == len(uids):
                return list(uids), len(uids)
            base, span = folder.id << 32, _span(folder.id)
            hits = {key - base for (key,) in execute("SELECT id FROM large WHERE id BETWEEN ? AND ?", span)}
            for table in ("body", "header") if in_header else ("body",):
                query = _query(needle) if len(needle) >= PIECE else _beginnings(execute, table, needle)
                if query is None:
                    return list(uids), len(unknown)
                if not query:
                    continue
                matching = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?"
                hits.update([key - base for (key,) in execute(matching, (query, *span))])
        hits.update(unknown)
        return [uid for uid in uids if uid in hits], len(unknown)

    def unknown(self, folder: Folder, uids: Sequence[int]) -> list[int]:
        """Those of `uids` that are not indexed yet."""
        with self._reader.transaction("BEGIN") as execute:
            return _outside(_ranges(execute, folder), uids)

    def folders(self) -> dict[Folder, list[tuple[int, int]]]:
        """Every folder of which something is indexed, and the ranges of UIDs that are."""
        with self._reader.transaction("BEGIN") as execute:
            found = [Folder(*row) for row in execute("SELECT id, uidvalidity FROM box").fetchall()]
            return {folder: _ranges(execute, folder) for folder in found}

    # ---------------------------------------------------------------------------------------------------------- filling

    def add(self, folder: Folder, texts: Sequence[Texts]) -> None:
        """Index messages; those that somebody else has indexed meanwhile are passed over. Raises WrongFolder."""
        with self._writer.transaction("BEGIN IMMEDIATE") as execute:
            execute("INSERT OR IGNORE INTO box (id, uidvalidity) VALUES (?, ?)", folder)
            ranges = _ranges(execute, folder)
            new = set(_outside(ranges, [each.uid for each in texts]))
            base = folder.id << 32
            for each in texts:
                if each.uid not in new:
                    continue
                key = base | each.uid
                if len(each.header) + len(each.body) > MAX_TEXT:
                    execute("INSERT INTO large (id) VALUES (?)", (key,))
                    continue
                execute("INSERT INTO header (rowid, text) VALUES (?, ?)", (key, _padded(each.header)))
                execute("INSERT INTO body (rowid, text) VALUES (?, ?)", (key, _padded(each.body)))
            for first, last in _runs(base | uid for uid in new):
                _add_range(execute, first, last)

    def remove(self, folder: Folder, uids: Sequence[int]) -> None:
        """Messages that are no more."""
        with self._writer.transaction("BEGIN IMMEDIATE") as execute:
            base = folder.id << 32
            for first, last in _runs(base | uid for uid in uids):
                for key in range(first, last + 1):
                    execute("DELETE FROM header WHERE rowid = ?", (key,))
                    execute("DELETE FROM body WHERE rowid = ?", (key,))
                execute("DELETE FROM large WHERE id BETWEEN ? AND ?", (first, last))
                _remove_range(execute, first, last)
            left = execute("SELECT 1 FROM known WHERE first BETWEEN ? AND ? LIMIT 1", _span(folder.id)).fetchone()
            if left is None:
                execute("DELETE FROM box WHERE id = ?", (folder.id,))


class _Connection:
    """One connection with its lock, opened when it is used and again when the file was replaced."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._inode = 0
        self._db: apsw.Connection | None = None

    @property
    def is_open(self) -> bool:
        return self._db is not None

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        database, self._db = self._db, None
        if database is not None:
            database.close()

    @contextmanager
    def transaction(self, begin: str) -> Iterator[Any]:
        """The connection's `execute`, in one transaction."""
        with self._lock:
            database = self._opened()
            database.execute(begin)
            try:
                yield database.execute
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def _opened(self) -> apsw.Connection:
        if self._db is not None and _inode(self._path) != self._inode:
            self._close()
        if self._db is None:
            self._db = _open(self._path)
            self._inode = _inode(self._path)
        return self._db


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0


def _open(path: str) -> apsw.Connection:
    database = apsw.Connection(path)
    try:
        database.set_busy_timeout(BUSY_TIMEOUT_MS)
        database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4096")
        if not _tables(database):
            _create(database)
        if database.execute("SELECT by FROM made").get != _MADE:
            raise apsw.CorruptError("made by another version")
    except BaseException:
        database.close()
        raise
    return database


def _tables(database: apsw.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM sqlite_schema").get)


def _create(database: apsw.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    if not _tables(database):
        database.execute(_SCHEMA)
        database.execute("INSERT INTO made (by) VALUES (?)", (_MADE,))
    database.execute("COMMIT")


def _span(box_id: int) -> tuple[int, int]:
    return box_id << 32, box_id << 32 | UID_MASK


def _ranges(execute: Any, folder: Folder) -> list[tuple[int, int]]:
    """The ranges of UIDs that are indexed, ascending."""
    uidvalidity = execute("SELECT uidvalidity FROM box WHERE id = ?", (folder.id,)).get
    if uidvalidity is not None and uidvalidity != folder.uidvalidity:
        raise WrongFolder(f"{uidvalidity} instead of {folder.uidvalidity}")
    found = execute("SELECT first, last FROM known WHERE first BETWEEN ? AND ? ORDER BY first", _span(folder.id))
    return [(first & UID_MASK, last & UID_MASK) for first, last in found]


def _outside(ranges: Sequence[tuple[int, int]], uids: Sequence[int]) -> list[int]:
    """Those of `uids` that are in none of the ranges."""
    if not ranges or not uids:
        return list(uids)
    if len(ranges) == 1:
        first, last = ranges[0]
        if first <= min(uids) and max(uids) <= last:
            return []
        return [uid for uid in uids if not first <= uid <= last]
    firsts = [first for first, _ in ranges]
    lasts = [0, *[last for _, last in ranges]]
    return [uid for uid in uids if uid > lasts[bisect_right(firsts, uid)]]


def _runs(keys: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ranges of keys without a gap."""
    first = last = -1
    for key in sorted(set(keys)):
        if key != last + 1 or first < 0:
            if first >= 0:
                yield first, last
            first = key
        last = key
    if first >= 0:
        yield first, last


def _add_range(execute: Any, first: int, last: int) -> None:
    """Joined with its neighbours."""
    before = execute("SELECT first, last FROM known WHERE first < ? ORDER BY first DESC LIMIT 1", (first,)).fetchone()
    if before is not None and before[1] == first - 1:
        first = before[0]
    after = execute("SELECT last FROM known WHERE first = ?", (last + 1,)).fetchone()
    if after is not None:
        execute("DELETE FROM known WHERE first = ?", (last + 1,))
        last = after[0]
    execute("INSERT OR REPLACE INTO known (first, last) VALUES (?, ?)", (first, last))


def _remove_range(execute: Any, first: int, last: int) -> None:
    """What is left of the ranges around it stays."""
    touched = execute("SELECT first, last FROM known WHERE last >= ? AND first <= ?", (first, last)).fetchall()
    for low, high in touched:
        execute("DELETE FROM known WHERE first = ?", (low,))
        for part in ((low, first - 1), (last + 1, high)):
            if part[0] <= part[1]:
                execute("INSERT INTO known (first, last) VALUES (?, ?)", part)


def _query(needle: str) -> str:
    """All (or of a long string enough) of its pieces of three characters, each of which a message that holds it has."""
    pieces = list(dict.fromkeys(needle[at : at + PIECE] for at in range(len(needle) - PIECE + 1)))
    if len(pieces) > MOST_PIECES:
        pieces = [pieces[at * len(pieces) // MOST_PIECES] for at in range(MOST_PIECES)]
    return " AND ".join(map(_quoted, pieces))


def _beginnings(execute: Any, table: str, needle: str) -> str | None:
    """Any of the pieces that begin with a shorter string; empty if there are none, None if these are too many."""
    first = needle.translate(_AS_FTS5_READS)
    pieces = execute(
        f"SELECT term FROM {table}_pieces WHERE term BETWEEN ? AND ? LIMIT ?",
        (first, first + "\U0010ffff" * PIECE, MOST_BEGINNINGS + 1),
    ).fetchall()
    if len(pieces) > MOST_BEGINNINGS:
        return None
    return " OR ".join(_quoted(piece) for (piece,) in pieces)


def _quoted(piece: str) -> str:
    return '"' + piece.replace('"', '""') + '"'


def _padded(text: str) -> str:
    """As it is kept: every character begins a piece."""
    return _storable(text) + _PADDING


def _storable(text: str) -> str:
    """With something else for what SQLite cannot hold: in texts and in what is looked for alike."""
    text = text.replace("\0", " ")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
