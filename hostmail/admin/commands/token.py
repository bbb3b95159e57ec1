"""hostmail token ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, facts, pass_line, table
from hostmail.admin.values import given, moment, yes


def scope(row: dict[str, Any]) -> str:
    """What a token is for."""
    return row["address"] or ", ".join(row["domains"]) or row["role"]


COLUMNS = (
    ("ID", lambda row: str(row["id"])),
    ("NAME", lambda row: row["name"]),
    ("FOR", scope),
    ("READ ONLY", lambda row: yes(row["read_only"])),
    ("MADE BY", lambda row: row["made_by"]),
    ("EXPIRES", lambda row: moment(row["expires"]) if row["expires"] else "never"),
    ("LAST USED", lambda row: moment(row["last_used"]) if row["last_used"] else "never"),
)


@click.group()
def token() -> None:
    """Tokens that programs show to the HTTP API instead of a login."""


@token.command()
@click.argument("name")
@click.option("--operator", is_flag=True, help="It may do everything.")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="For a domain; may be given again.")
@click.option("--account", "address", metavar="ADDRESS", help="For one account.")
@click.option("--read-only", is_flag=True, help="It may look, and change nothing.")
@click.option("--days", type=int, help="It ends after so many days; default: never.")
@pass_line
def add(
    line: CommandLine,
    name: str,
    operator: bool,
    domains: tuple[str, ...],
    address: str | None,
    read_only: bool,
    days: int | None,
) -> None:
    """Make a token. NAME is for you, to know it by. What the program has to show is printed this once."""
    if [operator, bool(domains), bool(address)].count(True) != 1:
        raise click.UsageError("say what it is for: --operator, --domain DOMAIN, or --account ADDRESS")
    told = line.call(
        "token.add",
        name=name,
        operator=operator,
        domains=list(domains),
        read_only=read_only,
        **given(address=address, days=days),
    )
    line.answer(told, lambda told: facts({"id": str(told["id"]), "for": scope(told), "token": told["token"]}))


@token.command("list")
@pass_line
def list_(line: CommandLine) -> None:
    """All tokens."""
    line.answer(line.call("token.list"), lambda rows: table(rows, COLUMNS))


@token.command()
@click.argument("number", type=int, metavar="ID")
@pass_line
def revoke(line: CommandLine, number: int) -> None:
    """Let a token open nothing any more."""
    line.answer(line.call("token.revoke", id=number), lambda told: line.say(f"token {told['id']} is revoked"))
