"""hostmail config ..."""

from __future__ import annotations

import click

from hostmail.admin.cli import CONFIGURATION, PROBLEMS, CommandLine, pass_line
from hostmail.config.checking import findings
from hostmail.config.checking import told as as_lines
from hostmail.config.loader import effective, read
from hostmail.config.template import show as as_text


@click.group()
def config() -> None:
    """The configuration file."""


@config.command()
@pass_line
def check(line: CommandLine) -> None:
    """List everything that is wrong. Exit code 78 if the file cannot be used, 4 if something in it looks wrong."""
    path = line.config_path
    settings, problems = read(path)
    told = [str(problem) for problem in problems]
    if settings is not None:
        told += as_lines(path, findings(settings))
    line.answer(
        {"file": str(path), "problems": told}, lambda _: click.echo("".join(f"{words}\n" for words in told), nl=False)
    )
    if not told:
        line.say(f"{path} is fine")
        return
    raise click.exceptions.Exit(CONFIGURATION if problems else PROBLEMS)


@config.command()
@pass_line
def show(line: CommandLine) -> None:
    """Every setting in force, defaults included."""
    settings = line.settings
    line.answer(effective(settings), lambda _: click.echo(as_text(settings), nl=False))
