"""hostmail account import FILE.csv"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from hostmail.admin.cli import PARTLY, REFUSED, CommandLine, Stop, pass_line

BATCH = 50
COLUMNS = ("address", "password", "quota")
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
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    try:
        reader = csv.DictReader(io.StringIO(_text(file), newline=""))
        _check_columns(file, list(reader.fieldnames or []))
        for row in reader:
            _take({name: row.get(name) or "" for name in COLUMNS}, reader.line_num, None in row, rows, problems, seen)
    except csv.Error as error:
        raise Stop(f"{file}:{reader.line_num + 1}: cannot be read as CSV: {error}") from None
    return rows, problems


def _text(file: Path) -> str:
    """All of the file; raises Stop, with the line where it is no UTF-8."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise Stop(f"{file} cannot be read: {error.strerror}") from None
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Stop(f"{file}:{line}: is not UTF-8 text; save the file as UTF-8 first") from None


def _check_columns(file: Path, names: list[str]) -> None:
    missing = [name for name in ("address", "password") if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown:
        what = f"lacks {' and '.join(missing)}" if missing else f"has an unknown column {unknown[0]!r}"
        raise Stop(f"{file}:1: {what}; the first line must name the columns: {','.join(COLUMNS)}")


def _take(
    row: dict[str, str],
    number: int,
    too_long: bool,
    rows: list[dict[str, Any]],
    problems: list[dict[str, Any]],
    seen: dict[str, int],
) -> None:
    """Sort one row into what is asked for and what is wrong already."""
    address = row["address"].strip()
    first = seen.setdefault(address.casefold(), number)
    problem = ""
    if too_long:
        problem = "the line has more fields than columns; is a comma in a password not in quotes?"
    elif first != number:
        problem = f"is in line {first} already"
    told: dict[str, Any] = {"line": number, "address": address}
    if problem:
        problems.append(told | {"outcome": "problem", "problem": problem})
    else:
        rows.append(told | {"password": row["password"], "quota": row["quota"]})


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
