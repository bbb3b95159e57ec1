"""A message on its way into the queue: its file is safe, and nobody sees it yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hostmail.envelope import Envelope, Recipient
from hostmail.queue import adding

if TYPE_CHECKING:
    from hostmail.queue.queue import Queue


class Prepared:
    """A message whose file is safe and whose rows wait for `commit`; either that or `abort` ends it.

    `stand_by` in between is for those who have something else to do before they can say that it is wanted: it takes the room, and finds
    out whether rows can be written at all.
    """

    def __init__(
        self, queue: Queue, message: adding.NewMessage, envelope: Envelope, recipients: Sequence[Recipient]
    ) -> None:
        self._queue = queue
        self._message = message
        self._envelope = envelope
        self._recipients = recipients
        self._id: int | None = None

    def made(self, created: float) -> adding.New:
        """What becomes of a message that has been waiting: the time since `created` counts."""
        return replace(self._message, created=created), self._envelope, self._recipients

    @property
    def _new(self) -> adding.New:
        return self.made(self._message.created)

    async def stand_by(self, *others: Prepared) -> None:
        """Rows durable, those of others with it, and invisible until `commit`."""
        together = (self, *others)
        for each, message_id in zip(together, await self._queue.stand_by([one._new for one in together]), strict=True):
            each._id = message_id

    async def commit(self, *others: Prepared, also: Sequence[Recipient] = ()) -> None:
        """Rows durable and live, those of others with it. `also` are recipients that it turned out to have besides."""
        ids = [each._id for each in (self, *others) if each._id is not None]
        if self._id is None:
            self._recipients = [*self._recipients, *also]
        new = [each._new for each in (self, *others) if each._id is None]
        if ids:
            await self._queue.go_live(ids, also if self._id is not None else (), new)
        else:
            await self._queue.insert(new)

    async def abort(self) -> None:
        """Forget it; the file goes."""
        await self._queue.give_up(self._id, self._message.file)
