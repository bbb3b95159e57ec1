"""A message's octets on their way into the spool file: no disk holds up the reactor, and no sender outruns the disk."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.threads import InThread

AT_ONCE = 64 * 1024
BLOCK = 256 * 1024


class SpoolWriter:
    """Writes into a spool file: the first 64 KiB at once, for the spool keeps these in memory, all else in blocks in a thread.

    One block is written at a time; `congested` tells that another one is waiting already, and that the sender should, too. So whatever
    the size of a message, it never occupies more than two blocks. `close` and `discard` wait for the thread.
    """

    def __init__(self, spooled: ISpoolFile, in_thread: InThread) -> None:
        self._spooled = spooled
        self._in_thread = in_thread
        self._written = 0
        self._waiting: list[bytes] = []
        self._octets_waiting = 0
        self._busy = False
        self._discarded = False
        self._fault: Exception | None = None
        self._idle: list[Deferred[None]] = []

    @property
    def congested(self) -> bool:
        """True if the disk is behind: await `drained` before the next `write`."""
        return self._busy and self._octets_waiting >= BLOCK

    def write(self, chunk: bytes) -> None:
        """More octets."""
        if self._written + len(chunk) <= AT_ONCE:
            self._spooled.write(chunk)
            self._written += len(chunk)
            return
        self._written = AT_ONCE
        self._waiting.append(chunk)
        self._octets_waiting += len(chunk)
        if self._octets_waiting >= BLOCK and not self._busy:
            self._begin()

    def _begin(self) -> None:
        block = b"".join(self._waiting)
        self._waiting.clear()
        self._octets_waiting = 0
        self._busy = True
        Deferred.fromCoroutine(self._write(block))

    async def _write(self, block: bytes) -> None:
        try:
            await self._in_thread(self._spooled.write, block)
        except Exception as error:  # noqa: BLE001 - raised by `close`, where somebody can answer it
            self._fault = error
        self._busy = False
        if self._discarded:
            self._spooled.discard()
        elif self._octets_waiting >= BLOCK:
            self._begin()
        waiting, self._idle = self._idle, []
        for each in waiting:
            each.callback(None)

    async def _block_written(self) -> None:
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        await done

    async def drained(self) -> None:
        """Until there is room for more."""
        while self.congested:
            await self._block_written()

    async def close(self) -> None:
        """All octets are with the spool file; raises what went wrong on their way."""
        while self._busy or self._waiting:
            if not self._busy:
                self._begin()
            await self._block_written()
        if self._fault is not None:
            raise self._fault

    def discard(self) -> None:
        """Discard the spool file, as soon as no thread works on it; twice is fine."""
        self._discarded = True
        self._waiting.clear()
        self._octets_waiting = 0
        if not self._busy:
            self._spooled.discard()
