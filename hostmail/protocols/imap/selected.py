"""The selected folder as this client knows it: flat columns, message numbers, and what it has yet to be told.

Message numbers may only shift when the client is told so (RFC 3501 section 7.4.1). Messages that others have expunged
therefore keep their place here until an answer may carry EXPUNGE.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hostmail.interfaces.columns import Columns
from hostmail.interfaces.mailstore import Changes, IFolder, Snapshot
from hostmail.protocols.imap import flags as flagwords
from hostmail.protocols.imap import sequence
from hostmail.protocols.imap.dialect import Dialect
from hostmail.protocols.imap.sequence import Range, SequenceSet
from hostmail.protocols.imap.tokens import BadSyntax


def mailbox_id(uidvalidity: int) -> bytes:
    """A folder's name for ever (RFC 8474 section 4.1): no two folders of an account share a UIDVALIDITY, and renaming keeps it."""
    return b"F%d" % uidvalidity


class Selected(Columns):
    """One opening of one folder by one session.

    `gone` are the UIDs of messages that are no more, but keep their numbers until the client is told; `saved` is `$` (RFC 5182).
    `modseq` is what these columns are as of; `told` what the client has heard everything up to: less while messages are gone, and where it
    did not want to hear of flags (`withheld`, RFC 5465).
    """

    gone: frozenset[int] = frozenset()
    withheld = False
    saved: Sequence[int] = array("I")
    structures: Mapping[int, Any] = MappingProxyType({})
    stop_watching: Callable[[], None] | None = None
    _stop_listening: Callable[[], None] | None = None

    def __init__(self, name: str, folder: IFolder, snapshot: Snapshot, read_only: bool, dialect: Dialect) -> None:
        self.name = name
        self._dialect = dialect
        self.folder = folder
        self.read_only = read_only or snapshot.read_only
        self.uidvalidity = snapshot.uidvalidity
        self.uidnext = snapshot.uidnext
        self.modseq = self.told = snapshot.highestmodseq
        self.uids = snapshot.uids
        self.flags = snapshot.flags
        self.sizes = snapshot.sizes
        self.dates = snapshot.dates
        self.modseqs = snapshot.modseqs
        self.shared = True
        self._first_unseen = snapshot.first_unseen
        self.first_recent = snapshot.first_recent
        self._learn_keywords(snapshot.keywords)

    def __len__(self) -> int:
        return len(self.uids)

    def listen_outside(self, heard: Callable[[], None]) -> None:
        """Hear at once of what other programs do, while the client waits for news."""
        self.stop_listening_outside()
        self._stop_listening = self.folder.watch(heard)

    def stop_listening_outside(self) -> None:
        """No more of that."""
        stop, self._stop_listening = self._stop_listening, None
        if stop is not None:
            stop()

    def close(self) -> None:
        """Give the folder back and hear no more of it (I15)."""
        self.stop_listening_outside()
        stop, self.stop_watching = self.stop_watching, None
        if stop is not None:
            stop()
        self.folder.close()

    # ------------------------------------------------------------------------------------------------ what is there

    def _indices(self, uids: Sequence[int]) -> Iterable[int | None]:
        """The same for many; what was done to a stretch of messages is found in one step."""
        at = self.index_of(uids[0]) if uids else None
        if at is not None and self.uids[at : at + len(uids)].tolist() == uids:
            return range(at, at + len(uids))
        return map(self.index_of, uids)

    def slices(self, numbers: SequenceSet, by_uid: bool) -> list[Range]:
        """The (start, stop) index pairs that a client's numbers mean.

        UIDs that do not exist are passed over; message numbers that do not exist are the client's error (RFC 9051
        section 6.4.5), except for `*` in an empty folder, which every pipelining client asks for.
        """
        if numbers.is_saved:
            return sequence.slices(sequence.ranges_of(self.saved), self.uids)
        if not self.uids:
            if by_uid or numbers.has_star:
                return []
            raise BadSyntax("there are no messages")
        if by_uid:
            return sequence.slices(numbers.resolve(self.uids[-1]), self.uids)
        if numbers.largest_named > len(self.uids):
            raise BadSyntax("there are not that many messages")
        return [(low - 1, high) for low, high in numbers.resolve(len(self.uids))]

    def uids_in(self, parts: Iterable[Range]) -> list[int]:
        """The UIDs of the slices."""
        found: list[int] = []
        for start, stop in parts:
            found.extend(self.uids[start:stop])
        return found

    def recent_from(self) -> int:
        r"""The index from which on messages are \Recent; the length when none are."""
        if not self.first_recent or self._dialect.rev2:
            return len(self.uids)
        return bisect_left(self.uids, self.first_recent)

    def flag_texts(self, start: int, stop: int) -> list[bytes]:
        r"""The flag words of these messages, \Recent among them."""
        recent = min(max(self.recent_from(), start), stop)
        words = self._texts
        texts = [words[mask] for mask in self.flags[start:recent]]
        if recent < stop:
            words = self._recent_texts
            texts += [words[mask] for mask in self.flags[recent:stop]]
        return texts

    def count_unseen(self, uids: Iterable[int]) -> int:
        r"""How many of these messages are not \Seen, as far as we know."""
        where = (index for uid in uids if (index := self.index_of(uid)) is not None)
        return sum(1 for index in where if not self.flags[index] & flagwords.SEEN)

    def deleted(self) -> list[int]:
        r"""The UIDs of messages that are marked \Deleted."""
        return [uid for uid, mask in zip(self.uids, self.flags, strict=True) if mask & flagwords.DELETED]

    def remember_structure(self, uid: int, structure: Any, most: int) -> None:
        """Keep a scanned message's structure for its next part, and forget the oldest one."""
        kept = list(self.structures.items())[1 - most :]
        self.structures = {**dict(kept), uid: structure}

    # ------------------------------------------------------------------------------------------------------ answers

    def greeting(self) -> bytes:
        """All that SELECT tells (I10)."""
        unseen = self._first_unseen
        if unseen is None:
            unseen = next((at for at, mask in enumerate(self.flags, 1) if not mask & flagwords.SEEN), 0)
        lines = [flagwords.announcement(self.keywords, self.read_only), self.counts()]
        if unseen:
            lines.append(b"* OK [UNSEEN %d] first unseen message\r\n" % unseen)
        lines.append(b"* OK [UIDVALIDITY %d] UIDs are valid\r\n" % self.uidvalidity)
        lines.append(b"* OK [UIDNEXT %d] predicted next UID\r\n" % self.uidnext)
        lines.append(self.highest())
        lines.append(b"* OK [MAILBOXID (%b)] stays with the folder\r\n" % mailbox_id(self.uidvalidity))
        return b"".join(lines)

    def highest(self) -> bytes:
        """HIGHESTMODSEQ (RFC 7162 section 3.1.2.1): no higher than what the client may come back with without missing anything."""
        return b"* OK [HIGHESTMODSEQ %d] highest of all\r\n" % self.told

    def counts(self) -> bytes:
        """EXISTS, and RECENT for who knows it."""
        size = len(self.uids)
        if self._dialect.rev2:
            return b"* %d EXISTS\r\n" % size
        return b"* %d EXISTS\r\n* %d RECENT\r\n" % (size, size - self.recent_from())

    def flag_rows(self, indices: Iterable[int], with_uid: bool = True) -> bytes:
        """FETCH (FLAGS) for messages; with MODSEQ for clients that know it, and then always with the UID."""
        recent, uids, flags, modseqs = self.recent_from(), self.uids, self.flags, self.modseqs
        rows: Iterable[tuple[Any, ...]]
        if self._dialect.condstore:
            row = b"* %d FETCH (UID %d MODSEQ (%d) FLAGS (%b))\r\n"
            rows = ((at + 1, uids[at], modseqs[at], self._words(at >= recent)[flags[at]]) for at in indices)
        elif with_uid:
            row = b"* %d FETCH (UID %d FLAGS (%b))\r\n"
            rows = ((at + 1, uids[at], self._words(at >= recent)[flags[at]]) for at in indices)
        else:
            row = b"* %d FETCH (FLAGS (%b))\r\n"
            rows = ((at + 1, self._words(at >= recent)[flags[at]]) for at in indices)
        return b"".join([row % values for values in rows])

    def _words(self, recent: bool) -> flagwords.FlagTexts:
        return self._recent_texts if recent else self._texts

    # ------------------------------------------------------------------------------------------------------ changes

    def news(self, changes: Changes, expunges: bool, flags: bool = True) -> tuple[bytes, list[int]]:
        """Take in what happened: the words that the client may hear now, and the indices of messages whose flags it may, if it wants to."""
        out = [self.learn_keywords(changes.keywords)]
        lost = self._lost(changes)
        self.lose(lost)
        if expunges:
            out.append(self.take_expunges())
        out.append(self._arrivals([row for row in changes.changed if row[0] not in lost]))
        rows = self.changed_flags(changes)
        self.uidnext = max(self.uidnext, changes.uidnext)
        self.modseq = changes.highestmodseq
        self.withheld = self.withheld or bool(rows and not flags)
        self._note_told()
        return b"".join(out), rows if flags else []

    def _lost(self, changes: Changes) -> frozenset[int]:
        if changes.remaining is None:
            return frozenset(changes.expunged)
        return frozenset(self.uids).difference(changes.remaining)

    def knows_all(self, changes: Changes) -> None:
        """After a change of the client's own, which it has been told: there are no news if nothing else has happened."""
        if changes.since == self.modseq:
            self.modseq = changes.highestmodseq
            self._note_told()

    def _note_told(self) -> None:
        if not (self.gone or self.withheld):
            self.told = self.modseq

    def changed_flags(self, changes: Changes, expected: Callable[[int], int] | None = None) -> list[int]:
        """Set the flags of messages that are here; the indices of those that are not what they were, or were `expected` to become.

        A client that knows MODSEQs hears of each new one, also where flags came and went.
        """
        if not changes.changed:
            return []
        self.own()
        differ: list[int] = []
        flags, modseqs, condstore = self.flags, self.modseqs, self._dialect.condstore
        indices = self._indices([row[0] for row in changes.changed])
        for index, (_, mask, _, _, modseq) in zip(indices, changes.changed, strict=True):
            if index is None:
                continue
            known = flags[index] if expected is None else expected(flags[index])
            if known != mask or (condstore and modseq > modseqs[index]):
                differ.append(index)
            flags[index] = mask
            modseqs[index] = modseq
        differ.sort()
        return differ

    def learn_keywords(self, keywords: Sequence[str]) -> bytes:
        """Take over a longer list of keywords, and announce it."""
        if list(keywords) == self.keywords:
            return b""
        self._learn_keywords(keywords)
        return flagwords.announcement(self.keywords, self.read_only)

    def lose(self, uids: Iterable[int]) -> None:
        """Note messages that are no more; they keep their numbers until `take_expunges`."""
        uids = list(uids) if self.uids else []
        lost = {uid for uid, index in zip(uids, self._indices(uids), strict=True) if index is not None}
        if lost:
            self.gone |= lost

    def take_expunges(self) -> bytes:
        """Forget the lost messages, and say which: from the last to the first, so that each number still fits."""
        if not self.gone:
            return b""
        gone = sorted(self.gone)
        where = [index for index in self._indices(gone) if index is not None]
        if self.structures:
            self.structures = {uid: part for uid, part in self.structures.items() if uid not in self.gone}
        self.gone = frozenset()
        self._note_told()
        self.own()
        self.cut(where)
        if self._dialect.qresync:
            return b"* VANISHED %b\r\n" % sequence.format_numbers(gone)
        return b"".join([b"* %d EXPUNGE\r\n" % (index + 1) for index in reversed(where)])

    def _arrivals(self, rows: list[tuple[int, int, int, int, int]]) -> bytes:
        last = self.uids[-1] if self.uids else 0
        new = sorted(row for row in rows if row[0] > last and row[0] >= self.uidnext)
        if not new:
            return b""
        if not self.first_recent and not self.read_only:
            self.first_recent = new[0][0]
        self.own()
        for row in new:
            self.append(row)
        return self.counts()

    def _learn_keywords(self, keywords: Sequence[str]) -> None:
        self.keywords = list(keywords)
        self._texts = flagwords.flag_texts(tuple(self.keywords))
        self._recent_texts = flagwords.flag_texts(tuple(self.keywords), recent=True)
