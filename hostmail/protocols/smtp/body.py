"""A message while it arrives: from its framing through the content checks into the intake's transaction."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hostmail.errors import Refusal, as_refusal
from hostmail.protocols.smtp.bdat import ChunkReceiver
from hostmail.protocols.smtp.content import Content
from hostmail.protocols.smtp.scanner import DataScanner

MOST_SHOWN = 64 * 1024


class Body:
    """Octets pass through unchanged; once they cannot be taken any more they are read to their end and thrown away.

    Whoever breaks a rule is told so only after the true end of his data: what he sends until then must never be run as commands (S2).
    """

    def __init__(self, framing: DataScanner | ChunkReceiver, transaction: Any, size_limit: int) -> None:
        self.framing = framing
        self.content = Content()
        self._transaction: Any = transaction
        self._size_limit = size_limit
        self._error: Exception | None = None
        self.queue_id: str = transaction.queue_id

    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; what follows the end comes back, None if the end has not come."""
        octets, rest = self.framing.feed(data)
        if octets:
            self._take(octets)
        return rest

    def _take(self, octets: bytes) -> None:
        self.content.look(octets)
        if self._transaction is None:
            return
        refusal = self.content.refusal(self._size_limit)
        if refusal is not None:
            if self.content.size == len(octets):
                self._show(octets)
            self.abort(refusal)
            return
        try:
            self._transaction.write(octets)
        except Exception as error:  # noqa: BLE001 - answered and logged at the end of data, where an answer is due
            self._error = error
            self.abort(as_refusal(error))

    def _show(self, beginning: bytes) -> None:
        """Let the transaction see how a message begins that is not taken: people look for it by its Message-ID."""
        with suppress(Exception):
            self._transaction.write(beginning[:MOST_SHOWN])

    @property
    def congested(self) -> bool:
        """True if what was received has not yet found its place: read no more, await `drained`."""
        return self._transaction is not None and bool(self._transaction.congested)

    async def drained(self) -> None:
        """Until there is room for more, or nothing more is wanted."""
        if self._transaction is not None:
            await self._transaction.drained()

    def check(self) -> None:
        """Raises what is wrong with the message so far."""
        if self._error is not None:
            raise self._error
        refusal = self.content.refusal(self._size_limit)
        if refusal is not None:
            raise refusal

    def finish(self) -> Any:
        """The transaction, complete and ready to commit; it is the caller's now. Raises what is wrong with the message."""
        if isinstance(self.framing, ChunkReceiver):
            tail = self.framing.finish()
            if tail:
                self._take(tail)
        self.check()
        transaction, self._transaction = self._transaction, None
        return transaction

    def abort(self, why: Refusal | None = None) -> None:
        """Forget what was received, for that reason if the client hears one; twice is fine."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abort(why)
