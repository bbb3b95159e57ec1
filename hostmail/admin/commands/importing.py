"""hostmail account import FILE.csv"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from hostmail.accountfile import BadAccountFile, read_accounts
from hostmail.admin.cli import PARTLY, REFUSED, CommandLine, Stop, pass_line

BATCH = 50
OUTCOMES = ("created", "updated", "unchanged")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@pass_line
def import_(line: CommandLine, file: Path, dry_run: bool) -> None:
    """Create and update accounts from a CSV file with the columns address, password and quota.

    A password is in clear or a {SCHEME}hash from another system; empty, an existing account keeps its own. A quota is like 20M, or
    none; empty is the default for a new account, and no change for an existing one. Importing the same file again changes nothing.
    """
    rows, problems = read(file)
    counts: Counter[str] = Counter()
    for outcome in _progress(_outcomes(line, rows, dry_run), len(rows)):
        if outcome["outcome"] == "problem":
            problems.append(outcome)
        else:
            counts[outcome["outcome"]] += 1
    problems.sort(key=lambda problem: int(problem["line"]))
    told = {name: counts[name] for name in OUTCOMES}
    shown = [{name: value for name, value in problem.items() if name != "outcome"} for problem in problems]
    for problem in problems:
        line.say(f"{file}:{problem['line']}: {problem['address']}: {problem['problem']}")
    line.answer(told | {"dry_run": dry_run, "problems": shown}, lambda _: _summary(told, len(problems), dry_run))
    if problems:
        raise click.exceptions.Exit(PARTLY if counts.total() else REFUSED)


def read(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the file, and those that no service needs to be asked about; raises Stop if it is no such file."""
    try:
        return read_accounts(file.read_bytes())
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}") from None
    except BadAccountFile as error:
        raise Stop(f"{file}:{error.line}: {error}") from None


def _outcomes(line: CommandLine, rows: list[dict[str, Any]], dry_run: bool) -> Iterator[dict[str, Any]]:
    """Ask in batches: a request stays small, and progress can be shown."""
    for start in range(0, len(rows), BATCH):
        yield from line.call("account.import", rows=rows[start : start + BATCH], dry_run=dry_run)


def _progress(outcomes: Iterable[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """Pass the outcomes on, with a bar on a terminal."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("accounts", total=total)
        for outcome in outcomes:
            progress.advance(task)
            yield outcome


def _summary(told: dict[str, int], problems: int, dry_run: bool) -> None:
    words = ", ".join(f"{count} {name}" for name, count in (*told.items(), ("problems", problems)))
    click.echo(f"would be: {words}" if dry_run else words)
