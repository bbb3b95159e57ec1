"""The log as twistd writes it, line for line, for a third of the processor time; but for characters that move a terminal's cursor."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.logger import FileLogObserver, LogEvent, formatEventAsClassicLogText, formatTime
from twisted.python.logfile import LogFile

Format = Callable[[LogEvent], str | None]
DEFAULT_FILE = "twistd.log"
# Logins, addresses and answers of other servers are in it: none of them may look like a line of ours to who reads it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STRANGE = frozenset({"log_failure", "log_flattened", "log_system"})


class QuickLines:
    """Formats events as `formatEventAsClassicLogText` does.

    A busy server writes a line for every message and login, and the stock formatter looks up the time zone and takes the format apart
    each time. Here plain events (a format whose fields are looked up and not called) go through `str.format_map`, and the time's
    text is made once a second. What is not plain, or does not work out, is left to the stock one: failures, events of Twisted's
    old log, `{function()}`.
    """

    def __init__(self, stock: Format = formatEventAsClassicLogText) -> None:
        self._stock = stock
        self._second = -1
        self._time = ""

    def __call__(self, event: LogEvent) -> str | None:
        """The line with its end; None for an event without words."""
        line = self._line(event)
        return line and _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line)

    def _line(self, event: LogEvent) -> str | None:
        words = event.get("log_format")
        if type(words) is not str or "(" in words or not _STRANGE.isdisjoint(event):
            return self._stock(event)
        try:
            text = words.format_map(event)
            line = (
                f"{self._time_of(event['log_time'])} [{event['log_namespace']}#{event['log_level'].name}] {text}"
                if text
                else None
            )
        except Exception:  # noqa: BLE001 - the stock one has words for it
            return self._stock(event)
        return line and line.replace("\n", "\n\t") + "\n"

    def _time_of(self, when: float) -> str:
        second = int(when)
        if second != self._second:
            self._time, self._second = formatTime(when), second
        return self._time


def log_observer(name: str, reactor: Any) -> FileLogObserver:
    """twistd's own observer for `--logfile name` ("" and "-": stdout), with quicker lines; SIGUSR1 rotates a file."""
    if name in ("", "-"):
        return FileLogObserver(sys.stdout, QuickLines())
    file = LogFile.fromFullPath(name)
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return FileLogObserver(file, QuickLines())
