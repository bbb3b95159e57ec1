"""Trying hostmail out, or testing it, never sends anything to a real server (C1)."""

from __future__ import annotations

import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.loader import load
from hostmail.demo import config_text
from tests.support.appliance import Appliance


class NothingLeavesTests(SynchronousTestCase):
    def test_demo(self) -> None:
        """`make run` keeps mail for elsewhere in its queue."""
        file = Path(self.mktemp())
        file.write_text(config_text(2000))
        settings = load(file)
        self.assertFalse(settings.direct_delivery)
        self.assertIsNone(settings.smarthost)

    def test_journeys(self) -> None:
        """A journey that says nothing of it sends nothing out, and one that does asks no real name server."""
        for more, direct in (("", False), ("direct_delivery: yes\n", True)):
            here = Appliance(more)
            self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
            settings = load(here.config)
            self.assertEqual(settings.direct_delivery, direct)
            self.assertEqual(settings.dns.servers, ("127.0.0.1:9",))
