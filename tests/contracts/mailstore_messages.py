"""Promises about messages in a folder: UIDs, flags, modseqs, copies, reading."""

from __future__ import annotations

from datetime import date

from hostmail.errors import MessageGone, NoSuchFolder, OverQuota, TooMany
from hostmail.interfaces.mailstore import Flag, IFolder, IIncoming
from hostmail.message.summary import summarise
from tests.contracts.mailstore_base import LETTER, StoreGround


class MessagePromises(StoreGround):
    async def test_uids_ascend(self) -> None:
        """UIDs rise by arrival, and UIDNEXT is above them (RFC 3501 2.3.1.1)."""
        inbox = await self.fill([LETTER] * 3)
        snapshot = await inbox.snapshot()
        self.assertEqual(list(snapshot.uids), [1, 2, 3])
        self.assertEqual(snapshot.uidnext, 4)

    async def test_uids_are_never_reused(self) -> None:
        """Not even when the highest message went and the process ended."""
        inbox = await self.fill([LETTER] * 3)
        await inbox.expunge([2, 3], only_deleted=False)
        await self.restarted()
        inbox = await self.fill()
        uids = list((await inbox.snapshot()).uids)
        self.assertEqual(uids[0], 1)
        self.assertGreater(uids[1], 3)

    async def test_uidvalidity_stays(self) -> None:
        """UIDVALIDITY and UIDs are the same after the process ended."""
        before = await (await self.fill([LETTER] * 2)).snapshot()
        await self.restarted()
        after = await (await self.folder()).snapshot()
        self.assertEqual((after.uidvalidity, after.uids), (before.uidvalidity, before.uids))
        self.assertGreaterEqual(after.highestmodseq, before.highestmodseq)

    async def test_uidls(self) -> None:
        """A UIDL is the message's own for ever, whatever becomes of its flags and the process (D9)."""
        inbox = await self.fill([LETTER] * 3)
        before = await inbox.uidls([1, 2, 3])
        self.assertEqual(len(set(before)), 3)
        self.assertTrue(all(1 <= len(uidl) <= 70 and uidl.isascii() and uidl.isprintable() for uidl in before))
        await inbox.set_flags([1, 3], "add", Flag.SEEN, ["Work"])
        await inbox.expunge([2], only_deleted=False)
        await self.restarted()
        self.assertEqual(await (await self.folder()).uidls([1, 2, 3]), [before[0], before[2]])

    async def test_expunge(self) -> None:
        """Of the UIDs given, those that are there and marked as deleted go; they are told as expunged since."""
        inbox = await self.fill([LETTER] * 3)
        await inbox.set_flags([1, 2], "add", Flag.DELETED, [])
        modseq = (await inbox.snapshot()).highestmodseq
        self.assertEqual(await inbox.expunge([2, 3, 9]), [2])
        changes = await inbox.changes(modseq)
        self.assertEqual((changes.changed, changes.expunged), ([], [2]))
        self.assertGreater(changes.highestmodseq, modseq)
        self.assertEqual(list((await inbox.snapshot()).uids), [1, 3])

    async def test_expunge_any(self) -> None:
        """POP3's QUIT removes what it names, marked or not."""
        inbox = await self.fill([LETTER] * 2)
        self.assertEqual(await inbox.expunge([1, 2], only_deleted=False), [1, 2])
        self.assertEqual(await self.contents(inbox), [])

    async def test_expunged_stays_expunged(self) -> None:
        """What EXPUNGE answered is so after the process ended, and is still told since an earlier modseq."""
        inbox = await self.fill([LETTER] * 2)
        modseq = (await inbox.snapshot()).highestmodseq
        await inbox.expunge([1], only_deleted=False)
        await self.restarted()
        inbox = await self.folder()
        self.assertEqual(list((await inbox.snapshot()).uids), [2])
        self.assertEqual((await inbox.changes(modseq)).expunged, [1])

    async def test_open(self) -> None:
        """A message is read in any pieces, short only at its end."""
        inbox = await self.fill()
        message = await inbox.open(1)
        self.assertEqual(message.size, len(LETTER))
        self.assertEqual(await message.read(5, 4), LETTER[5:9])
        self.assertEqual(await message.read(len(LETTER) - 2, 100), LETTER[-2:])
        self.assertEqual(await message.read(len(LETTER), 1), b"")
        self.assertIn(message.read_now(0, 10), (LETTER[:10], None))
        self.assertEqual(await message.examine(len), len(LETTER))
        message.close()

    async def test_gone(self) -> None:
        """A message that somebody expunged cannot be opened; one that was open stays readable."""
        inbox = await self.fill()
        message = await inbox.open(1)
        await inbox.expunge([1], only_deleted=False)
        self.assertEqual(await message.read(0, 1000), LETTER)
        message.close()
        await self.refused(MessageGone, inbox.open(1))

    async def test_cached(self) -> None:
        """Cached facts are what the message says, in the order asked for, without those that are not there."""
        other = b"Subject: two\r\nDate: Sat, 1 Jan 2000 00:00:00 +0000\r\n\r\nx\r\n"
        inbox = await self.fill([LETTER, other])
        facts = await inbox.cached([2, 7, 1])
        self.assertEqual([fact.uid for fact in facts], [2, 1])
        for fact, message in zip(facts, (other, LETTER), strict=True):
            summary = summarise(message)
            self.assertEqual((fact.envelope, fact.bodystructure), (summary.envelope, summary.bodystructure))
            self.assertEqual((fact.body, fact.header_size), (summary.body, summary.header_size))
            self.assertEqual((fact.sent_date, fact.sent_day), (summary.sent_date, summary.sent_day))

    async def test_messages_far_apart(self) -> None:
        """Flags are set, copies made and messages removed wherever in a folder they are."""
        inbox = await self.fill([LETTER] * 40)
        await inbox.set_flags([1, 40], "add", Flag.FLAGGED, [])
        self.assertEqual([uid for uid, (flags, _) in (await self.flags(inbox)).items() if flags], [1, 40])
        self.assertEqual([fact.uid for fact in await inbox.cached([40, 1])], [40, 1])
        placed = await inbox.copy([1, 40], "Trash")
        self.assertEqual((placed.source_uids, placed.target_uids), ([1, 40], [1, 2]))
        self.assertEqual(await inbox.expunge([1, 40], only_deleted=False), [1, 40])

    async def test_cached_columns(self) -> None:
        """Some of the facts, ascending, each once, without those that are not there; wide gaps or none."""
        inbox = await self.fill([b"Subject: %d\r\n\r\nx\r\n" % number for number in range(60)])
        await inbox.expunge([4], only_deleted=False)
        for uids in ([3, 2], [2, 3, 4, 5, 3], [1, 60], [99], []):
            facts = {fact.uid: fact for fact in await inbox.cached(uids)}
            found = await inbox.cached_columns(uids, ["envelope", "header_size", "references"])
            wanted = [(uid, facts[uid].envelope, facts[uid].header_size, b"") for uid in sorted(facts)]
            self.assertEqual(found, wanted)

    async def test_sent_days(self) -> None:
        """The day of each Date field as it is written there, of messages with and without one, that have come, and that are gone."""
        dated = b"Date: Sat, 1 Jan 2000 23:30:00 -1200\r\n\r\nx\r\n"
        inbox = await self.fill([dated, b"Subject: no date\r\n\r\nx\r\n"])
        day = date(2000, 1, 1).toordinal()
        for _ in range(2):
            self.assertEqual(list(await inbox.sent_days([1, 2])), [day, 0])
        await self.append(inbox, dated)
        self.assertEqual(list(await inbox.sent_days([1, 2, 3])), [day, 0, day])
        await inbox.expunge([1], only_deleted=False)
        self.assertEqual(list(await inbox.sent_days([2, 3])), [0, day])
        await inbox.expunge([2], only_deleted=False)
        await self.append(inbox, dated)
        gone, *days = await inbox.sent_days([2, 3, 4, 9])
        self.assertIn(gone, (0, -1))
        self.assertEqual(days, [day, day, -1])
        await self.restarted()
        inbox = await self.folder()
        self.assertEqual(list(await inbox.sent_days([3, 2, 4])), [day, -1, day])
        self.assertEqual(list(await inbox.sent_days([])), [])

    async def test_read_many(self) -> None:
        """Whole messages in the order asked for, None for those that are gone."""
        other = b"Subject: two\r\n\r\nx\r\n"
        inbox = await self.fill([LETTER, other, LETTER])
        await inbox.set_flags([2], "add", Flag.SEEN, [])
        await inbox.expunge([3], only_deleted=False)
        self.assertEqual(await inbox.read_many([2, 3, 1, 9], 1 << 20), [other, None, LETTER, None])
        self.assertEqual(await inbox.read_many([], 1 << 20), [])

    async def test_read_many_is_bounded(self) -> None:
        """It ends before the message that would pass the limit, be it the first."""
        inbox = await self.fill([LETTER] * 3)
        self.assertEqual(await inbox.read_many([1, 2, 3], 3 * len(LETTER) - 1), [LETTER] * 2)
        self.assertEqual(await inbox.read_many([1, 2, 3], len(LETTER)), [LETTER])
        self.assertEqual(await inbox.read_many([1, 2, 3], len(LETTER) - 1), [])

    async def test_read_headers(self) -> None:
        """The header blocks alone, in the order asked for, None for those that are gone; large ones and odd ones too."""
        large = b"Subject: large\r\n" + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n"
        odd = [large + b"y" * 30_000, b"Subject: no body\r\n", b"\r\nno header\r\n", LETTER]
        inbox = await self.fill(odd)
        await inbox.expunge([4], only_deleted=False)
        self.assertEqual(await inbox.read_headers([3, 1, 4, 2, 9], 1 << 20), [b"\r\n", large, None, odd[1], None])
        self.assertEqual(await inbox.read_headers([1, 2], len(large)), [large])
        self.assertEqual(await inbox.read_headers([1, 2], 1), [large])
        self.assertEqual(await inbox.read_headers([], 1), [])

    async def test_searchable_heads(self) -> None:
        """The fields that are searched most are kept as the message has them; copies have them too."""
        inbox = await self.fill([b"From: Ann\r\nSUBJECT: =?utf-8?q?=C3=84h?=\r\nX: y\r\nSubject: b\r\n\r\nx\r\n"])
        await inbox.copy([1], "Sent")
        for folder in (inbox, await self.folder("Sent")):
            self.assertEqual(await folder.cached_columns([1], ["head"]), [(1, "\0fann\0s\u00e4h\0sb")])

    async def test_copy(self) -> None:
        """Copies have octets, flags, keywords and date of their sources, which stay."""
        inbox = await self.folder()
        for number in range(3):
            await self.append(inbox, b"Subject: %d\r\n\r\n" % number, flags=Flag.FLAGGED, keywords=["Job"], date=10**9)
        sent = await self.folder("Sent")
        await self.append(sent, keywords=["Other"])
        placed = await inbox.copy([1, 3, 8], "Sent")
        self.assertEqual(dict(zip(placed.source_uids, placed.target_uids, strict=True)), {1: 2, 3: 3})
        snapshot = await sent.snapshot()
        self.assertEqual(placed.uidvalidity, snapshot.uidvalidity)
        self.assertEqual(list(snapshot.dates)[1:], [10**9] * 2)
        self.assertEqual(await self.contents(sent), [LETTER, b"Subject: 0\r\n\r\n", b"Subject: 2\r\n\r\n"])
        self.assertEqual((await self.flags(sent))[2], (Flag.FLAGGED, {"Job"}))
        self.assertEqual(len((await inbox.snapshot()).uids), 3)

    async def test_copy_is_all_or_none(self) -> None:
        """If not all have room, none is copied."""
        ann = self.make_account("tight", quota_bytes=3 * len(LETTER))
        inbox = await self.fill([LETTER] * 2, account=ann)
        await self.refused(OverQuota, inbox.copy([1, 2], "Sent"))
        self.assertEqual(await self.contents(await self.folder("Sent", ann)), [])
        self.assertEqual((await self.store.room(ann)).used.messages, 2)

    async def test_copy_to_nowhere(self) -> None:
        """A target that is not there is said so, and nothing happens."""
        inbox = await self.fill()
        await self.refused(NoSuchFolder, inbox.copy([1], "Nowhere"))
        await self.refused(NoSuchFolder, inbox.move([1], "Nowhere"))
        self.assertEqual(await self.contents(inbox), [LETTER])

    async def test_copy_into_itself(self) -> None:
        """A folder may be its own target."""
        inbox = await self.fill()
        placed = await inbox.copy([1], "INBOX")
        self.assertEqual((placed.source_uids, placed.target_uids), ([1], [2]))
        self.assertEqual(await self.contents(inbox), [LETTER] * 2)

    async def test_move(self) -> None:
        """Moved messages are there with all they had, and no longer here; both folders know."""
        inbox = await self.folder()
        await self.append(inbox, flags=Flag.SEEN, keywords=["Job"], date=10**9)
        modseq = (await inbox.snapshot()).highestmodseq
        placed = await inbox.move([1, 5], "Trash")
        trash = await self.folder("Trash")
        self.assertEqual((placed.source_uids, placed.target_uids), ([1], [1]))
        self.assertEqual(await self.flags(trash), {1: (Flag.SEEN, {"Job"})})
        self.assertEqual(list((await trash.snapshot()).dates), [10**9])
        self.assertEqual((await inbox.changes(modseq)).expunged, [1])
        self.assertLessEqual({"INBOX", "Trash"}, self.events.folders())
        await self.restarted()
        self.assertEqual(await self.contents(await self.folder()), [])
        self.assertEqual(await self.contents(await self.folder("Trash")), [LETTER])

    async def test_move_needs_no_room(self) -> None:
        """A full mailbox can be tidied."""
        ann = self.make_account("full", quota_bytes=len(LETTER), quota_messages=1)
        inbox = await self.fill(account=ann)
        await inbox.move([1], "Trash")
        self.assertEqual(await self.contents(await self.folder("Trash", ann)), [LETTER])

    async def test_nothing_to_place(self) -> None:
        """Copying or moving what is not there places nothing."""
        inbox = await self.folder()
        for place in (inbox.copy, inbox.move):
            placed = await place([4, 5], "Trash")
            self.assertEqual((placed.source_uids, placed.target_uids), ([], []))


