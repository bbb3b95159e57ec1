"""Finding out what others did to a folder's files, and reading a folder whose index was lost.

A message is known by its name up to the ":": who changes flags changes only what follows. A file that nobody knows gets the
UID in its name if the index can have forgotten it (it is not below UIDNEXT, or there was no index), else a new one, which
is put into its name at once. A name that is gone is looked for a second time before the message counts as removed: a
directory that changes while it is being listed may hide a file.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter

from hostmail.storage import unlettered
from hostmail.storage.boxes import Box, Row, span
from hostmail.storage.freshness import Seen, after_listing
from hostmail.storage.keywords import load_keywords
from hostmail.storage.measure import Measured, measure
from hostmail.storage.names import MAX_FILE_NAME, MAX_LETTERS, MAX_UID, MessageName, keyword_bits, own_names, parse
from hostmail.storage.record import FolderRecord, read_record, read_uidls, write_record
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

LOST_COMMITS_GAP = 64
FORGOTTEN = 1 << 20
MODSEQS_PER_SECOND = 1_000_000
MANY = 1000
_NAME_BITS = 31 | ((1 << MAX_LETTERS) - 1) << 5


def prepare(transaction: Transaction, box: Box) -> None:
    """Before UIDs are given in a folder that this process has just opened: does the index know all that the tree says?

    An index that lost its last commits (a power cut) shows it by directories that changed since.
    """
    if box.checked and box.scanned:
        return
    path = transaction.mailbox.path_of(box.directory)
    record = read_record(transaction.disk, path)
    if record is not None and record.uidvalidity != box.uidvalidity:
        replace_box(transaction, box, record.uidvalidity)
    forgotten, tree = box.uidnext, transaction.tree(box)
    if box.scanned and not box.checked:
        _note_losses(transaction, box, record)
    if record is not None and record.uidnext > box.uidnext:
        box.uidnext = record.uidnext
        transaction.touch(box, announced=False)
    if record is None:
        write_record(transaction.disk, path, FolderRecord(box.uidvalidity, box.uidnext, box.special_use))
    box.mark = record.uidnext if record is not None else box.uidnext
    now = transaction.tools.wall()
    if not box.scanned or any(not box.seen[place].is_fresh(tree.mtime(place), now) for place in (NEW, CUR)):
        scan(transaction, box, forgotten)
    unlettered.recall(transaction, box)
    note_checked(transaction, box)


def replace_box(transaction: Transaction, box: Box, uidvalidity: int) -> None:
    """The folder was put back from a backup or made anew by others: it is another one, and read as such."""
    transaction.index.remove_messages(box, transaction.index.all_rows(box), box.next_modseq())
    box.uidvalidity, box.uidnext, box.first_recent, box.scanned = uidvalidity, 1, 1, 0
    box.floor = box.modseq
    unlettered.forget(transaction, box)
    transaction.touch(box)


def _note_losses(transaction: Transaction, box: Box, record: FolderRecord | None) -> None:
    """What differs when a process begins may be what the index knew once and has lost (a power cut), and clients know with its MODSEQs.

    All that is found from now on is above those. Where UIDs were given that the index knows nothing of it did lose commits. So it may have
    where the machine has started again since and the folder had just been changed, even if nothing differs: a flag that was set and taken
    away leaves no trace. Then every message counts as changed, and which ones have come and gone nobody knows any more (RFC 7162).
    """
    tree = transaction.tree(box)
    changed = unlettered.is_news(transaction, box) or any(
        box.seen[place].mtime != tree.mtime(place) for place in (NEW, CUR)
    )
    unsure = changed or any(seen.recheck for seen in box.seen)
    if (record is not None and record.uidnext > box.uidnext) or (unsure and not _is_of_this_boot(transaction, box)):
        box.modseq = box.floor = max(box.modseq, beyond_all(transaction, box.directory))
        sql = "UPDATE msg SET modseq = ? WHERE id BETWEEN ? AND ?"
        transaction.index.execute(sql, (box.next_modseq(), *span(box)))
    elif changed:
        box.modseq = max(box.modseq, beyond_all(transaction, box.directory))
    else:
        return
    transaction.touch(box, announced=False)


def _is_of_this_boot(transaction: Transaction, box: Box) -> bool:
    """Whether the machine has been running ever since the folder was last opened by a process, so that nothing written can be lost."""
    found = transaction.index.execute("SELECT id FROM boot WHERE box = ?", (box.id,)).fetchone()
    return bool(found == (transaction.tools.boot,))


def note_checked(transaction: Transaction, box: Box) -> None:
    """The index knows all that the tree says: as long as this process lives, or if it dies but the machine does not."""
    box.checked = True
    if not _is_of_this_boot(transaction, box):
        sql = "INSERT OR REPLACE INTO boot (box, id) VALUES (?, ?)"
        transaction.index.execute(sql, (box.id, transaction.tools.boot))


def beyond_all(transaction: Transaction, directory: str) -> int:
    """A MODSEQ above all that the folder has ever given, of which nobody has kept count (RFC 7162 section 3.1: MODSEQs only rise).

    One for each microsecond, of which a change takes many. Clocks are put back, so the last change of the directories counts as well.
    """
    path = transaction.mailbox.path_of(directory)
    changed = [os.stat(os.path.join(path, name)).st_mtime_ns for name in ("", "new", "cur")]
    return int(max(transaction.tools.now(), *(time / 1e9 for time in changed)) * MODSEQS_PER_SECOND)


class Listing:
    """Names and places, as the directories stood at `seen`."""

    def __init__(self, transaction: Transaction, box: Box) -> None:
        tree = transaction.tree(box)
        self.places: dict[str, int] = {}
        self.seen: list[Seen] = []
        for place in (NEW, CUR):  # in this order: whoever moves a message moves it from new/ to cur/
            now = transaction.tools.wall()
            mtime = tree.mtime(place)
            for name in tree.names(place):
                self.places[name] = place
            self.seen.append(after_listing(mtime, now))

    def merged(self, later: Listing) -> dict[str, int]:
        """What either of two listings saw, by the later one's names; there is a third one due."""
        self.seen = [Seen(seen.mtime, 1) for seen in self.seen]
        stems = {stem(name) for name in later.places}
        only_here = {name: place for name, place in self.places.items() if stem(name) not in stems}
        return only_here | later.places


