"""hostmail account ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, facts, pass_line, table
from hostmail.admin.commands.importing import import_
from hostmail.admin.commands.throttle import logins
from hostmail.admin.commands.waysout import said, smarthost_changes, smarthost_options
from hostmail.admin.secret import obtain, password_options
from hostmail.admin.values import Size, given, moment, size, suspended, suspension_options, suspensions


def checked(row: dict[str, Any]) -> str:
    """When somebody looked for mail last, and how."""
    last = row.get("last_check")
    return f"{moment(last['at'])} by {last['protocol']}" if last else "-"


COLUMNS = (
    ("LOGIN", lambda row: row["login"]),
    ("USED", lambda row: size(row["used"])),
    ("QUOTA", lambda row: size(row["quota"])),
    ("MESSAGES", lambda row: str(row["messages"])),
    ("LAST CHECK", checked),
    ("SUSPENDED", suspended),
)


@click.group()
def account() -> None:
    """Accounts: who signs in, and the mailbox that goes with it."""


account.add_command(import_)
account.add_command(logins)


@account.command()
@click.argument("address")
@click.option(
    "--quota", type=Size(), help="Limit of the mailbox, or none; default: default_quota of the configuration."
)
@password_options
@pass_line
def add(line: CommandLine, address: str, quota: int | str | None, password_file: str | None, generate: bool) -> None:
    """Create an account. Its login is ADDRESS, spelled as here."""
    password = obtain(line, password_file, generate, address)
    told = line.call("account.add", address=address, password=password, **given(quota=quota))
    _show_secret(line, told, password if generate else None)


@account.command("list")
@click.argument("domain", required=False)
@pass_line
def list_(line: CommandLine, domain: str | None) -> None:
    """All accounts, or those of a domain."""
    line.answer(line.call("account.list", **given(domain=domain)), lambda rows: table(rows, COLUMNS))


@account.command()
@click.argument("address")
@pass_line
def show(line: CommandLine, address: str) -> None:
    """One account."""
    line.answer(line.call("account.show", address=address), show_one)


@account.command("set")
@click.argument("address")
@click.option("--quota", type=Size(), help="Limit of the mailbox, or none.")
@smarthost_options
@suspension_options
@pass_line
def set_(
    line: CommandLine,
    address: str,
    quota: int | str | None,
    suspend: tuple[str, ...],
    resume: tuple[str, ...],
    **smarthost: str | None,
) -> None:
    """Change an account; at once, on live sessions too."""
    changes = given(quota=quota) | suspensions(suspend, resume) | smarthost_changes(**smarthost)
    if not changes:
        raise click.UsageError("say what to change; --help lists it")
    line.answer(line.call("account.set", address=address, **changes), show_one)


@account.command()
@click.argument("address")
@password_options
@pass_line
def passwd(line: CommandLine, address: str, password_file: str | None, generate: bool) -> None:
    """Set a password; the old one is worth nothing from now on."""
    found = line.call("account.show", address=address)
    password = obtain(line, password_file, generate, found["address"])
    told = line.call("account.passwd", address=address, password=password)
    if generate:
        told["password"] = password
    line.answer(told, lambda _: _changed(line, told))


@account.command()
@click.argument("address")
@ask_first
@pass_line
def remove(line: CommandLine, address: str, yes: bool) -> None:
    """Delete an account; its mail is put aside for a while."""
    found = line.call("account.show", address=address)
    line.confirm(f"Remove {found['address']} with {found['messages']} message(s), {size(found['used'])}", yes)
    removed = line.call("account.remove", address=address)
    line.answer(removed, lambda told: line.say(f"{told['address']} is removed"))


@account.command()
@click.argument("domain", required=False)
@pass_line
def removed(line: CommandLine, domain: str | None) -> None:
    """Removed accounts that can be restored."""
    columns = (
        ("NUMBER", lambda row: str(row["number"])),
        ("ADDRESS", lambda row: row["address"]),
        ("REMOVED", lambda row: moment(row["removed"])),
        ("UNTIL", lambda row: moment(row["until"])),
    )
    line.answer(line.call("account.removed", **given(domain=domain)), lambda rows: table(rows, columns))


@account.command()
@click.argument("address")
@click.option("--number", type=int, help="Which one, if there were several with this address; default: the last one.")
@click.option("--as", "target", metavar="ADDRESS", default="", help="Another address, if this one is taken by now.")
@pass_line
def restore(line: CommandLine, address: str, number: int | None, target: str) -> None:
    """Bring a removed account back, with its mail, password and limits."""
    told = line.call("account.restore", address=address, target=target, **given(number=number))
    line.answer(told, lambda _: line.say(f"{told['address']} is back, with {told['messages']} message(s)"))


def _changed(line: CommandLine, told: dict[str, Any]) -> None:
    line.say(f"the password of {told['address']} is changed")
    if "password" in told:
        facts({"password": told["password"]})


def _show_secret(line: CommandLine, told: dict[str, Any], password: str | None) -> None:
    """An account, and the password that was made for it: this is the only time it can be seen."""
    if password is not None:
        told["password"] = password
    line.answer(told, show_one)


def show_one(row: dict[str, Any]) -> None:
    """Print an account."""
    pairs = {"login": row["login"]}
    if row.get("main_login"):
        pairs["second login"] = row["main_login"]
    if "password" in row:
        pairs["password"] = row["password"]
    pairs |= {
        "used": f"{size(row['used'])} in {row['messages']} message(s)",
        "quota": size(row["quota"]),
        "suspended": suspended(row),
    }
    pairs["last check"] = checked(row)
    if "smarthost" in row:
        pairs["smarthost"] = said(row)
    if "folder" in row:
        pairs["folder"] = row["folder"]
    facts(pairs)
