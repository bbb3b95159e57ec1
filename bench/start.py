"""A hostmail with 100 users in a directory of its own, on free ports of 127.0.0.1.

    python3 bench/start.py start DIRECTORY      installs and starts it, prints the path of its target file
    python3 bench/start.py stop DIRECTORY
    python3 bench/start.py restart DIRECTORY [ADDRESS]      of that mailbox, without its index

Run it with the Python that has hostmail installed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DOMAIN = "example.test"
SERVICES = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")
INBOXES = "data/domains/{domain}/{local}.*/Maildir"
USERS = [(f"u{number:04}@{DOMAIN}", f"Bench-{number:04}-long-enough") for number in range(1, 101)]
# Everybody comes from one address here, and speed is the question, not limits.
SETTINGS = """\
default_quota: null
direct_delivery: no
welcome_mail: no
limits:
  connections_per_ip: 10000
  sessions_per_account: 10000
  messages_per_session: 1000000
  sent_per_hour: 10000000
  sent_per_day: 10000000
"""


def start(directory: Path, relaying: bool = False) -> Path:
    """Install on first use, start, wait for the ports; the target file. One that is `relaying` sends mail for elsewhere to its "sink"."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / "target.json"
    config = directory / "hostmail.yaml"
    fresh = not config.exists()
    known = {} if fresh else json.loads(target.read_text())
    ports = free_ports(SERVICES) if fresh else known["ports"]
    sink = free_ports(("sink",))["sink"] if fresh and relaying else known.get("sink", 0)
    if fresh:
        _install(directory, config, ports, sink)
    with (directory / "log").open("ab") as log:
        words = ["-n", f"--pidfile={directory}/twistd.pid", "hostmail", "--config", str(config)]
        process = subprocess.Popen(
            [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            start_new_session=True,
        )
    target.write_text(json.dumps({**_described(directory, ports, process.pid), "sink": sink}, indent=1))
    for port in ports.values():
        wait_for(port, process, directory)
    return target


def _described(directory: Path, ports: dict[str, int], pid: int) -> dict[str, object]:
    return {
        "name": "hostmail",
        "host": "127.0.0.1",
        "ports": ports,
        "domain": DOMAIN,
        "users": [{"address": address, "password": password} for address, password in USERS],
        "pids": [pid],
        "data": str(directory / "data"),
        "inboxes": str(directory / INBOXES),
        "restart": [sys.executable, str(Path(__file__).absolute()), "restart", str(directory)],
    }


def _install(directory: Path, config: Path, ports: dict[str, int], sink: int) -> None:
    listen = "".join(f'  {name}: ["tcp:{port}:interface=127.0.0.1"]\n' for name, port in ports.items())
    way_out = f'smarthost: "localhost:{sink}"\n' if sink else ""
    config.write_text(f"hostname: mail.{DOMAIN}\ndata_dir: {directory}/data\nlisten:\n{listen}{SETTINGS}{way_out}")
    people = directory / "users.csv"
    with people.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("address", "password", "quota"))
        rows.writerows((address, password, "none") for address, password in USERS)
    people.chmod(0o600)
    hostmail(config, "domain", "add", DOMAIN)
    hostmail(config, "account", "import", str(people))


def hostmail(config: Path, *words: str) -> None:
    """The `hostmail` command."""
    script = "from hostmail.command import command_line; command_line()"
    subprocess.run([sys.executable, "-c", script, "--config", str(config), *words], check=True, stdout=sys.stderr)


def free_ports(services: tuple[str, ...]) -> dict[str, int]:
    """One for each service."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in services]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(services, sockets, strict=True)}


def wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    """Until the server answers on that port."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"it did not start: see {directory / 'log'}") from None
            time.sleep(0.1)


def stop_process(directory: Path) -> None:
    """SIGTERM, and wait until it is gone."""
    (pid,) = json.loads((directory / "target.json").read_text())["pids"]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(300):
            if _is_over(pid):
                return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


def _is_over(pid: int) -> bool:
    """True once it has ended; as its parent, take notice of that."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def forget(directory: Path, address: str) -> None:
    """Remove a mailbox's index while the server is down."""
    local, _, domain = address.partition("@")
    (inbox,) = directory.glob(INBOXES.format(domain=domain, local=local))
    for file in inbox.parent.glob("*.sqlite*"):
        file.unlink()


def main(
    start: Callable[[Path], Path],
    stop: Callable[[Path], None],
    forget: Callable[[Path, str], None],
    words: str | None,
) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("start", "stop", "restart"))
    parser.add_argument("directory", type=lambda text: Path(text).absolute())
    parser.add_argument("address", nargs="?", help="whose index is removed before a restart")
    asked = parser.parse_args()
    if asked.what != "start":
        stop(asked.directory)
    if asked.address:
        forget(asked.directory, asked.address)
    if asked.what != "stop":
        print(start(asked.directory))


stop = stop_process

if __name__ == "__main__":
    main(start, stop, forget, __doc__)
