"""hostmail init: from nothing to a configuration, a certificate, a domain and an account."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import sys
from pathlib import Path
from typing import Any

import click

from hostmail import newpassword
from hostmail.admin.cli import CommandLine, Stop, facts, pass_line
from hostmail.admin.secret import obtain, password_options
from hostmail.config.loader import load, parse
from hostmail.config.places import STANDARD_PLACES, VARIABLE
from hostmail.config.schema import PROFILES, STANDARD_PORTS, Listener
from hostmail.config.template import render
from hostmail.errors import AlreadyExists, Refusal

OPERATOR = "operator"


@click.command()
@click.option("--hostname", help="The server's own name, as in the DNS.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where mail and databases will live.")
@click.option("--profile", type=click.Choice(PROFILES), help="classic suits old mail programs, modern is strict.")
@click.option("--domain", help="The first domain to host.")
@click.option("--account", metavar="ADDRESS", help="The first account, which also gets mail for unknown names.")
@click.option(
    "--port-offset", type=click.IntRange(0, 60000), default=0, help="Added to every port: 2000 needs no root."
)
@click.option("--user", help="The user the service will run as, who gets the data; only root can say this.")
@password_options
@pass_line
def init(
    line: CommandLine,
    hostname: str | None,
    data_dir: Path | None,
    profile: str | None,
    domain: str | None,
    account: str | None,
    port_offset: int,
    user: str | None,
    password_file: str | None,
    generate: bool,
) -> None:
    """Write a configuration, make a certificate, and create the first domain and account. Asks for what is not given."""
    path = Path(line.config or os.environ.get(VARIABLE) or STANDARD_PLACES[0])
    if path.exists():
        raise Stop(f"{path} exists already; edit it, or name another file with --config")
    hostname = hostname or _ask(line, "Host name of this server", socket.gethostname())
    data_dir = data_dir or Path(_ask(line, "Directory for mail and databases", "/var/lib/hostmail"))
    domain = domain or _ask(line, "First domain", hostname.partition(".")[2] or None)
    account = account or _ask(line, "First account", f"postmaster@{domain}")
    account = account if "@" in account else f"{account}@{domain}"
    password = obtain(line, password_file, generate, account)
    values: dict[str, Any] = {"hostname": hostname, "data_dir": data_dir.absolute()}
    if profile:
        values["profile"] = profile
    if port_offset:
        values["listen"] = {
            name: (Listener(endpoint=f"tcp:{port + port_offset}"),) for name, port in STANDARD_PORTS.items()
        }
    if user is not None:
        give_to(user, values["data_dir"])
    write(path, render(values))
    line.config = path
    try:
        created = fill(line, domain, account, password)
        operator = add_operator(line)
    except BaseException:
        take_back(line, path)
        raise
    told = {"config": str(path), "data_dir": str(values["data_dir"]), "domain": domain, "login": created["login"]}
    if generate:
        told["password"] = password
    told |= operator
    line.answer(told, facts)
    if user is None and belongs_to_root(values["data_dir"]):
        line.say(f"for a service that runs as another user, say first: chown -R USER {values['data_dir']}")
    options = f" --uid {user} --gid {group_of(user)}" if user is not None else ""
    line.say(f"start it with: {twistd()} -n{options} hostmail --config {path}")


def _ask(line: CommandLine, question: str, default: str | None) -> str:
    if not line.interactive():
        raise click.UsageError(f"nobody is there to be asked: {question}? --help lists the options")
    return str(click.prompt(question, default=default, err=True))


def write(path: Path, text: str) -> None:
    """Write the file if it can be used, and if nobody else writes it; raises Stop."""
    _, problems = parse(text.encode(), str(path), path.absolute().parent)
    if problems:
        raise Stop("\n".join(f"{problem.key}: {problem.words}" for problem in problems))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            # Holds no secret, and the service's user reads it again on SIGHUP, whatever root's umask is.
            os.fchmod(stream.fileno(), 0o644)
            stream.write(text)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from None


def twistd() -> str:
    """The one beside this Python: in a virtual environment that is not on the PATH."""
    beside = Path(sys.executable).with_name("twistd")
    return str(beside) if beside.exists() else "twistd"


def take_back(line: CommandLine, path: Path) -> None:
    """Remove a configuration that nothing came of; it stays if root wrote it and is the data's owner by now."""
    try:
        path.unlink()
    except OSError as error:
        line.say(f"{path} stays and is in the way of the next try: {error.strerror}")


def give_to(user: str, data_dir: Path) -> None:
    """Make the data directory as this user's; raises Stop. The rest of `init` then works as its owner (see `offline`)."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise Stop(f"--user: there is no user {user}") from None
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(data_dir, entry.pw_uid, entry.pw_gid)
    except OSError as error:
        raise Stop(f"{data_dir} cannot be given to {user}: {error.strerror}") from None


def group_of(user: str) -> str:
    """The name of the user's own group."""
    number = pwd.getpwnam(user).pw_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def belongs_to_root(data_dir: Path) -> bool:
    """True if only root can run a service on it."""
    return data_dir.exists() and data_dir.stat().st_uid == 0


def fill(line: CommandLine, domain: str, account: str, password: str) -> dict[str, Any]:
    """The certificate, the domain and the account. A data directory that has the domain already keeps it."""
    settings = load(line.config_path)
    if line.make_certificate is not None:
        line.make_certificate(settings)
    try:
        line.call("domain.add", name=domain)
    except Refusal as refusal:
        if refusal.code != AlreadyExists.code:
            raise
        line.say(f"{domain} is hosted there already")
    created: dict[str, Any] = line.call("account.add", address=account, password=password)
    return created


def add_operator(line: CommandLine) -> dict[str, str]:
    """A login for the panel: it and its password are shown this once. A data directory that has an operator already keeps him."""
    if line.call("operator.list"):
        return {}
    password = newpassword.generate()
    try:
        line.call("operator.add", login=OPERATOR, password=password)
    except Refusal as refusal:
        if refusal.code != AlreadyExists.code:
            raise
        line.say(f"nobody may sign in to the panel yet: {refusal.public}; hostmail operator add makes another login")
        return {}
    return {"operator": OPERATOR, "operator_password": password}
