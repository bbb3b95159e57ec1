"""The log's lines are twistd's, word for word, but for control characters."""

from __future__ import annotations

import io
import signal
import sys
from pathlib import Path
from typing import Any
from unicodedata import category
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogEvent, Logger, LogLevel, formatEventAsClassicLogText
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hostmail.monitoring.logfile import QuickLines, log_observer


def stock(event: LogEvent) -> str | None:
    """The line as twistd has it, with control characters written out."""
    line = formatEventAsClassicLogText(event)
    if line is None:
        return None
    return "".join(each if each in "\n\t" or category(each) != "Cc" else f"\\x{ord(each):02x}" for each in line)


class Thing:
    """Something with an attribute, and a method that formats may call."""

    name = "thing"

    def told(self) -> str:
        return "told"

    def __repr__(self) -> str:
        return "<a\nthing>"


FORMATS = (
    "plain",
    "",
    "{a} and {b}",
    "{a!r} {b!s} {a:>8} {thing.name}",
    "{thing.told()} {thing}",
    "{list[0]} {list[1]:03d}",
    "{missing}",
    "{a:%%%}",
    "{",
    "two\nlines of {a}",
    "{{}}",
    None,
    b"{a}",
)
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"log_system": "x"},
    {"log_namespace": None},
    {"log_level": None},
    {"log_time": None},
    {"isError": 0},
)


class QuickLinesTests(SynchronousTestCase):
    @given(
        st.sampled_from(FORMATS),
        st.text(max_size=9) | st.integers() | st.binary(max_size=5),
        st.text(max_size=9),
        st.floats(0, 4e9),
        st.sampled_from(EXTRAS),
        st.sampled_from(list(LogLevel.iterconstants())),
    )
    def test_as_the_stock_one(self, words: Any, a: Any, b: str, when: float, extra: dict[str, Any], level: Any) -> None:
        """Whatever the event is, the line is the stock formatter's."""
        event = {"log_format": words, "a": a, "b": b, "thing": Thing(), "list": ["x", 7]}
        event |= {"log_time": when, "log_namespace": "queue", "log_level": level, **extra}
        quick = QuickLines()
        for _ in range(2):
            self.assertEqual(quick(event), stock(event))

    def test_one_line(self) -> None:
        """What a stranger has sent makes no line of its own, and hides none."""
        event = {"log_format": "{login} failed", "login": "x\r2026 [auth#info] ann\n2026 \x1b[2Jann\x9b1A"}
        event |= {"log_time": 1.0, "log_namespace": "auth", "log_level": LogLevel.info}
        line = QuickLines()(event) or ""
        self.assertTrue(line.endswith("x\\x0d2026 [auth#info] ann\n\t2026 \\x1b[2Jann\\x9b1A failed\n"), ascii(line))

    def test_failures(self) -> None:
        """A failure keeps its traceback."""
        try:
            raise ValueError("no")
        except ValueError:
            failure = Failure()
        event = {"log_format": "went wrong", "log_failure": failure, "log_time": 1.0}
        line = QuickLines()(event) or ""
        self.assertEqual(line, stock(event))
        self.assertIn("\n\tbuiltins.ValueError: no", line)

    def test_nothing_at_all(self) -> None:
        """An empty event has no line."""
        self.assertIsNone(QuickLines()({}))

    def test_the_time_moves_on(self) -> None:
        """The time's text is made anew each second, back and forth."""
        quick = QuickLines()
        for when in (10.0, 10.9, 11.0, 9.99, 1e9):
            event = {"log_format": "x", "log_time": when, "log_namespace": "n", "log_level": LogLevel.info}
            self.assertEqual(quick(event), stock(event))


class ObserverTests(SynchronousTestCase):
    def test_to_the_terminal(self) -> None:
        """`-n` logs to stdout."""
        for name in ("", "-"):
            with patch.object(sys, "stdout", io.StringIO()) as said:
                Logger(namespace="n", observer=log_observer(name, None)).info("hello {who}", who="Ann")
            self.assertTrue(said.getvalue().endswith(" [n#info] hello Ann\n"), said.getvalue())

    def test_to_a_file_that_rotates(self) -> None:
        """`--logfile` writes UTF-8 to that file; SIGUSR1 begins a new one."""
        before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        path = Path(self.mktemp())

        class Reactor:
            def callFromThread(self, work: Any) -> None:
                work()

        observer = log_observer(str(path), Reactor())
        self.addCleanup(lambda: observer._outFile.close())
        log = Logger(namespace="n", observer=observer)
        log.info("J\u00fcrgen")
        signal.raise_signal(signal.SIGUSR1)
        log.info("afterwards")
        self.assertIn("J\u00fcrgen", Path(f"{path}.1").read_text("utf-8"))
        self.assertIn("afterwards", path.read_text())
