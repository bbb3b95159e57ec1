"""The server under test as a target file describes it, and what it costs: CPU and memory of its processes (Linux)."""

from __future__ import annotations

import contextlib
import functools
import glob
import json
import os
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class WrongAnswer(Exception):
    """The server did not do what a mail server does: the figure is void."""


@dataclass
class Target:
    """A running server. `users` are (address, password); without `pids` costs are left out."""

    name: str
    host: str
    ports: dict[str, int]
    domain: str
    users: list[tuple[str, str]]
    pids: list[int] = field(default_factory=list)
    data: str = ""
    restart_words: list[str] = field(default_factory=list)
    path: Path = Path()
    inboxes: str = ""
    sink: int = 0

    @classmethod
    def load(cls, path: str | Path) -> Target:
        """Read a target file: see README.rst."""
        raw = json.loads(Path(path).read_text())
        users = [(user["address"], user["password"]) for user in raw["users"]]
        return cls(
            raw["name"],
            raw.get("host", "127.0.0.1"),
            raw["ports"],
            raw.get("domain", "example.test"),
            users,
            [int(pid) for pid in raw.get("pids", [])],
            raw.get("data", ""),
            raw.get("restart", []),
            Path(path),
            raw.get("inboxes", ""),
            raw.get("sink", 0),
        )

    def inbox(self, user: int) -> Path:
        """The Maildir of a user, for programs that know of no server."""
        local, _, domain = self.users[user][0].partition("@")
        (found,) = glob.glob(self.inboxes.format(local=local, domain=domain))
        return Path(found)

    def restart(self, *without_index: str) -> bool:
        """A fresh process, if the target file says how: an old one's heap hides what a connection costs.

        `without_index` may be an address: of its mailbox the server is to know no more than the Maildir says.
        """
        if not self.restart_words:
            return False
        subprocess.run([*self.restart_words, *without_index], check=True, stdout=subprocess.DEVNULL)
        self.pids = Target.load(self.path).pids
        return True

    def cpu_seconds(self) -> float:
        """User and system time of the server so far: its processes', and that of those which have ended."""
        return sum(_cpu_seconds(pid) for pid in self._tree())

    def memory_kb(self) -> int:
        """Memory of the server's processes, shared pages counted once, page tables included."""
        total = 0
        for pid in self._tree():
            total += _sum_kb(f"/proc/{pid}/smaps_rollup", "Pss:") + _sum_kb(f"/proc/{pid}/status", "VmPTE:")
        return total

    def _tree(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            stat = _stat(int(name))
            if stat:
                children.setdefault(int(stat[1]), []).append(int(name))
        found, todo = [], list(self.pids)
        while todo:
            pid = todo.pop()
            if _stat(pid):
                found.append(pid)
                todo += children.get(pid, [])
        return found


def _cpu_seconds(pid: int) -> float:
    """Of the process and of children that it has waited for; what its threads ran is known to the nanosecond, the rest in ticks."""
    stat = _stat(pid)
    if not stat:
        return 0.0
    ran = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with contextlib.suppress(OSError):
            ran += int(Path(path).read_text().split()[0])
    own, children = int(stat[11]) + int(stat[12]), int(stat[13]) + int(stat[14])
    return max(own / TICKS, ran / 1e9) + children / TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; empty for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _sum_kb(path: str, key: str) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(key))


@functools.cache
def trusting() -> ssl.SSLContext:
    """TLS without asking who the server is: it is ours, with a certificate of its own making."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
