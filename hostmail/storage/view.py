"""An open folder's messages in memory: flat columns, about 40 octets a message, kept up to date by what changed."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from sys import byteorder

from hostmail.interfaces.columns import Columns, Row
from hostmail.interfaces.mailstore import Snapshot
from hostmail.storage.boxes import Box

SEEN, DELETED = 1, 8
_SEEN = bytes(octet for octet in range(256) if octet & SEEN)
_NOT_DELETED = bytes(octet for octet in range(256) if not octet & DELETED)


def _lowest_octets(column: array[int]) -> bytes:
    """Of each number, that with the system flags."""
    return column.tobytes()[0 if byteorder == "little" else column.itemsize - 1 :: column.itemsize]


class View(Columns):
    """The columns of one folder as of `modseq`.

    Snapshots share them, so that opening a folder of any size costs the same: they are copied before the first change after that.
    """

    def __init__(self) -> None:
        self.modseq = 0
        self.uids: array[int] = array("I")
        self.flags: list[int] = []
        self.sizes: array[int] = array("Q")
        self.dates: array[int] = array("q")
        self.modseqs: array[int] = array("Q")
        self._first_unseen: int | None = None
        self._counted: tuple[int, int] | None = None
        self._sent: tuple[array[int], array[int]] = array("I"), array("i")

    @property
    def unseen(self) -> int:
        """How many are not \\Seen: counted once, then kept up, for STATUS asks again after every message."""
        return self._counts()[0]

    @property
    def deleted(self) -> int:
        """How many are \\Deleted, in the same way."""
        return self._counts()[1]

    def _counts(self) -> tuple[int, int]:
        if self._counted is None:
            self._count(bytes([flags & 31 for flags in self.flags]))
        assert self._counted is not None
        return self._counted

    def _count(self, octets: bytes) -> None:
        self._counted = len(octets.translate(None, _SEEN)), len(octets.translate(None, _NOT_DELETED))

    def saved(self) -> bytes | None:
        """All of it in a few copies of memory, for `load_saved`; None if keywords make flags too long for that."""
        try:
            columns = (self.uids, array("Q", self.flags), self.sizes, self.dates, self.modseqs)
        except OverflowError:
            return None
        return b"".join(column.tobytes() for column in columns)

    def load_saved(self, data: bytes, modseq: int) -> bool:
        """What `saved` made, by this machine's kind of processor; False if it cannot be that."""
        items = [array(kind) for kind in "IQQqQ"]
        count, rest = divmod(len(data), sum(item.itemsize for item in items))
        if rest:
            return False
        octets, offset = memoryview(data), 0
        for item in items:
            end = offset + count * item.itemsize
            item.frombytes(octets[offset:end])
            offset = end
        self.shared, self._first_unseen = False, None
        self.uids, self.sizes, self.dates, self.modseqs = items[0], items[2], items[3], items[4]
        self.flags = items[1].tolist()
        self.modseq = modseq
        self._count(_lowest_octets(items[1]))
        return True

    def load(self, rows: Sequence[Row], modseq: int) -> None:
        """All messages anew, ascending by UID."""
        columns: Iterable[Sequence[int]] = zip(*rows, strict=True) if rows else ((),) * 5
        uids, flags, sizes, dates, modseqs = columns
        self.shared, self._first_unseen = False, None
        self.uids, self.flags = array("I", uids), list(flags)
        self.sizes, self.dates, self.modseqs = array("Q", sizes), array("q", dates), array("Q", modseqs)
        self.modseq, self._counted = modseq, None

    def apply(self, changed: Sequence[Row], expunged: Sequence[int], modseq: int) -> None:
        """What happened since."""
        if changed or expunged:
            self.own()
        if expunged:
            self._remove(expunged)
            self._first_unseen = None
        unseen, deleted = self._counts()
        for row in changed:
            uid, flags, size, _, message_modseq = row
            if not self.uids or uid > self.uids[-1]:
                self.append(row)
                unseen += not flags & SEEN
                deleted += flags & DELETED > 0
                continue
            at = bisect_left(self.uids, uid)
            if self.uids[at] == uid:
                unseen += (self.flags[at] & SEEN) - (flags & SEEN)
                deleted += (flags & DELETED > 0) - (self.flags[at] & DELETED > 0)
                self.flags[at], self.modseqs[at] = flags, message_modseq
                self.sizes[at] = size
                if self._first_unseen is not None and at < self._first_unseen:
                    self._first_unseen = None
        self.modseq, self._counted = modseq, (unseen, deleted)

    def _remove(self, expunged: Sequence[int]) -> None:
        places = sorted(at for uid in expunged if (at := self.index_of(uid)) is not None)
        if self._counted is not None:
            unseen, deleted = self._counted
            masks = [self.flags[at] for at in places]
            unseen -= sum(1 for mask in masks if not mask & SEEN)
            self._counted = unseen, deleted - sum(1 for mask in masks if mask & DELETED)
        self.cut(places)

    def sent_days_of(self, uids: array[int]) -> array[int] | None:
        """What `keep_sent_days` was given for just these messages."""
        known, days = self._sent
        return days if known == uids else None

    def sent_days_known(self) -> dict[int, int]:
        """All that `keep_sent_days` was given, by UID."""
        return dict(zip(*self._sent, strict=True))

    def keep_sent_days(self, uids: array[int], days: array[int]) -> None:
        """The days of Date fields, which never change. They belong to nobody who would change the arrays."""
        self._sent = uids, days

    def first_at_least(self, uid: int) -> int:
        """The lowest UID that is there and not below `uid`; 0 for none."""
        at = bisect_left(self.uids, uid)
        return self.uids[at] if at < len(self.uids) else 0

    def count_at_least(self, uid: int) -> int:
        """How many UIDs are not below `uid`."""
        return len(self.uids) - bisect_left(self.uids, uid)

    @property
    def first_unseen(self) -> int:
        """The number of the first message that is not \\Seen, 0 for none; looked for again only when that may have changed."""
        if not self.unseen:
            return 0
        if self._first_unseen is None:
            self._first_unseen = next((at for at, flags in enumerate(self.flags, 1) if not flags & SEEN), 0)
        return self._first_unseen

    def snapshot(self, box: Box, first_recent: int) -> Snapshot:
        """All of it, shared with the caller."""
        self.shared = True
        return Snapshot(
            uidvalidity=box.uidvalidity,
            uidnext=box.uidnext,
            highestmodseq=box.modseq,
            keywords=list(box.keywords),
            uids=self.uids,
            flags=self.flags,
            sizes=self.sizes,
            dates=self.dates,
            modseqs=self.modseqs,
            first_recent=first_recent,
            first_unseen=self.first_unseen,
        )
