"""hostmail session ..."""

from __future__ import annotations

import time
from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, pass_line, table
from hostmail.admin.values import given, since


@click.group()
def session() -> None:
    """Who is connected."""


@session.command("list")
@click.argument("address", required=False)
@pass_line
def list_(line: CommandLine, address: str | None) -> None:
    """All open sessions, or those of an account."""
    rows = line.call("session.list", **given(address=address))
    if not line.running:
        line.say("the service is not running")
    line.answer(rows, show)


@session.command()
@click.argument("number", metavar="ID", type=int, required=False)
@click.option("--account", "address", metavar="ADDRESS", help="All sessions of an account.")
@click.option("--all", "everybody", is_flag=True, help="Everybody.")
@ask_first
@pass_line
def kick(line: CommandLine, number: int | None, address: str | None, everybody: bool, yes: bool) -> None:
    """Disconnect a session, an account, or everybody."""
    if [number is not None, address is not None, everybody].count(True) != 1:
        raise click.UsageError("name one session, --account ADDRESS, or --all")
    if everybody:
        line.confirm("Disconnect everybody", yes)
    told = line.call("session.kick", **given(id=number, address=address, all=everybody or None))
    line.answer(told, lambda _: line.say(f"{told['ended_sessions']} session(s) disconnected"))


def show(rows: list[dict[str, Any]]) -> None:
    """Print sessions."""
    now = time.time()
    table(
        rows,
        (
            ("ID", lambda row: str(row["id"])),
            ("PROTOCOL", lambda row: row["protocol"]),
            ("FROM", lambda row: row["ip"] or "local"),
            ("LOGIN", lambda row: row["login"] or "-"),
            ("FOR", lambda row: since(row["since"], now)),
            ("TLS", lambda row: row["tls"] or "-"),
            ("STATE", lambda row: " ".join(f"{name}={value}" for name, value in row["state"].items())),
        ),
    )
