"""Promises about folders (D8)."""

from __future__ import annotations

from typing import Any

from hostmail.errors import BadFolderName, FolderExists, NoSuchFolder, TooMany
from tests.contracts.mailstore_base import LETTER, StoreGround


class FolderPromises(StoreGround):
    async def open(self) -> Any:
        """Ann's account."""
        return await self.store.open(self.ann)

    async def names(self) -> list[str]:
        """All her folders."""
        return [folder.name for folder in await (await self.open()).folders()]

    async def test_default_folders(self) -> None:
        """A new mailbox has its default folders, subscribed and marked with their use (RFC 6154)."""
        folders = await (await self.open()).folders()
        uses = {folder.name: folder.special_use for folder in folders}
        expected = {"INBOX": "", "Drafts": "\\Drafts", "Sent": "\\Sent", "Spam": "\\Junk", "Trash": "\\Trash"}
        self.assertEqual(uses, expected)
        self.assertEqual(folders[0].name, "INBOX")
        self.assertTrue(all(folder.subscribed and folder.selectable for folder in folders))

    async def test_deleted_default_folder_stays_away(self) -> None:
        """Default folders are made once."""
        await (await self.open()).delete("Drafts")
        await self.restarted()
        self.assertNotIn("Drafts", await self.names())

    async def test_create(self) -> None:
        """Folders are made with their parents, of any characters, and are still there after the process ended."""
        account = await self.open()
        for name in ("Work/2026/März", "日本", "a.b", "50% & more", "Archive"):
            await account.create(name)
        await account.create("Kept", "\\Archive")
        await self.restarted()
        found = {folder.name: folder for folder in await (await self.open()).folders()}
        self.assertLessEqual({"Work", "Work/2026", "Work/2026/März", "日本", "a.b", "50% & more"}, found.keys())
        self.assertTrue(found["Work"].has_children and found["Work"].selectable)
        self.assertFalse(found["Work/2026/März"].has_children)
        self.assertEqual(found["Kept"].special_use, "\\Archive")

    async def test_create_twice(self) -> None:
        """A name is given once, and INBOX in any case is there already."""
        account = await self.open()
        await account.create("One/")
        for name in ("One", "Sent", "inbox"):
            await self.refused(FolderExists, account.create(name))

    async def test_bad_names(self) -> None:
        """Names that are none are refused when made, and are simply not there when asked for."""
        account = await self.open()
        for name in ("", "/x", "a//b", "nul\0", "\udc80"):
            await self.refused(BadFolderName, account.create(name))
            await self.refused(NoSuchFolder, account.folder(name))
            await self.refused(NoSuchFolder, account.status(name))

    async def test_limits(self) -> None:
        """Long and deep names are refused (LIMITS.md)."""
        account = await self.open()
        for name in ("x" * 256, "/".join("x" * 21)):
            await self.refused(TooMany, account.create(name))

    async def test_names_lead_nowhere(self) -> None:
        """No name leads out of the mailbox: odd ones are folders like others, of this account alone."""
        bob = self.make_account("bob")
        await self.fill([b"Subject: secret\r\n\r\n"], account=bob)
        account = await self.open()
        odd = ("..", f"../{bob.directory}", ".", f"../../{bob.domain}/{bob.directory}/Maildir", "cur", ".Sent")
        for name in odd:
            await self.refused(NoSuchFolder, account.folder(name))
        for name in odd:
            await account.create(name)
            self.assertEqual(await self.contents(await account.folder(name)), [])
            self.assertIn(name, await self.names())
        await self.fill(folder="..")
        self.assertEqual(await self.contents(await self.folder("..")), [LETTER])
        self.assertEqual(await self.contents(await self.folder(account=bob)), [b"Subject: secret\r\n\r\n"])
        bobs = [folder.name for folder in await (await self.store.open(bob)).folders()]
        self.assertEqual(bobs, ["INBOX", "Drafts", "Sent", "Spam", "Trash"])

    async def test_inbox_in_any_case(self) -> None:
        """INBOX is one folder however it is spelled; other names mind case."""
        await self.fill()
        account = await self.open()
        self.assertEqual(await self.contents(await account.folder("Inbox")), [LETTER])
        await self.refused(NoSuchFolder, account.folder("sent"))

    async def test_delete(self) -> None:
        """A deleted folder and its mail are gone for good, for those who have it open too."""
        account = await self.open()
        await account.create("Old")
        old = await self.fill(folder="Old")
        await account.delete("Old")
        self.assertNotIn("Old", await self.names())
        await self.refused(NoSuchFolder, account.folder("Old"))
        await self.refused(NoSuchFolder, account.delete("Old"))
        await self.refused(NoSuchFolder, old.snapshot())
        self.assertEqual((await self.store.room(self.ann)).used.messages, 0)

    async def test_made_again(self) -> None:
        """A folder made again under its old name is empty, with another UIDVALIDITY (RFC 3501 6.3.4)."""
        account = await self.open()
        await account.create("Again")
        before = await (await self.fill(folder="Again")).snapshot()
        await account.delete("Again")
        await account.create("Again")
        after = await (await account.folder("Again")).snapshot()
        self.assertEqual(list(after.uids), [])
        self.assertGreater(after.uidvalidity, before.uidvalidity)

    async def test_delete_parent(self) -> None:
        """Children of a deleted folder stay, and with them its name, until it is made again."""
        account = await self.open()
        await account.create("A/B")
        await self.fill(folder="A/B")
        await account.delete("A")
        found = {folder.name: folder for folder in await account.folders()}
        self.assertEqual((found["A"].selectable, found["A"].has_children), (False, True))
        await self.refused(NoSuchFolder, account.folder("A"))
        self.assertEqual(await self.contents(await account.folder("A/B")), [LETTER])
        await account.create("A")
        self.assertEqual(await self.contents(await account.folder("A")), [])

    async def test_inbox_stays(self) -> None:
        """INBOX cannot be deleted."""
        await self.refused(BadFolderName, (await self.open()).delete("InBox"))

    async def test_rename(self) -> None:
        """A renamed folder takes its children, its mail and their UIDs along, into new parents too."""
        account = await self.open()
        await account.create("Old/Child")
        before = await (await self.fill([LETTER] * 2, "Old")).snapshot()
        await self.fill(folder="Old/Child")
        await account.rename("Old", "New/Place")
        await self.restarted()
        names = await self.names()
        self.assertLessEqual({"New", "New/Place", "New/Place/Child"}, set(names))
        self.assertFalse({"Old", "Old/Child"} & set(names))
        after = await (await self.folder("New/Place")).snapshot()
        self.assertEqual((after.uids, after.uidvalidity), (before.uids, before.uidvalidity))
        infos = {folder.name: folder.uidvalidity for folder in await (await self.open()).folders()}
        self.assertEqual(infos["New/Place"], before.uidvalidity)
        self.assertEqual(len(set(infos.values())), len(infos))
        self.assertEqual(await self.contents(await self.folder("New/Place/Child")), [LETTER])

    async def test_rename_spares_neighbours(self) -> None:
        """Only whole levels match: "Old" says nothing about "Older"."""
        account = await self.open()
        for name in ("Old", "Older", "Old.er"):
            await account.create(name)
        await account.rename("Old", "New")
        self.assertLessEqual({"New", "Older", "Old.er"}, set(await self.names()))

    async def test_rename_refusals(self) -> None:
        """What is not there, what is taken, and a folder into itself."""
        account = await self.open()
        await account.create("One/Two")
        await self.refused(NoSuchFolder, account.rename("None", "New"))
        await self.refused(FolderExists, account.rename("One", "Sent"))
        await self.refused(FolderExists, account.rename("One", "inbox"))
        await self.refused(BadFolderName, account.rename("One", "One/Three"))
        await self.refused(BadFolderName, account.rename("One", "a//b"))
        self.assertLessEqual({"One", "One/Two"}, set(await self.names()))

    async def test_rename_inbox(self) -> None:
        """Renaming INBOX moves its messages out and leaves it empty, with its children (RFC 3501 6.3.5)."""
        account = await self.open()
        await account.create("INBOX/Child")
        inbox = await self.fill([LETTER] * 2)
        await account.rename("INBOX", "Old mail")
        self.assertEqual(await self.contents(inbox), [])
        self.assertEqual(await self.contents(await account.folder("Old mail")), [LETTER] * 2)
        self.assertLessEqual({"INBOX", "INBOX/Child", "Old mail"}, set(await self.names()))
        await self.fill()
        self.assertEqual(await self.contents(inbox), [LETTER])

    async def test_subscriptions(self) -> None:
        """Subscriptions are names, of folders that exist or not, and survive both folder and process (RFC 3501 6.3.6)."""
        account = await self.open()
        await account.create("List")
        await account.subscribe("List", True)
        await account.subscribe("Not/There", True)
        await account.subscribe("Sent", False)
        await account.delete("List")
        await self.restarted()
        account = await self.open()
        subscribed = await account.subscriptions()
        self.assertEqual(sorted(subscribed), ["Drafts", "INBOX", "List", "Not/There", "Spam", "Trash"])
        shown = {folder.name: folder.subscribed for folder in await account.folders()}
        self.assertEqual((shown["Sent"], shown["Drafts"]), (False, True))

    async def test_announced(self) -> None:
        """A change of the list of folders is announced with no folder's name; a new folder with its own as well."""
        account = await self.open()
        await account.create("W")
        self.assertEqual(self.events.folders(), {"W", ""})
        for change in (account.create("X"), account.rename("X", "Y"), account.delete("Y")):
            self.events.heard.clear()
            await change
            self.assertIn("", self.events.folders())
