"""A Dovecot to set beside: Debian's packages, 100 users, Maildir with safe writes, on free ports of 127.0.0.1.

    python3 bench/dovecot.py start DIRECTORY      as root; prints the path of its target file
    python3 bench/dovecot.py stop DIRECTORY
    python3 bench/dovecot.py restart DIRECTORY [ADDRESS]      of that mailbox, without its index

It takes mail by LMTP where Debian's dovecot-lmtpd is installed, without an MTA in front of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from start import DOMAIN, USERS, free_ports, main, stop_process, wait_for

SERVICES = ("imap", "imaps", "pop3", "pop3s", "lmtp")
PROGRAM = "/usr/sbin/dovecot"
LMTP = "/usr/lib/dovecot/lmtp"
INBOXES = "mail/{domain}/{local}/Maildir"
MAIL_ID = 65534
# As hostmail makes its own: ECDSA P-256.
CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = {protocols}
listen = 127.0.0.1
ssl = yes
ssl_cert = <{directory}/certificate.pem
ssl_key = <{directory}/key.pem
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
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = subscribe
  }}
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
    port = {imaps}
    ssl = yes
  }}
  service_count = 0
  vsz_limit = 4G
  process_min_avail = 1
  process_limit = 4
  client_limit = 6000
}}
service imap {{
  process_limit = 6000
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  service_count = 0
  vsz_limit = 4G
  process_min_avail = 1
  process_limit = 4
  client_limit = 6000
}}
service lmtp {{
  process_limit = 20
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service imap-urlauth-login {{
  process_limit = 1
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
        services = "imap pop3 lmtp" if os.path.exists(LMTP) else "imap pop3"
        config.write_text(CONFIGURATION.format(directory=directory, mail_id=MAIL_ID, protocols=services, **ports))
        files = ("-keyout", directory / "key.pem", "-out", directory / "certificate.pem")
        subprocess.run([*CERTIFICATE, "-subj", "/CN=localhost", *files], check=True, stderr=subprocess.DEVNULL)
        users = directory / "users"
        users.write_text("".join(f"{address}:{{PLAIN}}{password}\n" for address, password in USERS))
        mail = directory / "mail"
        mail.mkdir()
        os.chown(mail, MAIL_ID, MAIL_ID)
    if not os.path.exists(LMTP):
        ports.pop("lmtp", None)
    process = subprocess.Popen([PROGRAM, "-F", "-c", str(config)], start_new_session=True)
    described = {
        "name": "dovecot",
        "host": "127.0.0.1",
        "ports": ports,
        "domain": DOMAIN,
        "users": [{"address": address, "password": password} for address, password in USERS],
        "pids": [process.pid],
        "data": str(directory / "mail"),
        "inboxes": str(directory / INBOXES),
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


def forget(directory: Path, address: str) -> None:
    """Remove a mailbox's index while the server is down; its list of UIDs stays."""
    local, _, domain = address.partition("@")
    for file in (directory / INBOXES.format(domain=domain, local=local)).glob("dovecot.index*"):
        file.unlink()


if __name__ == "__main__":
    main(start, stop, forget, __doc__)
