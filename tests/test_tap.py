"""`twistd hostmail --check`: every mistake with its place, and the exit code 0 or 78."""

from __future__ import annotations

import contextlib
import gc
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.logger import Logger
from twisted.scripts.twistd import ServerOptions
from twisted.trial.unittest import SynchronousTestCase

from hostmail import tap
from hostmail.tap import Options, observer_of, spare_collector
from tests.listen.certs import pems


class CheckTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "h.yaml"

    def check(self, text: str | bytes) -> tuple[int, str]:
        """The exit code and what was said, for a configuration with a host name in line 1 and this after it."""
        octets = text.encode() if isinstance(text, str) else text
        self.file.write_bytes(b"hostname: mail.example.test\n" + octets)
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ending:
            Options().parseOptions(["--config", str(self.file), "--check"])
        return int(ending.exception.code or 0), said.getvalue().replace(f"{self.file}", "F").strip()

    def test_fine(self) -> None:
        """Exit code 0, and a word."""
        self.assertEqual(self.check("relay_window: 10m\n"), (0, "F is fine"))

    def test_every_mistake(self) -> None:
        """File, line, key, and what would be right."""
        for text, words in {
            "relay_windw: 3\n": "F:2: relay_windw: is not a known key (did you mean relay_window?)",
            "limits: 7\n": "F:2: limits: must be a mapping with keys like connections",
            "pop_before_smtp: maybe\n": "F:2: pop_before_smtp: 'maybe' is neither yes nor no",
            "relay_window: soon\n": "F:2: relay_window: 'soon' is no duration; write it like 45s, 30m, 1h30m or 14d",
            "default_quota: lots\n": "F:2: default_quota: 'lots' is no size; write it like 20M, 1.5G or 20971520",
            "listen:\n  imap: ['143']\n": "F:3: listen.imap: '143' is no endpoint; write tcp:143",
            "listen:\n  pop3: ['tcp:110']\n  imap: ['pigeon:143']\n": "F:4: listen.imap: pigeon:143 is no endpoint: "
            "there is no kind 'pigeon'; write it like tcp:143",
            "tls:\n  certificate: /nowhere/x.pem\n": "F:3: tls.certificate: /nowhere/x.pem cannot be read: "
            "No such file or directory",
            "profile: classic\nprofile: modern\n": "F:3: profile: is written twice, first in line 2; keep one",
            "limits:\n\tconnections: 3\n": "F:3: is not valid YAML: a line begins with a tab; indent with spaces",
            b"# caf\xe9\n": "F:2: is not valid YAML: it must be UTF-8 text without control characters",
        }.items():
            self.assertEqual(self.check(text), (78, words))

    def test_certificate(self) -> None:
        """A certificate and a key that do not belong together are found before the start."""
        for name in "ab":
            chain, key = pems("mail.example.test")
            (self.folder / f"{name}.pem").write_bytes(chain)
            (self.folder / f"{name}.key").write_bytes(key)
        self.assertEqual(self.check("tls: {certificate: a.pem, private_key: a.key}\n")[0], 0)
        code, words = self.check("tls: {certificate: a.pem, private_key: b.key}\n")
        self.assertEqual(code, 78)
        self.assertRegex(words, r"F:2: tls.certificate: .*b.key is not the key of .*a.pem")

    def test_no_reason_not_to_start(self) -> None:
        """What only looks wrong is told, and the service may start."""
        self.assertEqual(
            self.check("tls: {directory: /nowhere}\n"), (0, "F:2: tls.directory: /nowhere is no directory")
        )

    def test_no_such_file(self) -> None:
        """A configuration that is not there."""
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as ending:
            Options().parseOptions(["--config", "/nowhere/h.yaml", "--check"])
        self.assertEqual(
            (ending.exception.code, said.getvalue().strip()),
            (78, "/nowhere/h.yaml: cannot be read: No such file or directory"),
        )


class ObserverTests(SynchronousTestCase):
    """Who writes the log."""

    def observer(self, *words: str) -> Any:
        """What twistd's words make of it."""
        twistd = ServerOptions()
        twistd.parseOptions(list(words))
        options = Options()
        options.parent = twistd
        return observer_of(options, None)

    def test_front_file_and_default(self) -> None:
        """stdout in front, the log file otherwise, `twistd.log` if nothing is said: as twistd itself does."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for words in ((), ("--logfile=-",)):
                Logger(namespace="n", observer=self.observer("-n", *words)).info("hello")
        self.assertEqual(said.getvalue().count("[n#info] hello\n"), 2)
        path = Path(self.mktemp())
        files: list[str] = []
        self.patch(tap, "log_observer", lambda name, reactor: files.append(name))
        for words in (("-n", f"--logfile={path}"), (f"--logfile={path}",), ()):
            self.observer(*words)
        self.assertEqual(files, [str(path), str(path), "twistd.log"])

    def test_what_twistd_was_told(self) -> None:
        """Its other ways to log stay as they are, and so does its own word on what cannot be."""
        for words in (("--syslog",), ("--logger=twisted.logger.globalLogPublisher",), ("--logfile=-",)):
            self.assertIsNone(self.observer(*words))
        self.assertIsNone(observer_of(Options(), None))


class CollectorTests(SynchronousTestCase):
    def test_spared(self) -> None:
        """What is there at the start is never looked at again; cycles made later are still found."""
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)
        spare_collector()
        self.assertGreater(gc.get_freeze_count(), 0)
        self.assertTrue(gc.isenabled())
        cycle: list[Any] = []
        cycle.append(cycle)
        del cycle
        self.assertGreaterEqual(gc.collect(), 1)