class FlagPromises(StoreGround):
    async def test_add_remove_replace(self) -> None:
        """Flags and keywords are added, removed and replaced together."""
        inbox = await self.fill()
        await inbox.set_flags([1], "add", Flag.SEEN | Flag.FLAGGED, ["One", "Two"])
        self.assertEqual(await self.flags(inbox), {1: (Flag.SEEN | Flag.FLAGGED, {"One", "Two"})})
        await inbox.set_flags([1], "remove", Flag.SEEN | Flag.DRAFT, ["One", "Never"])
        self.assertEqual(await self.flags(inbox), {1: (Flag.FLAGGED, {"Two"})})
        await inbox.set_flags([1], "replace", Flag.ANSWERED, ["Three"])
        self.assertEqual(await self.flags(inbox), {1: (Flag.ANSWERED, {"Three"})})
        self.assertNotIn("Never", (await inbox.snapshot()).keywords)

    async def test_keywords_ignore_case(self) -> None:
        """A keyword has one spelling in a folder: the first (RFC 9051 2.3.2)."""
        inbox = await self.fill()
        await inbox.set_flags([1], "add", 0, ["$Junk"])
        await inbox.set_flags([1], "add", 0, ["$junk"])
        self.assertEqual((await inbox.snapshot()).keywords, ["$Junk"])
        await inbox.set_flags([1], "remove", 0, ["$JUNK"])
        self.assertEqual(await self.flags(inbox), {1: (0, set())})

    async def test_answer(self) -> None:
        """The answer holds the rows that are others now, with their new modseq (RFC 7162 3.1)."""
        inbox = await self.fill([LETTER] * 2)
        await inbox.set_flags([2], "add", Flag.SEEN, [])
        changes = await inbox.set_flags([1, 2, 9], "add", Flag.SEEN, [])
        ((uid, flags, size, _date, modseq),) = changes.changed
        self.assertEqual((uid, flags, size), (1, Flag.SEEN, len(LETTER)))
        self.assertEqual((modseq, changes.highestmodseq), ((await inbox.snapshot()).highestmodseq, modseq))

    async def test_since(self) -> None:
        """Who knew all up to `since` knows all once he has the answer; it is another number if somebody else was at work."""
        inbox = await self.fill([LETTER] * 2)
        known = (await inbox.snapshot()).highestmodseq
        changes = await inbox.set_flags([1], "add", Flag.SEEN, [])
        self.assertEqual(changes.since, known)
        again = await inbox.set_flags([1], "add", Flag.SEEN, [])
        self.assertEqual((again.since, again.highestmodseq), (changes.highestmodseq, changes.highestmodseq))
        await inbox.set_flags([2], "add", Flag.SEEN, [])
        self.assertNotEqual((await inbox.set_flags([1], "add", Flag.FLAGGED, [])).since, changes.highestmodseq)

    async def begun(self, folder: IFolder, *messages: bytes) -> list[IIncoming]:
        """Messages that only wait to be committed."""
        found = []
        for message in messages:
            found.append(await folder.begin_append(len(message)))
            found[-1].write(message)
        return found

    async def test_all_or_none(self) -> None:
        """Several messages are there together, in their order; one that cannot be keeps all out (RFC 3502)."""
        tight = self.make_account("tight", quota_bytes=4 * len(LETTER))
        inbox = await self.folder(account=tight)
        placed = await inbox.commit_all(await self.begun(inbox, LETTER, b"Subject: 2\r\n\r\n"))
        self.assertEqual((placed.uidvalidity, placed.target_uids), ((await inbox.snapshot()).uidvalidity, [1, 2]))
        self.assertEqual(await self.contents(inbox), [LETTER, b"Subject: 2\r\n\r\n"])
        await self.refused(OverQuota, inbox.commit_all(await self.begun(inbox, *[LETTER] * 3)))
        self.assertEqual(len((await inbox.snapshot()).uids), 2)

    async def test_replaced(self) -> None:
        """One message makes room for another, in another folder too; if it is gone, nothing is stored (RFC 8508)."""
        inbox = await self.fill([LETTER] * 2)
        placed = await inbox.commit_all(await self.begun(inbox, b"Subject: new\r\n\r\n"), (inbox, 1))
        self.assertEqual(placed.target_uids, [3])
        self.assertEqual(await self.contents(inbox), [LETTER, b"Subject: new\r\n\r\n"])
        sent = await self.folder("Sent")
        await sent.commit_all(await self.begun(sent, LETTER), (inbox, 3))
        self.assertEqual((await self.contents(inbox), await self.contents(sent)), ([LETTER], [LETTER]))
        await self.refused(MessageGone, sent.commit_all(await self.begun(sent, LETTER), (inbox, 3)))
        self.assertEqual(await self.contents(sent), [LETTER])

    async def test_saved_dates(self) -> None:
        """A message is saved where it is put, whatever its date; those that are not there have none (RFC 8514)."""
        inbox = await self.fill([LETTER] * 2)
        saved = await inbox.saved_dates([1, 2, 9])
        self.assertEqual(sorted(saved), [1, 2])
        self.assertGreater(min(saved.values()), 0)

    async def test_conditions(self) -> None:
        """What somebody changed after `unchanged_since` is left alone and named (RFC 7162 3.1.3)."""
        inbox = await self.fill([LETTER] * 3)
        known = (await inbox.snapshot()).highestmodseq
        await inbox.set_flags([2], "add", Flag.FLAGGED, [])
        changes = await inbox.set_flags([1, 2, 3, 9], "add", Flag.SEEN, [], known)
        self.assertEqual(([row[0] for row in changes.changed], changes.modified), ([1, 3], [2]))
        self.assertEqual(await self.flags(inbox), {1: (1, set()), 2: (4, set()), 3: (1, set())})
        self.assertEqual((await inbox.set_flags([1, 3], "replace", 0, [], 0)).modified, [1, 3])

    async def test_modseqs(self) -> None:
        """Another opening finds the change since what it knew, once."""
        inbox = await self.fill([LETTER] * 3)
        other = await self.folder()
        known = (await other.snapshot()).highestmodseq
        await inbox.set_flags([2], "add", Flag.SEEN, ["Key"])
        changes = await other.changes(known)
        self.assertEqual([(row[0], row[1]) for row in changes.changed], [(2, Flag.SEEN | 1 << 5)])
        self.assertEqual((changes.keywords, changes.expunged), (["Key"], []))
        self.assertGreater(changes.highestmodseq, known)
        self.assertEqual((await other.changes(changes.highestmodseq)).changed, [])

    async def test_all_modseqs_are_below_the_highest(self) -> None:
        """HIGHESTMODSEQ is never below a message's own."""
        inbox = await self.fill([LETTER] * 2)
        await inbox.set_flags([1], "add", Flag.SEEN, [])
        snapshot = await inbox.snapshot()
        self.assertLessEqual(max(snapshot.modseqs), snapshot.highestmodseq)
        self.assertGreater(snapshot.modseqs[0], snapshot.modseqs[1])

    async def test_survive_a_restart(self) -> None:
        """Flags, keywords beyond the 26 that file names hold, and dates are the same after the process ended."""
        inbox = await self.folder()
        keywords = [f"Key{n}" for n in range(40)]
        await self.append(inbox, flags=Flag.DRAFT, date=10**9)
        await inbox.set_flags([1], "add", Flag.SEEN, keywords)
        await self.restarted()
        inbox = await self.folder()
        self.assertEqual(await self.flags(inbox), {1: (Flag.DRAFT | Flag.SEEN, set(keywords))})
        self.assertEqual(list((await inbox.snapshot()).dates), [10**9])

    async def test_too_many_keywords(self) -> None:
        """1,000 keywords of 100 octets (LIMITS.md); beyond that nothing is changed."""
        inbox = await self.fill()
        await self.refused(TooMany, inbox.set_flags([1], "add", Flag.SEEN, [f"k{n}" for n in range(1001)]))
        await self.refused(TooMany, inbox.set_flags([1], "add", Flag.SEEN, ["k" * 101]))
        self.assertEqual(await self.flags(inbox), {1: (0, set())})

    async def test_announced(self) -> None:
        """A change of flags is announced; one that changes nothing is not."""
        inbox = await self.fill()
        self.events.heard.clear()
        await inbox.set_flags([1], "remove", Flag.SEEN, [])
        self.assertEqual(self.events.folders(), set())
        await inbox.set_flags([1], "add", Flag.SEEN, [])
        self.assertEqual(self.events.folders(), {"INBOX"})

    async def test_recent_once(self) -> None:
        """One opening may call a message \\Recent; those after it only newer ones (RFC 3501 2.3.2)."""
        inbox = await self.fill([LETTER] * 2)
        self.assertEqual((await inbox.snapshot()).first_recent, 1)
        self.assertEqual((await inbox.snapshot(claim_recent=True)).first_recent, 1)
        self.assertEqual((await inbox.snapshot(claim_recent=True)).first_recent, 0)
        await self.fill()
        self.assertEqual((await inbox.status()).recent, 1)
        self.assertEqual((await inbox.snapshot(claim_recent=True)).first_recent, 3)

    async def test_status(self) -> None:
        """STATUS agrees with the snapshot."""
        inbox = await self.fill([LETTER, LETTER + b"x\r\n"])
        await inbox.set_flags([1], "add", Flag.SEEN, [])
        status, snapshot = await inbox.status(), await inbox.snapshot()
        self.assertEqual((status.messages, status.unseen, status.recent), (2, 1, 2))
        self.assertEqual((status.uidnext, status.uidvalidity), (snapshot.uidnext, snapshot.uidvalidity))
        self.assertEqual((status.highestmodseq, status.size), (snapshot.highestmodseq, sum(snapshot.sizes)))
        self.assertEqual(await (await self.store.open(self.ann)).status("inbox"), status)
