"""How long a peer is waited for: a command, an octet read, a sign of life. All timers count lack of progress only (B4)."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.logger import Logger

from hostmail.envelope import Peer
from hostmail.protocols import otherend
from hostmail.protocols.logs import StageLogger, shown

STALL_SECONDS = 300.0
LOOK_SECONDS = 60.0
FIRST_COMMAND_SECONDS = 60.0


class Patience:
    """The part of the command pump that looks at the clock."""

    log: ClassVar[Logger] = StageLogger(namespace="protocols")

    transport: Any
    clock: Any
    idle_seconds = 600.0
    peer: Peer

    _busy = False
    _closing = False
    _gone = False
    _congested = False
    _queued = 0
    _queue_moved = 0.0
    _progress = 0.0
    _begun = False
    _timer: Any = None
    _stall: Any = None

    def timed_out(self) -> None:
        """Say goodbye after `idle_seconds` without a command; the connection is closed afterwards."""
        raise NotImplementedError

    def close(self) -> None:
        """Flush and close."""
        raise NotImplementedError

    def abort(self) -> None:
        """Drop the connection without any courtesy."""
        raise NotImplementedError

    def allow_idle(self, seconds: float) -> None:
        """From now on the peer may be silent for so long; a timer that is set for later is set anew."""
        self.idle_seconds = seconds
        if self._timer is not None and self._timer.getTime() > self.clock.seconds() + seconds:
            self._arm(seconds)

    def quiet_seconds(self) -> float:
        """How long it has been the peer's turn: nought while we work, and while it is still receiving (B4)."""
        if self._busy and not self._congested:
            return 0.0
        queued, now = otherend.unacknowledged(self.transport), self.clock.seconds()
        if queued != self._queued:
            self._queued, self._queue_moved = queued, now
        waiting = queued or self._congested
        return float(now - (max(self._progress, self._queue_moved) if waiting else self._progress))

    def seems_gone(self) -> bool:
        """Whether the peer has vanished, as far as its kernel can be asked; the connection is dropped if so (D10)."""
        if not self._gone and otherend.seems_gone(self.transport):
            self.log.info("peer has vanished, dropped: {peer}", peer=shown(self.peer))
            self.abort()
            return True
        return self._gone

    def _arm(self, seconds: float) -> None:
        """Look at the clock in so many seconds, and not before: one timer for all that is waited for."""
        if self._timer is None:
            self._timer = self.clock.callLater(max(seconds, 0.01), self._look_at_the_clock)
        else:
            self._timer.reset(max(seconds, 0.01))

    def _look_at_the_clock(self) -> None:
        """One lazy timer instead of a reset for every command; it does not count while we work or while output is under way."""
        self._timer = None
        if self._closing:
            return
        allowed = self.idle_seconds if self._begun else FIRST_COMMAND_SECONDS
        idle = 0.0 if self._busy or self._congested else self.quiet_seconds()
        if idle < allowed:
            self._arm(allowed - idle)
            return
        self.timed_out()
        self.close()

    def _await_reader(self) -> None:
        """Our output waits for the peer to read."""
        if self._stall is None and not self._closing:
            self._queue_moved = self.clock.seconds()
            self._stall = self.clock.callLater(LOOK_SECONDS, self._look_at_the_output)

    def _reader_is_back(self) -> None:
        """The peer has read what waited."""
        self._progress = self.clock.seconds()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _look_at_the_output(self) -> None:
        """Every minute: one long answer on a slow line is no stall as long as it gets shorter."""
        self._stall = None
        quiet = self.quiet_seconds()
        if quiet < STALL_SECONDS:
            self._stall = self.clock.callLater(min(LOOK_SECONDS, STALL_SECONDS - quiet), self._look_at_the_output)
            return
        self.log.info("peer stopped reading, dropped: {peer}", peer=shown(self.peer))
        self.abort()
