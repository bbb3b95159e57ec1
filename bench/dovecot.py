"""A Dovecot to set beside: Debian's packages, 100 users, Maildir with safe writes, on free ports of 127.0.0.1.

    python3 bench/dovecot.py start DIRECTORY      as root; prints the path of its target file
    python3 bench/dovecot.py stop DIRECTORY
    python3 bench/dovecot.py restart DIRECTORY

It has no SMTP here, so the cases that deliver are left out for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from start import DOMAIN, USERS, free_ports, main, stop_process, wait_for

SERVICES = ("imap", "pop3")
PROGRAM = "/usr/sbin/dovecot"
MAIL_ID = 65534

CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 10M
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{directory}/mail/%d/%n/Maildir
mail_fsync = optimized
mail_max_userip_connections = 100000
default_client_limit = 18000
default_process_limit = 6000
default_internal_user = dovecot
default_login_user = dovenull
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid={mail_id} gid={mail_id} home={directory}/mail/%d/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
  service_count = 0
  process_min_avail = 1
  client_limit = 6000
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
  service_count = 0
  process_min_avail = 1
  client_limit = 6000
}}
service auth {{
  client_limit = 19000
}}
service anvil {{
  client_limit = 19000
}}
service stats {{
  client_limit = 19000
}}
"""


def is_installed() -> bool:
    """Whether there is one to start, and who asks may start it."""
    return os.path.exists(PROGRAM) and os.geteuid() == 0


def start(directory: Path) -> Path:
    """Install on first use, start, wait for the ports; the target file."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    target, config = directory / "target.json", directory / "dovecot.conf"
    if config.exists():
        ports = json.loads(target.read_text())["ports"]
    else:
        ports = free_ports(SERVICES)
        config.write_text(CONFIGURATION.format(directory=directory, mail_id=MAIL_ID, **ports))
        users = directory / "users"
        users.write_text("".join(f"{address}:{{PLAIN}}{password}\n" for address, password in USERS))
        mail = directory / "mail"
        mail.mkdir()
        os.chown(mail, MAIL_ID, MAIL_ID)
    process = subprocess.Popen([PROGRAM, "-F", "-c", str(config)], start_new_session=True)
    described = {
        "name": "dovecot",
        "host": "127.0.0.1",
        "ports": ports,
        "domain": DOMAIN,
        "users": [{"address": address, "password": password} for address, password in USERS],
        "pids": [process.pid],
        "data": str(directory / "mail"),
        "restart": [sys.executable, str(Path(__file__).absolute()), "restart", str(directory)],
    }
    target.write_text(json.dumps(described, indent=1))
    for port in ports.values():
        wait_for(port, process, directory)
    return target


def stop(directory: Path) -> None:
    """SIGTERM, and wait until it is gone."""
    stop_process(directory)
    shutil.rmtree(directory / "run", ignore_errors=True)


if __name__ == "__main__":
    main(start, stop, __doc__)
