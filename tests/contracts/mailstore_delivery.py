"""Promises about delivery (D4, D11, D12) and quota (D2-D6)."""

from __future__ import annotations

from dataclasses import replace

from hostmail.errors import OverQuota, TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.events import FolderChanged
from hostmail.interfaces.mailstore import Drop, Flag
from tests.contracts.mailstore_base import LETTER, SIZE_LIMIT, StoreGround


class DeliveryPromises(StoreGround):
    async def test_delivers_as_on_the_wire(self) -> None:
        """A delivered message is the drop's prefix and the octets received, in place of the spool's own prefix."""
        answers = await self.deliver([Drop(self.ann, b"Return-Path: <bob@example.net>\r\n")])
        self.assertEqual(answers, [None])
        inbox = await self.folder()
        self.assertEqual(await self.contents(inbox), [b"Return-Path: <bob@example.net>\r\n" + LETTER])
        self.assertEqual(list((await inbox.snapshot()).sizes), [len(LETTER) + 32])

    async def test_delivers_to_many(self) -> None:
        """Each recipient gets a copy with a prefix of his own."""
        bob = self.make_account("bob", "example.org")
        self.assertEqual(await self.deliver([Drop(self.ann, b"To-A: x\r\n"), Drop(bob, b"To-B: x\r\n")]), [None, None])
        self.assertEqual(await self.contents(await self.folder()), [b"To-A: x\r\n" + LETTER])
        self.assertEqual(await self.contents(await self.folder(account=bob)), [b"To-B: x\r\n" + LETTER])

    async def test_same_account_twice(self) -> None:
        """Two drops for one account are two messages, into the folders that they name, with their flags."""
        drops = [Drop(self.ann, b""), Drop(self.ann, b"", "Spam", Flag.SEEN)]
        self.assertEqual(await self.deliver(drops), [None, None])
        self.assertEqual(await self.flags(await self.folder()), {1: (0, set())})
        self.assertEqual(await self.flags(await self.folder("Spam")), {1: (Flag.SEEN, set())})

    async def test_many_at_once(self) -> None:
        """A hundred recipients of one message all get it."""
        accounts = [self.make_account(f"user{n}") for n in range(100)]
        answers = await self.deliver([Drop(account, b"X: y\r\n") for account in accounts])
        self.assertEqual(answers, [None] * 100)
        for account in (accounts[0], accounts[50], accounts[-1]):
            self.assertEqual(await self.contents(await self.folder(account=account)), [b"X: y\r\n" + LETTER])

    async def test_refusals_are_each_drops_own(self) -> None:
        """A full mailbox refuses for itself alone, for good, naming the space left (D4)."""
        full = self.make_account("full", quota_bytes=17)
        answers = await self.deliver([Drop(full, b""), Drop(self.ann, b"")])
        self.assertIsInstance(answers[0], OverQuota)
        self.assertEqual((answers[0].code, answers[0].enhanced), (552, "5.2.2"))
        self.assertIn("17", answers[0].public)
        self.assertIsNone(answers[1])
        self.assertEqual(await self.contents(await self.folder(account=full)), [])

    async def test_faults_are_for_now(self) -> None:
        """What nobody expected is a failure for now, in that drop's place and without its words; nothing is stored."""
        self.usage.fault = RuntimeError("secret words")
        (answer,) = await self.deliver([Drop(self.ann, b"")])
        self.assertIsInstance(answer, TemporaryFailure)
        self.assertNotIn("secret", answer.public)
        self.flushLoggedErrors(RuntimeError)
        self.usage.fault = None
        self.assertEqual(await self.contents(await self.folder()), [])

    async def test_missing_folder(self) -> None:
        """A folder that somebody deleted is made again: mail is not refused for it."""
        self.assertEqual(await self.deliver([Drop(self.ann, b"", "Lists/Twisted")]), [None])
        self.assertEqual(len(await self.contents(await self.folder("Lists/Twisted"))), 1)

    async def test_announces(self) -> None:
        """Delivery is announced, so that IDLE hears of it."""
        await self.deliver([Drop(self.ann, b"")])
        self.assertIn(FolderChanged(self.ann.id, "INBOX"), self.events.heard)

    async def test_trace_fields_are_not_the_senders(self) -> None:
        """A message of just the size limit is delivered, whatever the server writes in front of it (D3)."""
        message = b"Subject: x\r\n\r\n" + b"y" * (SIZE_LIMIT - 16) + b"\r\n"
        self.assertEqual(await self.deliver([Drop(self.ann, b"Received: x\r\n")], message), [None])

    async def test_survives_a_restart(self) -> None:
        """What was answered with success is there after the process ended (D12)."""
        await self.fill([LETTER, b"\r\n", b"Subject: 2\r\n\r\nx\r\n"])
        await self.restarted()
        self.assertEqual(await self.contents(await self.folder()), [LETTER, b"\r\n", b"Subject: 2\r\n\r\nx\r\n"])

    async def test_open_folder_sees_it(self) -> None:
        """A folder that is open when mail arrives finds it among its changes."""
        inbox = await self.fill()
        before = await inbox.snapshot()
        await self.fill()
        changes = await inbox.changes(before.highestmodseq)
        self.assertEqual([row[0] for row in changes.changed], [2])
        self.assertEqual((changes.uidnext, changes.expunged), (3, []))