def scan(transaction: Transaction, box: Box, forgotten: int | None = None) -> None:
    """Bring the index in line with the tree. From the UID `forgotten` on, the index may have lost what it knew: names are believed."""
    known = transaction.index.names(box)
    listing = Listing(transaction, box)
    places = listing.places
    gone = known.keys() - places.keys()
    if gone:
        again = Listing(transaction, box)
        if again.places != places:
            places = listing.merged(again)
            gone = known.keys() - places.keys()
    moved = {name for name, place in places.items() if name in known and known[name][1] != place}
    _Scan(transaction, box, places, box.uidnext if forgotten is None else forgotten).run(
        known, gone, places.keys() - known.keys(), moved
    )
    for place in (NEW, CUR):
        transaction.listed(box, place)
        box.seen[place] = listing.seen[place]
    box.scanned = 1
    transaction.touch(box, announced=False)


class _Scan:
    """The differences of one folder, written down."""

    def __init__(self, transaction: Transaction, box: Box, places: dict[str, int], forgotten: int) -> None:
        self._transaction = transaction
        self._index = transaction.index
        self._box = box
        self._places = places
        self._forgotten = forgotten
        self._renamed_in: set[int] = set()

    def run(self, known: dict[str, tuple[int, int]], gone: set[str], new: set[str], moved: set[str]) -> None:
        """Renamed, moved, new and removed messages."""
        if not (gone or new or moved):
            return
        by_stem = {stem(name): name for name in gone}
        renamed = {by_stem[stem(name)]: name for name in new if stem(name) in by_stem} if gone else {}
        changed = {known[old][0]: name for old, name in renamed.items()}
        changed |= {known[name][0]: name for name in moved}
        if new or changed:
            load_keywords(self._transaction, self._box)
        if changed:
            self._change(changed)
        removed = sorted(known[name][0] for name in gone - renamed.keys())
        if removed:
            remove_rows(self._transaction, self._box, self._index.rows(self._box, removed))
        added = new - set(renamed.values())
        if added:
            with no_collector(len(added)):
                self._add(added, {uid for uid, _ in known.values()} - set(removed))

    def _change(self, names: dict[int, str]) -> None:
        modseq = self._box.next_modseq()
        rows = []
        for row in self._index.rows(self._box, names):
            name = names[row.uid]
            flags = row.flags & ~_NAME_BITS | flags_in(parse(name), self._box)
            rows.append(row._replace(flags=flags, modseq=modseq, name=name, place=self._places[name]))
        self._index.update_flags(self._box, rows)
        self._transaction.touch(self._box)

    def _add(self, names: set[str], taken: set[int]) -> None:
        box = self._box
        lowest = 1 if not box.scanned else self._forgotten
        end = min(MAX_UID, lowest + FORGOTTEN) if box.scanned else MAX_UID
        rows = self._own(names, range(lowest, end), taken)
        found = self._measured(names.difference(row.name for row in rows))
        if not (found or rows):
            return
        taken.update(row.uid for row in rows)
        numbered: list[tuple[int, str, MessageName, Measured]] = []
        rest: list[tuple[str, MessageName, Measured]] = []
        for name, parsed, measured in found:
            uid = parsed.uid
            if uid is not None and lowest <= uid < end and uid not in taken:
                taken.add(uid)
                numbered.append((uid, name, parsed, measured))
            else:
                rest.append((name, parsed, measured))
        self._count_on(max([row.uid for row in rows] + [item[0] for item in numbered], default=0))
        for name, parsed, measured in rest:
            numbered.append((box.uidnext, name, parsed, measured))
            box.uidnext += 1
        self._keep(rows, numbered)

    def _own(self, names: set[str], believed: range, taken: set[int]) -> list[Row]:
        """Rows for files that are just what their names say, with a UID that can be believed and that no other of them has.

        Of a lost index these are nearly all messages: nothing is made of them but the row.
        """
        places, modseq, tree = self._places, self._box.modseq + 1, self._transaction.tree(self._box)
        fds = tree.fd(NEW), tree.fd(CUR)
        found: dict[int, Row] = {}
        twice: set[int] = set()
        for name, size, uid, flags in own_names(names):
            if uid not in believed or uid in taken:
                continue
            place = places[name]
            try:
                status = os.stat(name, dir_fd=fds[place], follow_symlinks=False)
            except OSError:
                continue
            if uid in found:
                twice.add(uid)
            elif status.st_size == size and stat.S_ISREG(status.st_mode):
                date = status.st_mtime_ns // 1_000_000_000
                found[uid] = Row(uid, flags, size, date, modseq, place, 0, name)
        for uid in twice:
            del found[uid]
        return list(found.values())

    def _count_on(self, highest: int) -> None:
        """UIDNEXT beyond the UIDs found; with a gap if the index had lost them, for it may have lost removals too."""
        box = self._box
        if highest >= box.uidnext:
            box.uidnext = min(MAX_UID, highest + 1 + (LOST_COMMITS_GAP if box.scanned else 0))

    def _measured(self, names: set[str]) -> list[tuple[str, MessageName, Measured]]:
        tree = self._transaction.tree(self._box)
        found = []
        for name in names:
            parsed = parse(name)
            measured = measure(tree, self._places[name], name, parsed, None)
            if measured is not None and parsed.base:
                found.append((name, parsed, measured))
        return sorted(found, key=lambda item: (_seconds(item[1].base), item[0]))

    def _keep(self, rows: list[Row], numbered: list[tuple[int, str, MessageName, Measured]]) -> None:
        box, modseq = self._box, self._box.next_modseq()
        for uid, name, parsed, measured in numbered:
            place = self._places[name]
            right = self._named(place, name, parsed, uid, measured)
            if right is not None:
                size, _, date, converted = measured
                rows.append(Row(uid, flags_in(parsed, box), size, date, modseq, place, converted, right))
        rows.sort(key=itemgetter(0))
        for place in self._renamed_in:
            self._transaction.tree(box).sync(place)
        self._index.add_messages(box, rows)
        self._restore_uidls(rows)
        self._transaction.touch(box)

    def _restore_uidls(self, rows: list[Row]) -> None:
        if self._box.scanned:
            return
        uidls = read_uidls(self._transaction.disk, self._transaction.mailbox.path_of(self._box.directory))
        if uidls:
            present = {row.uid for row in rows}
            self._index.add_uidls(self._box, {uid: uidl for uid, uidl in uidls.items() if uid in present})

    def _named(self, place: int, name: str, parsed: MessageName, uid: int, measured: Measured) -> str | None:
        """The file's name with its UID; the old one if it cannot be renamed, None if the index cannot hold that."""
        right = named_for(parsed, uid, measured, self._transaction.tools.unique)
        if right == name:
            return name
        try:
            self._transaction.changing(self._box, place).rename(place, name, place, right)
        except OSError:
            return name if storable(name) == name else None
        self._renamed_in.add(place)
        return right


