"""The line at the foot of each page is one that the `hostmail` command understands."""

from __future__ import annotations

import shlex

import click
from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.main import hostmail
from hostmail.web.panel.rendering import command_line
from hostmail.web.panel.routes import PAGES

PARTS = {"domain": "example.com", "address": "o'neill@example.com"}


def understood(line: str) -> None:
    """Read a command line as click does, without doing anything; raises UsageError."""
    first, *words = shlex.split(line)
    if first != "hostmail":
        raise click.UsageError(f"{first} is not our command")
    group: click.Group = hostmail
    while True:
        name, command, words = group.resolve_command(click.Context(group), words)
        assert command is not None, name
        if not isinstance(command, click.Group):
            command.make_context(name, words)
            return
        group = command


class CommandTests(SynchronousTestCase):
    def test_every_line_is_understood(self) -> None:
        """No page shows a command that does not exist, or not with these arguments."""
        wrong = []
        for page in PAGES:
            line = command_line(page, PARTS)
            try:
                understood(line) if line else None
            except click.UsageError as error:
                if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Path):
                    continue  # a file of whoever reads it
                wrong.append(f"{page.name}: {line}: {error.format_message()}")
        self.assertEqual(wrong, [])

    def test_quoted(self) -> None:
        """What stands in an address means nothing to a shell."""
        page = next(page for page in PAGES if page.name == "account")
        parts = {"domain": "a.test", "address": "a;rm -rf@a.test"}
        self.assertEqual(shlex.split(command_line(page, parts))[-1], "a;rm -rf@a.test")
