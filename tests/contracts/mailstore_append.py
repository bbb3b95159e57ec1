"""Promises about APPEND: two phases, nothing between them to be seen."""

from __future__ import annotations

import time

from hostmail.errors import MessageTooBig, NoSuchFolder, OverQuota, TooMany
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Flag
from tests.contracts.mailstore_base import LETTER, SIZE_LIMIT, StoreGround


class AppendPromises(StoreGround):
    async def test_append(self) -> None:
        """A message comes in pieces, and is there with flags, keywords and date when commit answers."""
        drafts = await self.folder("Drafts")
        incoming = await drafts.begin_append(len(LETTER), Flag.DRAFT | Flag.SEEN, ["Mine"], 1_234_567_890)
        incoming.write(LETTER[:7])
        incoming.write(LETTER[7:])
        self.assertEqual(await self.contents(drafts), [])
        placed = await incoming.commit()
        snapshot = await drafts.snapshot()
        self.assertEqual((placed.uidvalidity, placed.target_uids), (snapshot.uidvalidity, list(snapshot.uids)))
        self.assertEqual(await self.flags(drafts), {1: (Flag.DRAFT | Flag.SEEN, {"Mine"})})
        self.assertEqual((await self.contents(drafts), list(snapshot.dates)), ([LETTER], [1_234_567_890]))

    async def test_date_is_now(self) -> None:
        """Without a date the message came now."""
        inbox = await self.folder()
        before = int(time.time())
        await self.append(inbox)
        self.assertTrue(before <= (await inbox.snapshot()).dates[0] <= time.time() + 1)

    async def test_old_dates(self) -> None:
        """A date before 1970 is kept."""
        inbox = await self.folder()
        await self.append(inbox, date=-86400)
        self.assertEqual(list((await inbox.snapshot()).dates), [-86400])

    async def test_abort(self) -> None:
        """An upload that breaks off leaves nothing: no message, no usage; twice is fine."""
        inbox = await self.folder()
        incoming = await inbox.begin_append(len(LETTER))
        incoming.write(LETTER)
        incoming.abort()
        incoming.abort()
        self.assertEqual(await self.contents(inbox), [])
        self.assertEqual((await self.store.room(self.ann)).used, Usage())

    async def test_too_big(self) -> None:
        """The announced size is judged at once, the real one at the end."""
        inbox = await self.folder()
        await self.refused(MessageTooBig, inbox.begin_append(SIZE_LIMIT + 1))
        incoming = await inbox.begin_append(SIZE_LIMIT)
        incoming.write(b"x" * (SIZE_LIMIT + 1))
        await self.refused(MessageTooBig, incoming.commit())
        self.assertEqual(await self.contents(inbox), [])

    async def test_over_quota(self) -> None:
        """A full mailbox says so before the upload."""
        ann = self.make_account("full", quota_bytes=10)
        inbox = await self.folder(account=ann)
        await self.refused(OverQuota, inbox.begin_append(11))

    async def test_over_quota_meanwhile(self) -> None:
        """Room that went while the message came in is missed at commit, and nothing is left."""
        ann = self.make_account("full", quota_bytes=len(LETTER))
        inbox = await self.folder(account=ann)
        incoming = await inbox.begin_append(len(LETTER))
        incoming.write(LETTER)
        await self.fill(account=ann)
        await self.refused(OverQuota, incoming.commit())
        self.assertEqual((await self.store.room(ann)).used, Usage(len(LETTER), 1))

    async def test_too_many_keywords(self) -> None:
        """Keywords beyond the limit are refused before the upload."""
        inbox = await self.folder()
        await self.refused(TooMany, inbox.begin_append(1, 0, ["x" * 101]))

    async def test_folder_gone(self) -> None:
        """A folder that is deleted during the upload takes no message."""
        account = await self.store.open(self.ann)
        await account.create("Short")
        incoming = await (await account.folder("Short")).begin_append(len(LETTER))
        incoming.write(LETTER)
        await account.delete("Short")
        await self.refused(NoSuchFolder, incoming.commit())

    async def test_side_by_side(self) -> None:
        """Two uploads at once are two messages, numbered by their commits."""
        inbox = await self.folder()
        one, two = await inbox.begin_append(8), await inbox.begin_append(8)
        one.write(b"A: 1\r\n\r\n")
        two.write(b"B: 2\r\n\r\n")
        await two.commit()
        await one.commit()
        self.assertEqual(await self.contents(inbox), [b"B: 2\r\n\r\n", b"A: 1\r\n\r\n"])

    async def test_line_ends_are_kept(self) -> None:
        """What reads back is octet by octet what was uploaded, NUL and 8-bit included."""
        inbox = await self.folder()
        message = b"Subject: \xff\x00\r\n\r\nno end of line"
        uid = await self.append(inbox, message)
        self.assertEqual(await self.read(inbox, uid), message)

    async def test_survives_a_restart(self) -> None:
        """What APPEND answered is there after the process ended (D12)."""
        await self.append(await self.folder("Sent"))
        await self.restarted()
        self.assertEqual(await self.contents(await self.folder("Sent")), [LETTER])
