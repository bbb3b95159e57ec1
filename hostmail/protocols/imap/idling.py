"""IDLE (RFC 2177) for as long as it lasts: what is pushed, and who looks at the clock. Thousands of sessions do nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostmail.protocols.imap.answers import Answers
from hostmail.protocols.imap.selected import Selected

LineReader = Callable[[bytes], Any]


class Idling(Answers):
    """The session while its client listens."""

    selected: Selected | None = None
    idle_tag: bytes | None = None
    line_reader: LineReader | None = None
    _keepalive: Any = None
    _idle_until = 0.0

    def look_again(self) -> None:
        """The selected folder may hold news of which nobody told."""
        raise NotImplementedError

    def start_idling(self, reader: LineReader) -> None:
        """Push news until a line comes (RFC 2177)."""
        self.idle_tag = self.tag
        self.line_reader = reader
        self._idle_until = self.clock.seconds() + self.idle_seconds
        self._keepalive = self.clock.callLater(self.settings.keepalive_seconds, self._keep_alive)
        self.rest_timer()

    def stop_idling(self) -> None:
        """No more pushing."""
        self.idle_tag = self.line_reader = None
        keepalive, self._keepalive = self._keepalive, None
        if keepalive is None:
            return
        if keepalive.active():
            keepalive.cancel()
        self.wake_timer()

    def _keep_alive(self) -> None:
        """Something for firewalls that forget quiet connections; and a look for what no event told us.

        Half an hour of IDLE is measured here: the pump's own timer rests meanwhile.
        """
        if self.clock.seconds() >= self._idle_until:
            self.timed_out()
            self.close()
            return
        self._keepalive = self.clock.callLater(self.settings.keepalive_seconds, self._keep_alive)
        if not self.congested:
            self.write(b"* OK still here\r\n")
            self.flush()
            if self.selected is not None:
                self.look_again()
