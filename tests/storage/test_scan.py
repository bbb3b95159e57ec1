"""Python's collector while a large folder is read."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage.scan import MANY, no_collector


class CollectorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(gc.enable)

    def test_quiet_for_many(self) -> None:
        """It rests while many messages are read, and wakes whatever happens."""
        with self.assertRaises(ZeroDivisionError), no_collector(MANY + 1):
            self.assertFalse(gc.isenabled())
            1 / 0  # noqa: B018
        self.assertTrue(gc.isenabled())

    def test_few(self) -> None:
        """For a few messages it is left alone."""
        with no_collector(MANY):
            self.assertTrue(gc.isenabled())

    def test_who_had_it_off(self) -> None:
        """If it was off before, it stays off."""
        gc.disable()
        with no_collector(MANY + 1):
            pass
        self.assertFalse(gc.isenabled())
