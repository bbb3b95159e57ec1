"""Many clients on one folder, at random: each knows at the end what is there (RFC 3501, RFC 7162), on both stores.

The clients keep what RFC 7162 says they keep. Some drop their line and come back with QRESYNC, the index is lost and rebuilt, the
process starts again, other programs deliver and take away.
"""

from __future__ import annotations

import os
import re
import shutil
from random import Random
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.mailstore import FIRST_KEYWORD_BIT, Flag, Snapshot
from hostmail.storage.store import MaildirStore
from tests.protocols.imap.mailprogram import MailProgram, numbers_in
from tests.protocols.imap.talk import ANN, House
from tests.storage.ground import at_once

FLAGS = (b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Draft")
WORDS = (*FLAGS[:4], b"$Work", b"$Home")


class World:
    """The folder, its clients, and what must be in it: flags by UID. `away` is the same of the folder that mail is copied and moved to."""

    KINDS: ClassVar[tuple[str, ...]] = ("qresync", "qresync", "condstore", "plain")

    def __init__(self, case: SynchronousTestCase, random: Random) -> None:
        self.case = case
        self.random = random
        self.house = House()
        self.truth: dict[int, frozenset[bytes]] = {}
        self.sizes: dict[int, int] = {}
        self.away: dict[int, tuple[int, frozenset[bytes]]] = {}
        self.next_size = 100
        self.last_uid = self.highest = 0
        self.open_store()
        self.clients = [MailProgram(house, kind) for house in self.houses() for kind in self.KINDS]

    def open_store(self) -> None:
        """The one in memory is there already."""

    def houses(self) -> list[House]:
        """Where clients connect."""
        return [self.house]

    def close(self) -> None:
        for client in self.clients:
            client.leaves()

    def get(self, work: Any) -> Any:
        return self.case.successResultOf(Deferred.fromCoroutine(work))

    async def _inbox(self, name: str = "INBOX") -> Any:
        return await (await self.house.store.open(ANN)).folder(name)

    async def _snapshot(self, name: str = "INBOX") -> Snapshot:
        found: Snapshot = await (await self._inbox(name)).snapshot()
        return found

    def words_of(self, now: Snapshot) -> dict[int, frozenset[bytes]]:
        """Flags and keywords by UID."""
        words = [*FLAGS, *(word.encode() for word in now.keywords)]
        return {
            uid: frozenset(word for bit, word in enumerate(words) if mask >> bit & 1)
            for uid, mask in zip(now.uids, now.flags, strict=True)
        }

    # ----------------------------------------------------------------------------------------------------- promises

    def look(self) -> None:
        """The folder holds what it must; UIDs and MODSEQs only rise."""
        now = self.get(self._snapshot())
        assert len(FLAGS) == FIRST_KEYWORD_BIT
        there = self.words_of(now)
        new = [uid for uid in there if uid not in self.truth]
        assert there == self.truth | dict.fromkeys(new, frozenset()), (there, self.truth)
        assert all(uid > self.last_uid for uid in new), "a UID was used again"
        assert now.highestmodseq >= max([self.highest, *now.modseqs]), "HIGHESTMODSEQ fell"
        for uid, size in zip(now.uids, now.sizes, strict=True):
            assert self.sizes.setdefault(uid, size) == size, "a UID stands for another message"
        self.truth, self.highest = there, now.highestmodseq
        self.last_uid = max([self.last_uid, *there])
        assert now.uidnext > self.last_uid
        trash = self.get(self._snapshot("Trash"))
        words, sizes = self.words_of(trash), dict(zip(trash.uids, trash.sizes, strict=True))
        assert {uid: (sizes[uid], words[uid]) for uid in words} == self.away

    # -------------------------------------------------------------------------------------------------------- steps

    def letter(self) -> bytes:
        self.next_size += 1
        return b"Subject: x\r\n\r\n".ljust(self.next_size - 2, b".") + b"\r\n"

    def deliver(self) -> None:
        """By the store."""
        self.get(self._deliver(self.letter()))

    async def _deliver(self, letter: bytes) -> None:
        incoming = await (await self._inbox()).begin_append(len(letter))
        incoming.write(letter)
        await incoming.commit()

    def append(self, client: MailProgram) -> None:
        letter = self.letter()
        answer = client.asks(b"APPEND INBOX {%d+}\r\n%b" % (len(letter), letter))
        assert answer.startswith(b". OK [APPENDUID"), answer

    def some(self, things: list[Any]) -> list[Any]:
        return sorted(self.random.sample(things, min(len(things), self.random.randint(1, 4))))

    def store(self, client: MailProgram) -> None:
        """STORE of any kind, perhaps on condition; of messages whose UIDs the client knows."""
        client.done()
        by_uid, silent = self.random.random() < 0.5, self.random.random() < 0.4
        chosen = self.some(list(range(len(client.messages))))
        uids = [uid for index in chosen if (uid := client.messages[index]) is not None]
        if not uids or len(uids) < len(chosen):
            return
        verb, words = self.random.choice([b"+FLAGS", b"-FLAGS", b"FLAGS"]), frozenset(self.some(list(WORDS)))
        condition = b""
        if client.kind != "plain" and self.random.random() < 0.4:
            condition = b" (UNCHANGEDSINCE %d)" % max(client.modseqs.get(uid, 0) for uid in uids)
        command = b"%bSTORE %b%b %b%b (%b)" % (
            *(
                b"UID " if by_uid else b"",
                b",".join(b"%d" % (uid if by_uid else index + 1) for uid, index in zip(uids, chosen, strict=True)),
            ),
            *(condition, verb, b".SILENT" if silent else b"", b" ".join(sorted(words))),
        )
        answer = client.asks(command)
        assert answer.startswith(b". OK"), answer
        left = numbers_in(found[1]) if (found := re.search(rb"\[MODIFIED ([0-9:,]+)\]", answer)) else []
        modified = left if by_uid else [uids[chosen.index(number - 1)] for number in left]
        assert condition or not modified
        for uid in uids:
            if uid in self.truth and uid not in modified:
                before = self.truth[uid]
                self.truth[uid] = {b"+": before | words, b"-": before - words}.get(verb[:1], words)
                if silent and client.kind == "plain" and uid in client.flags:
                    before = client.flags[uid]
                    client.flags[uid] = {b"+": before | words, b"-": before - words}.get(verb[:1], words)

    def read(self, client: MailProgram) -> None:
        """BODY[] marks as read."""
        client.done()
        known = [uid for uid in client.messages if uid is not None]
        if known:
            uid = self.random.choice(known)
            if self.random.random() < 0.5:
                client.asks(b"UID FETCH %d BODY[]<0.1>" % uid)
            else:
                client.asks(b"FETCH %d BODY[]<0.1>" % (client.messages.index(uid) + 1))
            now = self.get(self._snapshot())
            if (
                uid in self.truth and now.flags[now.uids.index(uid)] & Flag.SEEN
            ):  # not if somebody has just taken it away
                self.truth[uid] |= {b"\\Seen"}

    def expunge(self, client: MailProgram) -> None:
        client.done()
        known = [uid for uid in client.messages if uid is not None]
        kind = self.random.choice([b"EXPUNGE", b"UID EXPUNGE"])
        if kind == b"EXPUNGE":
            doomed = [uid for uid, flags in self.truth.items() if b"\\Deleted" in flags]
            answer = client.asks(kind)
        elif not known:
            return
        else:
            uids = self.some(known)
            doomed = [uid for uid in uids if uid in self.truth and b"\\Deleted" in self.truth[uid]]
            answer = client.asks(b"%b %b" % (kind, b",".join(b"%d" % uid for uid in uids)))
        assert answer.startswith(b". OK"), answer
        for uid in doomed:
            del self.truth[uid]

    def carry(self, client: MailProgram) -> None:
        """COPY and MOVE, by number or UID, to the other folder or within this one: with all flags, each message once."""
        client.done()
        known = [uid for uid in client.messages if uid is not None]
        if not known:
            return
        uids = self.some(known)
        kind, target = self.random.choice([(b"COPY", b"Trash"), (b"COPY", b"INBOX"), (b"MOVE", b"Trash")])
        by_uid = self.random.random() < 0.5
        numbers = uids if by_uid else [client.messages.index(uid) + 1 for uid in uids]
        command = b"%b%b %b %b" % (b"UID " * by_uid, kind, b",".join(b"%d" % number for number in numbers), target)
        pairs = client.copies(command)
        left = [uid for uid in uids if uid in self.truth]
        if pairs is None:
            assert left != uids, command
            return
        assert [old for old, _ in pairs] == left, (command, pairs)
        for old, new in pairs:
            if target == b"INBOX":
                assert new > self.last_uid, "a UID was used again"
                self.truth[new], self.sizes[new] = self.truth[old], self.sizes[old]
            else:
                assert new > max(self.away, default=0), "a UID was used again"
                self.away[new] = (self.sizes[old], self.truth[old])
            if kind == b"MOVE":
                del self.truth[old]

    def ask(self, client: MailProgram) -> None:
        """Something that changes nothing."""
        modseq = b"" if client.kind == "plain" else b" MODSEQ"
        commands = [b"NOOP", b"SEARCH ALL", b"UID SEARCH ALL", b"FETCH 1:* (FLAGS UID%b)" % modseq, b"CHECK"]
        if self.random.random() < 0.3:
            client.asks_both(*self.random.sample(commands, 2))
        else:
            client.asks(self.random.choice(commands))

    def meet(self, client: MailProgram) -> None:
        """The line drops, or the client comes back."""
        if client.talk is None:
            client.comes()
        else:
            client.leaves()

    def events(self) -> None:
        """Announcements arrive, and are pushed."""
        for house in self.houses():
            house.clock.advance(0)
        for client in self.clients:
            client.listens()

    def step(self) -> None:
        """One thing happens."""
        everyone = [client for client in self.clients if client.talk is not None]
        ways = (
            [self.store] * 6
            + [self.read, self.expunge, self.append, self.ask, self.carry] * 2
            + [self.meet] * 2
            + [MailProgram.idle]
        )
        pick = self.random.random()
        if pick < 0.1:
            self.deliver()
        elif pick < 0.2:
            self.events()
        elif pick < 0.3:
            self.outside()
        elif everyone and pick < 0.9:
            self.random.choice(ways)(self.random.choice(everyone))
        else:
            self.meet(self.random.choice(self.clients))
        self.look()

    def outside(self) -> None:
        """Nobody else can reach the store in memory."""

    def run(self, steps: int) -> None:
        """So many steps; now and then, and at the end, all clients must know everything."""
        for number in range(1, steps + 1):
            self.step()
            if number % 10 == 0 or number == steps:
                for client in self.clients:
                    if client.talk is None and number == steps:
                        client.comes()
                    if client.talk is not None:
                        known = client.catches_up()
                        assert known == self.truth, (client.kind, known, self.truth)
                        word = self.random.choice(WORDS)
                        assert client.searches(word) == {uid for uid, words in known.items() if word in words}


class DiskWorld(World):
    """On a Maildir, that others reach as well, with an index that may be lost."""

    def open_store(self) -> None:
        self.place = getattr(self, "place", None) or self.case.mktemp()
        for house in self.houses():
            options: Any = {"events": house.events}
            house.store = house.portal.store = MaildirStore(self.place, at_once, house.clock, **options)

    def close(self) -> None:
        super().close()
        self.close_stores()

    def close_stores(self) -> None:
        for house in self.houses():
            self.get(house.store.close())

    def outside(self) -> None:
        """A file comes or goes, the index is lost, or the process starts again."""
        ways = [self.put, self.put, self.mark, self.take, self.lose_index, self.restart]
        self.random.choice(ways)()

    def _files(self) -> list[str]:
        inbox = os.path.join(self.house.store.root_of(ANN), "Maildir")
        self.get(self._inbox())
        return sorted(
            os.path.join(inbox, place, name)
            for place in ("cur", "new")
            for name in os.listdir(os.path.join(inbox, place))
        )

    def put(self) -> None:
        self._files()
        path = os.path.join(self.house.store.root_of(ANN), "Maildir", "new", f"17000.{self.next_size}.elsewhere")
        with open(path, "wb") as file:
            file.write(self.letter())

    def mark(self) -> None:
        """Another program adds a flag."""
        if files := self._files():
            path = self.random.choice(files)
            directory, name = os.path.split(path)
            base, _, info = name.partition(":2,")
            uid = int(re.search(r",U=(\d+)", name)[1])  # type: ignore[index]
            os.rename(
                path, os.path.join(os.path.dirname(directory), "cur", f"{base}:2,{''.join(sorted({*info, 'F'}))}")
            )
            self.truth[uid] |= {b"\\Flagged"}

    def take(self) -> None:
        if files := self._files():
            path = self.random.choice(files)
            os.unlink(path)
            del self.truth[int(re.search(r",U=(\d+)", path)[1])]  # type: ignore[index]

    def lose_index(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            path = os.path.join(self.house.store.root_of(ANN), "index.sqlite" + suffix)
            if os.path.exists(path):
                os.unlink(path)

    async def _expunge_last(self) -> None:
        """So that the highest UID was given, and is gone."""
        inbox = await self._inbox()
        self.last_uid = (await inbox.snapshot()).uids[-1]
        await inbox.expunge([self.last_uid], only_deleted=False)

    def restart(self) -> None:
        """In order, without the index, or with one that has lost its last commits, as a power cut leaves it."""
        for client in self.clients:
            client.leaves()
        self.deliver()
        self.get(self._expunge_last())
        self.close_stores()
        path = os.path.join(self.house.store.root_of(ANN), "index.sqlite")
        kept, way = path + ".kept", self.random.choice(["as it is", "lost", "keep", "older", "older"])
        if way == "lost":
            self.lose_index()
        elif way == "keep" and os.path.exists(path):
            shutil.copy(path, kept)
        elif way == "older" and os.path.exists(kept):
            self.lose_index()
            shutil.copy(kept, path)
        self.open_store()


class TwoProcessesWorld(DiskWorld):
    """On a Maildir that two processes serve, of which neither hears of the other."""

    KINDS = ("qresync", "condstore", "plain")

    def houses(self) -> list[House]:
        self.other = getattr(self, "other", None) or House()
        return [self.house, self.other]


class ResyncModelTests(SynchronousTestCase):
    """The same promises on both stores."""

    def play(self, kind: type[World], seeds: range, steps: int) -> None:
        for seed in seeds:
            try:
                self.live(kind(self, Random(seed)), steps)
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise

    def live(self, world: World, steps: int) -> None:
        try:
            world.run(steps)
        finally:
            world.close()

    def test_in_memory(self) -> None:
        """Whatever happens, after NOOP each client knows the folder; UIDs are given once, MODSEQs rise."""
        self.play(World, range(15), 60)

    @settings(max_examples=40, deadline=None, database=None)
    @given(st.randoms(use_true_random=False), st.integers(1, 40))
    def test_chosen_by_hypothesis(self, random: Random, steps: int) -> None:
        """The same, with each choice hypothesis' own: of a life that goes wrong it shows the shortest."""
        self.live(World(self, random), steps)

    def test_on_a_maildir(self) -> None:
        """The same with other programs, lost indexes and restarts."""
        self.play(DiskWorld, range(8), 60)

    def test_by_two_processes(self) -> None:
        """The same where half the clients are served by another process."""
        self.play(TwoProcessesWorld, range(8), 60)
