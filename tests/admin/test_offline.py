"""Working on the data while no service runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.offline import become_owner

# The reactor runs once in a process, and trial's is taken: this needs a process of its own.
SCRIPT = """
import sys
from collections.abc import Mapping
from twisted.internet import reactor
from twisted.internet.task import deferLater
from hostmail.actor import command_actor
from hostmail.admin.offline import in_background
from hostmail.errors import NotFound

class Verbs:
    async def call(self, verb, arguments, actor):
        await deferLater(reactor, 0.001, lambda: None)
        if verb == "refuse":
            raise NotFound("no such thing")
        return [verb, dict(arguments), actor.login]

async def close():
    await deferLater(reactor, 0.001, lambda: None)
    print("closed")

async def begin():
    if sys.argv[1] == "broken":
        raise RuntimeError("cannot be opened")
    return Verbs(), close

try:
    with in_background(reactor, begin, command_actor("ann")) as call:
        print(call("account.list", {"domain": "x"}))
        call("refuse", {})
except (NotFound, RuntimeError) as error:
    print(type(error).__name__, error)
"""


class BackgroundTests(SynchronousTestCase):
    def lines(self, how: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.splitlines()

    def test_call(self) -> None:
        """Verbs run on a reactor in the background; refusals come through; the data is closed whatever happened."""
        self.assertEqual(
            self.lines("fine"), ["['account.list', {'domain': 'x'}, 'ann']", "closed", "NotFound no such thing"]
        )

    def test_broken(self) -> None:
        """Data that cannot be opened ends the command with its reason, not with a hanging thread."""
        self.assertEqual(self.lines("broken"), ["RuntimeError cannot be opened"])


class System:
    """The operating system, as far as it knows who we are."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.done: list[tuple[str, object]] = []

    def geteuid(self) -> int:
        return self.uid

    def setgroups(self, groups: list[int]) -> None:
        self.done.append(("groups", groups))

    def setgid(self, gid: int) -> None:
        self.done.append(("gid", gid))

    def setuid(self, uid: int) -> None:
        self.done.append(("uid", uid))


class Owned:
    """A folder of somebody."""

    def __init__(self, uid: int) -> None:
        self.st_uid, self.st_gid = uid, uid + 1

    def exists(self) -> bool:
        return True

    def stat(self) -> Owned:
        return self


class OwnerTests(SynchronousTestCase):
    def test_root(self) -> None:
        """Root goes on as the data's owner, groups first, so that the service can read what is made."""
        system = System(0)
        self.assertTrue(become_owner(Owned(500), system))  # type: ignore[arg-type]
        self.assertEqual(system.done, [("groups", []), ("gid", 501), ("uid", 500)])

    def test_stays(self) -> None:
        """Root's own data, no data yet, or not root: nothing changes."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        for system, path in ((System(0), Owned(0)), (System(0), folder / "none"), (System(7), Owned(500))):
            self.assertFalse(become_owner(path, system))  # type: ignore[arg-type]
            self.assertEqual(system.done, [])
