"""A second process of ours in a mailbox of the running service: sessions hear of it at once, and nobody is in the way of the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.journeys.base import ANN, Journey


class ProcessesJourney(Journey):
    accounts = (ANN,)

    def setUp(self) -> None:
        super().setUp()
        self.client = self.imap()
        self.client.select("INBOX")
        (root,) = self.here.data.glob("domains/example.test/ann*")
        command = [sys.executable, "-m", "tests.support.other_process", str(root)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        self.addCleanup(self.process.communicate)

    def other(self, words: str) -> str:
        """What the other process answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def hears(self, *lines: bytes) -> None:
        for line in lines:
            self.assertEqual(self.client.readline(), line + b"\r\n")

    def test_idle_hears_of_it(self) -> None:
        """Deliveries, flags, moves and expunges of the other, pushed to who idles here."""
        self.client.send(b"i IDLE\r\n")
        self.assertTrue(self.client.readline().startswith(b"+ "))
        self.assertEqual(self.other("append one"), "[1]")
        self.hears(b"* 1 EXISTS", b"* 1 RECENT")
        self.assertEqual(self.other("append two"), "[2]")
        self.hears(b"* 2 EXISTS", b"* 2 RECENT")
        self.assertEqual(self.other("flag 1 $Work"), "1")
        line = self.client.readline()
        while line.startswith((b"* FLAGS", b"* OK [PERMANENTFLAGS")):
            line = self.client.readline()
        self.assertEqual(line, b"* 1 FETCH (UID 1 FLAGS (\\Flagged $Work \\Recent))\r\n")
        self.assertEqual(self.other("move 1 Trash"), "[1]")
        self.hears(b"* 1 EXPUNGE")
        self.assertEqual(self.other("expunge 2"), "[2]")
        self.hears(b"* 1 EXPUNGE")
        self.client.send(b"DONE\r\n")
        self.assertTrue(self.client.readline().startswith(b"i OK"))
        self.deliver("three")
        self.assertEqual(self.other("uids"), "[3]")
        self.assertEqual(self.other("append four"), "[4]")
        self.client.noop()
        self.assertEqual(self.client.uid("SEARCH", "ALL")[1], [b"3 4"])
        self.assertEqual(self.here.json("mailbox", "verify", ANN)["problems"], [])
