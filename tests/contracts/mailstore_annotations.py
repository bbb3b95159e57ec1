"""Promises about annotations: what mail programs keep with folders and accounts."""

from __future__ import annotations

from hostmail.errors import BadValue, NoSuchFolder, TooMany
from hostmail.interfaces.mailstore import MAX_ANNOTATION_OCTETS
from tests.contracts.mailstore_base import StoreGround

ODD = b"\r\n\0\xff \x80"


class AnnotationPromises(StoreGround):
    async def test_annotations(self) -> None:
        """Values of any octets are kept for each folder and for the account, and survive the process."""
        account = await self.store.open(self.ann)
        self.assertEqual((await account.annotations("Sent"), await account.annotations(None)), ({}, {}))
        await account.annotate("Sent", {"/private/comment": b"one", "/shared/a b": ODD, "/shared/empty": b""})
        await account.annotate("inbox", {"/private/comment": b"two"})
        await account.annotate(None, {"/private/comment": b"three"})
        await self.restarted()
        account = await self.store.open(self.ann)
        kept = {"/private/comment": b"one", "/shared/a b": ODD, "/shared/empty": b""}
        self.assertEqual(await account.annotations("Sent"), kept)
        self.assertEqual(await account.annotations("INBOX"), {"/private/comment": b"two"})
        self.assertEqual(await account.annotations(None), {"/private/comment": b"three"})
        self.assertEqual(await account.annotations("Trash"), {})

    async def test_annotations_change(self) -> None:
        """Values are replaced and removed one by one; removing what is not there is fine."""
        account = await self.store.open(self.ann)
        await account.annotate("Sent", {"/private/a": b"1", "/private/b": b"2"})
        await account.annotate("Sent", {"/private/a": b"3", "/private/b": None, "/private/c": None})
        self.assertEqual(await account.annotations("Sent"), {"/private/a": b"3"})
        await account.annotate("Sent", {"/private/a": None})
        self.assertEqual(await account.annotations("Sent"), {})

    async def test_annotations_go_with_their_folder(self) -> None:
        """Through renaming, of a parent too, and into nothing when it is deleted (RFC 5464 4.1)."""
        account = await self.store.open(self.ann)
        await account.create("A/B")
        await account.annotate("A/B", {"/private/a": b"1"})
        await account.rename("A", "C")
        self.assertEqual(await account.annotations("C/B"), {"/private/a": b"1"})
        await self.refused(NoSuchFolder, account.annotations("A/B"))
        await account.delete("C/B")
        await self.refused(NoSuchFolder, account.annotate("C/B", {"/private/a": b"1"}))
        await account.create("C/B")
        self.assertEqual(await account.annotations("C/B"), {})

    async def test_annotations_of_inbox(self) -> None:
        """INBOX keeps its own when its messages are renamed out of it, and they have them too (RFC 5464 4.1)."""
        account = await self.store.open(self.ann)
        await account.annotate("INBOX", {"/private/a": b"1"})
        await account.rename("INBOX", "Old")
        self.assertEqual(await account.annotations("INBOX"), {"/private/a": b"1"})
        self.assertEqual(await account.annotations("Old"), {"/private/a": b"1"})

    async def test_annotations_are_the_accounts_own(self) -> None:
        """Nobody else sees them."""
        await (await self.store.open(self.ann)).annotate(None, {"/shared/a": b"1"})
        bob = await self.store.open(self.make_account("bob"))
        self.assertEqual(await bob.annotations(None), {})

    async def test_annotations_are_bounded(self) -> None:
        """In number, in size, in name: beyond that nothing is changed, and what is there can be made less."""
        account = await self.store.open(self.ann)
        large = b"x" * MAX_ANNOTATION_OCTETS
        full = {f"/private/{n}": large for n in range(7)}
        await account.annotate("Sent", full)
        await self.refused(TooMany, account.annotate("Sent", {"/private/a": b"", "/private/b": large}))
        await self.refused(BadValue, account.annotate("Sent", {"/private/a": large + b"x"}))
        for name in ("", "x" * 256, "/private/\n", "/private/ü"):
            await self.refused(BadValue, account.annotate("Sent", {name: b"1"}))
        self.assertEqual(await account.annotations("Sent"), full)
        await account.annotate("Trash", {f"/private/{n}": b"" for n in range(100)})
        await self.refused(TooMany, account.annotate("Trash", {"/private/a": b""}))
        await account.annotate("Trash", {"/private/a": b"", "/private/0": None})

    async def test_annotations_of_an_account_are_bounded(self) -> None:
        """All folders together have their limit."""
        account = await self.store.open(self.ann)
        full = {f"/private/{n}": b"x" * MAX_ANNOTATION_OCTETS for n in range(7)}
        for number in range(50):
            await account.create(f"F{number}")
            try:
                await account.annotate(f"F{number}", full)
            except TooMany:
                break
        else:
            raise AssertionError("no limit")
        self.assertEqual(await account.annotations(f"F{number}"), {})
        await account.annotate("F0", {"/private/0": None})

    async def test_annotations_are_announced(self) -> None:
        """A change, as a change of the folder, or of the list of folders for the account's own; no change is not."""
        account = await self.store.open(self.ann)
        for folder, told in (("Sent", "Sent"), (None, "")):
            self.events.heard.clear()
            await account.annotate(folder, {"/private/a": b"1"})
            self.assertEqual(self.events.folders(), {told})
            self.events.heard.clear()
            await account.annotate(folder, {"/private/a": b"1", "/private/b": None})
            self.assertEqual(self.events.folders(), set())

    async def test_subscriptions_are_announced(self) -> None:
        """As a change of the list of folders; no change is not."""
        account = await self.store.open(self.ann)
        for wanted in (False, True):
            self.events.heard.clear()
            await account.subscribe("Sent", wanted)
            self.assertEqual(self.events.folders(), {""})
            self.events.heard.clear()
            await account.subscribe("Sent", wanted)
            self.assertEqual(self.events.folders(), set())
