"""Has anybody else changed a directory? Decided from its modification time, without listing it. Pure.

Times are nanoseconds of the file system's clock. A modification time says less than it seems to: it has the granularity of
the kernel's tick (up to 10 ms), on some file systems of 2 s, and our own changes set it too. So what is remembered is a time
and when to look again: a listing taken long after the last change is sure; a younger one, and every change of our own,
is looked at once more when two seconds have passed. Our own changes hide a foreign one only if it falls between two
calls of ours, which is rare enough to let large directories wait longer: looking again must not cost more than it saves.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000
COARSE = 2 * SECOND
WAIT_PER_ENTRY = SECOND // 1000
TICK = SECOND // 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A directory as it was when listed: its modification time, and when to list it again all the same (0: never)."""

    mtime: int = 0
    recheck: int = 0

    def is_fresh(self, mtime: int, now: int) -> bool:
        """True if nobody can have changed the directory since."""
        return mtime == self.mtime and (self.recheck == 0 or now < self.recheck)


NEVER = Seen()


def after_listing(mtime: int, now: int) -> Seen:
    """What to remember of a listing begun at `now`, when the time was `mtime` just before."""
    age = now - mtime
    if age > COARSE or age < -COARSE:
        return Seen(mtime)
    if age > TICK:
        return Seen(mtime, mtime + COARSE + 1)
    return Seen(mtime, 1)


def after_own_change(seen: Seen, before: int, after: int, now: int, entries: int = 0) -> Seen:
    """What to remember of our own change between `before` and `after`; if `before` was news already, a listing is due.

    `entries` is about how many names the directory holds.
    """
    if before != seen.mtime:
        return NEVER
    return Seen(after, seen.recheck or now + max(COARSE, entries * WAIT_PER_ENTRY))
