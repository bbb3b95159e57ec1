"""One message on its way into a folder by APPEND: spooled like received mail, and committed together with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zope.interface import implementer

from hostmail.errors import MessageTooBig
from hostmail.interfaces.mailstore import IIncoming, Placed
from hostmail.storage.arriving import Arrival
from hostmail.storage.boxes import BoxRef
from hostmail.storage.content import Source
from hostmail.storage.delivery import Consignment
from hostmail.storage.mailbox import Mailbox
from hostmail.storage.spool import SpoolFile

if TYPE_CHECKING:
    from hostmail.storage.store import MaildirStore


@implementer(IIncoming)
class Incoming:
    """See `IIncoming`. What is over the size limit is counted and thrown away; commit will say so."""

    def __init__(
        self,
        store: MaildirStore,
        mailbox: Mailbox,
        ref: BoxRef,
        spooled: SpoolFile,
        flags: int,
        keywords: Sequence[str],
        date: int | None,
    ) -> None:
        self._store = store
        self._spooled = spooled
        self._arrival = Arrival(mailbox, b"", "", flags, keywords, ref)
        self._date = date
        self._size = 0
        self._limit = mailbox.tools.message_size_limit
        self._ended = False

    def write(self, chunk: bytes) -> None:
        """More octets."""
        self._size += len(chunk)
        if self._size <= self._limit:
            self._spooled.write(chunk)

    async def commit(self) -> Placed:
        """Durable and visible; raises MessageTooBig, OverQuota, NoSuchFolder, TemporaryFailure, and then nothing is left."""
        try:
            arrival, source, date = await self.seal()
            await self._store.carry_out(Consignment(source, date, [arrival]))
        finally:
            self._spooled.discard()
        if arrival.refusal is not None:
            raise arrival.refusal
        return Placed(arrival.uidvalidity, [], [arrival.uid])

    async def seal(self) -> tuple[Arrival, Source, int]:
        """Complete, for whoever puts it into the folder, with its date; `abort` comes after that all the same."""
        if self._ended:
            raise RuntimeError("commit after commit or abort")
        self._ended = True
        if self._size > self._limit:
            raise MessageTooBig
        await self._spooled.seal()
        return self._arrival, Source(self._spooled), int(self._store.now() if self._date is None else self._date)

    def abort(self) -> None:
        """Forget it; twice is fine."""
        self._ended = True
        self._spooled.discard()
