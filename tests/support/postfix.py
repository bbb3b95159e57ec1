"""Debian's Postfix as somebody else's mail server: its own folder and port, ended with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.missing import lacking, program

SECONDS = 30.0

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/users
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = texthash:{folder}/transport
alias_maps =
local_recipient_maps =
smtpd_sasl_auth_enable = no
smtp_tls_security_level = {tls}
smtpd_peername_lookup = no
smtp_host_lookup = native
minimal_backoff_time = 300s
notify_classes =
{more}
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
tlsmgr    unix - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Takes mail for `users` of `domain` into Maildirs; sends mail for the domains of `transport` to ports on this machine."""

    def __init__(
        self, port: int, domain: str, users: tuple[str, ...], transport: dict[str, int], more: str = ""
    ) -> None:
        program("postfix")
        if os.getuid():
            raise lacking("Postfix can be run by root only")
        self.folder = Path(tempfile.mkdtemp(prefix="hostmail-postfix-"))
        self.folder.chmod(0o755)
        self.port = port
        self._domain = domain
        owner = pwd.getpwnam("postfix")
        for name in ("spool", "data", "mail"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        (self.folder / "users").write_text("".join(f"{user}@{domain} {user}/\n" for user in users))
        lines = [f"{name} smtp:[127.0.0.1]:{number}\n" for name, number in transport.items()]
        (self.folder / "transport").write_text("".join(lines))
        facts = {"domain": domain, "uid": owner.pw_uid, "gid": owner.pw_gid, "tls": "may", "more": more}
        daemons = subprocess.run(["postconf", "-dh", "daemon_directory"], capture_output=True, text=True).stdout.strip()
        (self.folder / "main.cf").write_text(MAIN.format(folder=self.folder, daemons=daemons, **facts))
        (self.folder / "master.cf").write_text(MASTER.format(port=port))

    def start(self) -> None:
        """Until it answers."""
        self._tell("start")
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.recv(1)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError(f"Postfix does not answer:\n{self.text()}") from None
                time.sleep(0.05)

    def _tell(self, what: str) -> None:
        """Start or stop it; it finds its processes by a file in its folder."""
        with (self.folder / "output").open("ab") as output:
            command = ["postfix", "-c", str(self.folder), what]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=60, check=False)

    def text(self) -> str:
        """Its log so far."""
        files = [self.folder / "output", self.folder / "log"]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def letters(self, user: str) -> list[bytes]:
        """What is in a Maildir."""
        files = sorted((self.folder / "mail" / user / "new").glob("*"))
        return [file.read_bytes() for file in files]

    def stop(self) -> None:
        """End it, and forget everything."""
        self._tell("stop")
        shutil.rmtree(self.folder, ignore_errors=True)
