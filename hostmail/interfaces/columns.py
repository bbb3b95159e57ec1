"""A folder's messages as flat columns, which all who look at it share until one of them changes his."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress

FEW = 32

Row = tuple[int, int, int, int, int]
"""UID, flags, size, date, modseq: what `Snapshot` says of them."""


class Columns:
    """Ascending by UID, about 40 octets a message. Where they are `shared` with others, `own` comes before every change."""

    uids: array[int]
    flags: list[int]
    sizes: array[int]
    dates: array[int]
    modseqs: array[int]
    shared = False

    def index_of(self, uid: int) -> int | None:
        """Where this UID stands, or None."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def own(self) -> None:
        """Leave the columns to the others, and go on with copies."""
        if self.shared:
            self.shared = False
            self.uids, self.flags, self.sizes = self.uids[:], self.flags[:], self.sizes[:]
            self.dates, self.modseqs = self.dates[:], self.modseqs[:]

    def append(self, row: Row) -> None:
        """One message more, whose UID is above all others."""
        uid, flags, size, date, modseq = row
        self.uids.append(uid)
        self.flags.append(flags)
        self.sizes.append(size)
        self.dates.append(date)
        self.modseqs.append(modseq)

    def cut(self, places: Sequence[int]) -> None:
        """Take out the messages that stand there; `places` ascend."""
        if len(places) <= FEW:
            for column in (self.uids, self.flags, self.sizes, self.dates, self.modseqs):
                for place in reversed(places):
                    del column[place]
            return
        kept = bytearray(b"\x01") * len(self.uids)
        for place in places:
            kept[place] = 0
        self.flags = list(compress(self.flags, kept))
        self.uids, self.sizes, self.dates, self.modseqs = (
            array(column.typecode, compress(column, kept))
            for column in (self.uids, self.sizes, self.dates, self.modseqs)
        )
