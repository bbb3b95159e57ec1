"""The power goes: the index loses what it last wrote, up to any place in its log, or all that it is.

Messages and flags are in the tree, synced before they were answered (D12). So the UIDs hold, and who comes back with a MODSEQ that he was
once told hears of all that happened since, though the index does not remember giving that MODSEQ (RFC 7162 section 3.1).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from hostmail.interfaces.mailstore import Flag
from hostmail.storage.boot import boot_id
from tests.storage.ground import DiskGround

LATER = 10
FOLDERS = ("INBOX", "Trash")
Flags = dict[int, tuple[int, set[str]]]


@dataclass
class Moment:
    """What a client may know of a folder."""

    uidvalidity: int
    uidnext: int
    modseq: int
    flags: Flags


class PowerCutTests(DiskGround):
    KEYWORDS = ("$Work", "$Home")

    def moment(self, name: str) -> Moment:
        folder = self.get(self.folder(name))
        snapshot = self.get(folder.snapshot())
        return Moment(snapshot.uidvalidity, snapshot.uidnext, snapshot.highestmodseq, self.get(self.flags(folder)))

    def contents_of(self, name: str) -> dict[int, bytes]:
        folder = self.get(self.folder(name))
        return {uid: self.get(self.read(folder, uid)) for uid in self.get(folder.snapshot()).uids}

    def does_something(self, random: Random, number: int) -> None:
        """One change, answered."""
        name, other = random.sample(FOLDERS, 2)
        folder = self.get(self.folder(name))
        uids = list(self.get(folder.snapshot()).uids)
        some = sorted(random.sample(uids, min(len(uids), random.randint(1, 3))))
        letter = b"Subject: %d\r\n\r\n" % number
        what = random.choice(["deliver", "append", "flags", "flags", "flags", "keywords", "expunge", "move", "copy"])
        if what == "deliver" or not some:
            self.get(self.fill([letter], name))
        elif what == "append":
            self.get(self.append(folder, letter, flags=Flag.SEEN, keywords=random.sample(self.KEYWORDS, 1)))
        elif what == "flags":
            how = random.choice(["add", "remove", "replace"])
            self.get(folder.set_flags(some, how, random.choice([Flag.SEEN, Flag.FLAGGED]), []))
        elif what == "keywords":
            self.get(folder.set_flags(some, random.choice(["add", "remove"]), 0, random.sample(self.KEYWORDS, 1)))
        elif what == "expunge":
            self.get(folder.expunge(some[:1], only_deleted=False))
        else:
            self.get(getattr(folder, what)(some, other))

    def cut_off(self, data_dir: str, length: int | None) -> None:
        """The index's log is only so long; None: there is no index at all."""
        self.store = self.store_on(
            data_dir,
            now=lambda: time.time() + LATER,
            wall=lambda: time.time_ns() + LATER * 10**9,
            boot=lambda: "the next one",
        )
        if length is None:
            self.drop_index()
            return
        self.drop_index("-shm")
        path = os.path.join(self.root(), "index.sqlite-wal")
        if length:
            os.truncate(path, length)
        else:
            os.unlink(path)

    def check(self, name: str, known: list[Moment], contents: dict[int, bytes]) -> None:
        """Everything that was told holds."""
        last, now = known[-1], self.moment(name)
        self.assertEqual(now.uidvalidity, last.uidvalidity)
        self.assertGreaterEqual(now.uidnext, last.uidnext)
        self.assertGreaterEqual(now.modseq, last.modseq)
        self.assertEqual(now.flags, last.flags)
        self.assertEqual(self.contents_of(name), contents)
        folder = self.get(self.folder(name))
        for moment in known:
            self.assertEqual(self.caught_up(moment, self.get(folder.changes(moment.modseq))), now.flags)
        uid = self.get(self.append(folder, b"\r\n"))
        self.assertGreaterEqual(uid, last.uidnext)
        self.assertGreater(self.get(folder.snapshot()).highestmodseq, last.modseq)

    def caught_up(self, moment: Moment, changes: Any) -> Flags:
        """What a client knows that comes back with what it knew then."""
        gone = set(changes.expunged if changes.remaining is None else moment.flags.keys() - set(changes.remaining))
        found = {uid: flags for uid, flags in moment.flags.items() if uid not in gone}
        for uid, flags, *_ in changes.changed:
            words = {word for bit, word in enumerate(changes.keywords, 5) if flags >> bit & 1}
            found[uid] = (flags & 31, words)
        return found

    def play(self, seed: int, steps: int) -> None:
        random, first = Random(seed), self.store
        known: dict[str, list[Moment]] = {name: [] for name in FOLDERS}
        for number in range(steps):
            self.does_something(random, number)
            for name in FOLDERS:
                known[name].append(self.moment(name))
        contents = {name: self.contents_of(name) for name in FOLDERS}
        octets = os.path.getsize(os.path.join(self.root(), "index.sqlite-wal"))
        lengths = [None, 0, octets, *(random.randrange(1, octets) for _ in range(5))]
        for length, copy in [(length, self.crashed_copy()) for length in lengths]:
            with self.subTest(seed=seed, length=length):
                self.cut_off(copy, length)
                for name in FOLDERS:
                    self.check(name, known[name], contents[name])
                self.assertEqual(self.get(self.store.verify(self.ann))["problems"], [])
                self.get(self.store.close())
        self.store = first

    def test_at_any_place_of_the_log(self) -> None:
        """UIDs, UIDVALIDITY, flags and keywords are as before; UIDNEXT and HIGHESTMODSEQ do not fall; QRESYNC misses nothing."""
        for seed in range(4):
            self.setUp()
            self.play(seed, 30)


class ManyKeywordsPowerCutTests(PowerCutTests):
    """A power cut where most keywords have no letter."""

    KEYWORDS = tuple(f"$Word{number}" for number in range(60))

    def setUp(self) -> None:
        super().setUp()
        for name in ("INBOX", "Trash"):
            self.get(self.get(self.fill(folder=name)).set_flags([1], "add", 0, self.KEYWORDS[:30]))


class BootTests(DiskGround):
    def test_the_machine_ran_on(self) -> None:
        """A process that ends, in order or by kill -9, loses nothing: no MODSEQ changes, and nobody has to ask for all again."""
        self.get(self.fill([b"Subject: x\r\n\r\n"] * 3))
        before = self.get(self.get(self.folder()).snapshot())
        self.store = self.store_on(self.crashed_copy())
        self.assertEqual(self.get(self.get(self.folder()).snapshot()), before)

    def test_each_start_of_the_machine_is_known(self) -> None:
        """Where it can be told; elsewhere every process counts as a start."""
        self.assertEqual(boot_id(), boot_id())
        path = self.mktemp()
        self.assertEqual(len(boot_id(path)), 32)
