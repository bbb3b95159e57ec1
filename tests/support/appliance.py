"""A real `twistd hostmail` on loopback for journeys: its own folder, its own free ports, stopped at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PASSWORD = "Correct-Horse-7"
SERVICES = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")
START_SECONDS = 40.0
QUIET = {
    "direct_delivery:": "direct_delivery: no\n",
    "welcome_mail:": "welcome_mail: no\n",
    "dns:": 'dns: {servers: ["127.0.0.1:9"]}\n',
}
"""No test ever asks a real name server, or sends mail to a host found there: who wants either names its own, on this machine. New mailboxes
begin empty."""


def free_ports(count: int) -> list[int]:
    """Ports that are ours until this process ends, on every address.

    Sockets are bound to them that do not listen, so a service may listen there at any time, and nothing else gets these ports
    meanwhile: neither a service that is started beside us nor an outgoing connection, from 127.0.0.1 or from elsewhere.
    """
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.detach()
    return ports


class Appliance:
    """One installed hostmail. `settings` are lines of YAML added to its configuration, `first` is Python that its process runs first.

    `more` are services beside those of mail; the panel is at the socket panel.sock, too, and with `panel_tls` off plain at its port.
    """

    def __init__(
        self, settings: str = "", folder: str | None = None, more: tuple[str, ...] = (), panel_tls: bool = True
    ) -> None:
        self.folder = Path(folder or tempfile.mkdtemp(prefix="hostmail-journey-"))
        services = (*SERVICES, *more)
        self.ports = dict(zip(services, free_ports(len(services)), strict=True))
        self.config = self.folder / "hostmail.yaml"
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.python = sys.executable
        self.twistd_options = ("-n", "--pidfile=")
        self.first = ""
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        listen = "".join(f'  {name}: ["tcp:{port}:interface=127.0.0.1"]\n' for name, port in self.ports.items())
        if "panel" in self.ports:
            panel = f'"tcp:{self.ports["panel"]}:interface=127.0.0.1"'
            plain = panel if panel_tls else f"{{endpoint: {panel}, tls: no}}"
            listen = listen.replace(f"  panel: [{panel}", f'  panel: ["unix:{self.folder}/panel.sock", {plain}')
        quiet = "".join(line for key, line in QUIET.items() if key not in settings)
        self.config.write_text(
            f"hostname: mail.example.test\ndata_dir: {self.folder}/data\nlisten:\n{listen}{quiet}{settings}"
        )

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    def command(self, *words: str, stdin: str = "", expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run the `hostmail` command."""
        done = subprocess.run(
            [
                self.python,
                "-c",
                "from hostmail.command import command_line; command_line()",
                "--config",
                self.config,
                *words,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment,
        )
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"hostmail {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *words: str, stdin: str = "") -> Any:
        """The command's answer as JSON values."""
        return json.loads(self.command("--json", *words, stdin=stdin).stdout)

    def add(self, *addresses: str, quota: str = "200M") -> None:
        """Domains and accounts with the one password."""
        for domain in dict.fromkeys(address.partition("@")[2] for address in addresses):
            self.command("domain", "add", domain)
        if len(addresses) == 1:
            self.command("account", "add", *addresses, "--quota", quota, "--password-file", "-", stdin=PASSWORD + "\n")
        elif addresses:
            people = self.folder / "people.csv"
            rows = [f"{address},{PASSWORD},{quota}\n" for address in addresses]
            people.write_text("address,password,quota\n" + "".join(rows))
            self.command("account", "import", str(people))

    def start(self) -> None:
        """Run twistd until every port answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.twistd(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            self._wait_for(port, deadline)

    def twistd(self) -> list[str]:
        """The command that runs the service, in the foreground unless other options are set."""
        script = f"{self.first}from twisted.scripts.twistd import run; run()"
        return [self.python, "-c", script, *self.twistd_options, "hostmail", "--config", str(self.config)]

    def _wait_for(self, port: int, deadline: float) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"hostmail does not answer:\n{self.text()}") from None
                time.sleep(0.05)

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(20)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hostmail does not stop:\n{self.text()[-8000:]}") from None
