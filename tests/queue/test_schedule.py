"""When to try again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.queue.schedule import DAY, HOUR, Schedule

LIFETIME, BOUNCE_LIFETIME = 5 * DAY, 2 * DAY
next_attempt, should_warn = Schedule().next_attempt, Schedule().should_warn


class ScheduleTests(SynchronousTestCase):
    def test_delays(self) -> None:
        """1, 5 and 15 minutes, then every hour (C9)."""
        delays = [next_attempt(n, 0.0, "ann@example.com", 100.0, 0.5) for n in range(1, 7)]
        self.assertEqual(delays, [160.0, 400.0, 1000.0, 3700.0, 3700.0, 3700.0])

    def test_jitter(self) -> None:
        """Chance moves an attempt by at most a tenth."""
        self.assertAlmostEqual(next_attempt(4, 0.0, "a@b", 0.0, 0.0) or 0, 0.9 * HOUR)
        self.assertAlmostEqual(next_attempt(4, 0.0, "a@b", 0.0, 1.0) or 0, 1.1 * HOUR)

    def test_end(self) -> None:
        """After 5 days, 2 for bounces, it is given up; the last attempt falls on the end."""
        self.assertEqual(next_attempt(99, 0.0, "a@b", LIFETIME - 60, 0.5), LIFETIME)
        self.assertIsNone(next_attempt(99, 0.0, "a@b", LIFETIME, 0.5))
        self.assertIsNone(next_attempt(99, 0.0, "", BOUNCE_LIFETIME, 0.5))
        self.assertIsNotNone(next_attempt(99, 0.0, "a@b", BOUNCE_LIFETIME, 0.5))

    @given(st.integers(0, 10_000), st.floats(0, 10 * DAY), st.floats(0, 1), st.booleans())
    def test_always_forward(self, attempts: int, now: float, chance: float, bounce: bool) -> None:
        """The next attempt is later than now, and never after the end."""
        when = next_attempt(attempts, 0.0, "" if bounce else "a@b", now, chance)
        if when is not None:
            self.assertGreater(when, now)
            self.assertLessEqual(when, LIFETIME)

    def test_warning(self) -> None:
        """One notice of the delay after four hours, none to nobody."""
        self.assertFalse(should_warn(0.0, "a@b", 4 * HOUR - 1, False))
        self.assertTrue(should_warn(0.0, "a@b", 4 * HOUR, False))
        self.assertFalse(should_warn(0.0, "a@b", 4 * HOUR, True))
        self.assertFalse(should_warn(0.0, "", 4 * HOUR, False))

    def test_settings(self) -> None:
        """The operator may shorten life, for bounces too, and switch off the notice of delay."""
        short = Schedule(lifetime=HOUR, warn_after=None)
        self.assertIsNone(short.next_attempt(1, 0.0, "a@b", HOUR, 0.5))
        self.assertEqual(short.deadline(0.0, ""), HOUR)
        self.assertFalse(short.should_warn(0.0, "a@b", 9 * HOUR, False))
