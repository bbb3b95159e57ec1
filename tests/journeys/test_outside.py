"""Other programs in a mailbox's Maildir, while the service runs."""

from __future__ import annotations

import os
from pathlib import Path

from tests.journeys.base import ANN, Journey


class OutsideTests(Journey):
    """A Maildir belongs to whoever can write to it (ARCHITECTURE 3)."""

    accounts = (ANN,)

    def maildir(self) -> Path:
        """Ann's, which her first login makes."""
        (found,) = self.here.data.glob("domains/example.test/ann*/Maildir")
        return found

    def test_pushed_to_who_idles(self) -> None:
        """A file that another program puts into new/, and later takes away, is told at once, not at the next look in two minutes."""
        client = self.imap()
        client.select("INBOX")
        client.send(b"i IDLE\r\n")
        self.assertTrue(client.readline().startswith(b"+ "))
        (self.maildir() / "tmp" / "1.other").write_bytes(b"Subject: outside\n\nHello\n")
        os.rename(self.maildir() / "tmp" / "1.other", self.maildir() / "new" / "1.other")
        self.assertEqual(client.readline(), b"* 1 EXISTS\r\n")
        self.assertEqual(client.readline(), b"* 1 RECENT\r\n")
        (there,) = [*(self.maildir() / "new").iterdir(), *(self.maildir() / "cur").iterdir()]
        there.unlink()
        self.assertEqual(client.readline(), b"* 1 EXPUNGE\r\n")
        client.send(b"DONE\r\n")
        self.assertTrue(client.readline().startswith(b"i OK"))
