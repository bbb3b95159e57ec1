"""hostmail quota ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, facts, pass_line
from hostmail.admin.values import NO_LIMIT, Size, size


@click.group()
def quota() -> None:
    """Quotas of accounts and domains, on real use."""


@quota.command()
@click.argument("name", metavar="ADDRESS|DOMAIN")
@pass_line
def show(line: CommandLine, name: str) -> None:
    """Limit, use, and what is left."""
    line.answer(line.call("quota.show", name=name), show_one)


@quota.command("set")
@click.argument("name", metavar="ADDRESS|DOMAIN")
@click.argument("limit", metavar="SIZE|none", type=Size())
@pass_line
def set_(line: CommandLine, name: str, limit: int | str) -> None:
    """Change it, at once; mail already there stays."""
    line.answer(line.call("quota.set", name=name, quota=None if limit == NO_LIMIT else limit), show_one)


def show_one(row: dict[str, Any]) -> None:
    """Print a quota."""
    pairs = {"name": row["name"], "quota": size(row["quota"])}
    pairs["used"] = f"{size(row['used'])} in {row['messages']} message(s)"
    if row["free"] is not None:
        pairs["free"] = size(row["free"])
    if row.get("quota_messages"):
        pairs["messages allowed"] = str(row["quota_messages"])
    facts(pairs)
