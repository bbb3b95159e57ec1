"""Started as root for the low ports, running as somebody else."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.journeys.base import ANN, BOB, SECONDS, letter, logs_in
from tests.support.appliance import PASSWORD, Appliance
from tests.support.missing import lacking

CHECKOUT = Path(__file__).resolve().parents[2]


class UnprivilegedTests(SynchronousTestCase):
    """Started as root, running as somebody else."""

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("only root can become somebody else")
        try:
            self.nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise SkipTest("there is no user nobody here") from None
        python = self.usable_python()
        self.here = Appliance()
        self.addCleanup(shutil.rmtree, self.here.folder, ignore_errors=True)
        self.addCleanup(self.here.stop)
        self.here.folder.chmod(0o755)
        self.here.python, self.here.environment = python, self.environment()
        self.here.twistd_options += ("--uid", "nobody", "--gid", str(self.nobody.pw_gid))

    def usable_python(self) -> str:
        """A Python that the other user can run and import from: this one may live in somebody's private home directory."""
        for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
            try:
                done = subprocess.run(
                    [python, "-c", "import sys, hostmail.compose, _cffi_backend; print(sys.version_info[:2])"],
                    user="nobody",
                    group=self.nobody.pw_gid,
                    extra_groups=[],
                    env=self.environment(),
                    cwd="/",
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                )
            except OSError:
                continue
            if done.returncode == 0 and done.stdout.strip() == str(sys.version_info[:2]):
                return python
        raise lacking("no Python, or not this source, can be used by another user")

    def environment(self) -> dict[str, str]:
        packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(CHECKOUT), *packages]))}

    def low_port(self) -> int:
        """A free port only root may open."""
        for port in range(1023, 600, -1):
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        raise SkipTest("no privileged port is free")

    def test_root_opens_the_ports_and_leaves(self) -> None:
        """Ports below 1024 answer, no thread runs as root, all data belongs to the service's user, mail comes and goes."""
        here, low = self.here, self.low_port()
        text = here.config.read_text().replace(f"tcp:{here.ports['smtp']}:", f"tcp:{low}:")
        here.config.write_text(text)
        here.ports["smtp"] = low
        here.start()
        here.add(ANN)
        with smtplib.SMTP("127.0.0.1", low, timeout=SECONDS) as sender:
            sender.send_message(letter("as nobody"))
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        assert here.process is not None
        for status in Path(f"/proc/{here.process.pid}/task").glob("*/status"):
            ids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", status.read_text(), re.MULTILINE)
            assert ids is not None
            self.assertEqual(set(ids.groups()), {str(self.nobody.pw_uid)})
        here.command("account", "add", BOB, "--password-file", "-", stdin=PASSWORD + "\n")
        owners = {path: path.lstat().st_uid for path in (here.data, *here.data.rglob("*"))}
        self.assertEqual({path for path, uid in owners.items() if uid != self.nobody.pw_uid}, set())
        self.assertEqual({path for path in owners if path.is_dir() and path.stat().st_mode & 0o077}, set())
        self.assertEqual(here.stop(), 0, here.text())
        here.command("account", "passwd", BOB, "--password-file", "-", stdin="Another-Secret-9\n")
        here.start()
        self.assertEqual(logs_in(here, BOB, "Another-Secret-9"), {"imap": True, "smtp": True})
        self.assertNotIn("Traceback", here.text())

    def test_prepared_by_root(self) -> None:
        """What root makes with `init --user`, and changes while the service is stopped, belongs to the service's user."""
        here = self.here
        ports = here.config.read_text()
        here.config.unlink()
        site = ("--hostname", "mail.example.test", "--data-dir", str(here.data), "--domain", "example.test")
        password = {"stdin": PASSWORD + "\n"}
        here.command("init", *site, "--account", ANN, "--password-file", "-", "--user", "nobody", **password)
        here.config.write_text(ports)
        here.command("account", "add", BOB, "--password-file", "-", **password)
        here.command("account", "remove", BOB, "--yes")
        owners = {path: path.lstat().st_uid for path in (here.data, *here.data.rglob("*"))}
        self.assertIn(here.data / "directory.sqlite", owners)
        self.assertEqual({path for path, uid in owners.items() if uid != self.nobody.pw_uid}, set())
        here.start()
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        self.assertNotIn("Traceback", here.text())
