"""The account's index database as storage speaks of it: boxes, messages, and what is known about them.

One thread at a time uses an `Index`; the mailbox's lock sees to it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import FIRST_KEYWORD_BIT, CachedMessage
from hostmail.storage import schema
from hostmail.storage.boxes import UID_MASK, Box, Row, loaded_flags, runs, span, stored_flags
from hostmail.storage.freshness import NEVER, Seen

_BOX_COLUMNS = (
    "special_use, uidvalidity, uidnext, mark, modseq, floor, first_recent, scanned, "
    "bytes, messages, new_mtime, new_recheck, cur_mtime, cur_recheck"
)
_SAVE_BOX = f"UPDATE box SET ({_BOX_COLUMNS}) = ({', '.join('?' * 14)}) WHERE id = ?"
_ADD_BOX = f"INSERT INTO box ({_BOX_COLUMNS}, directory) VALUES ({', '.join('?' * 15)}) RETURNING id"
_ADD_MESSAGE = (
    "INSERT INTO msg (id, box, modseq, flags, size, date, place, converted, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CACHED_COLUMNS = "envelope, bodystructure, body, header_size, sent_date, sent_day, refs, digest, head, fields"
_ADD_CACHED = f"INSERT OR REPLACE INTO cache VALUES ({', '.join('?' * 11)})"
_ROW = f"SELECT id & {UID_MASK}, flags, size, date, modseq, place, converted, name FROM"
_CACHED = f"SELECT id & {UID_MASK}, {_CACHED_COLUMNS} FROM"
KEEP_EXPUNGED, COUNT_EVERY = 20_000, 64
_EXPUNGED = f"INSERT OR REPLACE INTO expunged (box, modseq, uid) SELECT box, ?, id & {UID_MASK} FROM msg WHERE id BETWEEN ? AND ?"
_COLUMNS = {
    name: name
    for name in (
        "envelope",
        "bodystructure",
        "body",
        "header_size",
        "sent_date",
        "sent_day",
        "digest",
        "head",
        "fields",
    )
}
_COLUMNS["references"] = "refs"
_EACH = "(SELECT value AS wanted FROM json_each(?)) CROSS JOIN"  # keeps the order; json_each has an id of its own
INTEGER_KEYWORDS = 58  # with more of them in a folder, flags need more than SQLite's integers
BATCH = 500
_CHANGED = f"SELECT id & {UID_MASK}, flags, size, date, modseq FROM msg WHERE box = ? AND modseq > ? ORDER BY id"


def _rows(box: Box, found: Iterable[Sequence[Any]]) -> list[Row]:
    rows = list(map(Row._make, found))
    if len(box.keywords) > INTEGER_KEYWORDS:
        rows = [row._replace(flags=loaded_flags(row.flags)) for row in rows]
    return rows


def facts_columns(facts: CachedMessage) -> tuple[Any, ...]:
    """All but the UID, in the order of the table."""
    return (
        facts.envelope,
        facts.bodystructure,
        facts.body,
        facts.header_size,
        facts.sent_date,
        facts.sent_day,
        facts.references,
        facts.digest,
        facts.head,
        facts.fields,
    )


class Index:
    """An open index. `boxes` are as of the last `refresh`; transactions change them, and write them back."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db = schema.connect(path)
        self._inode = os.stat(path).st_ino
        self._version = -1
        self.execute = self._db.execute
        self.boxes: dict[int, Box] = {}
        self.ready = False
        self.last_uidvalidity = 0
        self.folders_seen = NEVER

    @property
    def used(self) -> Usage:
        """What all folders hold."""
        octets = messages = 0
        for box in list(self.boxes.values()):  # also asked for by the reactor, while a thread changes it
            octets += box.bytes
            messages += box.messages
        return Usage(octets, messages)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def replaced(self) -> bool:
        """True if somebody removed or replaced the file while we have it open."""
        try:
            return os.stat(self._path).st_ino != self._inode
        except FileNotFoundError:
            return True

    def is_current(self) -> bool:
        """True if nobody else has committed anything since the last `refresh`; for one look without a transaction."""
        self.execute("SELECT id FROM account").fetchall()
        return bool(self._db.data_version() == self._version)

    def refresh(self) -> None:
        """See what other processes have committed."""
        version = self._db.data_version()
        if version != self._version:
            self.reload()
            self._version = version

    def reload(self) -> None:
        """Read boxes and usage again; known `Box` objects stay the same objects."""
        self.last_uidvalidity, mtime, recheck, ready = self.execute(
            "SELECT last_uidvalidity, mtime, recheck, ready FROM account"
        ).get
        self.folders_seen, self.ready = Seen(mtime, recheck), bool(ready)
        boxes: dict[int, Box] = {}
        for box_id, directory, *values in self.execute(f"SELECT id, directory, {_BOX_COLUMNS} FROM box"):
            box = boxes[box_id] = self.boxes.get(box_id) or Box(box_id, directory, "", 0)
            box.directory = directory
            box.load(values)
            box.keywords = []
        for box_id, name in self.execute("SELECT box, name FROM keyword ORDER BY box, bit"):
            boxes[box_id].keywords.append(name)
        self.boxes = boxes

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction; everything in memory is as it was before if it fails."""
        self.execute("BEGIN IMMEDIATE")
        try:
            self.refresh()
            yield
            self.execute("COMMIT")
            self._version = self._db.data_version()  # with our own changes: they are in memory already
        except BaseException:
            if self._db.in_transaction:
                self.execute("ROLLBACK")
            self.reload()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of everything, as others have committed it."""
        self.execute("BEGIN")
        try:
            self.refresh()
            yield
        finally:
            if self._db.in_transaction:
                self.execute("COMMIT")

    # ------------------------------------------------------------------------------------------------------- boxes

    def box_in(self, directory: str) -> Box | None:
        """The box of a directory."""
        for box in self.boxes.values():
            if box.directory == directory:
                return box
        return None

    def add_box(self, box: Box) -> Box:
        """Keep a new box; its id is set."""
        box.id = self.execute(_ADD_BOX, (*box.values(), box.directory)).get
        self.boxes[box.id] = box
        return box

    def save_box(self, box: Box) -> None:
        """Keep what changed in its row."""
        self.execute(_SAVE_BOX, (*box.values(), box.id))

    def rename_box(self, box: Box, directory: str) -> None:
        """Its directory has another name now."""
        self.execute("UPDATE box SET directory = ? WHERE id = ?", (directory, box.id))
        box.directory = directory

    def remove_box(self, box: Box) -> None:
        """Forget a box and its messages."""
        first, last = span(box)
        for table in ("msg", "cache", "uidl"):
            self.execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", (first, last))
        for table in ("expunged", "keyword", "columns", "boot", "words"):
            self.execute(f"DELETE FROM {table} WHERE box = ?", (box.id,))
        self.execute("DELETE FROM box WHERE id = ?", (box.id,))
        self.boxes.pop(box.id, None)

    def add_keyword(self, box: Box, name: str) -> int:
        """A new keyword; its bit in flags."""
        bit = FIRST_KEYWORD_BIT + len(box.keywords)
        self.execute("INSERT INTO keyword (box, bit, name) VALUES (?, ?, ?)", (box.id, bit, name))
        box.keywords.append(name)
        return bit

    def save_account(self) -> None:
        """Keep what belongs to no folder."""
        seen = self.folders_seen
        self.execute(
            "UPDATE account SET last_uidvalidity = ?, mtime = ?, recheck = ?, ready = ?",
            (self.last_uidvalidity, seen.mtime, seen.recheck, int(self.ready)),
        )

    # ---------------------------------------------------------------------------------------------------- messages

    def add_message(self, box: Box, row: Row) -> None:
        """A new row."""
        box.count((row,))
        uid, flags, size, date, modseq, place, converted, name = row
        key = box.id << 32 | uid
        self.execute(_ADD_MESSAGE, (key, box.id, modseq, stored_flags(flags), size, date, place, converted, name))

    def add_messages(self, box: Box, rows: Sequence[Row]) -> None:
        """Many new rows."""
        box.count(rows)
        base = box.id << 32
        self._db.executemany(
            _ADD_MESSAGE,
            [
                (base | uid, box.id, modseq, stored_flags(flags), size, date, place, converted, name)
                for uid, flags, size, date, modseq, place, converted, name in rows
            ],
        )

    def update_flags(self, box: Box, rows: Iterable[Row]) -> None:
        """New flags, modseq, place and name of known messages."""
        base = box.id << 32
        self._db.executemany(
            "UPDATE msg SET flags = ?, modseq = ?, place = ?, name = ? WHERE id = ?",
            [
                (stored_flags(flags), modseq, place, name, base | uid)
                for uid, flags, _, _, modseq, place, _, name in rows
            ],
        )

    def remove_messages(self, box: Box, rows: Sequence[Row], modseq: int) -> None:
        """Forget messages, and remember that they went: of the last 20,000 or so, counted when every 64th goes."""
        box.count(rows, -1)
        base = box.id << 32
        spans = [(base | first, base | last) for first, last in runs([row.uid for row in rows])]
        self._db.executemany(_EXPUNGED, [(modseq, *each) for each in spans])
        for table in ("msg", "cache", "uidl"):
            self._db.executemany(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", spans)
        if len(rows) > COUNT_EVERY or any(row.uid % COUNT_EVERY == 0 for row in rows):
            self._forget_expunged(box)

    def row(self, box: Box, uid: int) -> Row | None:
        """One message."""
        found = self.execute(f"{_ROW} msg WHERE id = ?", (box.id << 32 | uid,)).fetchone()
        return None if found is None else _rows(box, [found])[0]

    def rows(self, box: Box, uids: Iterable[int]) -> list[Row]:
        """Those of `uids` that are there, ascending, each once."""
        return _rows(box, self._wanted(_ROW, "msg", box, sorted(set(uids))))

    def all_rows(self, box: Box) -> list[Row]:
        """Every message."""
        return _rows(box, self.execute(f"{_ROW} msg WHERE id BETWEEN ? AND ?", span(box)))

    def names(self, box: Box) -> dict[str, tuple[int, int]]:
        """(UID, place) by file name."""
        found = self.execute("SELECT name, id, place FROM msg WHERE id BETWEEN ? AND ?", span(box))
        return {name: (key & UID_MASK, place) for name, key, place in found}

    def _wanted(self, select: str, table: str, box: Box, uids: Sequence[int]) -> list[tuple[Any, ...]]:
        """Those of `uids` that are there, ascending; what is selected begins with the UID."""
        if not uids:
            return []
        base, low, high = box.id << 32, min(uids), max(uids)
        if high - low < 2 * len(uids) + 8:
            found = self.execute(f"{select} {table} WHERE id BETWEEN ? AND ?", (base | low, base | high)).fetchall()
            if len(found) == high - low + 1 == len(uids):
                return found
            wanted = set(uids)
            return [values for values in found if values[0] in wanted]
        keys = json.dumps([base | uid for uid in sorted(set(uids))])
        return self.execute(f"{select} {_EACH} {table} ON id = wanted", (keys,)).fetchall()

    def usage_of(self, box: Box) -> Usage:
        """What a box holds, counted."""
        size, count = self.execute(
            "SELECT coalesce(sum(size), 0), count(*) FROM msg WHERE id BETWEEN ? AND ?", span(box)
        ).get
        return Usage(size, count)

    def unseen(self, box: Box) -> int:
        """How many are not \\Seen."""
        if len(box.keywords) > INTEGER_KEYWORDS:
            return sum(1 for row in self.all_rows(box) if not row.flags & 1)
        return int(self.execute("SELECT count(*) FROM msg WHERE id BETWEEN ? AND ? AND NOT flags & 1", span(box)).get)

    # ------------------------------------------------------------------------------------------- changes, facts

    def saved_columns(self, box: Box) -> tuple[int, bytes] | None:
        """(modseq, data) as last saved, if they can be brought up to date."""
        found = self.execute("SELECT modseq, data FROM columns WHERE box = ?", (box.id,)).fetchone()
        return found if found is not None and box.floor <= found[0] <= box.modseq else None

    def save_columns(self, box: Box, modseq: int, data: bytes) -> None:
        """Keep a folder's columns, for its next opening."""
        self.execute("INSERT OR REPLACE INTO columns (box, modseq, data) VALUES (?, ?, ?)", (box.id, modseq, data))

    def changed(self, box: Box, since: int) -> list[tuple[int, int, int, int, int]]:
        """(uid, flags, size, date, modseq) of what changed after `since`, ascending by UID."""
        found: list[Any] = self.execute(_CHANGED, (box.id, since)).fetchall()
        if len(box.keywords) > INTEGER_KEYWORDS:
            return [(uid, loaded_flags(flags), *rest) for uid, flags, *rest in found]
        return found

    def expunged(self, box: Box, since: int) -> list[int]:
        """UIDs removed after `since`, ascending, as far as they are remembered."""
        found = self.execute("SELECT uid FROM expunged WHERE box = ? AND modseq > ?", (box.id, since))
        return sorted(uid for (uid,) in found)

    def _forget_expunged(self, box: Box) -> None:
        """Keep the last removals only; `floor` says from where on they are known."""
        bound = self.execute(
            "SELECT modseq FROM expunged WHERE box = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?", (box.id, KEEP_EXPUNGED)
        ).fetchone()
        if bound is not None:
            self.execute("DELETE FROM expunged WHERE box = ? AND modseq <= ?", (box.id, bound[0]))
            box.floor = bound[0]
            self.save_box(box)

    def add_facts(self, box: Box, uid: int, facts: CachedMessage) -> None:
        """Keep what is known of a new message's content, made before it had a UID."""
        self.execute(_ADD_CACHED, (box.id << 32 | uid, *facts_columns(facts)))

    def add_cached(self, box: Box, facts: Iterable[CachedMessage]) -> None:
        """Keep what is known of messages' contents."""
        base = box.id << 32
        self._db.executemany(
            _ADD_CACHED,
            [(base | each.uid, *facts_columns(each)) for each in facts],
        )

    def copy_cached(self, box: Box, uids: Sequence[int], other: Box, copies: Sequence[int]) -> None:
        """What is known of messages is known of their copies."""
        target, copy_of = other.id << 32, dict(zip(uids, copies, strict=True))
        for first in range(0, len(uids), BATCH):
            found = self._wanted(_CACHED, "cache", box, uids[first : first + BATCH])
            self._db.executemany(_ADD_CACHED, [(target | copy_of[uid], *facts) for uid, *facts in found])

    def cached(self, box: Box, uids: Sequence[int]) -> dict[int, CachedMessage]:
        """What is known, by UID."""
        return {values[0]: CachedMessage(*values) for values in self._wanted(_CACHED, "cache", box, uids)}

    def cached_columns(self, box: Box, uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows (uid, *columns) of what is known, ascending: fields of CachedMessage, read with the least work for each row."""
        names = ", ".join(_COLUMNS[column] for column in columns)
        return self._wanted(f"SELECT id & {UID_MASK}, {names} FROM", "cache", box, uids)

    def uidls(self, box: Box) -> dict[int, str]:
        """Imported unique-ids by UID."""
        found = self.execute("SELECT id, uidl FROM uidl WHERE id BETWEEN ? AND ?", span(box))
        return {key & UID_MASK: uidl for key, uidl in found}

    def add_uidls(self, box: Box, uidls: dict[int, str]) -> None:
        """Keep imported unique-ids."""
        base = box.id << 32
        self._db.executemany(
            "INSERT OR REPLACE INTO uidl (id, uidl) VALUES (?, ?)", ((base | uid, uidl) for uid, uidl in uidls.items())
        )
