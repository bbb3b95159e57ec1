"""The `hostmail` command as it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

HEAVY = ("twisted", "sqlalchemy", "alembic", "cryptography", "OpenSSL", "apsw", "argon2", "rich", "msgspec")
SCRIPT = f"""
import json, sys
from hostmail.command import command_line
try:
    command_line()
except SystemExit as ending:
    assert not ending.code, ending.code
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


class CommandTests(SynchronousTestCase):
    def test_quick(self) -> None:
        """What needs no data imports nothing big, so that scripts may call the command in a loop."""
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "--json", "version"], capture_output=True, text=True, timeout=60, check=True
        )
        answer, heavy = map(json.loads, done.stdout.splitlines())
        self.assertEqual(heavy, [])
        self.assertEqual(list(answer), ["version"])

    def test_impossible_place(self) -> None:
        """A data directory that cannot be made is told in one line."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "file").touch()
        (folder / "c.yaml").write_text("hostname: a.test\ndata_dir: file/data\n")
        script = "from hostmail.command import command_line; command_line()"
        done = subprocess.run(
            [sys.executable, "-c", script, "--config", str(folder / "c.yaml"), "domain", "list"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"hostmail: {folder}/file/data: Not a directory\n")
