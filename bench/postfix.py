"""A Postfix to set beside: Debian's package, sending everything on to one next server, on free ports of 127.0.0.1.

    python3 bench/postfix.py start DIRECTORY      as root; prints the path of its target file
    python3 bench/postfix.py stop DIRECTORY

It asks nobody who he is: whoever is on this machine may send.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from start import DOMAIN, free_ports, main

PROGRAM = "/usr/sbin/postfix"
SERVICES = ("submission", "submissions", "sink")
CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
START_SECONDS = 60

MAIN = """\
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:{sink}
smtp_tls_security_level = may
smtpd_tls_chain_files = {directory}/key.pem, {directory}/certificate.pem
smtpd_tls_security_level = may
smtpd_peername_lookup = no
smtp_host_lookup = native
"""

MASTER = """\
127.0.0.1:{submission} inet n - n - - smtpd
127.0.0.1:{submissions} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def is_installed() -> bool:
    """Whether there is one to start, and who asks may start it."""
    return os.path.exists(PROGRAM) and os.geteuid() == 0


def start(directory: Path) -> Path:
    """Install on first use, start, wait for its first process; the target file."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    target = directory / "target.json"
    if not target.exists():
        _install(directory, free_ports(SERVICES))
    ports = json.loads((directory / "ports.json").read_text())
    _tell(directory, "start")
    first = _first_process(directory)
    described = {
        "name": "postfix",
        "ports": ports,
        "sink": ports["sink"],
        "domain": DOMAIN,
        "users": [],
        "pids": [first],
    }
    target.write_text(json.dumps(described, indent=1))
    return target


def _install(directory: Path, ports: dict[str, int]) -> None:
    owner = pwd.getpwnam("postfix")
    for name in ("spool", "data"):
        (directory / name).mkdir()
    os.chown(directory / "data", owner.pw_uid, owner.pw_gid)
    files = ("-keyout", directory / "key.pem", "-out", directory / "certificate.pem")
    subprocess.run([*CERTIFICATE, "-subj", "/CN=localhost", *files], check=True, stderr=subprocess.DEVNULL)
    asked = subprocess.run(["postconf", "-dh", "daemon_directory"], capture_output=True, text=True, check=True)
    facts = {"directory": directory, "daemons": asked.stdout.strip(), "domain": DOMAIN, **ports}
    (directory / "main.cf").write_text(MAIN.format(**facts))
    (directory / "master.cf").write_text(MASTER.format(**facts))
    (directory / "ports.json").write_text(json.dumps(ports))


def _tell(directory: Path, what: str) -> None:
    with (directory / "output").open("ab") as output:
        words = [PROGRAM, "-c", str(directory), what]
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)


def _first_process(directory: Path) -> int:
    """The process that starts all others."""
    file = directory / "spool" / "pid" / "master.pid"
    deadline = time.monotonic() + START_SECONDS
    while not (file.exists() and file.read_text().strip()):
        if time.monotonic() > deadline:
            raise SystemExit(f"it did not start: see {directory / 'output'} and {directory / 'log'}")
        time.sleep(0.1)
    return int(file.read_text())


def stop(directory: Path) -> None:
    """End it, and forget what it held."""
    _tell(directory, "stop")
    shutil.rmtree(directory / "spool", ignore_errors=True)
    (directory / "target.json").unlink(missing_ok=True)


def forget(directory: Path, address: str) -> None:
    """It keeps no mail."""


if __name__ == "__main__":
    main(start, stop, forget, __doc__)
