"""hostmail mailbox ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import PROBLEMS, CommandLine, pass_line, table
from hostmail.admin.values import size

FOLDERS = (
    ("FOLDER", lambda row: row["name"]),
    ("MESSAGES", lambda row: str(row["messages"])),
    ("UNREAD", lambda row: str(row["unread"])),
    ("SIZE", lambda row: size(row["octets"])),
)


@click.group()
def mailbox() -> None:
    """Looking after stored mail."""


@mailbox.command()
@click.argument("address")
@pass_line
def folders(line: CommandLine, address: str) -> None:
    """The folders of ADDRESS, with how much is in each."""
    line.answer(line.call("mailbox.folders", address=address), lambda rows: table(rows, FOLDERS))


@mailbox.command()
@click.argument("address")
@pass_line
def verify(line: CommandLine, address: str) -> None:
    """Compare files and index; changes nothing. Exit code 4 if there are problems."""
    report = line.call("mailbox.verify", address=address)
    line.answer(report, show)
    if report["problems"]:
        raise click.exceptions.Exit(PROBLEMS)


@mailbox.command()
@click.argument("address")
@pass_line
def repair(line: CommandLine, address: str) -> None:
    """The same, and mend the index; no mail is erased."""
    report = line.call("mailbox.repair", address=address)
    line.answer(report, show)
    if len(report["problems"]) > report.get("repaired", 0):
        raise click.exceptions.Exit(PROBLEMS)


@mailbox.command()
@click.argument("address")
@pass_line
def unlock(line: CommandLine, address: str) -> None:
    """Disconnect the POP3 session that holds the mailbox."""
    told = line.call("mailbox.unlock", address=address)
    line.answer(told, lambda _: line.say(f"{told['ended_sessions']} POP3 session(s) of {told['address']} disconnected"))


def show(report: dict[str, Any]) -> None:
    """Print what verify found."""
    problems = report["problems"]
    for problem in problems:
        click.echo(str(problem))
    words = f"{report['messages']} message(s), {len(problems)} problem(s)"
    click.echo(f"{words}, {report['repaired']} repaired" if report.get("repaired") else words)
