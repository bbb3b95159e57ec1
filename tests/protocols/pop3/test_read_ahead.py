"""A client that fetches one message after the other is read ahead for, within bounds."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from hostmail.interfaces.mailstore import Snapshot
from hostmail.protocols.pop3.maildrop import AHEAD_MESSAGES, AHEAD_OCTETS, Maildrop
from tests.protocols.pop3.conversation import ONE, TWO, Conversation


class Folder:
    """Notes what is read at once, and answers as `IFolder.read_many` does."""

    def __init__(self, contents: list[bytes]) -> None:
        self.contents: dict[int, bytes | None] = {}
        self.contents.update(enumerate(contents, 1))
        self.asked: list[list[int]] = []

    async def read_many(self, uids: list[int], limit: int) -> list[bytes | None]:
        self.asked.append(list(uids))
        found: list[bytes | None] = []
        for uid in uids:
            content = self.contents[uid]
            limit -= len(content or b"")
            if limit < 0:
                break
            found.append(content)
        return found

    def close(self) -> None:
        """Nothing to give back."""


class Nothing:
    """A lock, a store."""

    def release(self) -> None:
        """Nothing to give back."""

    close = release


class ReadAheadTests(Conversation):
    messages = (ONE, TWO, b"..\r\n", b"", b".\r\nx\r\n")

    def drop(self, *contents: bytes) -> tuple[Maildrop, Folder]:
        folder = Folder(list(contents))
        sizes, count = [len(content) for content in contents], len(contents)
        snapshot: Any = type("Frozen", (), {"uids": range(1, count + 1), "sizes": sizes, "uidvalidity": 7})
        frozen: Snapshot = snapshot
        return Maildrop(Nothing(), folder, Nothing(), frozen), folder

    def fetch(self, drop: Maildrop, index: int) -> bytes | None:
        ready = drop.at_hand(index)
        return ready if ready is not None else self.successResultOf(Deferred.fromCoroutine(drop.whole(index)))

    def test_in_order(self) -> None:
        """The first is opened by itself; the second comes with all that follow."""
        drop, folder = self.drop(b"a", b"b", b"c", b"d")
        self.assertEqual([self.fetch(drop, i) for i in range(4)], [None, b"b", b"c", b"d"])
        self.assertEqual(folder.asked, [[2, 3, 4]])

    def test_here_and_there(self) -> None:
        """Nothing is read ahead for who picks messages, and what was is let go."""
        drop, folder = self.drop(b"a", b"b", b"c", b"d")
        for index in (2, 0, 3, 1, 1):
            self.assertIsNone(self.fetch(drop, index))
        self.assertEqual(folder.asked, [])
        self.assertEqual(self.fetch(drop, 2), b"c")
        self.assertIsNone(self.fetch(drop, 0))
        self.assertEqual(drop._ahead, {})

    def test_deleted(self) -> None:
        """What is marked deleted is not read."""
        drop, folder = self.drop(b"a", b"b", b"c", b"d")
        drop.deleteMessage(2)
        self.fetch(drop, 0)
        self.fetch(drop, 1)
        self.assertEqual(folder.asked, [[2, 4]])

    def test_gone_meanwhile(self) -> None:
        """What another program removed is opened, which tells so."""
        drop, folder = self.drop(b"a", b"b", b"c", b"d")
        folder.contents[3] = None
        self.assertEqual([self.fetch(drop, i) for i in range(4)], [None, b"b", None, b"d"])

    def test_bounds(self) -> None:
        """256 KB are read ahead, and a hundred messages; a larger one is not even asked for."""
        half, small = b"x" * (AHEAD_OCTETS // 2), b"y"
        drop, folder = self.drop(small, half, half, half, half + half + small, *[small] * 300)
        got = [self.fetch(drop, i) for i in range(305)]
        self.assertEqual(got[:6], [None, half, half, half, None, small])
        self.assertEqual([asked[0] for asked in folder.asked], [2, 4, 6, 106, 206])
        self.assertLessEqual(max(map(len, folder.asked)), AHEAD_MESSAGES)

    def test_closed(self) -> None:
        """A session that ends keeps nothing."""
        drop, _ = self.drop(b"a", b"b", b"c")
        self.fetch(drop, 0)
        self.fetch(drop, 1)
        drop.close()
        self.assertEqual(drop._ahead, {})

    def test_on_the_wire(self) -> None:
        """It reads the same either way: stuffed, closed, counted (P4)."""
        self.hears("USER ann@example.test", "PASS se cret")
        self.wire.said()
        fetched = []
        for order in ((1, 2, 3, 4, 5), (5, 4, 3, 2, 1)):
            said = {}
            for number in order:
                self.hears(f"RETR {number}")
                said[number] = self.wire.said()
            fetched.append(said)
        self.assertEqual(fetched[0], fetched[1])
        self.assertEqual(fetched[0][3], b"+OK 4 octets\r\n...\r\n.\r\n")