class QuotaPromises(StoreGround):
    async def test_exact(self) -> None:
        """The last octet of the quota can be used, and not one more (D6)."""
        ann = self.make_account("exact", quota_bytes=2 * len(LETTER))
        drop = Drop(ann, b"")
        self.assertEqual(await self.deliver([drop]), [None])
        self.assertIsInstance((await self.deliver([drop], LETTER + b"x"))[0], OverQuota)
        self.assertEqual(await self.deliver([drop]), [None])
        self.assertIsInstance((await self.deliver([drop], b"\r\n"))[0], OverQuota)
        room = await self.store.room(ann)
        self.assertEqual((room.used, room.free_bytes), (Usage(2 * len(LETTER), 2), 0))

    async def test_all_folders_count(self) -> None:
        """Spam and Trash count like everything (D2)."""
        ann = self.make_account("all", quota_bytes=len(LETTER))
        self.assertEqual(await self.deliver([Drop(ann, b"", "Spam")]), [None])
        self.assertIsInstance((await self.deliver([Drop(ann, b"")]))[0], OverQuota)

    async def test_message_count(self) -> None:
        """The optional quota on the number of messages holds (D2)."""
        ann = self.make_account("few", quota_messages=1)
        answers = await self.deliver([Drop(ann, b""), Drop(ann, b"")])
        self.assertIsNone(answers[0])
        self.assertIsInstance(answers[1], OverQuota)

    async def test_domain(self) -> None:
        """The domain's quota refuses as the mailbox's own does, and then nothing is stored (D2)."""
        self.usage.limit_bytes = len(LETTER) + 5
        self.assertEqual(await self.deliver([Drop(self.ann, b"")]), [None])
        bob = self.make_account("bob")
        self.assertIsInstance((await self.deliver([Drop(bob, b"")]))[0], OverQuota)
        self.assertEqual(await self.contents(await self.folder(account=bob)), [])
        self.assertEqual((await self.store.room(bob)).used, Usage())

    async def test_usage_is_told(self) -> None:
        """After each change the directory knows the account's absolute usage."""
        inbox = await self.fill([LETTER, LETTER])
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(2 * len(LETTER), 2))
        await inbox.copy([1], "Trash")
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(3 * len(LETTER), 3))
        await inbox.move([1], "Sent")
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(3 * len(LETTER), 3))
        await self.append(inbox)
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(4 * len(LETTER), 4))
        await inbox.expunge([2], only_deleted=False)
        await (await self.store.open(self.ann)).delete("Sent")
        self.assertEqual(self.usage.accounts[self.ann.id], Usage(2 * len(LETTER), 2))

    async def test_deleting_frees_at_once(self) -> None:
        """The next message fits as soon as one is expunged (D5)."""
        ann = self.make_account("tight", quota_bytes=len(LETTER))
        inbox = await self.fill(account=ann)
        await inbox.expunge([1], only_deleted=False)
        self.assertEqual(await self.deliver([Drop(ann, b"")]), [None])

    async def test_new_quota_counts_at_once(self) -> None:
        """A quota that the owner changes is the one that the next delivery meets (E7)."""
        ann = self.make_account("tight", quota_bytes=1)
        self.assertIsInstance((await self.deliver([Drop(ann, b"")]))[0], OverQuota)
        self.assertEqual(await self.deliver([Drop(replace(ann, quota_bytes=1000), b"")]), [None])

    async def test_room(self) -> None:
        """Room is told with limits, and the same by a session and without one."""
        ann = self.make_account("room", quota_bytes=1000, quota_messages=7)
        await self.fill(account=ann)
        room = await self.store.room(ann)
        self.assertEqual((room.limit_bytes, room.limit_messages), (1000, 7))
        self.assertEqual((room.used, room.free_bytes), (Usage(len(LETTER), 1), 1000 - len(LETTER)))
        self.assertEqual(await (await self.store.open(ann)).room(), room)

    async def test_no_limits(self) -> None:
        """Without limits there is no number for what is free."""
        room = await self.store.room(self.ann)
        self.assertEqual((room.limit_bytes, room.limit_messages, room.free_bytes), (None, None, None))

    async def test_usage_survives_a_restart(self) -> None:
        """The count is the same after the process ended."""
        await self.fill([LETTER, LETTER])
        await self.restarted()
        self.assertEqual((await self.store.room(self.ann)).used, Usage(2 * len(LETTER), 2))
