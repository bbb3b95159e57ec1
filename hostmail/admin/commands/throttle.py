"""hostmail throttle ..., and hostmail account logins."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, pass_line, table
from hostmail.admin.values import moment


@click.group()
def throttle() -> None:
    """Who is slowed down, or refused for a while, because logins from there failed."""


@throttle.command("list")
@pass_line
def list_(line: CommandLine) -> None:
    """Addresses with failed logins; those that are refused come first."""
    columns = (
        ("ADDRESS", lambda row: row["ip"]),
        ("FAILURES", lambda row: str(row["failures"])),
        ("LAST", lambda row: moment(row["last"])),
        ("REFUSED UNTIL", lambda row: moment(row["refused_until"]) if row["refused_until"] else "-"),
    )
    line.answer(line.call("throttle.list"), lambda rows: table(rows, columns))


@throttle.command()
@click.argument("ip", metavar="IP")
@pass_line
def forgive(line: CommandLine, ip: str) -> None:
    """Let an address begin anew."""
    line.answer(line.call("throttle.forgive", ip=ip), lambda told: line.say(f"{told['ip']} may log in again"))


@click.command()
@click.argument("address")
@pass_line
def logins(line: CommandLine, address: str) -> None:
    """The last attempts to sign in to an account, and why they failed."""
    line.answer(line.call("login.list", address=address), show_logins)


def show_logins(rows: list[dict[str, Any]]) -> None:
    """Print attempts, and below them what to do about each reason."""
    columns = (
        ("LAST", lambda row: moment(row["last"])),
        ("TIMES", lambda row: str(row["count"])),
        ("BY", lambda row: row["protocol"] + (" TLS" if row["tls"] else "")),
        ("FROM", lambda row: row["ip"] or "local"),
        ("LOGIN", lambda row: row["login"]),
        ("RESULT", lambda row: "accepted" if row["accepted"] else row["reason"]),
    )
    table(rows, columns)
    for reason, advice in {row["reason"]: row["advice"] for row in rows if row["advice"]}.items():
        click.echo(f"{reason}: {advice}", err=True)
