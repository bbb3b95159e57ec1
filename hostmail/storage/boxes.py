"""What the index holds, as values: boxes (folders), messages, and how either is told apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from hostmail.storage.freshness import NEVER, Seen
from hostmail.storage.names import folder_name
from hostmail.storage.schema import UID_BITS

UID_MASK = (1 << UID_BITS) - 1
_SMALL = 1 << 63


@dataclass(slots=True)
class Box:
    """A folder's row.

    `bytes` (on the wire) and `messages` are what it holds. `mark` is what its record file says of UIDNEXT; `floor` the
    modseq since which removals are known. `seen` is new/ and cur/ as last listed. `checked` is this process's own: the
    record file and the index have been compared.
    """

    id: int
    directory: str
    special_use: str
    uidvalidity: int
    uidnext: int = 1
    mark: int = 1
    modseq: int = 1
    floor: int = 0
    first_recent: int = 1
    scanned: int = 0
    bytes: int = 0
    messages: int = 0
    seen: list[Seen] = field(default_factory=lambda: [NEVER, NEVER])
    keywords: list[str] = field(default_factory=list)
    checked: bool = False

    @property
    def name(self) -> str:
        """As in FolderInfo."""
        return folder_name(self.directory) or self.directory

    @property
    def ref(self) -> BoxRef:
        """For who keeps the folder open."""
        return BoxRef(self.id, self.directory, self.uidvalidity)

    def values(self) -> tuple[Any, ...]:
        """In the order of the table's columns."""
        new, cur = self.seen
        return (
            *(self.special_use, self.uidvalidity, self.uidnext, self.mark, self.modseq, self.floor, self.first_recent),
            *(self.scanned, self.bytes, self.messages, new.mtime, new.recheck, cur.mtime, cur.recheck),
        )

    def load(self, values: Sequence[Any]) -> None:
        """The inverse of `values`."""
        self.special_use, self.uidvalidity, self.uidnext, self.mark, self.modseq, self.floor = values[:6]
        self.first_recent, self.scanned, self.bytes, self.messages = values[6:10]
        self.seen = [Seen(values[10], values[11]), Seen(values[12], values[13])]

    def count(self, rows: Collection[Row], sign: int = 1) -> None:
        """Messages came (or went, -1)."""
        self.bytes += sign * sum([row.size for row in rows])
        self.messages += sign * len(rows)

    def next_modseq(self) -> int:
        """One more change."""
        self.modseq += 1
        return self.modseq


class BoxRef(NamedTuple):
    """A box as who has the folder open remembers it. The id finds it after a rename; an index that was built anew has other
    ids, and then directory and UIDVALIDITY together do."""

    id: int
    directory: str
    uidvalidity: int


class Row(NamedTuple):
    """A message. `size` is on the wire; `converted` 1 if the file's line ends are not; `place` new/ or cur/."""

    uid: int
    flags: int
    size: int
    date: int
    modseq: int
    place: int
    converted: int
    name: str


def stored_flags(flags: int) -> int | bytes:
    """Flags as SQLite can hold them: more than 58 keywords need more than its integers."""
    return flags if flags < _SMALL else flags.to_bytes((flags.bit_length() + 7) // 8, "little")


def loaded_flags(stored: int | bytes) -> int:
    """The inverse of `stored_flags`."""
    return int.from_bytes(stored, "little") if isinstance(stored, bytes) else stored


def span(box: Box) -> tuple[int, int]:
    """The first and last key that a box's messages can have."""
    return box.id << UID_BITS, box.id << UID_BITS | UID_MASK


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as the first and last of each stretch without a gap."""
    if not numbers:
        return []
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    ends = [at for at, (one, next_one) in enumerate(pairwise(numbers), 1) if next_one != one + 1]
    return [(numbers[first], numbers[end - 1]) for first, end in pairwise([0, *ends, len(numbers)])]
