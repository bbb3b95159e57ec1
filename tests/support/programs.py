"""Real mail programs, run in a home folder of their own."""

from __future__ import annotations

import os
import pty
import select
import shutil
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from tests.journeys.base import Journey
from tests.support.missing import program

SECONDS = 60.0


class Programs(Journey):
    """A journey whose clients are installed programs; `home` is theirs, fresh for each test."""

    settings = "limits: {failed_login_delay: 0s}\n"
    home: Path

    def setUp(self) -> None:
        super().setUp()
        self.home = Path(tempfile.mkdtemp(prefix="hostmail-home-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Nothing of the person who runs the tests gets in."""
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "vt100", "USER": "ann"}

    def file(self, name: str, text: str | bytes) -> Path:
        """A file in the home folder, readable for its owner only, as programs want it."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
        return path

    def certificate(self) -> Path:
        """The server's own certificate, for programs that want to know it."""
        return self.file("server.pem", ssl.get_server_certificate(("127.0.0.1", self.here.ports["imaps"]), timeout=30))

    def run_program(self, *words: object, stdin: str = "", expect: int | None = 0) -> str:
        """Run it to its end; what it wrote to both channels."""
        process = subprocess.Popen(
            [program(str(words[0])), *map(str, words[1:])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            env=self.environment(),
        )
        try:
            output, _ = process.communicate(stdin.encode(), SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0].decode(errors="replace")
            raise AssertionError(f"{words} does not end:\n{said}\n{self.server_side()}") from None
        text = output.decode(errors="replace")
        if expect is not None and process.returncode != expect:
            raise AssertionError(f"{words}: {process.returncode}\n{text}\n{self.server_side()}")
        return text

    def server_side(self) -> str:
        """What the service can tell of it: its open sessions, and the end of its log."""
        sessions = self.here.command("session", "list", expect=None)
        return f"--- sessions\n{sessions.stdout}{sessions.stderr}\n--- log\n{self.here.text()[-8000:]}"

    def run_on_terminal(self, *words: object) -> str:
        """Run a program that insists on a terminal, until it ends by itself."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [program(str(words[0])), *map(str, words[1:])],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.home,
            env=self.environment(),
            start_new_session=True,
        )
        os.close(theirs)
        seen, deadline = b"", time.monotonic() + SECONDS
        try:
            while time.monotonic() < deadline:
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        seen += os.read(ours, 65536)
                    except OSError:
                        break
                elif process.poll() is not None:
                    break
            text = seen.decode(errors="replace")
            if process.poll() is None and time.monotonic() >= deadline:
                raise AssertionError(f"{words} does not end:\n{text}\n{self.server_side()}")
            code = process.wait(10)
        finally:
            os.close(ours)
            if process.poll() is None:
                process.kill()
                process.wait()
        if code:
            raise AssertionError(f"{words}: {code}\n{text}")
        return text
