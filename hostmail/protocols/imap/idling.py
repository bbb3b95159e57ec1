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
    _idle_until = 0.0

    def look_again(self) -> None:
        """The selected folder may hold news of which nobody told."""
        raise NotImplementedError

    def start_idling(self, reader: LineReader) -> None:
        """Push news until a line comes (RFC 2177)."""
        self.idle_tag = self.tag
        self.line_reader = reader
        self._idle_until = self.clock.seconds() + self.idle_seconds
        self._arm(self.settings.keepalive_seconds)

    def stop_idling(self) -> None:
        """No more pushing."""
        was_idling = self.idle_tag is not None
        self.idle_tag = self.line_reader = None
        if was_idling and not self.closing:
            self._progress = self.clock.seconds()
            self._arm(self.idle_seconds)

    def _look_at_the_clock(self) -> None:
        """While the client listens, the pump's timer tells when it is to be sent a sign of life."""
        if self.idle_tag is None:
            super()._look_at_the_clock()
            return
        self._timer = None
        if not self.closing:
            self._keep_alive()

    def _keep_alive(self) -> None:
        """Something for firewalls that forget quiet connections; and a look for what no event told us. Half an hour of IDLE ends here."""
        if self.clock.seconds() >= self._idle_until:
            self.timed_out()
            self.close()
            return
        self._arm(self.settings.keepalive_seconds)
        if not self.congested:
            self.write(b"* OK still here\r\n")
            self.flush()
            if self.selected is not None:
                self.look_again()
