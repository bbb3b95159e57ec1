"""Trying hostmail out, or testing it, never sends anything to a real server (C1)."""

from __future__ import annotations

import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.loader import load
from hostmail.demo import config_text, prepare
from tests.support.appliance import Appliance


class NothingLeavesTests(SynchronousTestCase):
    def test_demo(self) -> None:
        """`make run` keeps mail for elsewhere in its queue."""
        file = Path(self.mktemp())
        file.write_text(config_text(2000))
        settings = load(file)
        self.assertFalse(settings.direct_delivery)
        self.assertIsNone(settings.smarthost)

    def test_older_demo(self) -> None:
        """What waits in a demo made by a version without a way out does not leave with this one."""
        folder = Path(self.mktemp())
        folder.mkdir()
        config = folder / "hostmail.yaml"
        config.write_text(config_text(2000).replace("direct_delivery: no\n", ""))
        (folder / "logins.txt").write_text("ann@example.test secret\n")
        self.assertTrue(load(config).direct_delivery)
        for _ in range(2):
            self.assertEqual(prepare(folder, 2000), {"ann@example.test": "secret"})
            self.assertFalse(load(config).direct_delivery)

    def test_journeys(self) -> None:
        """A journey that says nothing of it sends nothing out, and one that does asks no real name server."""
        for more, direct in (("", False), ("direct_delivery: yes\n", True)):
            here = Appliance(more)
            self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
            settings = load(here.config)
            self.assertEqual(settings.direct_delivery, direct)
            self.assertEqual(settings.dns.servers, ("127.0.0.1:9",))
