"""COMPRESS=DEFLATE (RFC 4978): what goes over the wire in both directions once the client has asked for it.

Every answer is flushed to its last octet, so that no client ever waits for the rest. A few octets may stand for very many,
so input is unpacked a piece at a time, no further than the session reads, and with turns for others in between.
"""

from __future__ import annotations

import zlib

from hostmail.protocols.base import HIGH_WATER, TURN_SECONDS, CommandPump

PIECE = 64 * 1024
# A window of 4 KB: an idle connection costs 32 KB instead of 256, and answers are hardly larger.
LEVEL, WINDOW, MEMORY = 5, -12, 5
LARGEST_WINDOW = -15


class Deflate:
    """Both directions of one connection."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
        self._unpacker = zlib.decompressobj(LARGEST_WINDOW)
        self._waiting = b""

    @property
    def waiting(self) -> bool:
        """Whether there is input that has not been unpacked."""
        return bool(self._waiting)

    def pack(self, data: bytes) -> bytes:
        """For the client, complete."""
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def receive(self, data: bytes) -> None:
        """From the client."""
        self._waiting += data

    def unpack(self) -> bytes:
        """The next piece; nothing when there is no more yet. Raises zlib.error."""
        while self._waiting:
            piece = self._unpacker.decompress(self._waiting, PIECE)
            self._waiting = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                raise zlib.error("the stream has ended")
            if piece:
                return piece
        return b""


class Compressing(CommandPump):
    """The pump behind a `Deflate`, once there is one."""

    _deflate: Deflate | None = None
    _feeding = False

    @property
    def compressed(self) -> bool:
        """Whether both directions are compressed."""
        return self._deflate is not None

    def start_compressing(self) -> None:
        """From the next octet on."""
        self._deflate = Deflate()

    def dataReceived(self, data: bytes) -> None:
        """Octets from the peer, packed or not."""
        if self._deflate is None:
            super().dataReceived(data)
        elif not self.closing:
            self._deflate.receive(data)
            self._feed(self._deflate)

    def pump(self) -> None:
        """As always; then there may be room for more."""
        super().pump()
        if self._deflate is not None:
            self._feed(self._deflate)

    def send(self, data: bytes) -> None:
        """Octets for the peer."""
        super().send(data if self._deflate is None else self._deflate.pack(data))

    def _feed(self, deflate: Deflate) -> None:
        if self._feeding:
            return
        self._feeding = True
        turn_ends = self.clock.seconds() + TURN_SECONDS
        try:
            while not self.closing and not (self.is_occupied and len(self.input) > HIGH_WATER):
                if self.clock.seconds() > turn_ends:
                    self._rest(deflate)
                    break
                piece = deflate.unpack()
                if not piece:
                    break
                super().dataReceived(piece)
        except zlib.error:
            self.log.info("compressed input is broken, dropped: {ip}", ip=self.peer.ip)
            self.abort()
        finally:
            self._feeding = False

    def _rest(self, deflate: Deflate) -> None:
        """Others first: what a kilobyte stands for may take long to read away. Nothing more is taken from the wire meanwhile."""
        if deflate.waiting and not self._paused_input:
            self._paused_input = True
            self.transport.pauseProducing()
        if not self.is_occupied:
            self._wait_for(self._next_turn())
