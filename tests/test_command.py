"""The `hostmail` command as it is installed."""

from __future__ import annotations

import json
import subprocess
import sys

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
