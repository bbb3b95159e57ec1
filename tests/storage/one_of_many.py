"""One of several processes on one mailbox: does things at random, and tells line by line what came of them.

Each line it prints is a JSON value: [what, ...]. After its last step it waits for a line, then prints what it sees: by what it was told
of changes, and looking afresh.
"""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from hostmail.errors import OverQuota
from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import Drop
from hostmail.storage.store import MaildirStore
from tests.storage.ground import at_once

QUOTA = 30_000
ANN = Account(1, "ann@example.com", "example.com", "ann", quota_bytes=QUOTA)
FOLDERS = ("INBOX", "Trash", "Sent")


class Known:
    """What one who asks only for changes knows of a folder: flags by UID."""

    def __init__(self) -> None:
        self.flags: dict[int, int] = {}
        self.modseq = self.uidnext = 0

    def learns(self, changes: Any) -> None:
        assert changes.highestmodseq >= self.modseq, "HIGHESTMODSEQ fell"
        assert changes.uidnext >= self.uidnext, "UIDNEXT fell"
        gone = changes.expunged if changes.remaining is None else self.flags.keys() - set(changes.remaining)
        for uid in list(gone):
            self.flags.pop(uid, None)
        for row in changes.changed:
            assert row[0] in self.flags or row[0] >= self.uidnext, "an old UID is new"
            self.flags[row[0]] = row[1]
        self.modseq, self.uidnext = changes.highestmodseq, changes.uidnext


class Process:
    def __init__(self, data_dir: str, number: int) -> None:
        self.store = MaildirStore(data_dir, at_once, Clock())
        self.random = Random(number)
        self.name = f"P{number}"
        self.made = 0
        self.known = {name: Known() for name in FOLDERS}
        self.keywords: dict[str, list[str]] = {}

    def tells(self, *what: Any) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    async def folder(self, name: str) -> Any:
        return await (await self.store.open(ANN)).folder(name)

    def letter(self) -> tuple[str, bytes]:
        self.made += 1
        subject = f"{self.name}-{self.made}"
        return subject, f"Subject: {subject}\r\n\r\n".encode().ljust(self.random.randint(50, 900), b".") + b"\r\n"

    async def poll(self, name: str) -> list[int]:
        """The UIDs there, as changes tell."""
        known, folder = self.known[name], await self.folder(name)
        if not known.modseq:
            snapshot = await folder.snapshot()
            known.flags = dict(zip(snapshot.uids, snapshot.flags, strict=True))
            known.modseq, known.uidnext = snapshot.highestmodseq, snapshot.uidnext
        changes = await folder.changes(known.modseq)
        known.learns(changes)
        self.keywords[name] = list(changes.keywords)
        return sorted(known.flags)

    async def step(self) -> None:
        name, target = self.random.sample(FOLDERS, 2)
        uids = await self.poll(name)
        some = sorted(self.random.sample(uids, min(len(uids), self.random.randint(1, 5))))
        what = self.random.choice(["deliver", "append", "flag", "flag", "flag", "expunge", "copy", "move", "move"])
        try:
            await getattr(self, what)(name, some, target)
        except OverQuota:
            self.tells("full")
        used = (await self.store.room(ANN)).used
        assert used.bytes <= QUOTA, "more is stored than may be"

    async def deliver(self, name: str, some: list[int], target: str) -> None:
        subject, letter = self.letter()
        file = self.store.spool.create(b"")
        file.write(letter)
        await file.seal()
        (refusal,) = await self.store.deliver(file, [Drop(ANN, b"", name)])
        file.discard()
        if refusal is not None:
            raise refusal
        self.tells("deliver", name, subject)

    async def append(self, name: str, some: list[int], target: str) -> None:
        subject, letter = self.letter()
        incoming = await (await self.folder(name)).begin_append(len(letter))
        incoming.write(letter)
        placed = await incoming.commit()
        self.tells("append", name, placed.target_uids, subject)

    async def flag(self, name: str, some: list[int], target: str) -> None:
        how = self.random.choice(["add", "remove"])
        changes = await (await self.folder(name)).set_flags(some, how, 0, [self.name])
        self.tells("flag", name, some, how, [row[0] for row in changes.changed])

    async def expunge(self, name: str, some: list[int], target: str) -> None:
        self.tells("expunge", name, await (await self.folder(name)).expunge(some, only_deleted=False))

    async def copy(self, name: str, some: list[int], target: str) -> None:
        placed = await (await self.folder(name)).copy(some, target)
        self.tells("copy", name, list(placed.source_uids), target, list(placed.target_uids))

    async def move(self, name: str, some: list[int], target: str) -> None:
        placed = await (await self.folder(name)).move(some, target)
        self.tells("move", name, list(placed.source_uids), target, list(placed.target_uids))

    async def looks(self) -> None:
        """What changes told, and what a fresh look shows: the same."""
        for name in FOLDERS:
            await self.poll(name)
            snapshot = await (await self.folder(name)).snapshot()
            fresh = dict(zip(snapshot.uids, snapshot.flags, strict=True))
            assert fresh == self.known[name].flags, (name, fresh, self.known[name].flags)
            self.tells("sees", name, snapshot.uidvalidity, snapshot.uidnext, sorted(fresh.items()), self.keywords[name])
        self.tells("uses", (await self.store.room(ANN)).used.bytes)


async def main(data_dir: str, number: int, steps: int) -> None:
    process = Process(data_dir, number)
    sys.stdin.readline()
    for _ in range(steps):
        await process.step()
    process.tells("done")
    sys.stdin.readline()
    await process.looks()
    await process.store.close()


def run() -> None:
    """All of it; whatever goes wrong ends the process with a trace."""
    done = Deferred.fromCoroutine(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    done.addErrback(lambda failure: (failure.printTraceback(sys.stderr), sys.exit(1)))


if __name__ == "__main__":
    run()
