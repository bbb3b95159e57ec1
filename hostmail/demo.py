"""`make run`: an appliance in ./var with a domain, two accounts and every port shifted out of the privileged range.

The first run makes the configuration, the certificate and the accounts, and keeps the generated passwords beside them; later runs
start what is there. The process then becomes `twistd -n hostmail`.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hostmail.config.loader import load
from hostmail.config.schema import SERVICES, WEB_SERVICES

DOMAIN, MAIN_LOGIN, OPERATOR = "example.test", "example", "operator"
NAMES = ("ann", "bob")

CONFIG = """\
# Made by `make run` to try hostmail out. etc/hostmail.yaml documents every key.
hostname: mail.{domain}
data_dir: data
# Nothing leaves this machine: mail for elsewhere waits in the queue.
direct_delivery: no
listen:
{listen}
"""

WELCOME = """
hostmail runs in the foreground; Ctrl-C ends it, the mail stays in {folder}.

{panel}logins (user name = full address)
{logins}

ports (standard + {offset}), on this machine only
{ports}

send a mail, from a second terminal:
  python3 -c "import smtplib; smtplib.SMTP('127.0.0.1', {smtp}).sendmail('{bob}', '{ann}', 'Subject: hello\\n\\nThe first mail.')"

read it:
  python3 -c "import poplib; p = poplib.POP3('127.0.0.1', {pop3}); p.user('{ann}'); p.pass_('{password}'); \
print(b'\\n'.join(p.retr(p.stat()[0])[1]).decode())"

manage it:
  {hostmail} --config {config} account list
"""

PANEL = """\
the control panel: http://127.0.0.1:{port}/
  {operator}   runs the server
  {main_login}, with {ann}'s password, looks after the domain; the logins below after a mailbox each

"""


def config_text(offset: int) -> str:
    """A configuration that listens on loopback, all ports shifted by `offset`."""
    ports = [f'  {name}: ["tcp:{port + offset}:interface=127.0.0.1"]' for name, port in SERVICES.items()]
    ports.append(f'  panel: [{{endpoint: "tcp:{WEB_SERVICES["panel"] + offset}:interface=127.0.0.1", tls: no}}]')
    return CONFIG.format(domain=DOMAIN, listen="\n".join(ports))


def make_accounts(call: Callable[[str, Mapping[str, Any]], Any]) -> dict[str, str]:
    """The domain, its accounts and an operator; login -> password."""
    call("domain.add", {"name": DOMAIN, "main_login": MAIN_LOGIN})
    made = {}
    for name in NAMES:
        address, password = f"{name}@{DOMAIN}", secrets.token_urlsafe(9)
        call("account.add", {"address": address, "password": password})
        made[address] = password
    made[OPERATOR] = secrets.token_urlsafe(9)
    call("operator.add", {"login": OPERATOR, "password": made[OPERATOR]})
    return made


def prepare(folder: Path, offset: int) -> dict[str, str]:
    """Make everything on the first run; the logins."""
    config, kept = folder / "hostmail.yaml", folder / "logins.txt"
    if config.exists() and "direct_delivery" not in config.read_text():
        # Made by a version that knew no way to other hosts: what waits there must not leave now.
        with config.open("a") as file:
            file.write("direct_delivery: no\n")
    if not kept.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        config.write_text(config_text(offset))
        from hostmail.compose import offline

        with offline(load(config)) as call:
            logins = make_accounts(call)
        kept.touch(mode=0o600)
        kept.write_text("".join(f"{address} {password}\n" for address, password in logins.items()))
    return dict(line.split() for line in kept.read_text().splitlines())


def welcome(folder: Path, logins: Mapping[str, str]) -> str:
    """What the newcomer reads: ports as the configuration now has them."""
    listen = load(folder / "hostmail.yaml").listen
    ports = {name: int(listeners[0].endpoint.split(":")[1]) for name, listeners in listen.items()}
    ann, bob = (login for login in logins if "@" in login)
    operator = (
        f"{OPERATOR} {logins[OPERATOR]}" if OPERATOR in logins else "hostmail operator add NAME makes a login that"
    )
    panel = PANEL.format(port=ports.get("panel"), operator=operator, main_login=MAIN_LOGIN, ann=ann)
    return WELCOME.format(
        folder=folder,
        panel=panel if "panel" in ports else "",
        logins="\n".join(f"  {login}   {logins[login]}" for login in (ann, bob)),
        offset=ports["smtp"] - SERVICES["smtp"],
        ports="\n".join(f"  {name:<12} {port}" for name, port in ports.items()),
        smtp=ports["smtp"],
        pop3=ports["pop3"],
        ann=ann,
        bob=bob,
        password=logins[ann],
        hostmail=Path(sys.executable).parent / "hostmail",
        config=folder / "hostmail.yaml",
    )


def main() -> None:
    """Prepare, explain, become the service."""
    parser = argparse.ArgumentParser(prog="python -m hostmail.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--offset", type=int, default=2000, help="added to every standard port (first run only)")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where everything is kept")
    asked = parser.parse_args()
    logins = prepare(asked.folder, asked.offset)
    print(welcome(asked.folder, logins), flush=True)  # noqa: T201 - this is for the terminal
    twistd = "from twisted.scripts.twistd import run; run()"
    os.execv(
        sys.executable,
        [sys.executable, "-c", twistd, "-n", "--pidfile=", "hostmail", "--config", str(asked.folder / "hostmail.yaml")],
    )


if __name__ == "__main__":
    main()
