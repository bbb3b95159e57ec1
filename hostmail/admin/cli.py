"""What every command has: the configuration, a way to ask the service, and the rules of speech.

Data goes to stdout, talk to stderr; with --json data is one JSON value. A running service is asked over its socket; while there
is none the same verbs work on the data directly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import click

from hostmail.admin.client import ControlClient, NotRunning
from hostmail.admin.control_path import socket_path
from hostmail.config.loader import load
from hostmail.config.places import find_config
from hostmail.config.schema import Settings

REFUSED, USAGE, PARTLY, PROBLEMS, UNREACHABLE, TRY_AGAIN, CONFIGURATION = 1, 2, 3, 4, 69, 75, 78

# Folding costs a millisecond a row.
FOLDED_ROWS = 500

Caller = Callable[[str, Mapping[str, Any]], Any]
Offline = Callable[[Settings], AbstractContextManager[Caller]]
Columns = Sequence[tuple[str, Callable[[Any], str]]]


class Stop(click.ClickException):
    """End the command with these words and this exit code."""

    def __init__(self, words: str, exit_code: int = REFUSED) -> None:
        super().__init__(words)
        self.exit_code = exit_code  # type: ignore[misc]


class CommandLine:
    """One run of the `hostmail` command.

    `offline` opens the data when no service answers; `interactive` says whether somebody can be asked.
    """

    def __init__(
        self,
        offline: Offline | None = None,
        make_certificate: Callable[[Settings], object] | None = None,
        interactive: Callable[[], bool] = lambda: sys.stdin.isatty(),
    ) -> None:
        self.config: Path | None = None
        self.json = False
        self.running = True
        self._offline = offline
        self.interactive = interactive
        self.make_certificate = make_certificate
        self._settings: Settings | None = None
        self._caller: Caller | None = None
        self._open = ExitStack()

    def __enter__(self) -> CommandLine:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._open.close()

    @property
    def config_path(self) -> Path:
        """The configuration file in use; raises ConfigurationError if there is none."""
        return find_config(self.config)

    @property
    def settings(self) -> Settings:
        """The settings; raises ConfigurationError."""
        if self._settings is None:
            self._settings = load(self.config_path)
        return self._settings

    def call(self, verb: str, **arguments: Any) -> Any:
        """The verb's answer; raises Refusal, client.Unreachable, and UsageError for what the shell gave us that is no text."""
        for name, value in arguments.items():
            if isinstance(value, str) and not value.isascii() and not is_text(value):
                raise click.UsageError(f"{name.replace('_', ' ')} is not UTF-8 text")
        if self._caller is None:
            try:
                client = ControlClient(socket_path(self.settings.data_dir))
                answer = client.call(verb, arguments)
            except NotRunning:
                self._caller = self._directly()
            else:
                self._caller = client.call
                return answer
        return self._caller(verb, arguments)

    def _directly(self) -> Caller:
        self.running = False
        if self._offline is None:
            raise Stop("the service is not running", UNREACHABLE)
        return self._open.enter_context(self._offline(self.settings))

    # ------------------------------------------------------------------------------------------------------- speaking

    def say(self, words: str) -> None:
        """Talk: to stderr, never with --json in the way."""
        click.echo(clean(words), err=True)

    def answer(self, value: Any, show: Callable[[Any], None]) -> None:
        """Data: as JSON, or as `show` prints it for people."""
        if self.json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
        else:
            show(value)

    def confirm(self, question: str, yes: bool) -> None:
        """Go on only if somebody says so."""
        if yes:
            return
        if not self.interactive():
            raise click.UsageError("nobody is there to be asked: say --yes if you mean it")
        if not click.confirm(f"{question}?", err=True):
            raise Stop("nothing was changed")


def is_text(value: str) -> bool:
    """False for octets that are no UTF-8, which Python carries as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean(text: str) -> str:
    """Text that cannot move the cursor: remote servers' words and clients' names are shown too."""
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)


def table(rows: Sequence[Any], columns: Columns) -> None:
    """Print rows under titles; long values fold on a terminal, and never elsewhere nor in long lists."""
    if len(rows) > FOLDED_ROWS or not sys.stdout.isatty():
        click.echo("\n".join(plain_table(rows, columns)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title, _ in columns:
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(clean(value(row))) for _, value in columns))
    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(shown)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def plain_table(rows: Sequence[Any], columns: Columns) -> list[str]:
    """The lines of a table, each value whole."""
    texts = [
        [title for title, _ in columns],
        *([clean(value(row)).replace("\n", " ") for _, value in columns] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in texts]


def facts(pairs: Mapping[str, str]) -> None:
    """Print names and values, one a line."""
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        click.echo(f"{name:<{width}}  {clean(value)}".rstrip())


def pass_line(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its CommandLine as first argument, and --json after the verb as well."""

    def switch(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            context.find_object(CommandLine).json = True  # type: ignore[union-attr]

    option = click.option(
        "--json", is_flag=True, expose_value=False, callback=switch, help="Answer as one JSON value on stdout."
    )
    return option(click.pass_obj(function))


def ask_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """The --yes of a command that destroys something."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)
