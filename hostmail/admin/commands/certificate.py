"""hostmail certificate ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import PROBLEMS, CommandLine, clean, pass_line, table
from hostmail.admin.values import moment

COLUMNS = (
    ("FOR", lambda row: row["server_name"] or "all other names"),
    ("NAMES", lambda row: ", ".join(row["names"]) or "-"),
    ("ISSUER", lambda row: "itself" if row["self_signed"] else row["issuer"] or "-"),
    ("VALID UNTIL", lambda row: moment(row["valid_until"]) if row["valid_until"] else "-"),
)


@click.group()
def certificate() -> None:
    """The server's certificates."""


@certificate.command("list")
@pass_line
def list_(line: CommandLine) -> None:
    """All of them, and the names that have none that programs believe; exit code 4 if one is to be replaced."""
    told = line.call("certificate.list")
    line.answer(told, show)
    if any(row["problems"] for row in told["certificates"]):
        raise click.exceptions.Exit(PROBLEMS)


def show(told: dict[str, Any]) -> None:
    """Print them, then what is the matter."""
    table(told["certificates"], COLUMNS)
    for row in told["certificates"]:
        for words in row["problems"]:
            click.echo(clean(f"{row['file']}: {words}"))
    if told["without"]:
        click.echo()
        click.echo(clean("no certificate that programs believe: " + ", ".join(told["without"])))
