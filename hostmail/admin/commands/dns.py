"""hostmail dns ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import PROBLEMS, CommandLine, clean, pass_line, table

CHECKED = (
    ("", lambda row: mark(row)),
    ("NAME", lambda row: row["name"]),
    ("KIND", lambda row: row["kind"]),
    ("FOUND", lambda row: ", ".join(row["found"]) or "-"),
)


@click.group()
def dns() -> None:
    """What a domain's DNS has to say: the records, and whether they are there."""


@dns.command()
@click.argument("domain")
@pass_line
def records(line: CommandLine, domain: str) -> None:
    """Print the records that DOMAIN needs, as text for its zone."""
    line.answer(line.call("dns.records", name=domain), lambda told: click.echo(clean(told["zone"]), nl=False))


@dns.command()
@click.argument("domain")
@pass_line
def check(line: CommandLine, domain: str) -> None:
    """Ask the DNS, and say what is to be changed; exit code 4 if something is."""
    told = line.call("dns.check", name=domain)
    line.answer(told, show_check)
    if told["problems"]:
        raise click.exceptions.Exit(PROBLEMS)


def mark(row: dict[str, Any]) -> str:
    """A record's state in a word; what is only suggested is no problem."""
    return str(row["state"]) if row["problem"] or row["state"] == "ok" else f"({row['state']})"


def show_check(told: dict[str, Any]) -> None:
    """Print what was found, then what to do."""
    click.echo(clean(told["words"]))
    click.echo()
    table(told["records"], CHECKED)
    for row in told["records"]:
        if row["state"] == "ok" and not row["words"]:
            continue
        click.echo()
        click.echo(clean(f"{row['name']} {row['kind']}: {row['words'] or row['state']}"))
        if row["state"] != "ok":
            click.echo(clean(f"  {row['purpose']} ({row['need']})"))
        for fix in row["fix"]:
            click.echo(clean(f"    {fix}"))
