"""Values as people write them in commands, and read them in tables."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import click

from hostmail.config.units import format_duration, human_size, parse_duration, parse_size

SUSPENSIONS = ("login", "incoming", "outgoing")
NO_LIMIT = "none"
LISTED, MOST_LISTED = 1_000, 10_000


class Size(click.ParamType):  # type: ignore[type-arg]
    """20M, or none for no limit."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Octets, or NO_LIMIT."""
        if isinstance(value, int):
            return value
        if str(value).lower() in (NO_LIMIT, "unlimited"):
            return NO_LIMIT
        try:
            return parse_size(str(value))
        except ValueError as error:
            self.fail(f"{error}, or none for no limit", param, ctx)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """30m"""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds."""
        if isinstance(value, int):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def given(**options: Any) -> dict[str, Any]:
    """The arguments of a verb for the options that were used; none becomes JSON's null."""
    return {name: None if value == NO_LIMIT else value for name, value in options.items() if value is not None}


def suspension_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--suspend and --resume, for each of the three separate switches."""
    for name, words in (("resume", "Allow again"), ("suspend", "Suspend")):
        choice = click.Choice(SUSPENSIONS)
        function = click.option(f"--{name}", multiple=True, type=choice, help=f"{words}; may be given again.")(function)
    return function


def suspensions(suspend: tuple[str, ...], resume: tuple[str, ...]) -> dict[str, bool]:
    """The arguments of a verb for --suspend and --resume."""
    if set(suspend) & set(resume):
        raise click.UsageError("--suspend and --resume name the same thing")
    return {f"{name}_suspended": name in suspend for name in (*suspend, *resume)}


def size(octets: int | None) -> str:
    """For tables."""
    return "none" if octets is None else human_size(octets)


def suspended(row: Mapping[str, Any]) -> str:
    """Which of the three switches are off."""
    operators = row.get("operator_suspended", ())
    names = [name for name in SUSPENSIONS if row[f"{name}_suspended"]]
    return ", ".join(f"{name} (by an operator)" if name in operators else name for name in names) or "-"


def yes(value: object) -> str:
    """For tables."""
    return "yes" if value else "no"


def since(when: float, now: float) -> str:
    """How long ago, with at most two units."""
    return ago(max(0, round(now - when)))


def ago(seconds: int) -> str:
    """A duration cut to what matters: 3d, 2h, 5m, 12s."""
    for unit in (86400, 3600, 60):
        if seconds >= 2 * unit:
            return format_duration(seconds // unit * unit)
    return format_duration(seconds)


def moment(when: float) -> str:
    """A point in time, in local time."""
    return datetime.datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
