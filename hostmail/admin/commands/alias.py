"""hostmail alias ..., hostmail forward ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import Columns, CommandLine, pass_line, table
from hostmail.admin.values import given, yes


def _marked(target: str, row: dict[str, Any]) -> str:
    return f"{target} (refused)" if target in row.get("refused", ()) else target


ALIASES = (
    ("ADDRESS", lambda row: row["address"]),
    ("LEADS TO", lambda row: ", ".join(_marked(target, row) for target in row["aliases"]) or "-"),
)
FORWARDS = (
    ("ADDRESS", lambda row: row["address"]),
    ("SENT ON TO", lambda row: ", ".join(row["forwards"]) or "-"),
    ("KEEPS A COPY", lambda row: yes(row["keep_copy"])),
)


@click.group()
def alias() -> None:
    """Aliases: an address that leads to one or several mailboxes here."""


@alias.command("add")
@click.argument("address")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@pass_line
def add_alias(line: CommandLine, address: str, targets: tuple[str, ...]) -> None:
    """Let ADDRESS lead to each TARGET; at once, on live sessions too."""
    line.answer(line.call("alias.add", address=address, targets=list(targets)), lambda row: table([row], ALIASES))


@alias.command("list")
@click.argument("name", metavar="[DOMAIN|ADDRESS]", required=False)
@pass_line
def list_aliases(line: CommandLine, name: str | None) -> None:
    """All aliases, or those of a domain or an address."""
    line.answer(line.call("alias.list", **given(name=name)), lambda rows: _listed(line, rows, ALIASES, name, "aliases"))


@alias.command("remove")
@click.argument("address")
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@pass_line
def remove_alias(line: CommandLine, address: str, targets: tuple[str, ...]) -> None:
    """Let ADDRESS lead there no more; without TARGET the whole alias goes."""
    told = line.call("alias.remove", address=address, targets=list(targets))
    line.answer(told, lambda row: _say_left(line, row, "aliases", "leads to"))


@click.group()
def forward() -> None:
    """Forwards: an address whose mail is sent on, anywhere."""


@forward.command("add")
@click.argument("address")
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("--keep-copy/--no-keep-copy", default=None, help="Whether ADDRESS's own mailbox gets the mail, too.")
@pass_line
def add_forward(line: CommandLine, address: str, targets: tuple[str, ...], keep_copy: bool | None) -> None:
    """Send mail for ADDRESS on to each TARGET; at once, on live sessions too."""
    told = line.call("forward.add", address=address, targets=list(targets), **given(keep_copy=keep_copy))
    line.answer(told, lambda row: table([row], FORWARDS))


@forward.command("list")
@click.argument("name", metavar="[DOMAIN|ADDRESS]", required=False)
@pass_line
def list_forwards(line: CommandLine, name: str | None) -> None:
    """All forwards, or those of a domain or an address."""
    line.answer(
        line.call("forward.list", **given(name=name)), lambda rows: _listed(line, rows, FORWARDS, name, "forwards")
    )


@forward.command("remove")
@click.argument("address")
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@pass_line
def remove_forward(line: CommandLine, address: str, targets: tuple[str, ...]) -> None:
    """Send it there no more; without TARGET nowhere at all."""
    told = line.call("forward.remove", address=address, targets=list(targets))
    line.answer(told, lambda row: _say_left(line, row, "forwards", "is sent on to"))


def _listed(line: CommandLine, rows: list[dict[str, Any]], columns: Columns, name: str | None, what: str) -> None:
    table(rows, columns)
    if not rows:
        line.say(f"{name or 'this server'} has no {what}")


def _say_left(line: CommandLine, row: dict[str, Any], what: str, verb: str) -> None:
    left = ", ".join(row[what])
    line.say(f"{row['address']} {verb} {left}" if left else f"{row['address']} has no {what} any more")
