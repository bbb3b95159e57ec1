"""hostmail client ..."""

from __future__ import annotations

import click

from hostmail.admin.cli import CommandLine, clean, pass_line


@click.command()
@click.argument("address")
@pass_line
def client(line: CommandLine, address: str) -> None:
    """How to set up mail programs for ADDRESS: servers, ports, login, and the steps for each program; made to be printed."""
    line.answer(line.call("client.show", address=address), lambda told: click.echo(clean(told["text"]), nl=False))
