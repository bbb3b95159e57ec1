"""The ground the promises stand on: a store, its neighbours, and short words for what tests do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from hostmail.errors import Refusal
from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import Drop
from tests.contracts.fakes import FakeEvents, FakeUsage

SIZE_LIMIT = 100_000
LETTER = b"From: Bob <bob@example.net>\r\nTo: ann@example.com\r\nSubject: Hello\r\n\r\nDear Ann,\r\n.dots stay.\r\n"


class StoreGround:
    """`self.store` is open; `self.ann` an account of it, `self.usage` and `self.events` what it was given."""

    def make_store(self, usage: FakeUsage, events: FakeEvents, message_size_limit: int) -> Any:
        raise NotImplementedError

    def make_spool(self) -> Any:
        raise NotImplementedError

    async def restart(self, store: Any) -> Any:
        raise NotImplementedError

    def make_account(self, local: str = "ann", domain: str = "example.com", **quotas: int | None) -> Account:
        """Another account; its directory is as unique as its id."""
        self.accounts_made += 1
        number = self.accounts_made
        return Account(number, f"{local}@{domain}", domain, f"{local}~{number}", **quotas)

    def setUp(self) -> None:
        self.accounts_made = 0
        self.usage = FakeUsage()
        self.events = FakeEvents()
        self.store = self.make_store(self.usage, self.events, SIZE_LIMIT)
        self.spool = self.make_spool()
        self.ann = self.make_account()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.store.close()))

    async def restarted(self) -> None:
        """The store again, after the end of its process."""
        self.store = await self.restart(self.store)

    async def spooled(self, message: bytes = LETTER, prefix: bytes = b"Received: spool\r\n") -> Any:
        """A sealed file of the spool."""
        file = self.spool.create(prefix)
        file.write(message)
        await file.seal()
        return file

    async def deliver(self, drops: Sequence[Drop], message: bytes = LETTER) -> list[Refusal | None]:
        """Carry out drops of one message, as delivery does."""
        file = await self.spooled(message)
        try:
            return await self.store.deliver(file, drops)
        finally:
            file.discard()

    async def fill(
        self, messages: Sequence[bytes] = (LETTER,), folder: str = "INBOX", account: Account | None = None
    ) -> Any:
        """The folder, opened, with these messages delivered into it."""
        account = account or self.ann
        for message in messages:
            (refusal,) = await self.deliver([Drop(account, b"", folder)], message)
            if refusal is not None:
                raise refusal
        return await self.folder(folder, account)

    async def folder(self, name: str = "INBOX", account: Account | None = None) -> Any:
        """A folder, opened anew."""
        return await (await self.store.open(account or self.ann)).folder(name)

    async def append(self, folder: Any, message: bytes = LETTER, **how: Any) -> int:
        """APPEND; the UID."""
        incoming = await folder.begin_append(len(message), **how)
        incoming.write(message)
        placed = await incoming.commit()
        return placed.target_uids[0]

    async def contents(self, folder: Any) -> list[bytes]:
        """What all messages of a folder read."""
        snapshot = await folder.snapshot()
        return [await self.read(folder, uid) for uid in snapshot.uids]

    async def read(self, folder: Any, uid: int) -> bytes:
        """One whole message."""
        message = await folder.open(uid)
        try:
            return await message.read(0, message.size)
        finally:
            message.close()

    async def flags(self, folder: Any) -> dict[int, tuple[int, set[str]]]:
        """System flags and keywords by UID."""
        snapshot = await folder.snapshot()
        return {
            uid: (
                flags & 31,
                {name for bit, name in enumerate(snapshot.keywords, 5) if flags >> bit & 1},
            )
            for uid, flags in zip(snapshot.uids, snapshot.flags, strict=True)
        }

    async def refused(self, kind: type[Refusal], awaitable: Any) -> Refusal:
        """The refusal that comes instead of an answer."""
        try:
            answer = await awaitable
        except kind as refusal:
            return refusal
        raise AssertionError(f"{kind.__name__} expected, not {answer!r}")