@contextmanager
def no_collector(count: int) -> Iterator[None]:
    """Keep Python's collector of cycles quiet while many objects are made that form none: its looks take as long again as making them.

    Of two threads that do so at the same time, the first to end wakes it; that costs the other some time and nothing else.
    """
    quiet = count > MANY and gc.isenabled()
    if quiet:
        gc.disable()
    try:
        yield
    finally:
        if quiet:
            gc.enable()


def named_for(parsed: MessageName, uid: int, measured: Measured, unique: Callable[[], str]) -> str:
    """The name that a file should have: foreign sizes are set right, and names that SQLite or ext4 could not hold are replaced."""
    wire = measured.size if measured.converted else None
    if parsed.uid == uid and parsed.size == measured.file_size and parsed.wire_size in (wire, measured.size):
        right = parsed
    else:
        right = replace(parsed, uid=uid, size=measured.file_size, wire_size=wire)
    name = right.filename
    if (not name.isascii() and storable(name) != name) or len(name.encode()) > MAX_FILE_NAME:
        name = replace(right, base=unique(), extra=(), others="").filename
    return name


def storable(name: str) -> str:
    """The name if SQLite can hold it as text; octets that are no UTF-8 replaced otherwise."""
    return name.encode("utf-8", "replace").decode()


def stem(name: str) -> str:
    """The part of a name that flags do not change."""
    return name.partition(":")[0]


def flags_in(parsed: MessageName, box: Box) -> int:
    """System flags and keywords of a name; letters that no keyword of the folder has say nothing."""
    known = ((1 << len(box.keywords)) - 1) << 5
    return parsed.flags | keyword_bits(parsed.letters) & known


def _seconds(base: str) -> int:
    digits = base.partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def remove_rows(transaction: Transaction, box: Box, rows: Sequence[Row]) -> None:
    """Messages whose files are gone: out of the index, and their room is free."""
    transaction.mark(box)
    transaction.index.remove_messages(box, rows, box.next_modseq())
    transaction.touch(box)
